"""What a row of the field table is: a canonical field and everything that may say it."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

#: What emitters write when they mean "not said".
ABSENT = ("", "unknown", "none", "null", "undefined")

#: Longer JSON inside an attribute is kept, but not looked into for fields.
LONGEST_DOCUMENT = 65_536


#: Counts above this are no counts: a Float64 would no longer hold them exactly.
MOST = 9e15


class Kind(enum.StrEnum):
    """How the text of an attribute becomes the value of a field."""

    TEXT = "text"
    COUNT = "count"
    NUMBER = "number"
    FIRST = "first"
    FINGERPRINT = "fingerprint"
    MARK = "mark"


@dataclass(frozen=True, slots=True)
class Field:
    """One canonical field and every source that may say it, most trusted first.

    A source is the key of an attribute, or `key#name` for a member of the JSON object in an
    attribute, or `key#name#name` for a member of a member. `resource` sources are looked up on the
    resource when no span attribute says it. `values` maps what emitters say (compared in lower
    case) to the canonical word; what it maps to '' says nothing, and the next source is asked. A
    number is multiplied by `scales` of its source (what is said in seconds and kept in ms: 1000);
    a source in `moments` is a point in time and counts in ms from the start of the span. For a
    MARK, `values` maps sources to the word that their presence means.
    A field with `is_column` False is only used to work out others.
    """

    name: str
    kind: Kind
    sources: tuple[str, ...]
    resource: tuple[str, ...] = ()
    values: Mapping[str, str] = field(default_factory=dict)
    scales: Mapping[str, float] = field(default_factory=dict)
    moments: tuple[str, ...] = ()
    most: float = MOST
    is_column: bool = True


def text(
    name: str,
    *keys: str,
    resource: tuple[str, ...] = (),
    values: Mapping[str, str] | None = None,
    is_column: bool = True,
) -> Field:
    """A field that is a word or an id."""
    return Field(name, Kind.TEXT, keys, resource, values or {}, is_column=is_column)


def count(name: str, *keys: str, most: float = MOST) -> Field:
    """A field that is a whole number of at least 0 and at most `most`."""
    return Field(name, Kind.COUNT, keys, most=most)


def number(name: str, *keys: str) -> Field:
    """A field that is any finite number."""
    return Field(name, Kind.NUMBER, keys)


def below(prefix: str, *names: str) -> tuple[str, ...]:
    """The sources `prefix` + each of the names."""
    return tuple(prefix + name for name in names)
