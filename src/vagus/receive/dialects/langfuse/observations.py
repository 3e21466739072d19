"""Langfuse's traces and observations as spans."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from vagus.errors import BadInput
from vagus.receive.dialects.build import (
    NATIVE_ID,
    NATIVE_TRACE_ID,
    Telemetry,
    json_text,
    span_id_of,
    time_ns,
    trace_id_of,
)
from vagus.receive.dialects.langfuse.usage import read_usage
from vagus.receive.dialects.shared import attribution, count, first, listed, mapping, number, text

_OPERATIONS = {
    "generation": "chat",
    "embedding": "embeddings",
    "tool": "execute_tool",
    "retriever": "retrieval",
    "agent": "invoke_agent",
}


@dataclass(frozen=True, slots=True)
class Sender:
    """Which SDK sent a batch."""

    name: str
    version: str


@dataclass(slots=True)
class Trace:
    """A trace as far as a batch says it; Langfuse does not say when one ends."""

    body: dict[str, Any] = field(default_factory=dict)
    said_ns: int = 0
    last_ns: int = 0


def merge(held: dict[str, Any], later: Mapping[str, Any]) -> None:
    """Add what a later event about the same object says; what it leaves empty stays."""
    for key, value in later.items():
        if value is None or value == "" or value == {} or value == []:
            continue
        if isinstance(value, dict) and isinstance(held.get(key), dict) and key == "metadata":
            held[key] = {**held[key], **value}
        else:
            held[key] = value


def add_trace(trace: Trace, sender: Sender, telemetry: Telemetry) -> None:
    """Add the root span that stands for a trace; it lasts as long as what the batch holds of it."""
    body = trace.body
    native = text(body.get("id"))
    start_ns = time_ns(body.get("timestamp"))
    metadata = mapping(body.get("metadata"))
    telemetry.add_span(
        resource=_resource(body, sender),
        scope="langfuse-sdk",
        trace_id=trace_id_of(native),
        span_id=span_id_of(native),
        name=text(body.get("name")),
        start_ns=start_ns,
        end_ns=trace.last_ns if start_ns < trace.last_ns else 0,
        attributes={
            NATIVE_ID: native,
            NATIVE_TRACE_ID: native,
            "vagus.convention": "langfuse",
            "vagus.span.kind": "chain",
            "langfuse.trace.name": text(body.get("name")) or None,
            "langfuse.trace.tags": [t for t in listed(body.get("tags")) if isinstance(t, str)]
            or None,
            "langfuse.version": text(body.get("version")) or None,
            **{f"langfuse.trace.metadata.{key}": value for key, value in metadata.items()},
            **_who(body, metadata),
            "input.value": _json(body.get("input")),
            "output.value": _json(body.get("output")),
        },
    )


def add_observation(
    body: Mapping[str, Any], trace: Trace | None, sender: Sender, telemetry: Telemetry
) -> None:
    """Add the span of an observation; raises `BadInput` that names what is missing."""
    native, about = text(body.get("id")), text(body.get("traceId"))
    for name, said in (("id", native), ("traceId", about)):
        if not said:
            raise BadInput(f"an observation needs {name}", field=name)
    kind = text(body.get("type")).lower()
    start_ns, end_ns = time_ns(body.get("startTime")), time_ns(body.get("endTime"))
    level, words = text(body.get("level")), text(body.get("statusMessage"))
    metadata = mapping(body.get("metadata"))
    root = trace.body if trace else {}
    telemetry.add_span(
        resource=_resource({**root, **body}, sender),
        scope="langfuse-sdk",
        trace_id=trace_id_of(about),
        span_id=span_id_of(native),
        parent_span_id=span_id_of(text(body.get("parentObservationId")) or about),
        name=text(body.get("name")),
        start_ns=start_ns,
        end_ns=end_ns or (start_ns if kind == "event" else 0),
        attributes={
            NATIVE_ID: native,
            NATIVE_TRACE_ID: about,
            "vagus.convention": "langfuse",
            "langfuse.observation.type": kind or None,
            "gen_ai.operation.name": _OPERATIONS.get(kind),
            "langfuse.observation.level": level or None,
            "langfuse.observation.status_message": words or None,
            "langfuse.version": text(body.get("version")) or None,
            **{f"langfuse.observation.metadata.{key}": value for key, value in metadata.items()},
            **_who(root, mapping(root.get("metadata"))),
            **_who({}, metadata),
            **_model(body, start_ns),
            **_content(kind, body),
        },
        error=words if level == "ERROR" else None,
    )


def _resource(body: Mapping[str, Any], sender: Sender) -> dict[str, Any]:
    said = {
        "service.version": text(body.get("release")),
        "deployment.environment.name": text(body.get("environment")),
        "telemetry.sdk.name": sender.name,
        "telemetry.sdk.version": sender.version,
    }
    return {key: value for key, value in said.items() if value}


def _who(body: Mapping[str, Any], metadata: Mapping[str, Any]) -> dict[str, Any]:
    said = {"session.id": text(body.get("sessionId")), "user.id": text(body.get("userId"))}
    return attribution(metadata) | {key: value for key, value in said.items() if value}


def _model(body: Mapping[str, Any], start_ns: int) -> dict[str, Any]:
    """Model, parameters, prompt, first token and usage."""
    parameters = mapping(body.get("modelParameters"))
    begun_ns = time_ns(body.get("completionStartTime"))
    waited_s = (begun_ns - start_ns) / 1e9 if start_ns and begun_ns >= start_ns else None
    return {
        "gen_ai.request.model": text(body.get("model")) or None,
        "langfuse.observation.model.parameters": json_text(parameters) if parameters else None,
        "gen_ai.request.temperature": number(parameters.get("temperature")),
        "gen_ai.request.max_tokens": count(
            first(parameters, "max_tokens", "maxTokens", "max_completion_tokens")
        ),
        "gen_ai.request.top_p": number(first(parameters, "top_p", "topP")),
        "gen_ai.request.stream": True if begun_ns else None,
        "gen_ai.response.time_to_first_chunk": waited_s,
        "gen_ai.prompt.name": text(body.get("promptName")) or None,
        "gen_ai.prompt.version": text(body.get("promptVersion")) or None,
        **read_usage(body),
    }


def _content(kind: str, body: Mapping[str, Any]) -> dict[str, Any]:
    went_in, came_out = body.get("input"), body.get("output")
    if kind == "generation":
        return {
            **_messages(went_in, "user", "gen_ai.input.messages", "gen_ai.prompt"),
            **_messages(came_out, "assistant", "gen_ai.output.messages", "gen_ai.completion"),
            "gen_ai.tool.definitions": _json(mapping(went_in).get("tools")),
        }
    if kind == "tool":
        return {
            "gen_ai.tool.name": text(body.get("name")) or None,
            "gen_ai.tool.call.arguments": _json(went_in),
            "gen_ai.tool.call.result": _json(came_out),
        }
    if kind == "retriever":
        query = text(went_in) or text(first(mapping(went_in), "query", "question", "input"))
        documents = listed(came_out) or listed(mapping(came_out).get("documents"))
        return {
            "gen_ai.retrieval.query.text": query or _json(went_in),
            "gen_ai.retrieval.documents": json_text(documents) if documents else None,
            "output.value": None if documents else _json(came_out),
        }
    return {"input.value": _json(went_in), "output.value": _json(came_out)}


def _messages(value: Any, role: str, named: str, otherwise: str) -> dict[str, Any]:
    """Messages where they can be told; any other content as it came."""
    if isinstance(value, str):
        return {named: json_text([{"role": role, "content": value}])} if value else {}
    held = mapping(value).get("messages", value)
    found = [held] if isinstance(held, dict) else listed(held)
    if found and all(isinstance(m, dict) and ("role" in m or "content" in m) for m in found):
        return {named: json_text(found)}
    return {otherwise: _json(value)}


def _json(value: Any) -> str | None:
    if value is None or value == "" or value == {} or value == []:
        return None
    return value if isinstance(value, str) else json_text(value)
