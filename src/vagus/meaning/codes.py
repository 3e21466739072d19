"""How the loader's SQL knows a key: a number that holds all that is to be done with its value.

A code is up to four slots of 14 bits, and above them one byte. A slot is `field number * 128 + rank
of the source`, so that pairs sorted by slot have the most trusted source of a field first. The byte
is 0, or the number of a JSON document to open, or of a list of words that say nothing, or
`MARK_ONLY` where only the presence of the key matters.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

from vagus.meaning.field import Field, Kind
from vagus.meaning.fields import FIELDS
from vagus.meaning.kinds import KIND_SOURCES
from vagus.meaning.usage import SUMS

STRIDE = 128
SLOT_BITS = 14
SLOT = (1 << SLOT_BITS) - 1
MOST_SLOTS = 4
FLAG_BIT = SLOT_BITS * MOST_SLOTS
#: The kind is the last field, and its slot the lowest one of a code.
KIND_FIELD = len(FIELDS) + 1
FIRST_LIST, MARK_ONLY = 100, 255


@dataclass(frozen=True, slots=True)
class Codes:
    """The codes of keys: of a span's attributes, of members of documents, of a resource's.

    Members are named `number of the document#name`.
    """

    keys: dict[str, int]
    members: dict[str, int]
    resource: dict[str, int]
    #: What says nothing, as `number of the list word`.
    ignored: tuple[str, ...]


def number_of(row: Field) -> int:
    """The number of a field, from 1."""
    return FIELDS.index(row) + 1


def slot(row: Field, source: str) -> int:
    """The slot of one source of a field."""
    return number_of(row) * STRIDE + (*row.sources, *row.resource).index(source)


def resource_slot(row: Field, source: str) -> int:
    """The slot of a resource's source; it is trusted after the span's own."""
    return number_of(row) * STRIDE + len(row.sources) + row.resource.index(source)


@cache
def documents() -> tuple[str, ...]:
    """Every source that is a JSON object to look into, outer ones first; counted from 1."""
    sources = [source for row in FIELDS for source in row.sources]
    sources += [f"{each.document}#{each.name}" for each in SUMS]
    outer = dict.fromkeys(source.split("#")[0] for source in sources if "#" in source)
    inner = dict.fromkeys(source.rpartition("#")[0] for source in sources if source.count("#") > 1)
    return (*outer, *inner)


@cache
def codes() -> Codes:
    """The codes of all keys of the table."""
    slots: dict[str, list[int]] = {}
    # The kind comes first: its slot must be the lowest of its key's code.
    for rank, (key, _) in enumerate(KIND_SOURCES):
        slots.setdefault(key, []).append(KIND_FIELD * STRIDE + rank)
    for row in FIELDS:
        for source in row.sources:
            slots.setdefault(source, []).append(slot(row, source))
    in_resource: dict[str, list[int]] = {}
    for row in FIELDS:
        for source in row.resource:
            in_resource.setdefault(source, []).append(resource_slot(row, source))
    numbers = {name: n for n, name in enumerate(documents(), start=1)}
    known = {key: _packed(slots.get(key, ()), _flag(key)) for key in {**slots, **numbers}}
    return Codes(
        keys={key: code for key, code in known.items() if "#" not in key},
        members={_member(key, numbers): code for key, code in known.items() if "#" in key},
        resource={key: _packed(found, _flag(key)) for key, found in in_resource.items()},
        ignored=tuple(_ignored()),
    )


def _packed(slots: Iterable[int], flag: int) -> int:
    return sum(s << (SLOT_BITS * n) for n, s in enumerate(slots)) | flag << FLAG_BIT


def _member(source: str, numbers: dict[str, int]) -> str:
    document, _, name = source.rpartition("#")
    return f"{numbers[document]}#{name}"


def _flag(key: str) -> int:
    """The byte above the slots of a key."""
    if key in documents():
        return documents().index(key) + 1
    uses = [row for row in FIELDS if key in row.sources or key in row.resource]
    if uses and all(row.kind is Kind.MARK and key in row.values for row in uses):
        return 0 if key in dict(KIND_SOURCES) else MARK_ONLY
    lists = [n for n, row in enumerate(FIELDS) if row in uses and _silent(row)]
    return FIRST_LIST + lists[0] if lists else 0


def _silent(row: Field) -> list[str]:
    """The words that a field takes for nothing said."""
    return [] if row.kind is Kind.MARK else [word for word, said in row.values.items() if not said]


def _ignored() -> Iterator[str]:
    for n, row in enumerate(FIELDS):
        for word in _silent(row):
            yield f"{FIRST_LIST + n} {word}"


def is_mark_only(key: str) -> bool:
    """Whether only the presence of a key matters, and not what it says."""
    return _flag(key) == MARK_ONLY


def silent_words(key: str) -> frozenset[str]:
    """The words of a key that say nothing."""
    flag = _flag(key)
    listed = FIRST_LIST <= flag < MARK_ONLY
    return frozenset(_silent(FIELDS[flag - FIRST_LIST])) if listed else frozenset()
