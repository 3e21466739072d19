"""Any Python value as bounded JSON text: cheap, safe, and never a side effect in the host."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Any

TEXT_LIMIT = 32_768
ITEM_LIMIT = 200
DEPTH_LIMIT = 8

_Sequence = list[Any] | tuple[Any, ...] | AbstractSet[Any]


def text_of(value: Any, limit: int = TEXT_LIMIT) -> str:
    """The value as text of about `limit` characters: a string as it is, the rest as JSON."""
    if isinstance(value, str):
        return _cut(value, limit)
    return json_of(value, limit)


def json_of(value: Any, limit: int = TEXT_LIMIT) -> str:
    """The value as valid JSON; what does not fit is left out and the text says how much."""
    return json.dumps(_Budget(limit).shrink(value, 0), ensure_ascii=False)


def mime_of(value: Any) -> str:
    """What `text_of` makes of the value: plain text or JSON."""
    return "text/plain" if isinstance(value, str) else "application/json"


def _cut(text: str, limit: int) -> str:
    left_out = len(text) - limit
    kept = text if left_out <= 0 else text[:limit]
    if not kept.isascii():
        # A lone surrogate cannot be encoded as UTF-8 and would fail the whole export.
        kept = kept.encode("utf-8", "replace").decode()
    return kept if left_out <= 0 else f"{kept}…(+{left_out} characters)"


class _Budget:
    """The characters still allowed for one value; nested values share it."""

    def __init__(self, characters: int) -> None:
        self._left = characters

    def shrink(self, value: Any, depth: int) -> Any:
        """A JSON-ready copy that fits the budget."""
        self._left -= 4
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, int):
            return value if abs(value) < 2**63 else str(value)[:100]
        if isinstance(value, float):
            return value if math.isfinite(value) else str(value)
        if isinstance(value, str):
            return self._string(value)
        if isinstance(value, bytes | bytearray | memoryview):
            return f"<{len(value)} bytes>"
        if depth >= DEPTH_LIMIT:
            return f"<{type(value).__name__}>"
        return self._nested(value, depth)

    def _string(self, value: str) -> str:
        kept = _cut(value, max(self._left, 0))
        self._left -= len(kept)
        return kept

    def _nested(self, value: Any, depth: int) -> Any:
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            value = {part.name: getattr(value, part.name) for part in dataclasses.fields(value)}
        elif hasattr(type(value), "model_dump"):  # pydantic
            value = value.model_dump()
        if isinstance(value, Mapping):
            return self._mapping(value, depth)
        if isinstance(value, list | tuple | AbstractSet):
            return self._sequence(value, depth)
        # No repr(): in some libraries it runs a query or renders a whole table.
        return f"<{type(value).__module__}.{type(value).__qualname__}>"

    def _mapping(self, value: Mapping[Any, Any], depth: int) -> dict[str, Any]:
        shrunk: dict[str, Any] = {}
        for position, (key, item) in enumerate(value.items()):
            if position >= ITEM_LIMIT or self._left <= 0:
                shrunk["…"] = f"(+{len(value) - position} items)"
                break
            name = str(key) if isinstance(key, str | int) else f"<{type(key).__name__}>"
            kept_name = self._string(name)  # before the value spends the budget
            shrunk[kept_name] = self.shrink(item, depth + 1)
        return shrunk

    def _sequence(self, value: _Sequence, depth: int) -> list[Any]:
        shrunk: list[Any] = []
        for position, item in enumerate(value):
            if position >= ITEM_LIMIT or self._left <= 0:
                shrunk.append(f"…(+{len(value) - position} items)")
                break
            shrunk.append(self.shrink(item, depth + 1))
        return shrunk
