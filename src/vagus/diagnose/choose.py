"""Which measure to explain when none is named: the one that moved most beyond noise."""

from __future__ import annotations

from collections.abc import Iterable

from vagus.diagnose.contrast import is_up_bad
from vagus.diagnose.observe import AMOUNTS, Moved, Observation
from vagus.measures.catalogue import Direction

#: A score beyond this is as good as certain; more of it says how much traffic there is.
_CERTAIN = 40.0
#: How much a move counts that is not known to be bad; more or less traffic is the least news.
_NEUTRAL, _GOOD, _VOLUME = 0.5, 0.25, 0.1


def most_moved(observations: Iterable[Observation]) -> Observation | None:
    """The indicator whose move is least like noise, a bad one before a neutral or a good one.

    When nothing moved it is the least quiet one: then there is nothing to explain, and the
    diagnosis says so of it. Indicators of one kind of step are left out: they are no measures of
    their own.
    """
    known = [o for o in observations if o.moved is not Moved.UNKNOWN and not o.indicator.filter]
    return max(known, key=_rank) if known else None


def _rank(observation: Observation) -> tuple[bool, float, float]:
    has_moved = observation.moved in (Moved.UP, Moved.DOWN)
    score = min(abs(observation.score), _CERTAIN) * _weight(observation)
    return has_moved, score, min(observation.relative, 1e9)


def _weight(observation: Observation) -> float:
    if observation.measure.kind in AMOUNTS:
        return _VOLUME
    if observation.measure.direction is Direction.NEUTRAL:
        return _NEUTRAL
    is_bad = (observation.score > 0) == is_up_bad(observation.measure, observation.score)
    return 1.0 if is_bad else _GOOD
