"""What a monitor promises: how often it is wrong, and the smallest change that it would find."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vagus.stats.bets import FRACTIONS, excess_factors
from vagus.stats.interval import wilson
from vagus.watch.monitor import MONTH_MIN, Absence, Monitor, Sequential, Threshold
from vagus.watch.settings import Settings, settings_of

Floats = NDArray[np.float64]

# Larger minutes are reckoned with so many observations: the clipping of a bet is reached by then.
_MOST_TRIALS = 500
# What is usual rests on so many minutes (`watch/reference.py`).
_LEARNED_MIN = 3 * 1440


@dataclass(frozen=True, slots=True)
class Promise:
    """What can be said beforehand; None where it cannot.

    `false_alarms_per_30d` is an upper bound for one group by its own evidence; all groups of a
    project share a budget beside it. The changes are levels of the bad share; 0 for an absence
    means that the silence of everything would be found. `groups` is how many series there are now.
    """

    false_alarms_per_30d: float | None
    smallest_change_hour: float | None
    smallest_change_day: float | None
    warnings: tuple[str, ...] = ()
    groups: int | None = None


def promise(monitor: Monitor, volume_per_min: float, level: float, series: int = 1) -> Promise:
    """The promise of one group at its present volume and level; `series` share the budget.

    `level` is the usual bad share, or the usual count a minute for a rule about counts.
    """
    rule = monitor.rule
    if isinstance(rule, Threshold):
        return Promise(None, None, None, _threshold_warnings(rule, volume_per_min))
    settings = settings_of(rule)
    needed = max(math.log(1 / rule.alpha), math.log(max(1, series) * MONTH_MIN))
    false_alarms = min(1.0, rule.alpha * MONTH_MIN)
    if isinstance(rule, Absence):
        kept = _smallest_count(volume_per_min * rule.remains, needed, 60)
        in_a_day = _smallest_count(volume_per_min * rule.remains, needed, 1440)
        warnings = () if in_a_day is not None else ("unfireable: too few events to be missed",)
        return Promise(false_alarms, kept, in_a_day, warnings)
    base = _tolerated(settings, level, volume_per_min)
    # Evidence is the mean over bets, and all but the best one bring little.
    needed += math.log(FRACTIONS.size)
    hour, day = (
        _smallest(base, volume_per_min, needed, _unlearned(settings, minutes))
        for minutes in (60, 1440)
    )
    return Promise(false_alarms, hour, day, _warnings(rule, base, day, volume_per_min))


def _tolerated(settings: Settings, level: float, volume: float) -> float:
    """The tolerated bad share when the usual one was learned from three days."""
    if settings.target is not None:
        return settings.target
    n = max(1.0, volume * _LEARNED_MIN)
    _, high = wilson(min(1.0, max(0.0, level)) * n, n)
    return min(0.999, max(settings.min_target, settings.margin * high))


def _unlearned(settings: Settings, minutes: int) -> int:
    """How long a change is compared with what was before it, and not with itself."""
    return minutes if settings.target is not None else min(minutes, settings.longest_wait_min)


def _smallest(base: float, volume: float, needed: float, minutes: int) -> float | None:
    """The smallest bad share whose evidence is expected to reach what is needed in time."""
    low, high = base, 1.0
    if _growth(1.0, base, volume) * minutes < needed:
        return None
    for _ in range(30):
        middle = (low + high) / 2
        if _growth(middle, base, volume) * minutes < needed:
            low = middle
        else:
            high = middle
    return high


def _growth(rate: float, base: float, volume: float) -> float:
    """What the best bet is expected to gain a minute, in natural logarithms, at a bad share."""
    trials = max(1, min(_MOST_TRIALS, round(volume)))
    share = min(1.0, volume)
    hits = np.arange(trials + 1)
    logs = np.cumsum(np.concatenate([[0.0], np.log(np.arange(1, trials + 1))]))
    p = min(1 - 1e-12, max(1e-12, rate))
    chance = np.exp(
        logs[-1] - logs - logs[::-1] + hits * math.log(p) + (trials - hits) * math.log1p(-p)
    )
    full = np.full(hits.size, base)
    spread = np.full(hits.size, math.sqrt(max(1e-9, base * (1 - base) / trials)))
    factors = excess_factors(hits / trials, full, 1, spread, (full, np.full(hits.size, 1 / trials)))
    gains: Floats = chance @ np.log(np.maximum(factors, 1e-12))
    # The mean over bets pays for not having known which one is best.
    return float(share * gains[: FRACTIONS.size].max())


def _smallest_count(expected: float, needed: float, minutes: int) -> float | None:
    """Whether nothing at all would be missed in time: 0 when it would, None when not."""
    return 0.0 if expected * minutes > needed else None


def _warnings(rule: object, base: float, day: float | None, volume: float) -> tuple[str, ...]:
    if volume <= 0:
        return ("unfireable: there is no data",)
    if day is None:
        return (
            f"unfireable: at {volume:.3g} observations a minute not even everything being bad "
            "would be proven within a day",
        )
    if isinstance(rule, Sequential) and rule.ratio * base >= 1:
        return (f"lambda {rule.ratio:g} times {base:.1%} is more than everything",)
    return ()


def _threshold_warnings(rule: Threshold, volume: float) -> tuple[str, ...]:
    found = ["a threshold has no stated rate of false alarms"]
    if volume * rule.window_min < rule.min_n:
        found.append(
            f"unfireable: {rule.window_min} minutes hold {volume * rule.window_min:.3g} "
            f"observations, and {rule.min_n} are needed"
        )
    return tuple(found)
