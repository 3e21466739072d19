"""The budget of an objective: what is spent of it, how fast, and when it will be gone.

Every number is an interval: it carries the sampling of the traffic and, where an evaluator
judges, the evaluator's own errors as far as they are known. Too little evidence is a state.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from vagus.measures.catalogue import Catalogue
from vagus.model.calendar import Stretch
from vagus.stats.interval import Interval, wilson
from vagus.store.engine import Engine
from vagus.watch.objectives.tally import Counts, Tally, read_tally
from vagus.watch.slo import Slo, evidence_floor, window_of

#: Minutes of the long and the short window of each classic alert, in the order of its factors.
BURN_WINDOWS = ((60, 5), (360, 30), (1440, 120), (4320, 360))
_HOUR_S = 3600
_RECENT_S = 6 * _HOUR_S
# A rate from fewer events than this says nothing about when the budget ends.
_LEAST_TO_FORECAST = 30
_JUDGED_SOURCES = {"code", "model", "human", "external"}

Calibrated = Literal["calibrated", "uncalibrated", "not_judged"]


@dataclass(frozen=True, slots=True)
class Rate:
    """A multiple of the budgeted rate with its interval; None is unknown."""

    value: float | None
    low: float | None
    high: float | None
    n: float


@dataclass(frozen=True, slots=True)
class Burn:
    """The rates of one classic alert's windows; `is_firing` when both are above its factor."""

    long_min: int
    short_min: int
    factor: float
    long: Rate
    short: Rate
    is_firing: bool


@dataclass(frozen=True, slots=True)
class Exhaustion:
    """In how many hours the budget is gone at the rate of now; None is never within the window."""

    hours: float | None
    low_hours: float | None
    high_hours: float | None
    over_min: int


@dataclass(frozen=True, slots=True)
class Budget:
    """How much of the budget the window spent; 1 is all of it, None is unknown.

    `burn` is the rate of spending over the last hour, 1 being exactly on budget. `n` is what the
    `judged` events are worth, which stand for `total`. `state` is ok, exhausted (even the lower
    bound is over budget) or insufficient_data, which is never ok.
    """

    spent: float | None
    low: float | None
    high: float | None
    burn: float | None
    n: float
    judged: float
    total: float
    floor: int
    state: str
    calibration: Calibrated
    start_s: int
    end_s: int
    burns: tuple[Burn, ...] = ()
    exhaustion: Exhaustion | None = None

    @property
    def sentence(self) -> str:
        """The budget as one reads it aloud."""
        if self.spent is None or self.low is None or self.high is None:
            return "nothing was counted in the window"
        sampled = f"{self.judged:,.0f} judged of about {self.total:,.0f}"
        n = sampled if self.total > self.judged * 1.001 else f"{self.judged:,.0f}"
        said = f"spent {self.spent:.0%} ({self.low:.0%} to {self.high:.0%}), n = {n}"
        if self.state == "insufficient_data":
            said += f"; {self.floor:,} are needed to prove the target"
        if self.calibration == "uncalibrated":
            said += "; the evaluator is uncalibrated: this is its own rate, not the truth"
        return said


def calibration_of(slo: Slo, catalogue: Catalogue) -> Calibrated:
    """Whether an evaluator judges the events, and whether its errors are known."""
    if slo.judge is not None:
        return "calibrated"
    measure = catalogue.get(slo.measure)
    sources = set(measure.where.get("source", _JUDGED_SOURCES))
    is_judged = measure.table == "scores" and bool(sources & _JUDGED_SOURCES)
    return "uncalibrated" if is_judged else "not_judged"


def interval_of(slo: Slo, counts: Counts) -> tuple[float, Interval] | None:
    """The bad share and its interval, the judge's errors taken out; None when nothing is known."""
    share = counts.share
    if share is None:
        return None
    if slo.judge is not None:
        calibration = slo.judge.calibration
        low, high = calibration.interval(share, counts.worth)
        # The interval's centre is drawn inwards; a point outside of it would confuse.
        return min(high, max(low, calibration.corrected(share))), (low, high)
    return share, wilson(share * counts.worth, counts.worth)


def rate_of(slo: Slo, counts: Counts, scale: float = 1.0) -> Rate:
    """The share of some counts as a multiple of the budget, times `scale`."""
    found = interval_of(slo, counts)
    if found is None:
        return Rate(None, None, None, 0.0)
    share, (low, high) = found
    unit = scale / slo.budget
    return Rate(share * unit, low * unit, high * unit, counts.worth)


def spent_in(
    slo: Slo, counts: Counts, calibration: Calibrated, window: Stretch, now_s: float
) -> Budget:
    """The budget of a window from what was counted in it up to a moment.

    A calendar window is not over: what it may spend is for all of it, so that a bad share in its
    first tenth has spent a tenth of what it would over the whole, if traffic goes on alike.
    """
    length_s = window.end_s - window.start_s
    elapsed = min(1.0, max(0.0, now_s - window.start_s) / length_s)
    rate = rate_of(slo, counts, elapsed)
    floor = evidence_floor(slo.target)
    if rate.low is None or counts.worth < floor:
        state = "insufficient_data"
    else:
        state = "exhausted" if rate.low > 1 else "ok"
    return Budget(
        spent=rate.value,
        low=rate.low,
        high=rate.high,
        burn=None,
        n=counts.worth,
        judged=counts.judged,
        total=counts.total,
        floor=floor,
        state=state,
        calibration=calibration,
        start_s=window.start_s,
        end_s=window.end_s,
    )


def burns_of(slo: Slo, minutes: Tally, hours: Tally, now_s: int) -> tuple[Burn, ...]:
    """The burn rates of the classic alerts' windows up to a moment."""

    def rate(window_min: int) -> Rate:
        tally = minutes if window_min * 60 <= _RECENT_S else hours
        return rate_of(slo, tally.within(now_s - window_min * 60, now_s))

    found = []
    for factor, (long_min, short_min) in zip(slo.factors, BURN_WINDOWS, strict=False):
        long, short = rate(long_min), rate(short_min)
        firing = all(r.value is not None and r.value > factor for r in (long, short))
        found.append(Burn(long_min, short_min, factor, long, short, firing))
    return tuple(found)


def exhaustion_of(slo: Slo, budget: Budget, burns: Sequence[Burn], now_s: int) -> Exhaustion | None:
    """When the budget will be gone at the rate of the shortest window that has enough events."""
    burn = next((b for b in burns if b.long.n >= _LEAST_TO_FORECAST), None)
    if burn is None or budget.spent is None or budget.state == "insufficient_data":
        return None
    window_h = (budget.end_s - budget.start_s) / _HOUR_S
    left_h = math.inf if not slo.calendar else (budget.end_s - now_s) / _HOUR_S

    def hours(rate: float | None) -> float | None:
        if budget.spent is None or rate is None:
            return None
        if budget.spent >= 1:
            return 0.0
        # Out of a rolling window leaves, on average, what it spent.
        net = rate if slo.calendar else rate - budget.spent
        if net <= 0 or (not slo.calendar and rate <= 1):
            return None
        gone_h = window_h * (1 - budget.spent) / net
        return gone_h if gone_h <= left_h else None

    rate = burn.long
    return Exhaustion(hours(rate.value), hours(rate.high), hours(rate.low), burn.long_min)


def budget_of(engine: Engine, catalogue: Catalogue, slo: Slo, now_s: float) -> Budget:
    """What the objective's window has spent so far, how fast it is spent, and when it is gone."""
    window = window_of(slo, int(now_s))
    end_s = math.floor(now_s / 60) * 60 + 60
    step_s = _HOUR_S if slo.slice_target is None else slo.slice_min * 60
    whole = hours = minutes = read_counted(engine, catalogue, slo, window.start_s, end_s, step_s)
    burn_s = max(0, end_s - BURN_WINDOWS[-1][0] * 60)
    if window.start_s > burn_s:
        hours = minutes = read_counted(engine, catalogue, slo, burn_s, end_s, step_s)
    if slo.slice_target is None:
        minutes = read_tally(engine, catalogue, slo, max(0, end_s - _RECENT_S), end_s, 60)
    calibration = calibration_of(slo, catalogue)
    spent = spent_in(slo, whole.within(0, end_s), calibration, window, end_s)
    burns = burns_of(slo, minutes, hours, end_s)
    return replace(
        spent,
        burn=burns[0].long.value if burns else None,
        burns=burns,
        exhaustion=exhaustion_of(slo, spent, burns, end_s),
    )


def read_counted(
    engine: Engine, catalogue: Catalogue, slo: Slo, start_s: int, end_s: int, step_s: int
) -> Tally:
    """What an objective counts: events, or slices if those are what it is about."""
    tally = read_tally(engine, catalogue, slo, start_s, end_s, step_s)
    return tally if slo.slice_target is None else tally.sliced(slo.slice_target)
