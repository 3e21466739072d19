"""One span with everything it carries: fields, attributes, events, messages, documents, logs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from vagus.errors import NotFound
from vagus.meaning.content import Event
from vagus.meaning.documents import read_documents
from vagus.meaning.merge import merge_rows
from vagus.meaning.messages import log_event, read_conversation, read_events
from vagus.meaning.prompt import read_prompt
from vagus.meaning.values import loads
from vagus.present.shorten import FIRST_BYTES, shorten_items, shorten_messages, shorten_text
from vagus.present.trace import read_trace_scores
from vagus.store.engine import Engine

_STEP_FLAGS = ("is_billable", "is_retry", "is_local_cache", "is_cut_off")
KINDS = ("empty", "string", "bool", "int", "double", "array", "kvlist", "bytes")
MAX_LOGS = 200
#: A span may come again; no more rows of one than these are put together.
MAX_ROWS = 50

_FIELDS = (
    "trace_id", "span_id", "parent_span_id", "name", "otel_kind", "status", "status_message",
    "trace_state", "flags", "service", "service_version", "scope", "scope_version", "kind",
    "operation", "provider", "request_model", "response_model", "response_id", "finish_reason",
    "system_fingerprint", "input_tokens", "output_tokens", "cache_read_tokens",
    "cache_write_tokens", "reasoning_tokens", "reported_cost_usd", "ttft_ms", "temperature",
    "max_tokens", "error_type", "http_status", "env", "region", "team", "feature", "tenant", "user",
    "session", "prompt", "prompt_version", "tool", "tool_set", "agent", "index_name",
    "index_version", "retry_of", "attempt", "dropped_attributes", "dropped_events",
    "dropped_links", "cache_write_5m_tokens", "cache_write_1h_tokens", "audio_input_tokens",
    "audio_output_tokens", "audio_cache_read_tokens", "image_input_tokens", "image_output_tokens",
    "web_search_requests", "service_tier", "cache_accounting", "is_streaming", "local_cache", "sdk",
    "sdk_version", "convention",
)  # fmt: skip
_RAW = (
    "attr_keys", "attr_kinds", "attr_values", "resource_keys", "resource_kinds", "resource_values",
    "scope_attributes", "event_ns", "event_names", "event_attributes", "link_trace_ids",
    "link_span_ids", "link_attributes",
)  # fmt: skip


def read_span(
    engine: Engine, project: str, trace_id: str, span_id: str, *, full: bool = False
) -> dict[str, Any]:
    """A span in detail; content beyond the first 64 kB is cut unless `full`."""
    row = _row(engine, project, trace_id, span_id)
    logs = _logs(engine, project, trace_id, span_id)
    attributes = dict(zip(row["attr_keys"], row["attr_values"], strict=True))
    events = read_events(row["event_names"], row["event_attributes"])
    events += [_as_event(log) for log in logs]
    talk = read_conversation(attributes, events)
    retrieval = read_documents(attributes, row["kind"], events)
    budget = 1 << 62 if full else FIRST_BYTES
    query, query_cut = shorten_text(retrieval.query, budget)
    return {
        "span": _span(row),
        "attributes": shorten_items(_attributes(row, "attr"), "value", budget),
        "resource": shorten_items(_attributes(row, "resource"), "value", budget),
        "events": shorten_items(_events(row), "attributes", budget),
        "links": _links(row),
        "input": shorten_messages(talk.input, budget),
        "output": shorten_messages(talk.output, budget),
        "tools": shorten_items(talk.tools, "description", budget),
        "documents": shorten_items(retrieval.documents, "content", budget),
        "documents_in": shorten_items(retrieval.inputs, "content", budget),
        "prompt": _prompt(attributes),
        "query": query,
        "query_cut": query_cut,
        "step": _step(engine, project, trace_id, span_id),
        "scores": [
            score
            for score in read_trace_scores(engine, project, trace_id)
            if score["span_id"] == span_id
        ],
        "logs": shorten_items([_log(log) for log in logs], "body", budget),
    }


def _prompt(attributes: Mapping[str, Any]) -> dict[str, Any] | None:
    """The managed prompt of the call; a template too long for a first look keeps its name only."""
    use = read_prompt(attributes)
    if use is None:
        return None
    built: dict[str, Any] = msgspec.to_builtins(use)
    if len(msgspec.json.encode(built)) > FIRST_BYTES:
        built = built | {"template": None, "variables": {}}
    return built


def _row(engine: Engine, project: str, trace_id: str, span_id: str) -> dict[str, Any]:
    answer = engine.query(
        f"SELECT {', '.join((*_FIELDS, *_RAW))}, start_ns, end_ns, "
        "toUnixTimestamp64Milli(received) AS received_ms FROM spans "
        "WHERE project = {project:String} AND trace_id = {trace_id:String} "
        f"AND span_id = {{span_id:String}} ORDER BY segment, received LIMIT {MAX_ROWS:d}",
        {"project": project, "trace_id": trace_id, "span_id": span_id},
    )
    rows = list(answer.dicts())
    if not rows:
        raise NotFound("there is no such span", field="span_id")
    merged = merge_rows(rows)
    return merged | {
        "start_ms": merged["start_ns"] / 1e6,
        "duration_ms": max(0, merged["end_ns"] - merged["start_ns"]) / 1e6,
    }


def _logs(engine: Engine, project: str, trace_id: str, span_id: str) -> list[dict[str, Any]]:
    answer = engine.query(
        "SELECT time_ns / 1e6 AS time_ms, severity, severity_number, event_name, body, body_kind, "
        "scope, attr_keys, attr_kinds, attr_values FROM logs WHERE project = {project:String} "
        "AND trace_id = {trace_id:String} AND span_id = {span_id:String} "
        f"ORDER BY time_ns LIMIT {MAX_LOGS:d}",
        {"project": project, "trace_id": trace_id, "span_id": span_id},
    )
    return list(answer.dicts())


def _as_event(log: Mapping[str, Any]) -> Event:
    attributes = dict(zip(log["attr_keys"], log["attr_values"], strict=True))
    return log_event(log["event_name"], attributes, log["body"])


def _span(row: Mapping[str, Any]) -> dict[str, Any]:
    fields = {name: row[name] for name in _FIELDS}
    # As settling does it: a tool that says no name of its own is called by that of its span.
    fields["tool"] = row["tool"] or (row["name"] if row["kind"] == "tool" else "")
    return fields | {name: row[name] for name in ("start_ms", "duration_ms", "received_ms")}


def _attributes(row: Mapping[str, Any], prefix: str) -> list[dict[str, Any]]:
    """Attributes as they came, in their order; arrays and lists of keys are JSON text."""
    columns = (row[f"{prefix}_{part}"] for part in ("keys", "kinds", "values"))
    return [
        {"key": key, "kind": KINDS[kind] if kind < len(KINDS) else "other", "value": value}
        for key, kind, value in zip(*columns, strict=True)
    ]


def _events(row: Mapping[str, Any]) -> list[dict[str, Any]]:
    columns: Sequence[Any] = (row["event_ns"], row["event_names"], row["event_attributes"])
    return [
        {"time_ms": time_ns / 1e6, "name": name, "attributes": text}
        for time_ns, name, text in zip(*columns, strict=True)
    ]


def _links(row: Mapping[str, Any]) -> list[dict[str, Any]]:
    columns = (row["link_trace_ids"], row["link_span_ids"], row["link_attributes"])
    return [
        {"trace_id": trace_id, "span_id": span_id, "attributes": text}
        for trace_id, span_id, text in zip(*columns, strict=True)
    ]


def _log(log: Mapping[str, Any]) -> dict[str, Any]:
    kept = ("time_ms", "severity", "severity_number", "event_name", "body", "scope")
    body = loads(log["body"]) if log["body_kind"] in (5, 6) else log["body"]
    text = body if isinstance(body, str) else msgspec.json.encode(body).decode()
    return {name: log[name] for name in kept} | {
        "body": text,
        "attributes": _attributes(log, "attr"),
    }


def _step(engine: Engine, project: str, trace_id: str, span_id: str) -> dict[str, Any] | None:
    """What settling made of the span: money, retries and retrieval; None when it means nothing."""
    answer = engine.query(
        "SELECT toString(model) AS model, error_class, is_billable = 1 AS is_billable, "
        "is_retry = 1 AS is_retry, is_local_cache = 1 AS is_local_cache, "
        "is_cut_off = 1 AS is_cut_off, service_tier, cost_usd, cost_input_usd, cost_output_usd, "
        "cost_cache_usd, cost_cache_read_usd, cost_cache_write_usd, cost_audio_usd, "
        "cost_image_usd, cost_request_usd, reported_cost_usd, computed_cost_usd, "
        "toString(cost_source) AS cost_source, price_source, price_id, before_rules, retrieved, "
        "top_score, document_age_days, rerank_moved FROM steps FINAL "
        "WHERE project = {project:String} AND trace_id = {trace_id:String} "
        "AND span_id = {span_id:String} ORDER BY version DESC LIMIT 1",
        {"project": project, "trace_id": trace_id, "span_id": span_id},
    )
    for step in answer.dicts():
        booleans = {name: bool(step[name]) for name in _STEP_FLAGS}
        return step | booleans
    return None
