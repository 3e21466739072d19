"""Holds what was read back against what was expected, and says every difference in a line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from conformance.client import Client
from conformance.reading import Row, Seen

#: What a span must not have unless its expectation says so.
_NEVER_UNSAID: Mapping[str, Any] = {"tokens": {}, "cost_usd": None, "error": "", "orphan": False}
_USD = 1e-9


def differences(client: Client, seen: Seen) -> list[str]:
    """Every difference; none means that all is as expected."""
    found = _paired("trace", client.traces, seen.traces, ("name",))
    found += _paired("span", client.spans, seen.spans, ("at",), _NEVER_UNSAID)
    return found + _paired("score", client.scores, seen.scores, ("name", "on"))


def _paired(
    what: str,
    wanted: Sequence[Row],
    seen: Sequence[Row],
    keys: tuple[str, ...],
    defaults: Mapping[str, Any] = MappingProxyType({}),
) -> list[str]:
    """Rows with the same keys belong together, in their order; every row belongs to one."""
    left = list(seen)
    found: list[str] = []
    for row in wanted:
        label = f"{what} {' on '.join(str(row[key]) for key in keys)}"
        match = next((r for r in left if all(r[key] == row[key] for key in keys)), None)
        if match is None:
            found.append(f"{label} is missing")
            continue
        left.remove(match)
        found += [f"{label}: {said}" for said in _row({**defaults, **row}, match)]
    names = (" on ".join(str(row[key]) for key in keys) for row in left)
    return found + [f"{what} {name} was not expected" for name in names]


def _row(wanted: Row, seen: Row) -> list[str]:
    return [
        f"{name} is {seen.get(name)!r} instead of {value!r}"
        for name, value in wanted.items()
        if not _same(value, seen.get(name))
    ]


def _same(wanted: Any, seen: Any) -> bool:
    if isinstance(wanted, float) and isinstance(seen, int | float):
        return abs(wanted - seen) <= _USD
    return bool(wanted == seen)
