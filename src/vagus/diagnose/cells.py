"""The traffic of both windows by all its dimensions at once: the sample behind every combination.

One statement reads them, so that single values, pairs and triples all come from the same rows and
add up. Where there are too many rows a hash of the trace chooses which are read: all or nothing of
a trace, the same ones each time.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from vagus.diagnose.windows import Windows
from vagus.measures.catalogue import Catalogue, Interval, Kind, Measure
from vagus.measures.facts import Table, bucket_sql, is_known_sql
from vagus.measures.filter import Filter, Values, render, text_sql
from vagus.measures.plan import plan, sum_sql
from vagus.measures.scope import Scope, query_body
from vagus.measures.slice import Request, read_sums
from vagus.stats.compare import Moments
from vagus.stats.decompose import Split, decompose
from vagus.stats.sketch import bucket, quantile
from vagus.store.engine import Columns, Engine

Floats = NDArray[np.float64]

#: Dimensions that describe the outcome or name one thing, not the traffic.
_NO_TRAFFIC = frozenset(
    ("error_class", "finish_reason", "is_billable", "kind", "source", "evaluator", "name", "label",
     "evaluator_version", "cost_source", "operation", "status", "price_source", "price_id",
     "is_retry", "is_local_cache", "is_cut_off", "session", "trace_id", "span_id", "response_id",
     "parent_span_id", "root_span_id", "score_id", "user", "temperature", "top_p", "prompt_hash",
     "dataset", "is_argument_error")
)  # fmt: skip
#: Rows that are read of both windows together; with more, traces are sampled.
MOST_ROWS = 150_000
_MOST_CELLS = 30_000
_MOST_USERS = 500
#: A total has no rate of its own; what it costs or takes a call has.
_PER_CALL = {
    "cost": "cost_per_call", "input_tokens": "input_tokens_per_call",
    "output_tokens": "output_tokens_per_call",
}  # fmt: skip


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


@dataclass(frozen=True, slots=True)
class Joint:
    """Every combination of values that came: its sample before (rows 0-2) and after (rows 3-5).

    `codes` holds for each combination (rows) the number of its value in each dimension (columns).
    The rows of `sums` are n, total and squares, first before and then after. `sampled` is the
    share of the traces that was read.
    """

    dimensions: tuple[str, ...]
    values: tuple[tuple[str, ...], ...]
    codes: NDArray[np.int32]
    sums: Floats
    sampled: float
    base: dict[str, object] = field(default_factory=dict)

    def query(self, by: Sequence[str]) -> dict[str, object]:
        """The slice that shows these dimensions."""
        return {**self.base, "by": list(by)}

    def marginal(self, dimension: str) -> Cells:
        """The sample of each value of one dimension."""
        column = self.dimensions.index(dimension)
        codes, names = self.codes[:, column], self.values[column]
        added = [np.bincount(codes, weights=row, minlength=len(names)) for row in self.sums]
        before, after = (
            {
                name: Moments(*(float(added[start + i][code]) for i in range(3)))
                for code, name in enumerate(names)
                if added[start][code] > 0
            }
            for start in (0, 3)
        )
        return Cells(dimension, before, after, self.query((dimension,)))

    def marginals(self) -> list[Cells]:
        """All dimensions that have any value, one by one."""
        found = (self.marginal(dimension) for dimension in self.dimensions)
        return [cells for cells in found if any((*cells.before, *cells.after))]


def rate_measure(measure: Measure, catalogue: Catalogue) -> Measure:
    """The measure whose average per thing stands behind `measure`."""
    other = _PER_CALL.get(measure.id)
    return catalogue.get(other) if other and other in catalogue else measure


def read_joint(
    engine: Engine, scope: Scope, measure: Measure, windows: Windows, rows: float
) -> Joint | None:
    """The joint sample of all dimensions that describe the traffic; None when there is none.

    `rows` is about how many rows the windows hold, from which the sampling follows.
    """
    parsed = scope.narrowed(measure)
    fixed = {t.dimension for t in parsed.terms if isinstance(t, Values) and len(t.values) == 1}
    left_out = _NO_TRAFFIC | fixed | set(measure.where)
    dimensions = tuple(d for d in measure.source.dimensions if d not in left_out)
    threshold = reference_level(engine, scope, measure, windows)
    answer = _read(engine, scope, measure, parsed, windows, dimensions, threshold, rows)
    if not len(answer):
        return None
    codes, values = _encode(answer, len(dimensions))
    request = Request(measure.id, *windows.span_s, (), render(parsed))
    return Joint(
        dimensions=dimensions,
        values=values,
        codes=codes,
        sums=np.vstack([_samples(measure, answer, side) for side in ("before", "after")]),
        sampled=1 / _every(rows),
        base=query_body(request),
    )


def read_users(
    engine: Engine, scope: Scope, measure: Measure, windows: Windows, rows: float
) -> Cells | None:
    """The busiest users of the bad window and their part before; the others are one, ''."""
    if "user" not in measure.source.dimensions:
        return None
    parsed = scope.narrowed(measure)
    answer = _read(engine, scope, measure, parsed, windows, ("user",), 0.0, rows)
    if not len(answer) or not any(answer["key_0"]):
        return None
    before, after = (_samples(measure, answer, side) for side in ("before", "after"))
    order = np.argsort(-after[0], kind="stable")
    sides: tuple[dict[str, Moments], dict[str, Moments]] = ({}, {})
    for place, index in enumerate(order):
        name = str(answer["key_0"][index]) if place < _MOST_USERS else ""
        for side, sums in zip(sides, (before, after), strict=True):
            had = side.get(name, Moments(0.0, 0.0, 0.0))
            n, total, squares = (float(row[index]) for row in sums)
            side[name] = Moments(had.n + n, had.total + total, had.squares + squares)
    request = Request(measure.id, *windows.span_s, ("user",), render(parsed))
    return Cells("user", sides[0], sides[1], query_body(request))


def _every(rows: float) -> int:
    return max(1, -(-int(rows) // MOST_ROWS))


def _read(
    engine: Engine,
    scope: Scope,
    measure: Measure,
    parsed: Filter,
    windows: Windows,
    dimensions: Sequence[str],
    threshold: float,
    rows: float,
) -> Columns:
    question = plan(measure, scope.project, parsed, tuple(dimensions), *windows.span_s)
    keys = [f"toString({text_sql(d)}) AS key_{i}" for i, d in enumerate(dimensions)]
    sums = [
        f"{sql} AS {side}_{role}"
        for side, window in (("before", windows.reference_s), ("after", windows.bad_s))
        for role, sql in _sums(measure, _within(window), threshold).items()
    ]
    every = _every(rows)
    sample = f" AND cityHash64(trace_id) % {every:d} = 0" if every > 1 else ""
    names = ", ".join(f"key_{i}" for i in range(len(dimensions)))
    grouped = f" GROUP BY {names}" if names else ""
    return engine.query(
        f"SELECT {', '.join([*keys, *sums])} FROM {measure.source.name} "
        f"WHERE {question.condition}{sample}{grouped} "
        f"HAVING before_n > 0 OR after_n > 0 ORDER BY before_n + after_n DESC "
        f"LIMIT {_MOST_CELLS:d}",
        question.params,
    )


def _within(window: tuple[int, int]) -> str:
    return (
        f"minute >= toDateTime({window[0]:d}, 'UTC') AND minute < toDateTime({window[1]:d}, 'UTC')"
    )


def _sums(measure: Measure, only: str, threshold: float) -> dict[str, str]:
    if measure.kind is not Kind.QUANTILE:
        return {
            role: sum_sql(measure.source, expression, rolled=False, only=only)
            for role, expression in measure.sums.items()
        }
    column = measure.source.distributions[measure.distribution]
    known = f"{only} AND {is_known_sql(column)}"
    above = f"{bucket_sql(column)} > {bucket(threshold):d}"
    return {
        "n": f"toFloat64(sumIf(sign, {known}))",
        "numerator": f"toFloat64(sumIf(sign, {known} AND {above}))",
    }


def _samples(measure: Measure, answer: Columns, side: str) -> Floats:
    """The rows n, total and squares of one side."""

    def column(role: str) -> Floats:
        return np.array([v or 0.0 for v in answer[f"{side}_{role}"]], dtype=np.float64)

    roles = set(measure.sums) if measure.kind is not Kind.QUANTILE else {"n", "numerator"}
    total = column("numerator")
    weight = column("denominator" if "denominator" in roles else "n")
    squares = column("squares") if "squares" in roles else total
    n = weight
    with np.errstate(divide="ignore", invalid="ignore"):
        if "weight_squares" in roles:
            n = weight**2 / column("weight_squares")
        elif measure.kind is Kind.RATIO and measure.interval is not Interval.AUTO:
            # Tokens of one call come together: the calls are what is independent.
            n = np.minimum(weight, column("n"))
        scaled = np.vstack([n, total / weight * n, squares / weight * n])
    result: Floats = np.where((weight > 0) & np.isfinite(scaled), scaled, 0.0)
    return result


def _encode(answer: Columns, width: int) -> tuple[NDArray[np.int32], tuple[tuple[str, ...], ...]]:
    codes = np.zeros((len(answer), width), dtype=np.int32)
    values = []
    for column in range(width):
        known: dict[str, int] = {}
        codes[:, column] = [known.setdefault(v, len(known)) for v in answer[f"key_{column}"]]
        values.append(tuple(known))
    return codes, tuple(values)


def reference_level(engine: Engine, scope: Scope, measure: Measure, windows: Windows) -> float:
    """The level of the reference that a quantile is compared with."""
    if measure.kind is not Kind.QUANTILE:
        return 0.0
    parsed = scope.narrowed(measure)
    found = read_sums(engine, scope.project, measure, parsed, (), windows.reference_s)
    buckets = dict(
        itertools.chain.from_iterable(s.buckets.items() for g in found.values() for s in g.values())
    )
    return quantile(list(buckets), list(buckets.values()), measure.quantile).value or 0.0


def is_traffic(dimension: str, table: Table) -> bool:
    """Whether a dimension describes the traffic of a table."""
    return dimension in table.dimensions and dimension not in _NO_TRAFFIC
