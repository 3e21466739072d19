"""Query parameters as the engine's text form; values never become part of the SQL."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\0": "\\0"})


def encode(params: Mapping[str, Any]) -> dict[str, str]:
    """Every parameter as text in the engine's escaped form; None is NULL, lists are arrays."""
    return {name: _top(value) for name, value in params.items()}


def _top(value: Any) -> str:
    if value is None:
        return "\\N"
    if isinstance(value, str):
        return value.translate(_ESCAPES)
    return _inner(value)


def _inner(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return "[" + ",".join(_inner(item) for item in value) + "]"
    if isinstance(value, str):
        # Quoted values in an array are unescaped once, not twice.
        return "'" + value.translate(_ESCAPES).replace("'", "\\'") + "'"
    return str(value)
