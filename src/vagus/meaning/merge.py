"""Rows of one span put together: what a create, an update and a repeat of it say between them.

Some protocols send a span twice, first when it begins and again when it ends, and exporters send
the same span again after a time-out. The rows are read in the order in which they came: a later
word replaces an earlier one, but saying nothing takes nothing away.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

#: Columns in which a value means "not said", beside '' and None everywhere.
_UNSAID: Mapping[str, Any] = {"kind": "other", "status": "unset", "otel_kind": "unspecified"}
#: Lists that belong together, the first of which names the entries.
_KEYED = (
    ("attr_keys", "attr_kinds", "attr_values"),
    ("resource_keys", "resource_kinds", "resource_values"),
)
_LISTED = (
    ("event_names", "event_ns", "event_attributes"),
    ("link_trace_ids", "link_span_ids", "link_attributes"),
)


def merge_rows(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """One row out of all rows of a span, oldest first; `rows` must not be empty.

    The names are those of the `spans` table; a row may hold any of them. The span starts at the
    earliest start that is said and ends at the latest end. A row whose `end_ns` is 0 says that the
    span has begun and not how it ended.
    """
    merged = dict(rows[0])
    for row in rows[1:]:
        before = dict(merged)
        merged |= {
            name: value for name, value in row.items() if value not in ("", None, _UNSAID.get(name))
        }
        for name, pick in (("start_ns", min), ("end_ns", max)):
            if name in row:
                merged[name] = pick(before[name] or row[name], row[name] or before[name])
        if "attributes" in row:
            merged["attributes"] = {**before["attributes"], **row["attributes"]}
        for group in _KEYED:
            if group[0] in row:
                merged |= _united(group, before, row, keyed=True)
        for group in _LISTED:
            if group[0] in row:
                merged |= _united(group, before, row, keyed=False)
    return merged


def _united(
    group: Sequence[str], before: Mapping[str, Any], after: Mapping[str, Any], *, keyed: bool
) -> dict[str, list[Any]]:
    """Lists that run side by side, united: by their first one, or by all of an entry."""
    names = [name for name in group if name in after]
    entries: dict[Any, tuple[Any, ...]] = {}
    for row in (before, after):
        for entry in zip(*(row[name] for name in names), strict=True):
            entries[entry[0] if keyed else entry] = entry
    columns = list(zip(*entries.values(), strict=True)) or [()] * len(names)
    return {name: list(column) for name, column in zip(names, columns, strict=True)}
