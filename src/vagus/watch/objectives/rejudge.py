"""An objective judged again for any target: what its budget and its alerts would have been.

One read of the past serves every target, so that a line can be dragged: pure functions over
columns, a few milliseconds a target.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from vagus.errors import BadInput
from vagus.measures.catalogue import Catalogue
from vagus.model.calendar import Stretch
from vagus.stats.sequential import capped_alternative, climb_began, dispersion_of
from vagus.store.engine import Engine
from vagus.watch.budgets import BURN_WINDOWS, Budget, Calibrated, calibration_of, spent_in
from vagus.watch.objectives.tally import Floats, Tally, read_tally
from vagus.watch.slo import Slo, lint, raw_alarm, unfireable

#: Events are judged in steps of so many seconds: the shortest window of the classic alerts.
STEP_S = 300
#: So many alerts of one rule are listed; more than that is a rule nobody could use.
MOST_ALERTS = 500
MAX_TARGETS = 200
# As the sequential rule of monitors has them.
_CLEAR_ALPHA = 1e-3
_CLEAR_S = 900


@dataclass(frozen=True, slots=True)
class Alert:
    """One stretch in which a rule would have fired; `cleared_s` is None while it would still."""

    rule: str
    severity: str
    onset_s: int
    fired_s: int
    cleared_s: int | None


@dataclass(frozen=True, slots=True)
class Judged:
    """What one target would have meant over the whole stretch."""

    target: float
    budget: Budget
    alerts: tuple[Alert, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Past:
    """What was counted over the stretch that is judged again, and what is known of its judge."""

    events: Tally
    calibration: Calibrated


def read_past(
    engine: Engine, catalogue: Catalogue, slo: Slo, start_s: int, end_s: int
) -> Past:  # fmt: skip
    """The events of a stretch in the steps that alerts are judged by; one statement."""
    step_s = STEP_S if slo.slice_target is None else slo.slice_min * 60
    events = read_tally(engine, catalogue, slo, start_s, end_s, step_s)
    return Past(events, calibration_of(slo, catalogue))


def rejudge(slo: Slo, past: Past, targets: Sequence[float], end_s: int) -> list[Judged]:
    """The budget and the alerts of each target; pure."""
    if len(targets) > MAX_TARGETS:
        raise BadInput("too many targets to judge at once", field="targets", limit=f"{MAX_TARGETS}")
    if not all(0 < target < 1 for target in targets):
        raise BadInput("a target lies between 0 and 1, both excluded", field="targets")
    events = past.events
    counted = events if slo.slice_target is None else events.sliced(slo.slice_target)
    whole = Stretch(events.start_s, max(events.end_s, end_s))
    worst = _worst_of_pairs(slo, counted)
    # Events that hang together are worth less: the evidence of a step is scaled down by that.
    worth = events.worth()
    bad = np.nan_to_num(events.shares()) * worth
    worth_each = 1.0 / (1.0 + np.maximum(0.0, worth - 1.0) * dispersion_of(bad, worth))
    found = []
    for target in targets:
        # For this the objective is a rolling one over the stretch, whatever it is at other times.
        asked = replace_target(slo, target)
        counts = counted.within(0, whole.end_s)
        budget = spent_in(asked, counts, past.calibration, whole, whole.end_s)
        alerts = (
            *_sequential(asked, events, bad * worth_each, worth * worth_each),
            *_burning(asked, counted, worst),
        )
        found.append(Judged(target, budget, alerts, tuple(lint(asked))))
    return found


def replace_target(slo: Slo, target: float) -> Slo:
    """The objective with another target."""
    return msgspec.structs.replace(slo, target=target)


def _sequential(slo: Slo, events: Tally, bad: Floats, trials: Floats) -> list[Alert]:
    """When the sequential rule would have paged, and when it would have cleared."""
    tolerated, ratio = raw_alarm(slo)
    waking = capped_alternative(tolerated, max(1.0, ratio))
    if slo.severity == "none" or waking <= tolerated:
        return []
    hit, miss = math.log(waking / tolerated), math.log((1 - waking) / (1 - tolerated))
    steps = bad * hit + (trials - bad) * miss
    spans = alarms(
        steps.tolist(),
        -math.log(slo.alpha),
        -math.log(_CLEAR_ALPHA),
        max(1, _CLEAR_S // events.step_s),
    )

    def at(step: int) -> int:
        return events.start_s + step * events.step_s

    def began(first: int, fired: int) -> int:
        # Once the size of a change is known, its beginning is: a stray failure before is left out.
        hits, of = bad[first : fired + 1], trials[first : fired + 1]
        size = max(waking, min(0.98, float(hits.sum() / of.sum())))
        return first + climb_began(hits, of, tolerated, size)

    # An alarm is known when its step has ended.
    return [
        Alert(
            rule="sequential",
            severity=slo.severity,
            onset_s=at(began(first, fired)),
            fired_s=at(fired + 1),
            cleared_s=None if end is None else at(end),
        )
        for first, fired, end in spans
    ]


def alarms(
    steps: Sequence[float], height: float, clear_height: float, clear_steps: int
) -> list[tuple[int, int, int | None]]:
    """Onset, alarm and recovery of the e-CUSUM over log-likelihood steps, again and again.

    After an alarm the mirrored detector looks for recovery; it must have held for `clear_steps`.
    """
    found: list[tuple[int, int, int | None]] = []
    onset, fired, evidence, calm = 0, -1, 0.0, 0
    for place, step in enumerate(steps):
        if fired < 0:
            if evidence + step <= 0:
                evidence, onset = 0.0, place + 1
                continue
            evidence += step
            if evidence >= height:
                fired, evidence, calm = place, 0.0, 0
            continue
        evidence = max(0.0, evidence - step)
        calm = calm + 1 if evidence > 0 else 0
        if evidence >= clear_height and calm >= clear_steps:
            found.append((onset, fired, place + 1))
            onset, fired, evidence = place + 1, -1, 0.0
            if len(found) >= MOST_ALERTS:
                return found
    if fired >= 0:
        found.append((onset, fired, None))
    return found


def _worst_of_pairs(slo: Slo, tally: Tally) -> list[Floats]:
    """For each classic alert, at each step: the lower bad share of its two windows, NaN unknown."""
    found = []
    for long_min, short_min in BURN_WINDOWS:
        pair = [
            _trailing_share(slo, tally, max(1, minutes * 60 // tally.step_s))
            for minutes in (long_min, short_min)
        ]
        found.append(np.minimum(*pair))
    return found


def _trailing_share(slo: Slo, tally: Tally, width: int) -> Floats:
    bad, total = (
        np.concatenate([[0.0], np.cumsum(column)]) for column in (tally.bad, tally.total)
    )  # fmt: skip
    first = np.maximum(0, np.arange(1, bad.size) - width)
    summed, of = bad[1:] - bad[first], total[1:] - total[first]
    share = np.full(summed.size, np.nan)
    np.divide(summed, of, out=share, where=of > 1e-9)
    if slo.judge is None:
        return share
    calibration = slo.judge.calibration
    gain = max(1e-6, calibration.detection - calibration.false_alarm)
    corrected: Floats = np.clip((share - calibration.false_alarm) / gain, 0.0, 1.0)
    return corrected


def _burning(slo: Slo, tally: Tally, worst: Sequence[Floats]) -> list[Alert]:
    """When the classic alerts would have fired, by their point estimates."""
    found: list[Alert] = []
    for factor, (long_min, short_min), share in zip(slo.factors, BURN_WINDOWS, worst, strict=False):
        if unfireable(slo.target, factor):
            continue
        rule = f"burn {_time(long_min)}/{_time(short_min)}"
        severity = "page" if long_min <= 360 else "ticket"
        for first, last in _runs(share > factor * slo.budget)[:MOST_ALERTS]:
            began = tally.start_s + first * tally.step_s
            is_open = last == tally.judged.size
            cleared = None if is_open else tally.start_s + (last + 1) * tally.step_s
            found.append(Alert(rule, severity, began, began + tally.step_s, cleared))
    return found


def _time(minutes: int) -> str:
    if minutes % 1440 == 0:
        return f"{minutes // 1440}d"
    return f"{minutes // 60}h" if minutes % 60 == 0 else f"{minutes}m"


def _runs(mask: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Where true stretches begin and end."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]
