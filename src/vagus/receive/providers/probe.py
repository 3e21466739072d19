"""Careful looks into JSON that nobody promised a shape for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

#: More than any call uses, and still exact as a float.
_MOST_TOKENS = 1 << 53


def at(value: Any, *path: str) -> Any:
    """What lies at a path of keys, or None."""
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def mapping(value: Any, *path: str) -> Mapping[str, Any]:
    """The object at a path, or an empty one."""
    found = at(value, *path)
    return found if isinstance(found, Mapping) else {}


def objects(value: Any, *path: str) -> list[Mapping[str, Any]]:
    """The objects of the list at a path."""
    found = at(value, *path)
    return [item for item in found if isinstance(item, Mapping)] if isinstance(found, list) else []


def text(value: Any, *path: str) -> str:
    """The text at a path, or ''."""
    found = at(value, *path)
    return found if isinstance(found, str) else ""


def count(value: Any, *path: str) -> int | None:
    """The count at a path: a whole number that is not negative; some providers send it as 5.0."""
    found = at(value, *path)
    if isinstance(found, bool) or not isinstance(found, int | float):
        return None
    if not 0 <= found < _MOST_TOKENS or found != int(found):
        return None
    return int(found)


def number(value: Any, *path: str) -> float | None:
    """The number at a path that is not negative and not infinite."""
    found = at(value, *path)
    if isinstance(found, bool) or not isinstance(found, int | float):
        return None
    return float(found) if 0 <= found < _MOST_TOKENS else None


def said(*counts: int | None) -> int | None:
    """The sum of the counts that were said, or None when none was."""
    known = [n for n in counts if n is not None]
    return sum(known) if known else None


def decoded(value: Any) -> Any:
    """JSON inside a string; any other string and any other value as it is."""
    if not isinstance(value, str):
        return value
    try:
        return msgspec.json.decode(value)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return value
