"""Which traffic is bad: every value of every dimension against the rest, and against before.

The same sums give the decomposition of the change into mix and rate by each dimension.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vagus.diagnose.windows import Windows
from vagus.measures.catalogue import Catalogue, Direction, Interval, Kind, Measure
from vagus.measures.filter import Filter, Values, render
from vagus.measures.scope import Scope, query_body
from vagus.measures.slice import Request, read_sums
from vagus.measures.value import Sums
from vagus.model.finding import Segment
from vagus.stats.compare import Moments, benjamini_hochberg, compare_means, g_test
from vagus.stats.decompose import Split, decompose
from vagus.stats.interval import effective_n
from vagus.stats.sketch import quantile, share_above
from vagus.store.engine import Engine

FALSE_DISCOVERY_RATE = 0.01
_LEAST_SUPPORT = 20
_LEAST_SHARE = 0.01
#: Dimensions that describe the outcome, not the traffic.
_OUTCOMES = frozenset(("error_class", "finish_reason", "is_billable", "kind", "source", "evaluator",
                       "evaluator_version", "name"))  # fmt: skip
#: A total has no rate of its own; what it costs or takes a call has.
_PER_CALL = {
    "cost": "cost_per_call", "input_tokens": "input_tokens_per_call",
    "output_tokens": "output_tokens_per_call",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Contrast:
    """A segment, and the share of the excess badness that it explains (it may pass 1)."""

    segment: Segment
    dimension: str
    value: str
    explained: float
    query: dict[str, object]


@dataclass(frozen=True, slots=True)
class Cells:
    """One dimension: the sample behind each value, before and after."""

    dimension: str
    before: Mapping[str, Moments]
    after: Mapping[str, Moments]
    query: dict[str, object]

    def total(self, side: Mapping[str, Moments]) -> Moments:
        """All values together."""
        cells = side.values()
        return Moments(
            sum(c.n for c in cells), sum(c.total for c in cells), sum(c.squares for c in cells)
        )

    def split(self) -> Split[str] | None:
        """Mix and rate by this dimension."""
        return decompose(
            {v: (c.total, c.n) for v, c in self.before.items()},
            {v: (c.total, c.n) for v, c in self.after.items()},
        )


def rate_measure(measure: Measure, catalogue: Catalogue) -> Measure:
    """The measure whose average per thing stands behind `measure`."""
    other = _PER_CALL.get(measure.id)
    return catalogue.get(other) if other and other in catalogue else measure


def read_cells(engine: Engine, scope: Scope, measure: Measure, windows: Windows) -> list[Cells]:
    """The samples of every dimension that describes the traffic; fixed dimensions are left out."""
    if measure.kind is Kind.COUNT:
        return []
    fixed = {
        t.dimension for t in scope.filter.terms if isinstance(t, Values) and len(t.values) == 1
    }
    parsed = scope.narrowed(measure)
    threshold = _threshold(engine, scope, measure, parsed, windows)
    cells = []
    for dimension in (*measure.source.rolled, "tenant", "user"):
        if dimension in _OUTCOMES or dimension in fixed or dimension in measure.where:
            continue
        sides = [
            read_sums(engine, scope.project, measure, parsed, (dimension,), window)
            for window in (windows.reference_s, windows.bad_s)
        ]
        before, after = (
            {key[0]: sample(measure, steps[0], threshold) for key, steps in side.items()}
            for side in sides
        )
        request = Request(measure.id, *windows.span_s, (dimension,), render(parsed))
        cells.append(Cells(dimension, before, after, query_body(request)))
    return cells


def sample(measure: Measure, sums: Sums, threshold: float) -> Moments:
    """The sums of a group as a sample; a quantile becomes the share above `threshold`."""
    if measure.kind is Kind.QUANTILE:
        above, of = share_above(list(sums.buckets), list(sums.buckets.values()), threshold)
        return Moments(float(of), float(above), float(above))
    roles = sums.by_role
    total, weight = roles.get("numerator", 0.0), roles.get("denominator", roles.get("n", 0.0))
    squares = roles.get("squares", total)
    if weight <= 0:
        return Moments(0.0, 0.0, 0.0)
    n = weight
    if "weight_squares" in roles:
        n = effective_n(weight, roles["weight_squares"])
    elif measure.kind is Kind.RATIO and measure.interval is not Interval.AUTO:
        # Tokens of one call come together: the calls are what is independent.
        n = min(weight, roles.get("n", weight))
    return Moments(n, total / weight * n, squares / weight * n)


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
    return sorted(found, key=lambda c: -c.explained + c.segment.share_after / 2)


def growth(cells: Sequence[Cells]) -> list[tuple[Cells, str, float, float]]:
    """The values whose share of the traffic grew most: with their share before and after."""
    grown = []
    for group in cells:
        n_before, n_after = group.total(group.before).n, group.total(group.after).n
        for value, cell in group.after.items():
            was = group.before.get(value, Moments(0.0, 0.0, 0.0)).n
            if value and cell.n >= _LEAST_SUPPORT and n_before > 0:
                grown.append((group, value, was / n_before, cell.n / n_after))
    return sorted(grown, key=lambda g: g[2] - g[3])


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
    return Contrast(segment, group.dimension, value, excess / all_excess, group.query)


def _threshold(
    engine: Engine, scope: Scope, measure: Measure, parsed: Filter, windows: Windows
) -> float:
    """The level of the reference that a quantile is compared with."""
    if measure.kind is not Kind.QUANTILE:
        return 0.0
    found = read_sums(engine, scope.project, measure, parsed, (), windows.reference_s)
    buckets = dict(
        itertools.chain.from_iterable(s.buckets.items() for g in found.values() for s in g.values())
    )
    return quantile(list(buckets), list(buckets.values()), measure.quantile).value or 0.0


def is_up_bad(measure: Measure, change: float) -> bool:
    """Which way is bad; for a neutral measure the way it went."""
    if measure.direction is Direction.NEUTRAL:
        return change > 0
    return measure.direction is Direction.UP_IS_BAD
