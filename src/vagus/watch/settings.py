"""What a detector is told by a rule: the same few numbers for every kind."""

from __future__ import annotations

from dataclasses import dataclass, replace

from vagus.watch.monitor import Absence, Drift, Seasonal, Sequential, day_number


@dataclass(frozen=True, slots=True)
class Settings:
    """How a detector tolerates, alarms and recovers; a level is that of the signal.

    `min_minutes` is how long a reference must be; `lead_min` how many minutes before a stretch a
    detector begins, so that its evidence and its spreads are as they would be live.
    """

    alpha: float
    clear_alpha: float
    clear_min: int
    min_n: float
    stale_min: int
    horizon_min: int
    margin: float = 1.25
    min_target: float = 0.01
    target: float | None = None
    ratio: float = 3.0
    is_cusum: bool = False
    is_absence: bool = False
    remains: float = 0.5
    silent_min: int | None = None
    weeks: int = 5
    grows: bool = False
    longest_wait_min: int = 360
    holiday_days: frozenset[int] = frozenset()
    pinned: tuple[int, int] | None = None
    min_minutes: int = 30


def settings_of(rule: Sequential | Seasonal | Drift | Absence) -> Settings:
    """A rule as settings."""
    common = Settings(
        alpha=rule.alpha,
        clear_alpha=rule.clear_alpha,
        clear_min=rule.clear_min,
        min_n=30.0,
        stale_min=180,
        horizon_min=rule.horizon_h * 60,
    )
    if isinstance(rule, Absence):
        return replace(common, is_absence=True, remains=rule.remains, silent_min=rule.silent_min)
    common = replace(common, min_n=float(rule.min_n), stale_min=rule.stale_min, margin=rule.margin)
    if isinstance(rule, Drift):
        days = None
        if rule.pinned_from is not None and rule.pinned_to is not None:
            days = (
                day_number(rule.pinned_from, "rule.pinned_from"),
                day_number(rule.pinned_to, "rule.pinned_to"),
            )
        return replace(common, min_target=rule.min_share, pinned=days)
    common = replace(common, min_target=rule.min_target)
    if isinstance(rule, Seasonal):
        holidays = frozenset(day_number(day, "rule.holidays") for day in rule.holidays)
        return replace(common, weeks=rule.weeks, grows=rule.growth, holiday_days=holidays)
    return replace(
        common,
        target=rule.target,
        ratio=rule.ratio,
        is_cusum=rule.test == "likelihood",
        longest_wait_min=rule.reference_min // 2,
    )
