"""What moves at this time on other days too is no news: the day's and the week's rhythm.

An indicator that moved is compared with its own move between the same hours a day and a week
earlier. Where the earlier move is no noise and went the same way, it is expected: it is taken off,
and what is left has to be beyond noise by itself.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from vagus.diagnose.observe import (
    AMOUNTS,
    SINGLE_ERROR_RATE,
    Moved,
    Observation,
    is_material,
)

DAY_S = 86_400
#: How far back the same hours are looked at.
SHIFTS_S = (DAY_S, 7 * DAY_S)
#: An earlier move is known when it is this many standard errors from none.
_KNOWN = 2.5


def expect(
    observations: Mapping[str, Observation], earlier: Sequence[Mapping[str, Observation]]
) -> dict[str, Observation]:
    """The observations, flat where the move is the usual one of this time."""
    return {name: _judge(o, [day[name] for day in earlier if name in day])
            for name, o in observations.items()}  # fmt: skip


def _judge(observation: Observation, earlier: Sequence[Observation]) -> Observation:
    if observation.moved not in (Moved.UP, Moved.DOWN):
        return observation
    for usual in earlier:
        if usual.moved is Moved.UNKNOWN or abs(usual.score) < _KNOWN:
            continue
        if (usual.score > 0) == (observation.score > 0) and _is_explained(observation, usual):
            return replace(observation, moved=Moved.FLAT, is_usual=True)
    return observation


def _is_explained(observation: Observation, usual: Observation) -> bool:
    """Whether less than a material, clear part of the move is left when the usual one is off."""
    change, expected = _change(observation), _change(usual)
    if change is None or expected is None or change == 0:
        return False
    left = 1 - expected / change
    if left <= 0.25:
        return True
    error = math.hypot(1.0, expected / change * abs(observation.score) / abs(usual.score))
    p_value = math.erfc(abs(left * observation.score) / error / math.sqrt(2))
    before = observation.before.value or 0.0
    rest = replace(observation.after, value=before + left * _absolute(observation))
    return p_value > SINGLE_ERROR_RATE or not is_material(replace(observation, after=rest))


def _absolute(observation: Observation) -> float:
    return (observation.after.value or 0.0) - (observation.before.value or 0.0)


def _change(observation: Observation) -> float | None:
    """The move; of amounts, which grow with the traffic, the relative one."""
    before, after = observation.before.value, observation.after.value
    if before is None or after is None:
        return None
    if observation.measure.kind in AMOUNTS:
        return math.log(after / before) if before > 0 and after > 0 else None
    return after - before
