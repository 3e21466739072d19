"""The field table applied to one span in Python: the same answers as the loader's SQL."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Mapping

import msgspec

from vagus.meaning.fields import ABSENT, FIELDS, KIND_HINTS, KIND_SOURCES, Field, Kind

#: What the engine reads as a number; Python would take more ("1_000", "infinity").
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")

Value = str | float | int | None


def read_fields(attributes: Mapping[str, str], resource: Mapping[str, str]) -> dict[str, Value]:
    """Every canonical field of a span, `kind` included.

    Attribute values are the text that the store keeps (arrays and kvlists as JSON). Text fields
    that nobody said are '', numbers None.
    """
    fields: dict[str, Value] = {row.name: _field(row, attributes, resource) for row in FIELDS}
    return {"kind": read_kind(attributes), **fields}


def read_kind(attributes: Mapping[str, str]) -> str:
    """The kind of a span: what it says itself, else what its attributes hint at, else 'other'."""
    for key, values in KIND_SOURCES:
        said = values.get(_present(attributes, key).lower(), "")
        if said:
            return said
    for key, kind in KIND_HINTS:
        if _present(attributes, key):
            return kind
    return "other"


def _present(attributes: Mapping[str, str], key: str) -> str:
    value = attributes.get(key, "")
    return "" if value.lower() in ABSENT else value


def _field(row: Field, attributes: Mapping[str, str], resource: Mapping[str, str]) -> Value:
    value = _first(row.sources, attributes) or _first(row.resource, resource)
    if row.kind is Kind.TEXT:
        return row.values.get(value.lower(), value)
    if row.kind is Kind.FIRST:
        first = _first_of_array(value)
        return row.values.get(first.lower(), first)
    if row.kind is Kind.FINGERPRINT:
        digest = hashlib.md5(value.encode(), usedforsecurity=False).hexdigest()
        return digest[:12] if value else ""
    return _number(row, value)


def _first(keys: tuple[str, ...], attributes: Mapping[str, str]) -> str:
    return next((value for key in keys if (value := _present(attributes, key))), "")


def _first_of_array(value: str) -> str:
    if not value.startswith("["):
        return value
    try:
        items = msgspec.json.decode(value)
    except msgspec.DecodeError:
        return ""
    return items[0] if items and isinstance(items[0], str) else ""


def _number(row: Field, value: str) -> Value:
    if not _NUMBER.fullmatch(value):
        return None
    number = float(value)
    if row.kind is Kind.NUMBER:
        return number * row.scale if math.isfinite(number) else None
    return int(number) if 0 <= number < 9e15 else None
