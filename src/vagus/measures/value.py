"""From sums to a value with its interval; what is not known is None and never 0."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from vagus.measures.catalogue import Interval, Kind, Measure
from vagus.stats.interval import (
    effective_n,
    mean_interval,
    normal_quantile,
    weighted_wilson,
    wilson,
)
from vagus.stats.sketch import quantile


@dataclass(frozen=True, slots=True)
class Point:
    """A value at a time, with the number of observations behind it and its 95 % interval."""

    t_s: int
    n: float
    value: float | None
    low: float | None
    high: float | None
    numerator: float | None
    denominator: float | None


@dataclass(slots=True)
class Sums:
    """What was added up for one group and step: sums by role, counts by log bucket."""

    by_role: dict[str, float]
    buckets: dict[int, int]

    def add(self, other: Sums) -> None:
        """Add another step of the same group."""
        for role, amount in other.by_role.items():
            self.by_role[role] = self.by_role.get(role, 0.0) + amount
        for bucket, count in other.buckets.items():
            self.buckets[bucket] = self.buckets.get(bucket, 0) + count


def evaluate(measure: Measure, sums: Sums, t_s: int) -> Point:
    """The point that some sums make."""
    if measure.kind is Kind.QUANTILE:
        return _quantile_point(measure, sums.buckets, t_s)
    n = max(0.0, sums.by_role.get("n", 0.0))
    if measure.kind in (Kind.COUNT, Kind.SUM):
        return _amount_point(sums.by_role, n, t_s)
    numerator = sums.by_role.get("numerator", 0.0)
    if measure.kind is Kind.RATIO:
        # A difference such as `errors - retries` can fall below 0 in a group that cuts it apart.
        numerator = max(0.0, numerator)
    denominator = sums.by_role.get("denominator", 0.0)
    if denominator <= 0:
        return Point(t_s, n, None, None, None, None, None)
    low, high = _interval(measure, sums.by_role | {"numerator": numerator}, n)
    return Point(t_s, n, numerator / denominator, low, high, numerator, denominator)


def _amount_point(sums: Mapping[str, float], n: float, t_s: int) -> Point:
    amount = sums.get("numerator", 0.0)
    # A sum over rows of which none says its amount is unknown; a sum over no rows is 0.
    if n > 0 and sums.get("known", 1.0) <= 0:
        return Point(t_s, n, None, None, None, None, n)
    return Point(t_s, n, amount, None, None, amount, n)


def _quantile_point(measure: Measure, buckets: Mapping[int, int], t_s: int) -> Point:
    found = quantile(list(buckets), list(buckets.values()), measure.quantile)
    return Point(t_s, float(found.n), found.value, found.low, found.high, None, None)


def _interval(
    measure: Measure, sums: Mapping[str, float], n: float
) -> tuple[float | None, float | None]:
    if measure.interval is Interval.NONE:
        return None, None
    if measure.interval is Interval.DELTA:
        return delta_interval(sums, n) or (None, None)
    if measure.kind is Kind.MEAN:
        return _mean_interval(sums) or (None, None)
    numerator, denominator = sums["numerator"], sums["denominator"]
    if "weight_squares" in sums:
        return weighted_wilson(numerator, denominator, sums["weight_squares"])
    return wilson(numerator, denominator)


def _mean_interval(sums: Mapping[str, float]) -> tuple[float, float] | None:
    total, weight, squares = sums["numerator"], sums["denominator"], sums["squares"]
    if "weight_squares" not in sums:
        return mean_interval(total, squares, weight)
    n = effective_n(weight, sums["weight_squares"])
    return mean_interval(total / weight * n, squares / weight * n, n)


def delta_interval(
    sums: Mapping[str, float], n: float, confidence: float = 0.95
) -> tuple[float, float] | None:
    """The interval of a ratio of two sums over `n` calls, by the delta method; None below two.

    Not for shares of independent things (use Wilson), and too narrow when a few calls hold most
    of the denominator.
    """
    if n < 2:
        return None
    denominator = sums["denominator"]
    ratio = sums["numerator"] / denominator
    spread = (
        sums["numerator_squares"]
        - 2 * ratio * sums["cross"]
        + ratio * ratio * sums["denominator_squares"]
    )
    half = normal_quantile(0.5 + confidence / 2) * math.sqrt(max(0.0, spread) * n / (n - 1))
    return max(0.0, ratio - half / denominator), ratio + half / denominator
