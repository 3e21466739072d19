"""Spans for tests of settling, with everything unsaid that a test does not say."""

from __future__ import annotations

from typing import Any

import msgspec

from vagus.settle.span import Span

_NUMBERS = tuple(
    field.name for field in msgspec.structs.fields(Span) if field.type in (int | None, float | None)
)
_LISTS = ("event_names", "event_attributes", "event_ns")
_ZEROS = ("received_ms", "segment", "start_ns", "end_ns")


def make_span(number: int, parent: int | None = None, **said: Any) -> Span:
    """A span with the id `number`, child of `parent`; times are in ns."""
    values: dict[str, Any] = {}
    for name in Span.__struct_fields__:
        values[name] = (
            None if name in _NUMBERS else [] if name in _LISTS else 0 if name in _ZEROS else ""
        )
    values |= {
        "trace_id": "t",
        "span_id": f"s{number}",
        "parent_span_id": "" if parent is None else f"s{parent}",
        "name": f"span {number}",
        "status": "unset",
        "kind": "chain",
        "attributes": {},
        "end_ns": said.get("start_ns", 0),
    }
    return Span(**(values | said))
