"""Vagus's own protocol in plain JSON, for whoever has no OpenTelemetry: `POST /api/v1/spans`.

Types are strict, because a number that is misread is worse than one that is refused. An item that
cannot be used is reported with its place and field, and the other items are kept. A field that is
not listed here is kept as an attribute of the span.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from vagus.errors import BadInput
from vagus.receive.dialects.base import Answer, Call, Route, decode_json
from vagus.receive.dialects.build import (
    NATIVE_ID,
    NATIVE_TRACE_ID,
    Telemetry,
    Verdict,
    json_text,
    span_id_of,
    time_ns,
    trace_id_of,
)
from vagus.receive.dialects.check import (
    as_amount,
    as_bool,
    as_count,
    as_list,
    as_names,
    as_number,
    as_object,
    as_text,
    as_value,
)
from vagus.receive.dialects.shared import refuse_each

MAX_ITEMS = 10_000
MAX_SCORES = 100
_MAX_REPORTED = 100
_SCOPE = "vagus.json"
_SOURCES = ("code", "model", "human", "user", "external")
_KINDS: Mapping[str, str] = {
    "llm": "chat",
    "embedding": "embeddings",
    "retrieval": "retrieval",
    "rerank": "rerank",
    "tool": "execute_tool",
    "mcp": "execute_tool",
    "agent": "invoke_agent",
    "workflow": "invoke_workflow",
    "chain": "",
    "guardrail": "",
    "evaluator": "",
    "memory": "",
    "prompt": "",
    "decision": "",
}

Reader = Callable[[Any, str], Any]

#: Fields that say one attribute each: its name, and how the value is checked.
_FIELDS: Mapping[str, tuple[str, Reader]] = {
    "operation": ("gen_ai.operation.name", as_text),
    "model": ("gen_ai.request.model", as_text),
    "response_model": ("gen_ai.response.model", as_text),
    "response_id": ("gen_ai.response.id", as_text),
    "provider": ("gen_ai.provider.name", as_text),
    "input": ("input.value", as_value),
    "output": ("output.value", as_value),
    "cost_usd": ("gen_ai.usage.cost", as_amount),
    "temperature": ("gen_ai.request.temperature", as_number),
    "max_tokens": ("gen_ai.request.max_tokens", as_count),
    "finish_reason": ("gen_ai.response.finish_reason", as_text),
    "service_tier": ("vagus.service_tier", as_text),
    "is_streaming": ("gen_ai.request.stream", as_bool),
    "user": ("user.id", as_text),
    "session": ("session.id", as_text),
    "team": ("vagus.team", as_text),
    "feature": ("vagus.feature", as_text),
    "tenant": ("vagus.tenant", as_text),
    "env": ("deployment.environment.name", as_text),
    "prompt": ("gen_ai.prompt.name", as_text),
    "prompt_version": ("gen_ai.prompt.version", as_text),
    "tool": ("gen_ai.tool.name", as_text),
    "agent": ("gen_ai.agent.name", as_text),
    "retry_of": ("vagus.retry_of", as_text),
    "attempt": ("gen_ai.request.attempt", as_count),
    "tags": ("tag.tags", as_names),
}

_USAGE: Mapping[str, str] = {
    "input_tokens": "gen_ai.usage.input_tokens",
    "output_tokens": "gen_ai.usage.output_tokens",
    "cache_read_tokens": "gen_ai.usage.cache_read.input_tokens",
    "cache_write_tokens": "gen_ai.usage.cache_write.input_tokens",
    "cache_write_5m_tokens": "gen_ai.usage.cache_write_5m.input_tokens",
    "cache_write_1h_tokens": "gen_ai.usage.cache_write_1h.input_tokens",
    "reasoning_tokens": "gen_ai.usage.reasoning.output_tokens",
    "audio_input_tokens": "gen_ai.usage.audio.input_tokens",
    "audio_output_tokens": "gen_ai.usage.audio.output_tokens",
    "audio_cache_read_tokens": "gen_ai.usage.audio.cache_read.input_tokens",
    "image_input_tokens": "gen_ai.usage.image.input_tokens",
    "image_output_tokens": "gen_ai.usage.image.output_tokens",
    "web_search_requests": "gen_ai.usage.web_search_requests",
}

#: Fields that `_span` reads by itself.
_READ = frozenset(
    (
        "id", "trace_id", "parent_id", "name", "kind", "service", "start", "end", "duration_ms",
        "ttft_ms", "usage", "cache_accounting", "documents", "error", "scores", "metadata",
        "attributes",
    )
)  # fmt: skip


def _receive(call: Call) -> Answer:
    telemetry = Telemetry()
    place = iter(range(MAX_ITEMS))

    def add(item: Any) -> None:
        index = next(place)
        found = decode_json(item, "line") if isinstance(item, bytes) else item
        _add(telemetry, found, index, call.now_ns)

    items = as_list(_items(call), "body", MAX_ITEMS)
    refused = refuse_each(items, "spans", add)
    kept = len(items) - len(refused)
    errors = [_error(index, error) for index, error in refused[:_MAX_REPORTED]]
    body = {"accepted": kept, "rejected": len(refused), "errors": errors}
    return Answer(body, 400 if refused and not kept else 200, telemetry=telemetry)


def _items(call: Call) -> list[Any]:
    """The spans; those of a body with one JSON object a line are still bytes."""
    media_type = call.headers.get("content-type", "")
    if "ndjson" in media_type or "jsonl" in media_type:
        return [line for line in call.body.splitlines() if line.strip()]
    found = call.json()
    return found if isinstance(found, list) else [found]


def _error(index: int, error: BadInput) -> dict[str, Any]:
    said = {"index": index, "field": error.field or "", "message": str(error)}
    return said | ({"limit": error.limit} if error.limit else {})


def _add(telemetry: Telemetry, item: Any, index: int, now_ns: int) -> None:
    said = {name: value for name, value in as_object(item, "span").items() if value is not None}
    trace, span, parent = _ids(said, index, now_ns)
    start_ns, end_ns = _times(said, now_ns)
    trace_id, span_id = trace_id_of(trace), span_id_of(span)
    verdicts = [
        _verdict(score, f"scores[{n}]", trace_id, span_id, end_ns or now_ns)
        for n, score in enumerate(_scores(said))
    ]
    error = said.get("error")
    resource = {"service.name": as_text(said["service"], "service")} if "service" in said else {}
    telemetry.add_span(
        resource=resource,
        scope=_SCOPE,
        trace_id=trace_id,
        span_id=span_id,
        parent_span_id=span_id_of(parent) if parent else b"",
        name=as_text(said.get("name", ""), "name"),
        start_ns=start_ns,
        end_ns=end_ns,
        attributes={
            **_attributes(said),
            **_failure(error),
            NATIVE_ID: span,
            NATIVE_TRACE_ID: trace,
        },
        error=_error_message(error),
    )
    for verdict in verdicts:
        telemetry.add_verdict(verdict)


def _ids(said: Mapping[str, Any], index: int, now_ns: int) -> tuple[str, str, str]:
    """The ids of the trace, the span and the parent, as the client knows them."""
    parent = as_text(said.get("parent_id", ""), "parent_id")
    # A span that nobody will update needs no name: its content and its moment tell it apart.
    span = (
        as_text(said.get("id", ""), "id") or span_id_of(f"{index}:{now_ns}:{json_text(said)}").hex()
    )
    trace = as_text(said.get("trace_id", ""), "trace_id")
    if parent and not trace:
        raise BadInput("trace_id is needed where there is a parent_id", field="trace_id")
    return trace or span, span, parent


def _times(said: Mapping[str, Any], now_ns: int) -> tuple[int, int]:
    """Start and end; an end that nobody said is 0, and a later item may say it."""
    start_ns, end_ns = _moment(said, "start"), _moment(said, "end")
    if "duration_ms" in said:
        duration_ns = round(as_amount(said["duration_ms"], "duration_ms") * 1e6)
        if start_ns:
            end_ns = end_ns or start_ns + duration_ns
        else:
            end_ns = end_ns or now_ns
            start_ns = end_ns - duration_ns
    start_ns = start_ns or end_ns or now_ns
    if not 0 <= start_ns < 1 << 63 or end_ns >= 1 << 63:
        raise BadInput("duration_ms is out of range", field="duration_ms")
    if end_ns and end_ns < start_ns:
        raise BadInput("end lies before start", field="end")
    return start_ns, end_ns


def _moment(said: Mapping[str, Any], name: str) -> int:
    if name not in said:
        return 0
    value = said[name]
    found = time_ns(value) if isinstance(value, str | int | float) else 0
    if not found:
        raise BadInput(f"{name} is neither ISO 8601 text nor a number since 1970", field=name)
    return found


def _attributes(said: Mapping[str, Any]) -> dict[str, Any]:
    extra = as_object(said.get("attributes", {}), "attributes")
    found = {name: value for name, value in said.items() if name not in _READ | _FIELDS.keys()}
    found |= extra
    found |= {key: read(said[name], name) for name, (key, read) in _FIELDS.items() if name in said}
    if "kind" in said:
        found |= _kind(as_text(said["kind"], "kind"), "operation" in said)
    if "ttft_ms" in said:
        # OpenTelemetry keeps this one in seconds.
        key = "gen_ai.response.time_to_first_chunk"
        found[key] = as_amount(said["ttft_ms"], "ttft_ms") / 1000
    if "metadata" in said:
        found["metadata"] = json_text(as_object(said["metadata"], "metadata"))
    if "documents" in said:
        documents = as_list(said["documents"], "documents", MAX_ITEMS)
        found["gen_ai.retrieval.documents"] = json_text(documents)
    return found | _usage(said)


def _kind(word: str, has_operation: bool) -> dict[str, Any]:
    if word not in _KINDS:
        raise BadInput(f"kind is none of {', '.join(_KINDS)}", field="kind")
    found = {"vagus.span.kind": word}
    if _KINDS[word] and not has_operation:
        found["gen_ai.operation.name"] = _KINDS[word]
    return found


def _usage(said: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in as_object(said.get("usage", {}), "usage").items():
        if name not in _USAGE:
            raise BadInput(f"usage.{name} is none of {', '.join(_USAGE)}", field=f"usage.{name}")
        if value is not None:
            found[_USAGE[name]] = as_count(value, f"usage.{name}")
    if "cache_accounting" in said:
        word = as_text(said["cache_accounting"], "cache_accounting")
        if word not in ("inclusive", "exclusive"):
            raise BadInput("not inclusive or exclusive", field="cache_accounting")
        found["vagus.cache_accounting"] = word
    elif found:
        found["vagus.cache_accounting"] = "inclusive"
    return found


def _failure(error: Any) -> dict[str, Any]:
    if isinstance(error, Mapping):
        return {"error.type": as_text(error.get("type") or "", "error.type") or None}
    return {}


def _error_message(error: Any) -> str | None:
    if error is None or error is False:
        return None
    if error is True:
        return ""
    if isinstance(error, Mapping):
        return as_text(error.get("message") or "", "error.message")
    if isinstance(error, str):
        return error
    raise BadInput("error is neither a text, true nor {type, message}", field="error")


def _scores(said: Mapping[str, Any]) -> list[Any]:
    return as_list(said.get("scores", []), "scores", MAX_SCORES)


def _verdict(score: Any, place: str, trace_id: bytes, span_id: bytes, at_ns: int) -> Verdict:
    said = {k: v for k, v in as_object(score, place).items() if v is not None}

    def text(name: str) -> str:
        return as_text(said.get(name, ""), f"{place}.{name}")

    name, source = text("name"), text("source") or "external"
    if not name:
        raise BadInput("a score needs a name", field=f"{place}.name")
    if source not in _SOURCES:
        raise BadInput(f"source is none of {', '.join(_SOURCES)}", field=f"{place}.source")
    value = as_number(said["value"], f"{place}.value") if "value" in said else None
    passed = as_bool(said["passed"], f"{place}.passed") if "passed" in said else None
    label = text("label")
    if value is None and passed is None and not label:
        raise BadInput("a score needs a value, a label or passed", field=f"{place}.value")
    return Verdict(
        name=name,
        score_id=text("id") or f"{trace_id.hex()}:{span_id.hex()}:{source}:{name}",
        time_ns=at_ns,
        trace_id=trace_id,
        span_id=span_id,
        value=value,
        label=label,
        passed=passed,
        explanation=text("explanation"),
        source=source,
        evaluator=text("evaluator"),
    )


ROUTES = (Route("/api/v1/spans", _receive, ("POST",)),)
