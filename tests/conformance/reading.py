"""What Vagus made of a client's telemetry, read through the public API as a reader would see it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from support.serving import Tenant

_TOKENS = (
    "input", "output", "cache_read", "cache_write", "cache_write_5m", "cache_write_1h", "reasoning",
    "audio_input", "audio_output", "audio_cache_read", "image_input", "image_output",
)  # fmt: skip
_TRACE_TEXTS = ("name", "service", "env", "tenant", "user", "session", "input", "output")
_SPAN_TEXTS = (
    "kind", "operation", "provider", "finish_reason", "tool", "agent", "prompt", "prompt_version",
    "index_name",
)  # fmt: skip
Row = dict[str, Any]


@dataclass(slots=True)
class Seen:
    """Everything of one project, in the words of the expectations."""

    traces: list[Row] = field(default_factory=list)
    spans: list[Row] = field(default_factory=list)
    scores: list[Row] = field(default_factory=list)
    is_settled: bool = True


def read_all(tenant: Tenant) -> Seen:
    """All traces of the project with their spans and scores."""
    seen = Seen()
    rows = _get(tenant, "/api/v1/sql", query="SELECT DISTINCT trace_id FROM spans")
    paths = {"": ""}
    for trace_id in [row[0] for row in rows["rows"]]:
        found = _get(tenant, f"/api/v1/traces/{trace_id}")
        seen.is_settled &= found["trace"]["is_settled"]
        seen.traces.append(_trace(found["trace"]))
        paths |= _read_spans(tenant, trace_id, found["columns"], seen.spans)
    seen.traces.sort(key=lambda trace: trace["start_ms"])
    seen.spans.sort(key=lambda span: span["start_ms"])
    for score in _get(tenant, "/api/v1/scores", **{"from": "-365d", "limit": 1000}):
        seen.scores.append(_score(score, paths))
    seen.scores.sort(key=lambda score: (score["name"], score["on"]))
    return seen


def _get(tenant: Tenant, path: str, **params: Any) -> Any:
    if path.endswith("/sql"):
        answer = tenant.api.post(path, json=params)
    else:
        answer = tenant.api.get(path, params=params)
    assert answer.status_code == 200, f"{path}: {answer.text}"
    return answer.json()


def _trace(head: Mapping[str, Any]) -> Row:
    row: Row = {name: head.get(name, "") for name in _TRACE_TEXTS}
    cost = head.get("cost_usd")
    known = head.get("cost_known", False)
    row["cost_usd"] = "unknown" if cost is None or not known else cost
    return row | {"start_ms": head["start_ms"], "errors": head.get("error_count", 0)}


def _read_spans(
    tenant: Tenant, trace_id: str, columns: Mapping[str, list[Any]], into: list[Row]
) -> dict[str, str]:
    """Add the spans of a trace; gives the path of each span id."""
    paths: list[str] = []
    for place, span_id in enumerate(columns["span_id"]):
        parent, name = columns["parent"][place], columns["name"][place]
        paths.append(f"{paths[parent]} > {name}" if parent >= 0 else name)
        body = _get(tenant, f"/api/v1/traces/{trace_id}/spans/{span_id}")
        into.append(_span(body) | {"at": paths[-1], "orphan": columns["is_orphan"][place]})
    return dict(zip(columns["span_id"], paths, strict=True))


def _span(body: Mapping[str, Any]) -> Row:
    span, step = body["span"], body["step"]
    row: Row = {name: span[name] for name in _SPAN_TEXTS}
    row |= {
        "start_ms": span["start_ms"],
        "model": span["response_model"] or span["request_model"],
        "request_model": span["request_model"],
        "user": span["user"],
        "session": span["session"],
        "tenant": span["tenant"],
        "input": [text for message in body["input"] for text in message_texts(message)],
        "output": [text for message in body["output"] for text in message_texts(message)],
        "tools": [tool["name"] for tool in body["tools"]],
        "documents": [document["id"] or document["content"] for document in body["documents"]],
        "query": body["query"],
        "tokens": _tokens(span),
        "status": span["status"],
        "error": (step or {}).get("error_class", "") if span["status"] == "error" else "",
    }
    # A call that failed before it used anything is charged nothing, and says so by its source.
    if step and step["is_billable"] and step["cost_source"] != "none":
        row["cost_usd"] = "unknown" if step["cost_usd"] is None else step["cost_usd"]
        row["cost_source"] = step["cost_source"]
    return row


def _tokens(span: Mapping[str, Any]) -> dict[str, int]:
    """Tokens by class; of the finer classes a zero says the same as nothing."""
    counts = {name: span.get(f"{name}_tokens") for name in _TOKENS}
    return {
        name: count
        for name, count in counts.items()
        if count is not None and (count or name in ("input", "output"))
    }


def message_texts(message: Mapping[str, Any]) -> list[str]:
    """A message as lines: who says, and each part of what."""
    return [f"{message['role']}: {_part_text(part)}" for part in message["parts"]]


def _part_text(part: Mapping[str, Any]) -> str:
    if part["type"] == "tool_call":
        return f"call {part['name']} {_json(part['arguments'])}"
    if part["type"] == "tool_call_response":
        return f"answer {_json(part['response'])}"
    for name in ("content", "uri", "file_id"):
        if name in part:
            return part[name] if part["type"] == "text" else f"{part['type']} {part[name]}"
    return f"{part['type']} {_json(part.get('value'))}"


def _json(value: Any) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _score(score: Mapping[str, Any], paths: Mapping[str, str]) -> Row:
    on = f"session {score['session']}"
    if score["trace_id"]:
        on = paths.get(score["span_id"], score["span_id"]) if score["span_id"] else "trace"
    names = ("name", "value", "label", "passed", "source", "explanation", "evaluator")
    return {"on": on} | {name: score[name] for name in names}
