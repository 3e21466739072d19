"""Where a page of a list ended: an opaque text that the next request brings back."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Any

import msgspec

from vagus.errors import BadInput

_KINDS: dict[str, Any] = {"Int64": int, "Float64": (int, float), "String": str}


def write_cursor(list_name: str, key: Sequence[Any]) -> str:
    """The cursor behind the row with this sort key, in a list with this name."""
    raw = msgspec.json.encode([list_name, *key])
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def read_cursor(list_name: str, cursor: str, kinds: Sequence[str]) -> list[Any]:
    """The sort key of a cursor, whose values have these ClickHouse types.

    Raises `BadInput` for a cursor of another list or sort order.
    """
    wrong = BadInput("the cursor belongs to another list; start from the beginning", field="cursor")
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        name, *values = msgspec.json.decode(base64.b64decode(padded, "-_"), type=list[Any])
    except (ValueError, binascii.Error, msgspec.DecodeError) as e:
        raise wrong from e
    fits = len(values) == len(kinds) and all(
        isinstance(value, _KINDS[kind]) for value, kind in zip(values, kinds, strict=True)
    )
    if name != list_name or not fits:
        raise wrong
    return values
