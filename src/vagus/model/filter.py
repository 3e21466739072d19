"""The filter language: text to terms, and whether a row of facts fits them.

    team:support model:"gpt 4",claude error_class!="" duration_ms>=2000 "refund policy"

Terms are joined by AND. `dim:a,b` is any of the values, `dim!=a,b` none of them, `dim~a*b` has the
pieces in this order in any case of letters, `number>x` compares, and a bare word or phrase is
searched for in the name and the input. `measures/filter.py` makes SQL of them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass

from vagus.errors import BadInput

MAX_LENGTH = 4000
MAX_TERMS = 50
MAX_VALUES = 200

_OPERATOR = re.compile(r"([A-Za-z_][A-Za-z0-9_.]{0,63})\s*(!=|>=|<=|>|<|:|=|~)")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_BARE = re.compile(r'[^\s,"]+')
_WORD = re.compile(r'[^\s"]+')


@dataclass(frozen=True, slots=True)
class Values:
    """A dimension has any of the values, or with `is_negated` none of them."""

    dimension: str
    values: tuple[str, ...]
    is_negated: bool = False


@dataclass(frozen=True, slots=True)
class Like:
    """A dimension holds the pieces of a text between its `*`, in this order, in any case."""

    dimension: str
    text: str

    @property
    def pieces(self) -> tuple[str, ...]:
        """What has to occur, in order."""
        return tuple(piece for piece in self.text.split("*") if piece)

    def fits(self, value: str) -> bool:
        """Whether a value holds the pieces."""
        lowered, at = value.lower(), 0
        for piece in self.pieces:
            at = lowered.find(piece.lower(), at)
            if at < 0:
                return False
            at += len(piece)
        return True


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


Term = Values | Like | Bound | Search


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
            names.add(term.column if isinstance(term, Bound) else term.dimension)
        return frozenset(names)

    @property
    def dimensions(self) -> tuple[str, ...] | None:
        """The dimensions it names; None when it also compares numbers or searches."""
        names = [t.dimension for t in self.terms if isinstance(t, (Values, Like))]
        return tuple(dict.fromkeys(names)) if len(names) == len(self.terms) else None

    def fits(self, value_of: Callable[[str], str]) -> bool:
        """Whether values of dimensions fit; of terms about anything else it says no."""
        return all(_fits(term, value_of) for term in self.terms)


def _fits(term: Term, value_of: Callable[[str], str]) -> bool:
    if isinstance(term, Like):
        return term.fits(value_of(term.dimension))
    if isinstance(term, Values):
        return (value_of(term.dimension) in term.values) != term.is_negated
    return False


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


def render(parsed: Filter) -> str:
    """The text of a filter; `parse` of it gives the same terms."""
    return " ".join(map(_rendered, parsed.terms))


def _rendered(term: Term) -> str:
    if isinstance(term, Search):
        return quote(term.text)
    if isinstance(term, Bound):
        return f"{term.column}{term.operator}{term.number!r}"
    if isinstance(term, Like):
        return f"{term.dimension}~{quote(term.text)}"
    values = ",".join(map(quote, term.values))
    return f"{term.dimension}{'!=' if term.is_negated else ':'}{values}"


def quote(value: str) -> str:
    """A value as it is written in a filter."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


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
    if operator == "~":
        raw, at = _value(text, at, name)
        return Like(name, raw), at
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
