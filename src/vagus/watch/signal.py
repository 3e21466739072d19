"""What a detector looks at: every measure becomes a share, a mean or a count for each minute.

A quantile cannot be added up, and how it scatters depends on how many observations it has. So a
latency is watched as the mean of its logarithms, which one slow request cannot move far, or as the
share of observations above a limit when a rule names one.
"""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vagus.errors import BadInput
from vagus.measures.catalogue import Direction, Interval, Kind, Measure
from vagus.measures.panel import Panel
from vagus.watch.monitor import Absence, Drift, Monitor, Rule, Seasonal, Sequential, Threshold

Floats = NDArray[np.float64]


class Family(enum.Enum):
    """How a series scatters: trials that fail, a mean of anything, or a number of events."""

    SHARE = "share"
    MEAN = "mean"
    COUNT = "count"


@dataclass(frozen=True, slots=True)
class Signal:
    """The family of a monitor's series, its bad sides (1 is up) and how to read its values."""

    family: Family
    sides: tuple[int, ...]
    is_log: bool = False
    above: float | None = None
    unit: str = ""

    @property
    def is_flipped(self) -> bool:
        """Whether the bad share is the complement of the measure."""
        return self.family is Family.SHARE and self.sides == (-1,)

    def shown(self, level: float) -> float:
        """A level as people read it: the bad share, or a value in the measure's unit."""
        if self.is_flipped:
            return 1.0 - level
        return math.exp(level) if self.is_log else level

    def level_of(self, shown: float) -> float:
        """The level behind what people read."""
        if self.is_flipped:
            return 1.0 - shown
        return math.log(max(shown, 1e-9)) if self.is_log else shown

    def said(self, level: float) -> str:
        """A level in words."""
        value = self.shown(level)
        if self.family is Family.SHARE:
            return f"{value:.2%}"
        per = " a minute" if self.family is Family.COUNT else ""
        return f"{value:.4g} {self.unit}{per}"


def signal_of(monitor: Monitor, measure: Measure) -> Signal:
    """What a monitor looks at; `BadInput` when its rule cannot be applied to its measure."""
    rule = monitor.rule
    family = _family(rule, measure)
    if isinstance(rule, Absence):
        return Signal(family, (-1,), unit=measure.unit)
    if isinstance(rule, Drift):
        return Signal(family, (1,))
    above = rule.limit if isinstance(rule, Sequential) else None
    is_log = measure.kind is Kind.QUANTILE and above is None
    return Signal(family, _sides(rule, measure), is_log, above, measure.unit)


def _family(rule: Rule, measure: Measure) -> Family:
    is_count = measure.kind in (Kind.COUNT, Kind.SUM)
    if isinstance(rule, Absence | Drift):
        if measure.kind is not Kind.COUNT:
            what = "absence" if isinstance(rule, Absence) else "drift"
            raise BadInput(f"{what} is about a count; {measure.id} is none", field="measure")
        return Family.COUNT if isinstance(rule, Absence) else Family.SHARE
    limit = rule.limit if isinstance(rule, Sequential) else None
    if limit is not None and measure.kind is not Kind.QUANTILE:
        raise BadInput(f"a limit is for quantiles; {measure.id} is none", field="rule.limit")
    is_share = measure.kind is Kind.RATIO and measure.interval is Interval.AUTO
    is_share = is_share or limit is not None
    if isinstance(rule, Sequential) and not is_share and rule.target is not None:
        raise BadInput(f"a target is for shares; {measure.id} is none", field="rule.target")
    if is_share:
        return Family.SHARE
    return Family.COUNT if is_count else Family.MEAN


def _sides(rule: Rule, measure: Measure) -> tuple[int, ...]:
    side = rule.side if isinstance(rule, Seasonal) else "worse"
    if side == "both":
        return (1, -1)
    if side in ("up", "down"):
        return (1,) if side == "up" else (-1,)
    if measure.direction is Direction.NEUTRAL and not isinstance(rule, Threshold):
        raise BadInput(
            f"the rule needs a measure that has a bad direction; {measure.id} is not one",
            field="measure",
        )
    return (-1,) if measure.direction is Direction.DOWN_IS_BAD else (1,)


def values_of(panel: Panel, signal: Signal, *, is_started: bool = True) -> tuple[Floats, Floats]:
    """Value and weight of each group and step; weight 0 is nothing, except that counts are 0.

    A count of nothing is 0 events: its weight is 1 in every minute.
    """
    if signal.family is Family.COUNT:
        return np.nan_to_num(panel.numerator), np.full(panel.n.shape, 1.0 if is_started else 0.0)
    x = np.zeros(panel.n.shape)
    known = (panel.denominator > 0) & (panel.n > 0)
    np.divide(panel.numerator, panel.denominator, out=x, where=known)
    if signal.family is Family.SHARE:
        x = np.clip(x, 0.0, 1.0)
    return x, np.where(known, panel.trials, 0.0)
