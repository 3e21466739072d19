"""Long content cut for a first look: between parts, never inside a JSON value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

FIRST_BYTES = 64 * 1024


def shorten_messages(messages: Sequence[Any], budget: int = FIRST_BYTES) -> list[dict[str, Any]]:
    """Messages as JSON-ready objects of about `budget` bytes; a cut part says how much is left."""
    left = budget
    short = []
    for message in messages:
        built = msgspec.to_builtins(message)
        parts = []
        for part in built["parts"]:
            kept, used = _shorten(part, "content", left)
            left -= used
            parts.append(kept)
        short.append(built | {"parts": parts})
    return short


def shorten_items(
    items: Sequence[Any], key: str, budget: int = FIRST_BYTES
) -> list[dict[str, Any]]:
    """Objects cut in their text field `key`, over all of them about `budget` bytes."""
    left = budget
    short = []
    for item in items:
        kept, used = _shorten(msgspec.to_builtins(item), key, left)
        left -= used
        short.append(kept)
    return short


def shorten_text(text: str, budget: int = FIRST_BYTES) -> tuple[str, int | None]:
    """The beginning of a text, and how many bytes of it are left out, if any."""
    raw = text.encode("utf-8", "surrogatepass")
    if len(raw) <= budget:
        return text, None
    kept = raw[:budget].decode("utf-8", "ignore")
    return kept, len(raw) - len(kept.encode())


def _shorten(item: dict[str, Any], key: str, left: int) -> tuple[dict[str, Any], int]:
    size = len(msgspec.json.encode(item))
    if size <= left:
        return item, size
    text = item.get(key)
    if not isinstance(text, str):
        # Without a text to cut, only what the item is survives.
        return {name: item[name] for name in ("type", "id", "name", "rank") if name in item} | {
            "cut": size
        }, 0
    raw = text.encode("utf-8", "surrogatepass")
    kept = raw[: max(0, left)].decode("utf-8", "ignore")
    rest = {name: value for name, value in item.items() if name == key or _is_small(value)}
    return rest | {key: kept, "cut": len(raw) - len(kept.encode())}, min(size, max(0, left))


def _is_small(value: Any) -> bool:
    return len(msgspec.json.encode(value)) <= 1024
