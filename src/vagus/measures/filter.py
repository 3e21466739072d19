"""The filter language: text to terms, terms to SQL whose literals are only ever parameters.

    team:support model:"gpt 4",claude error_class!="" duration_ms>=2000 "refund policy"

Terms are joined by AND. `dim:a,b` is any of the values, `dim!=a,b` none of them, `number>x`
compares, and a bare word or phrase is searched for in the name and the input.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from vagus.errors import BadInput
from vagus.measures.facts import Table

MAX_LENGTH = 4000
MAX_TERMS = 50
MAX_VALUES = 200

_OPERATOR = re.compile(r"([A-Za-z_][A-Za-z0-9_.]{0,63})\s*(!=|>=|<=|>|<|:|=)")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_BARE = re.compile(r'[^\s,"]+')
_WORD = re.compile(r'[^\s"]+')
_ENUMS = ("status", "source", "cost_source")


@dataclass(frozen=True, slots=True)
class Values:
    """A dimension has any of the values, or with `is_negated` none of them."""

    dimension: str
    values: tuple[str, ...]
    is_negated: bool = False


@dataclass(frozen=True, slots=True)
class Bound:
    """A number column compared with a number; unknown numbers never match."""

    column: str
    operator: str
    number: float


@dataclass(frozen=True, slots=True)
class Search:
    """A word or phrase occurs, in any case of letters."""

    text: str


Term = Values | Bound | Search


@dataclass(frozen=True, slots=True)
class Filter:
    """The terms of a filter, all of which must hold."""

    terms: tuple[Term, ...] = ()

    @property
    def columns(self) -> frozenset[str] | None:
        """The columns it reads; None when a search reads columns that no rollup has."""
        names = set()
        for term in self.terms:
            if isinstance(term, Search):
                return None
            names.add(term.dimension if isinstance(term, Values) else term.column)
        return frozenset(names)


@dataclass(frozen=True, slots=True)
class Where:
    """A SQL condition and the parameters it refers to."""

    sql: str
    params: Mapping[str, object] = field(default_factory=dict)


def parse(text: str) -> Filter:
    """The filter that a text says; raises `BadInput` with what is wrong and where."""
    if len(text) > MAX_LENGTH:
        raise BadInput(
            f"the filter has {len(text)} characters", field="filter", limit=f"{MAX_LENGTH}"
        )
    if any("\ud800" <= letter <= "\udfff" for letter in text):
        raise BadInput("the filter is not valid text", field="filter")
    terms: list[Term] = []
    at = _skip_space(text, 0)
    while at < len(text):
        term, at = _term(text, at)
        terms.append(term)
        if len(terms) > MAX_TERMS:
            raise BadInput("the filter has too many terms", field="filter", limit=f"{MAX_TERMS}")
        at = _skip_space(text, at)
    return Filter(tuple(terms))


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
    return f"toString({column})" if column in (*_ENUMS, "is_billable") else column


def check_dimension(name: str, table: Table, field_name: str) -> None:
    """Raise `BadInput`, naming the known ones, when `table` has no such dimension."""
    if name not in table.dimensions:
        known = ", ".join(sorted(table.dimensions))
        raise BadInput(
            f"{table.name} have no dimension {name[:80]!r}; known: {known}", field=field_name
        )


def render(parsed: Filter) -> str:
    """The text of a filter; `parse` of it gives the same terms."""
    return " ".join(map(_rendered, parsed.terms))


def _rendered(term: Term) -> str:
    if isinstance(term, Search):
        return quote(term.text)
    if isinstance(term, Bound):
        return f"{term.column}{term.operator}{term.number!r}"
    values = ",".join(map(quote, term.values))
    return f"{term.dimension}{'!=' if term.is_negated else ':'}{values}"


def quote(value: str) -> str:
    """A value as it is written in a filter."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


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
    negation = "NOT " if term.is_negated else ""
    sql = f"{text_sql(term.dimension)} {negation}IN {{{name}:Array(String)}}"
    return sql, list(term.values)


def _skip_space(text: str, at: int) -> int:
    while at < len(text) and text[at].isspace():
        at += 1
    return at


def _term(text: str, at: int) -> tuple[Term, int]:
    match = _OPERATOR.match(text, at)
    if match is None:
        return _search(text, at)
    name, operator = match.group(1), match.group(2)
    at = _skip_space(text, match.end())
    if operator in (">", "<", ">=", "<="):
        raw, at = _value(text, at, name)
        return Bound(name, operator, _number(raw, name)), at
    values, at = _value_list(text, at, name)
    return Values(name, values, operator == "!="), at


def _search(text: str, at: int) -> tuple[Search, int]:
    if text[at] == '"':
        value, at = _quoted(text, at)
    else:
        match = _WORD.match(text, at)
        # A character that is neither space nor quote always makes a word.
        value, at = (match.group(), match.end()) if match else ("", len(text))
    if not value:
        raise BadInput("an empty phrase finds nothing; leave it out", field="filter")
    return Search(value), at


def _value_list(text: str, at: int, name: str) -> tuple[tuple[str, ...], int]:
    values: list[str] = []
    while True:
        value, at = _value(text, at, name)
        values.append(value)
        if len(values) > MAX_VALUES:
            raise BadInput(f"{name} has too many values", field="filter", limit=f"{MAX_VALUES}")
        if at >= len(text) or text[at] != ",":
            return tuple(values), at
        at = _skip_space(text, at + 1)


def _value(text: str, at: int, name: str) -> tuple[str, int]:
    if at < len(text) and text[at] == '"':
        return _quoted(text, at)
    match = _BARE.match(text, at)
    if match is None:
        raise BadInput(
            f'{name} has no value at character {at}; write {name}:"" for none', field="filter"
        )
    return match.group(), match.end()


def _quoted(text: str, at: int) -> tuple[str, int]:
    match = _QUOTED.match(text, at)
    if match is None:
        raise BadInput(f"the quote at character {at} is not closed", field="filter")
    return re.sub(r"\\(.)", r"\1", match.group(1), flags=re.DOTALL), match.end()


def _number(raw: str, name: str) -> float:
    try:
        number = float(raw)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise BadInput(f"{name} is compared with {raw[:40]!r}, which is no number", field="filter")
    return number
