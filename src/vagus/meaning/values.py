"""Tolerant reading of attribute values: JSON, JSON inside JSON, flattened trees; never an error."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

# Bounds against hostile telemetry: a conversation is cut, never allowed to blow up memory.
MAX_ITEMS = 2_000
MAX_PATH = 12
MAX_NESTING = 64

_OPENERS = ("{", "[", '"')


def loads(value: Any) -> Any:
    """The value behind JSON text, also when it was encoded twice; other text as it is."""
    for _ in range(3):
        if not isinstance(value, str):
            return value
        text = value.strip()
        if not text.startswith(_OPENERS):
            return value
        try:
            decoded = msgspec.json.decode(text.encode())
        except (msgspec.DecodeError, RecursionError, UnicodeError):
            return value
        if not is_shallow(decoded):
            return value
        value = decoded
    return value


def is_shallow(value: Any, limit: int = MAX_NESTING) -> bool:
    """Whether no container in the value lies deeper than `limit`."""
    level: list[Any] = [value]
    for _ in range(limit):
        deeper: list[Any] = []
        for item in level:
            if isinstance(item, Mapping):
                deeper += [v for v in item.values() if isinstance(v, (Mapping, list, tuple))]
            elif isinstance(item, (list, tuple)):
                deeper += [v for v in item if isinstance(v, (Mapping, list, tuple))]
        if not deeper:
            return True
        level = deeper
    return False


def as_text(value: Any) -> str:
    """Text of any value: text as it is, nothing as '', the rest as compact JSON."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    try:
        return msgspec.json.encode(value).decode()
    except (TypeError, ValueError, RecursionError, msgspec.EncodeError):
        return str(value)


def as_word(value: Any) -> str:
    """A name or an id: '' for anything that is not text or a number."""
    if isinstance(value, bool):
        return ""
    return str(value) if isinstance(value, (str, int, float)) else ""


def as_number(value: Any) -> float | None:
    """A finite number, also from text; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def as_count(value: Any) -> int | None:
    """A whole number of at least 0 that fits 63 bits; None for anything else."""
    number = as_number(value)
    return int(number) if number is not None and 0 <= number < 2**63 else None


def as_mapping(value: Any) -> dict[str, Any]:
    """An object, also from JSON text, with text keys; {} for anything else."""
    found = loads(value)
    if not isinstance(found, Mapping):
        return {}
    return {str(key): item for key, item in found.items()}


def first(source: Mapping[str, Any], *keys: str) -> Any:
    """The first value that is there and not empty text."""
    for key in keys:
        value = source.get(key)
        if value is not None and value != "":
            return value
    return None


def branch(attributes: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """The flattened keys below `prefix.` as a tree; a key that is leaf and branch keeps ''."""
    tree: dict[str, Any] = {}
    start = f"{prefix}."
    for key, value in attributes.items():
        if key.startswith(start):
            _plant(tree, key[len(start) :].split(".", MAX_PATH), value)
    return tree


def _plant(tree: dict[str, Any], path: list[str], value: Any) -> None:
    for step in path[:-1]:
        below = tree.get(step)
        if not isinstance(below, _Branch):
            # A leaf in the way of a branch moves inside it under the empty name.
            below = _Branch() if below is None else _Branch({"": below})
            tree[step] = below
        tree = below
    standing = tree.get(path[-1])
    if isinstance(standing, _Branch):
        standing[""] = value
    else:
        tree[path[-1]] = value


class _Branch(dict[str, Any]):
    """An inner node, told apart from a structured value that is itself a dict."""


def items(tree: Any) -> list[Any]:
    """The numbered children of a tree in order, gaps closed, at most `MAX_ITEMS`."""
    if isinstance(tree, (list, tuple)):
        return list(tree[:MAX_ITEMS])
    if not isinstance(tree, Mapping):
        return []
    numbered = [(int(k), v) for k, v in tree.items() if _is_index(k)]
    numbered.sort(key=lambda pair: pair[0])
    return [value for _, value in numbered[:MAX_ITEMS]]


def _is_index(key: Any) -> bool:
    return isinstance(key, str) and len(key) <= 9 and key.isascii() and key.isdigit()


def any_value(value: Any) -> Any:
    """An OTLP/JSON AnyValue as plain JSON; anything else as it is."""
    return _any_value(value, MAX_NESTING)


def _any_value(value: Any, depth: int) -> Any:
    if not isinstance(value, Mapping) or len(value) != 1 or depth == 0:
        return value
    ((kind, inner),) = value.items()
    if kind in ("arrayValue", "array_value"):
        listed = inner.get("values") if isinstance(inner, Mapping) else None
        return [_any_value(v, depth - 1) for v in listed] if isinstance(listed, list) else []
    if kind in ("kvlistValue", "kvlist_value"):
        pairs = inner.get("values") if isinstance(inner, Mapping) else None
        return key_values(pairs, depth - 1) if isinstance(pairs, list) else {}
    if kind in ("intValue", "int_value"):
        digits = str(inner)
        return int(digits) if digits.lstrip("-").isdecimal() and len(digits) <= 20 else inner
    if kind.removesuffix("Value").removesuffix("_value") in ("string", "bool", "double", "bytes"):
        return inner
    return value


def key_values(pairs: Iterable[Any], depth: int = MAX_NESTING) -> dict[str, Any]:
    """A list of OTLP key-value pairs as one mapping."""
    return {
        str(pair["key"]): _any_value(pair.get("value"), depth)
        for pair in pairs
        if isinstance(pair, Mapping) and "key" in pair
    }
