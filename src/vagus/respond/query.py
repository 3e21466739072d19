"""The queries of runbooks and actions, `measure by dimension where filter`, and their answers."""

from __future__ import annotations

import re
from dataclasses import dataclass

from vagus.errors import BadInput
from vagus.measures.catalogue import Catalogue, Direction
from vagus.measures.filter import parse as parse_filter
from vagus.measures.filter import where
from vagus.measures.slice import MAX_DIMENSIONS, Point, Request, slice_measure
from vagus.store.engine import Engine

# Below so many observations a value with an interval says too little to be called good.
MIN_OBSERVATIONS = 20
MAX_GROUPS = 20

_QUERY = re.compile(r"([a-z][a-z0-9_.]*)(?: by ([a-z0-9_]+(?:, *[a-z0-9_]+)*))?(?: where (\S.*))?")


@dataclass(frozen=True, slots=True)
class Query:
    """A measure, the dimensions it is split by, and a filter."""

    measure: str
    by: tuple[str, ...] = ()
    filter: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """What one group of an answer says; an unknown value is None."""

    group: dict[str, str]
    n: float
    value: float | None
    low: float | None
    high: float | None

    @property
    def is_known(self) -> bool:
        """Whether it rests on enough observations to be judged."""
        return self.value is not None and (self.low is None or self.n >= MIN_OBSERVATIONS)


def parse_query(text: str) -> Query:
    """A query from its words; raises `BadInput`."""
    found = _QUERY.fullmatch(text.strip())
    if found is None:
        raise BadInput("a query reads `measure by dimension where filter`", field="query")
    by = tuple(name.strip() for name in (found[2] or "").split(",") if name.strip())
    if len(by) > MAX_DIMENSIONS or len(set(by)) < len(by):
        limit = f"{MAX_DIMENSIONS} different ones"
        raise BadInput("these are too many dimensions", field="query", limit=limit)
    return Query(found[1], by, found[3] or "")


def check_query(query: Query, catalogue: Catalogue) -> None:
    """Raises `BadInput` when the catalogue cannot answer a query."""
    measure = catalogue.get(query.measure)
    for name in query.by:
        if name not in measure.dimensions:
            known = ", ".join(measure.dimensions)
            raise BadInput(f"{measure.id} has no dimension {name}; known: {known}", field="query")
    where(parse_filter(query.filter), measure.source)


def read(
    engine: Engine, catalogue: Catalogue, project: str, query: Query, window_s: tuple[int, int]
) -> list[Reading]:
    """The answer over a stretch of time, the largest groups first."""
    request = Request(query.measure, *window_s, by=query.by, filter=query.filter, limit=MAX_GROUPS)
    answer = slice_measure(engine, project, request, catalogue)
    return [_reading(query, series.key, series.total) for series in answer.series]


def is_no_worse(now: Reading, before: Reading, direction: Direction) -> bool | None:
    """Whether a value is not told apart from what it was, or better; None when nobody can say.

    Both intervals must leave a gap between them, on the bad side, before it counts as worse.
    """
    if not (now.is_known and before.is_known):
        return None
    if now.low is None or now.high is None or before.low is None or before.high is None:
        return None
    is_above, is_below = now.low > before.high, now.high < before.low
    if direction is Direction.UP_IS_BAD:
        return not is_above
    if direction is Direction.DOWN_IS_BAD:
        return not is_below
    return not (is_above or is_below)


def _reading(query: Query, key: tuple[str, ...], point: Point) -> Reading:
    group = dict(zip(query.by, key, strict=False))
    return Reading(group, point.n, point.value, point.low, point.high)
