"""Facets: the most frequent values of dimensions, to choose a filter from."""

from __future__ import annotations

from dataclasses import dataclass

from vagus.errors import BadInput
from vagus.measures.facts import TABLES, Table
from vagus.measures.filter import Filter, parse, where
from vagus.measures.hours import rollup_sql
from vagus.measures.plan import is_rolled, scope, sum_sql
from vagus.store.engine import Engine

MAX_DIMENSIONS = 40


@dataclass(frozen=True, slots=True)
class Facet:
    """One value of a dimension, and the number of rows that have it ('' is not said)."""

    value: str
    count: int


def facets(
    engine: Engine,
    project: str,
    start_s: int,
    end_s: int,
    dimensions: tuple[str, ...],
    filter: str = "",
    limit: int = 20,
) -> dict[str, tuple[Facet, ...]]:
    """The `limit` most frequent values of each dimension, by requests or else by steps."""
    if len(dimensions) > MAX_DIMENSIONS:
        raise BadInput("too many dimensions", field="dims", limit=f"{MAX_DIMENSIONS}")
    parsed = parse(filter)
    return {
        dimension: _values(engine, project, (start_s, end_s), dimension, parsed, limit)
        for dimension in dimensions
    }


def _values(
    engine: Engine,
    project: str,
    window: tuple[int, int],
    dimension: str,
    parsed: Filter,
    limit: int,
) -> tuple[Facet, ...]:
    table = _table(dimension, parsed)
    rolled = is_rolled(table, parsed, (dimension,))
    start_s, end_s = window[0] - window[0] % 60, window[1]
    condition, params = scope(project, start_s, end_s)
    asked = where(parsed, table)
    count = sum_sql(table, table.base, rolled=rolled)
    relation = rollup_sql(table, start_s, end_s) if rolled else table.name
    answer = engine.query(
        f"SELECT toString({dimension}) AS value, {count} AS counted "
        f"FROM {relation} WHERE {condition} AND {asked.sql} "
        f"GROUP BY value HAVING counted > 0 ORDER BY counted DESC, value LIMIT {limit:d}",
        {**params, **asked.params},
    )
    return tuple(Facet(value, int(count)) for value, count in answer.rows())


def _table(dimension: str, parsed: Filter) -> Table:
    """The first table that has the dimension and the columns of the filter."""
    having = [table for table in TABLES.values() if dimension in table.dimensions]
    if not having:
        known = sorted({name for table in TABLES.values() for name in table.dimensions})
        raise BadInput(
            f"there is no dimension {dimension[:80]!r}; known: {', '.join(known)}", field="dims"
        )
    columns = parsed.columns or frozenset()
    for table in having:
        if columns <= {*table.dimensions, *table.numbers}:
            return table
    return having[0]
