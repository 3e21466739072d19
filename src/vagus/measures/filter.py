"""Filters as SQL, whose literals are only ever parameters; the language is in `model/filter.py`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from vagus.errors import BadInput
from vagus.measures.facts import Table
from vagus.model.filter import Bound, Filter, Like, Search, Term, Values, parse, quote, render

__all__ = [
    "Bound", "Filter", "Like", "Search", "Term", "Values", "Where", "check_dimension", "parse",
    "quote", "render", "text_sql", "where",
]  # fmt: skip

_ENUMS = ("status", "source", "cost_source")
_FLAGS = (
    "is_billable", "is_retry", "is_local_cache", "is_cut_off", "is_argument_error",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Where:
    """A SQL condition and the parameters it refers to."""

    sql: str
    params: Mapping[str, object] = field(default_factory=dict)


def where(parsed: Filter, table: Table, prefix: str = "filter") -> Where:
    """The SQL condition of a filter on `table`; its text depends on the terms' shape alone."""
    parts: list[str] = []
    params: dict[str, object] = {}
    for index, term in enumerate(parsed.terms):
        name = f"{prefix}_{index}"
        sql, value = _term_sql(term, table, name)
        parts.append(sql)
        params[name] = value
    return Where(" AND ".join(parts) or "1", params)


def text_sql(column: str) -> str:
    """A dimension as text: enumerations and flags compare as their words."""
    return f"toString({column})" if column in (*_ENUMS, *_FLAGS) else column


def check_dimension(name: str, table: Table, field_name: str) -> None:
    """Raise `BadInput`, naming the known ones, when `table` has no such dimension."""
    if name not in table.dimensions:
        known = ", ".join(sorted(table.dimensions))
        raise BadInput(
            f"{table.name} have no dimension {name[:80]!r}; known: {known}", field=field_name
        )


def _term_sql(term: Term, table: Table, name: str) -> tuple[str, object]:
    if isinstance(term, Search):
        columns = (
            f"positionCaseInsensitiveUTF8({c}, {{{name}:String}}) > 0" for c in table.searched
        )
        return "(" + " OR ".join(columns) + ")", term.text
    if isinstance(term, Bound):
        if term.column not in table.numbers:
            known = ", ".join(sorted(table.numbers))
            raise BadInput(
                f"{table.name} have no number {term.column[:80]!r} to compare; known: {known}",
                field="filter",
            )
        return f"ifNull({term.column} {term.operator} {{{name}:Float64}}, 0)", term.number
    check_dimension(term.dimension, table, "filter")
    if isinstance(term, Like):
        return f"{text_sql(term.dimension)} ILIKE {{{name}:String}}", _pattern(term)
    negation = "NOT " if term.is_negated else ""
    sql = f"{text_sql(term.dimension)} {negation}IN {{{name}:Array(String)}}"
    return sql, list(term.values)


def _pattern(term: Like) -> str:
    escaped = (re.sub(r"([\\%_])", r"\\\1", piece) for piece in term.pieces)
    return "%" + "%".join((*escaped, "")) if term.pieces else "%"
