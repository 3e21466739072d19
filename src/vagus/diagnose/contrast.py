"""Which traffic is bad: every value of every dimension against the rest, and against before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vagus.diagnose.cells import Cells
from vagus.measures.catalogue import Direction, Measure
from vagus.model.finding import Segment
from vagus.stats.compare import Moments, benjamini_hochberg, compare_means, g_test

FALSE_DISCOVERY_RATE = 0.01
_LEAST_SUPPORT = 20
_LEAST_SHARE = 0.01


@dataclass(frozen=True, slots=True)
class Contrast:
    """A segment, and the share of the excess badness that it explains (it may pass 1)."""

    segment: Segment
    dimensions: tuple[str, ...]
    explained: float
    query: dict[str, object]


@dataclass(frozen=True, slots=True)
class Growth:
    """A value whose share of the traffic moved: before and after."""

    dimension: str
    value: str
    before: float
    after: float
    p_value: float
    query: dict[str, object]


def contrast(cells: Sequence[Cells], is_up_bad: bool, is_share: bool) -> list[Contrast]:
    """The segments that are worse than the rest in the bad window, by what they explain."""
    sign = 1.0 if is_up_bad else -1.0
    tested: list[tuple[Cells, str, float]] = []
    for group in cells:
        whole = group.total(group.after)
        for value, cell in group.after.items():
            enough = cell.n >= max(_LEAST_SUPPORT, _LEAST_SHARE * whole.n)
            if enough and value and cell.n < whole.n:
                tested.append((group, value, _p_value(cell, whole.less(cell), sign, is_share)))
    q_values = benjamini_hochberg([p for _, _, p in tested])
    found = [
        made
        for (group, value, _), q_value in zip(tested, q_values, strict=True)
        if q_value < FALSE_DISCOVERY_RATE and (made := _contrast(group, value, q_value, sign))
    ]
    return sorted(found, key=lambda c: (-c.explained + c.segment.share_after / 2, c.dimensions))


def growth(cells: Sequence[Cells]) -> list[Growth]:
    """How the share of each value moved, those that grew most first and those that fell last."""
    grown = []
    for group in cells:
        n_before, n_after = group.total(group.before).n, group.total(group.after).n
        if n_before <= 0 or n_after <= 0:
            continue
        for value in dict.fromkeys((*group.after, *group.before)):
            was, now = (
                side[value].n if value in side else 0.0 for side in (group.before, group.after)
            )
            if value and max(was, now) >= _LEAST_SUPPORT:
                p_value = g_test(was, n_before - was, now, n_after - now)
                shares = was / n_before, now / n_after
                grown.append(Growth(group.dimension, value, *shares, p_value, group.query))
    return sorted(grown, key=lambda g: (g.before - g.after, g.dimension, g.value))


def _p_value(cell: Moments, rest: Moments, sign: float, is_share: bool) -> float:
    """One-sided in effect: a value that is better than the rest is no suspect."""
    if rest.n < _LEAST_SUPPORT or sign * (cell.mean - rest.mean) <= 0:
        return 1.0
    if is_share:
        return g_test(cell.total, cell.n - cell.total, rest.total, rest.n - rest.total)
    difference = compare_means(rest, cell)
    return difference.p_value if difference else 1.0


def _contrast(group: Cells, value: str, q_value: float, sign: float) -> Contrast | None:
    whole_before, whole_after = group.total(group.before), group.total(group.after)
    if whole_before.n <= 0:
        return None
    before, after = group.before.get(value), group.after[value]
    was = before.mean if before and before.n > 0 else whole_before.mean
    excess = sign * after.n * (after.mean - was)
    all_excess = sign * whole_after.n * (whole_after.mean - whole_before.mean)
    if excess <= 0 or all_excess <= 0:
        return None
    segment = Segment(
        where={group.dimension: value},
        share_before=(before.n if before else 0.0) / whole_before.n,
        share_after=after.n / whole_after.n,
        rate_before=before.mean if before and before.n > 0 else None,
        rate_after=after.mean,
        n_before=before.n if before else 0.0,
        n_after=after.n,
        q_value=q_value,
    )
    return Contrast(segment, (group.dimension,), excess / all_excess, group.query)


def is_up_bad(measure: Measure, change: float) -> bool:
    """Which way is bad; for a neutral measure the way it went."""
    if measure.direction is Direction.NEUTRAL:
        return change > 0
    return measure.direction is Direction.UP_IS_BAD
