"""Strict reading of values whose type the protocol states; an error names the field."""

from __future__ import annotations

import math
from typing import Any

from vagus.errors import BadInput

MAX_TEXT = 1_000_000


def as_text(value: Any, field: str) -> str:
    """A text."""
    if not isinstance(value, str):
        raise BadInput(f"{field} must be a text", field=field)
    if len(value) > MAX_TEXT:
        raise BadInput(f"{field} is too long", field=field, limit=f"{MAX_TEXT} characters")
    return value


def as_number(value: Any, field: str) -> float:
    """A finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadInput(f"{field} must be a number", field=field)
    try:
        found = float(value)
    except OverflowError:
        found = math.inf
    if not math.isfinite(found) or abs(found) >= 1e18:
        raise BadInput(f"{field} is out of range", field=field)
    return found


def as_amount(value: Any, field: str) -> float:
    """A finite number that is not negative."""
    found = as_number(value, field)
    if found < 0:
        raise BadInput(f"{field} is negative", field=field)
    return found


def as_count(value: Any, field: str) -> int:
    """A whole number that is not negative."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 1 << 63:
        raise BadInput(f"{field} must be a whole number, not negative", field=field)
    return value


def as_bool(value: Any, field: str) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise BadInput(f"{field} must be true or false", field=field)
    return value


def as_object(value: Any, field: str) -> dict[str, Any]:
    """A JSON object."""
    if not isinstance(value, dict):
        raise BadInput(f"{field} must be a JSON object", field=field)
    return value


def as_list(value: Any, field: str, limit: int) -> list[Any]:
    """A JSON array with at most so many items."""
    if not isinstance(value, list):
        raise BadInput(f"{field} must be a list", field=field)
    if len(value) > limit:
        raise BadInput(f"{field} has {len(value)} items", field=field, limit=f"{limit}")
    return value


def as_names(value: Any, field: str) -> list[str]:
    """A list of texts."""
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise BadInput(f"{field} must be a list of texts", field=field)
    return list(value)


def as_value(value: Any, field: str) -> Any:
    """Anything; what is not a text becomes JSON when it is kept."""
    del field
    return value
