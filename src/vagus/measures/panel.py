"""A measure of many groups over equal steps, as matrices: what monitors and diagnosis compute on.

`slice` answers people, a group and a point at a time; a panel answers detectors, which look at
thousands of groups at once. One statement reads it, and no loop touches its points.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vagus.errors import BadInput
from vagus.measures.catalogue import Catalogue, Kind, Measure
from vagus.measures.filter import check_dimension, parse
from vagus.measures.plan import Plan, buckets_relation, key_columns, plan, rank_sql, sum_sql
from vagus.stats.sketch import LOG_GAMMA, bucket, values_of
from vagus.store.engine import Columns, Engine

Floats = NDArray[np.float64]
Key = tuple[str, ...]

MAX_GROUPS = 10_000
MAX_CELLS = 20_000_000
_MAX_DIMENSIONS = 5
_COLUMNS = ("n", "numerator", "denominator", "value", "squares", "weight_squares")


@dataclass(frozen=True, slots=True)
class Panel:
    """Matrices of shape (groups, steps); the groups in the order of `keys`, the largest first.

    `n` is the number of observations, 0 where there is nothing; `value` is NaN there, never 0.
    A ratio or mean has its sums in `numerator` and `denominator`; a count or sum has its amount in
    `numerator` and `value`. A quantile has the quantile in `value`, and beside it either the
    sum of natural logarithms of what was measured, with their squares, or, when `above` was given,
    how many lay above that limit. `squares` and `weight_squares` are NaN where a measure has none.
    `truncated` counts the groups that were left out.
    """

    keys: tuple[Key, ...]
    start_min: int
    step_min: int
    n: Floats
    numerator: Floats
    denominator: Floats
    value: Floats
    squares: Floats
    weight_squares: Floats
    truncated: int = 0

    @classmethod
    def empty(cls, start_min: int, end_min: int, step_min: int = 1) -> Panel:
        """No group at all."""
        nothing = np.zeros((0, (end_min - start_min) // step_min))
        return cls((), start_min, step_min, nothing, nothing, nothing, nothing, nothing, nothing)

    @property
    def steps(self) -> int:
        """How many steps there are."""
        return int(self.n.shape[1])

    @property
    def end_min(self) -> int:
        """The first minute after the panel."""
        return self.start_min + self.steps * self.step_min

    @property
    def trials(self) -> Floats:
        """What the observations are worth: fewer than `n` when they are weighted unevenly."""
        worth = np.array(self.n)
        known = self.weight_squares > 0
        np.divide(self.denominator**2, self.weight_squares, out=worth, where=known)
        capped: Floats = np.minimum(worth, self.n)
        return capped

    def rows(self) -> Mapping[Key, int]:
        """The row of each group."""
        return {key: row for row, key in enumerate(self.keys)}


def read_panel(
    engine: Engine,
    catalogue: Catalogue,
    project: str,
    measure: str,
    start_min: int,
    end_min: int,
    by: Sequence[str] = (),
    filter: str = "",
    step_min: int = 1,
    limit: int = MAX_GROUPS,
    above: float | None = None,
) -> Panel:
    """A measure over `[start_min, end_min)`, which are moved out to whole steps, in one statement.

    At most `limit` groups are read, the largest of the stretch. `above` is for quantiles alone.
    """
    declared = catalogue.get(measure)
    _check(declared, by, (start_min, end_min, step_min), limit)
    start_min = max(0, start_min - start_min % step_min)
    end_min += -end_min % step_min
    window_s = (start_min * 60, end_min * 60)
    question = plan(declared, project, parse(filter), tuple(by), *window_s)
    if declared.kind is Kind.QUANTILE:
        sql = _quantile_sql(question, step_min * 60, limit, above)
    else:
        sql = _sums_sql(question, step_min * 60, limit)
    answer = engine.query(sql, question.params)
    return _panel(declared, answer, (start_min, end_min, step_min), tuple(by), above)


def _check(measure: Measure, by: Sequence[str], window: tuple[int, int, int], limit: int) -> None:
    start_min, end_min, step_min = window
    if end_min <= start_min or step_min < 1:
        raise BadInput("the end must come after the start", field="to")
    if not 1 <= limit <= MAX_GROUPS:
        raise BadInput(f"limit is {limit}", field="limit", limit=f"1 to {MAX_GROUPS}")
    if len(by) > _MAX_DIMENSIONS or len(set(by)) != len(by):
        raise BadInput(
            "too many dimensions to group by, or one twice", field="by", limit=f"{_MAX_DIMENSIONS}"
        )
    for dimension in by:
        check_dimension(dimension, measure.source, "by")


def _sums_sql(question: Plan, step_s: int, limit: int) -> str:
    measure = question.measure
    sums = ", ".join(
        f"{sum_sql(measure.source, expression, rolled=question.is_rolled)} AS sum_{role}"
        for role, expression in measure.sums.items()
    )
    base = sum_sql(measure.source, measure.source.base, rolled=question.is_rolled)
    inner = (
        f"SELECT {_keyed(question)}{_time(step_s)} AS t, {sums}, {base} AS sum_base, "
        f"{rank_sql(question)} AS sum_rank FROM {question.relation(step_s)} "
        f"WHERE {question.condition} GROUP BY {_grouped(question)}t HAVING sum_base > 0"
    )
    return _largest(question, inner, "sum_rank", limit)


def _quantile_sql(question: Plan, step_s: int, limit: int, above: float | None) -> str:
    """Quantile, logarithms and count above a limit, all from the counts of log buckets."""
    measure = question.measure
    relation, condition, key, count = buckets_relation(question, step_s)
    # A bucket stands for the value in its middle: half a bucket below its upper edge.
    log = f"(bucket - 0.5) * {LOG_GAMMA!r}"
    over = bucket(above) if above is not None else 0
    counted = (
        f"SELECT {_keyed(question)}{_time(step_s)} AS t, {key}, toInt64({count}) AS counted "
        f"FROM {relation} WHERE {condition} GROUP BY {_grouped(question)}t, bucket "
        "HAVING counted > 0"
    )
    keys = "".join(f"key_{i}, " for i in range(len(question.by)))
    inner = (
        f"SELECT {keys}t, toFloat64(sum(counted)) AS sum_n, "
        f"sum({log} * counted) AS sum_log, sum(pow({log}, 2) * counted) AS sum_squares, "
        f"toFloat64(sumIf(counted, bucket > {over:d})) AS sum_above, "
        f"quantileExactWeighted({measure.quantile:g})(bucket, toUInt64(counted)) AS sum_bucket "
        f"FROM ({counted}) GROUP BY {keys}t"
    )
    return _largest(question, inner, "sum_n", limit)


def _largest(question: Plan, inner: str, rank: str, limit: int) -> str:
    """The cells of the largest groups, with the place of each group and their number."""
    if not question.by:
        return f"SELECT *, 1 AS place, 1 AS groups FROM ({inner}) ORDER BY t"
    keys = ", ".join(f"key_{i}" for i in range(len(question.by)))
    return (
        f"SELECT *, max(place) OVER () AS groups FROM (SELECT *, "
        f"dense_rank() OVER (ORDER BY weight DESC, {keys}) AS place FROM ("
        f"SELECT *, sum({rank}) OVER (PARTITION BY {keys}) AS weight FROM ({inner}))) "
        f"QUALIFY place <= {limit:d} ORDER BY place, t"
    )


def _time(step_s: int) -> str:
    return f"intDiv(toUnixTimestamp(minute), {step_s:d}) * {step_s:d}"


def _keyed(question: Plan) -> str:
    return "".join(f"{column}, " for column in key_columns(question.by))


def _grouped(question: Plan) -> str:
    return "".join(f"key_{i}, " for i in range(len(question.by)))


def _panel(
    measure: Measure,
    answer: Columns,
    window: tuple[int, int, int],
    by: tuple[str, ...],
    above: float | None,
) -> Panel:
    start_min, end_min, step_min = window
    if not len(answer):
        return Panel.empty(start_min, end_min, step_min)
    place = np.asarray(answer["place"], dtype=np.int64) - 1
    step = (np.asarray(answer["t"], dtype=np.int64) // 60 - start_min) // step_min
    shape = (int(place.max()) + 1, (end_min - start_min) // step_min)
    if shape[0] * shape[1] > MAX_CELLS:
        raise BadInput("too many groups and steps at once", field="step", limit=f"{MAX_CELLS}")
    _, first = np.unique(place, return_index=True)
    columns = [answer[f"key_{i}"] for i in range(len(by))]
    keys = tuple(tuple(column[row] for column in columns) for row in first.tolist())
    cells = _cells(measure, answer, above)
    laid: dict[str, Floats] = {}
    for name in _COLUMNS:
        matrix = np.full(shape, 0.0 if name in ("n", "numerator", "denominator") else np.nan)
        if name in cells:
            matrix[place, step] = cells[name]
        laid[name] = matrix
    truncated = int(answer["groups"][0]) - len(keys)
    return Panel(keys, start_min, step_min, **laid, truncated=truncated)


def _cells(measure: Measure, answer: Columns, above: float | None) -> dict[str, Floats]:
    """The columns of a panel in the order of the answer's rows."""
    sums = {
        name.removeprefix("sum_"): np.asarray(column, dtype=np.float64)
        for name, column in answer.data.items()
        if name.startswith("sum_")
    }
    n = np.maximum(0.0, sums["n"])
    if measure.kind is Kind.QUANTILE:
        value = values_of(sums["bucket"].astype(np.int64))
        if above is not None:
            return {"n": n, "numerator": sums["above"], "denominator": n, "value": value}
        numerator, squares = sums["log"], sums["squares"]
        return {"n": n, "numerator": numerator, "denominator": n, "value": value} | {
            "squares": squares
        }
    numerator = sums["numerator"]
    if measure.kind in (Kind.COUNT, Kind.SUM):
        known = sums.get("known", np.ones_like(n)) > 0
        value = np.where(known | (n <= 0), numerator, np.nan)
        return {"n": n, "numerator": numerator, "denominator": n, "value": value}
    if measure.kind is Kind.RATIO:
        # A difference such as `errors - retries` can fall below 0 in a group that cuts it apart.
        numerator = np.maximum(0.0, numerator)
    denominator = sums["denominator"]
    value = np.full(n.size, np.nan)
    np.divide(numerator, denominator, out=value, where=denominator > 0)
    cells = {
        "n": np.where(denominator > 0, n, 0.0),
        "numerator": numerator,
        "denominator": np.maximum(0.0, denominator),
        "value": value,
    }
    return cells | {role: sums[role] for role in ("squares", "weight_squares") if role in sums}
