"""The raw spans and log events of traces, read for the evaluators."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from vagus.assess.quality.backlog import Waiting
from vagus.assess.quality.examples import SpanContent
from vagus.meaning.content import Event
from vagus.meaning.merge import merge_rows
from vagus.meaning.messages import log_event, read_events
from vagus.store.engine import Engine

Key = tuple[str, str]

#: Longer attribute values are left out, so that one trace cannot fill the memory.
_LONGEST = 262_144
_MOST_SPANS = 20_000
_MOST_BYTES = 128 * 1024 * 1024
#: What the engine says when an answer is larger than it may be.
TOO_LARGE = "TOO_MANY_ROWS_OR_BYTES"
_KINDS = ("llm", "retrieval", "rerank", "tool")
#: A trace whose spans lie further apart was settled again; it is read on its own.
_NEAR_SEGMENTS = 100
_ATTRIBUTES = (
    "mapFromArrays(arrayMap(k -> toString(k), attr_keys), "
    f"arrayMap(v -> if(length(v) > {_LONGEST}, '', v), attr_values)) AS attributes"
)


def read_spans(
    engine: Engine, project: str, traces: Sequence[Waiting]
) -> dict[str, list[SpanContent]]:
    """The telling spans of each trace, each once, with the log events that belong to them."""
    near = [t for t in traces if t.last_segment - t.first_segment <= _NEAR_SEGMENTS]
    far = [t for t in traces if t.last_segment - t.first_segment > _NEAR_SEGMENTS]
    found: dict[str, list[SpanContent]] = {}
    for group in (near, *([trace] for trace in far)):
        if group:
            found |= _read_group(engine, project, group)
    return found


def _read_group(
    engine: Engine, project: str, traces: Sequence[Waiting]
) -> dict[str, list[SpanContent]]:
    ids = [trace.trace_id for trace in traces]
    rows = engine.query(
        f"SELECT trace_id, span_id, parent_span_id, kind, start_ns, finish_reason, "
        f"event_names, event_attributes, {_ATTRIBUTES} FROM spans "
        "WHERE project = {project:String} AND segment BETWEEN {first:UInt64} AND {last:UInt64} "
        "AND trace_id IN {ids:Array(String)} "
        "AND (kind IN {kinds:Array(String)} OR parent_span_id = '') "
        "ORDER BY segment, received LIMIT {most:UInt32}",
        {
            "project": project,
            "first": min(trace.first_segment for trace in traces),
            "last": max(trace.last_segment for trace in traces),
            "ids": ids,
            "kinds": list(_KINDS),
            "most": _MOST_SPANS,
        },
        {"max_result_bytes": _MOST_BYTES, "result_overflow_mode": "throw"},
    )
    events = _log_events(engine, project, ids)
    arrived: defaultdict[Key, list[dict[str, Any]]] = defaultdict(list)
    for row in rows.dicts():
        arrived[row["trace_id"], row["span_id"]].append(row)
    found: defaultdict[str, list[SpanContent]] = defaultdict(list)
    for key, again in arrived.items():
        row = again[0] if len(again) == 1 else merge_rows(again)
        found[key[0]].append(_span(row, events.get(key, [])))
    return dict(found)


def _span(row: dict[str, Any], logged: list[Event]) -> SpanContent:
    return SpanContent(
        span_id=row["span_id"],
        parent_span_id=row["parent_span_id"],
        kind=row["kind"],
        start_ns=row["start_ns"],
        finish_reason=row["finish_reason"],
        attributes=row["attributes"],
        events=[*read_events(row["event_names"], row["event_attributes"]), *logged],
    )


def _log_events(engine: Engine, project: str, ids: list[str]) -> dict[Key, list[Event]]:
    rows = engine.query(
        f"SELECT trace_id, span_id, event_name, body, {_ATTRIBUTES} FROM logs "
        "WHERE project = {project:String} AND trace_id IN {ids:Array(String)} "
        "AND startsWith(event_name, 'gen_ai.') ORDER BY time_ns LIMIT {most:UInt32}",
        {"project": project, "ids": ids, "most": _MOST_SPANS},
    )
    found: defaultdict[Key, list[Event]] = defaultdict(list)
    for row in rows.dicts():
        event = log_event(row["event_name"], row["attributes"], row["body"])
        found[row["trace_id"], row["span_id"]].append(event)
    return found
