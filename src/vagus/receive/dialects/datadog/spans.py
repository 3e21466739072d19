"""A span of LLM Observability as an OTLP span."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vagus.errors import BadInput
from vagus.receive.dialects.build import (
    NATIVE_ID,
    NATIVE_TRACE_ID,
    Event,
    Telemetry,
    json_text,
)
from vagus.receive.dialects.datadog.ids import span_id, trace_id
from vagus.receive.dialects.shared import attribution, count, first, listed, mapping, number, text
from vagus.receive.providers.usage import Usage

_KINDS = {"task": "chain", "experiment": "chain"}
_OPERATIONS = {
    "llm": "chat",
    "embedding": "embeddings",
    "retrieval": "retrieval",
    "tool": "execute_tool",
    "agent": "invoke_agent",
    "workflow": "invoke_workflow",
}
_OF_THE_RESOURCE = frozenset(("service", "version", "env", "language", "ddtrace.version"))


def add_llm_span(
    span: Mapping[str, Any], telemetry: Telemetry, *, shared_tags: Mapping[str, str] | None = None
) -> None:
    """Add one span; raises `BadInput` that names what is missing."""
    for name in ("span_id", "trace_id"):
        if not text(span.get(name)):
            raise BadInput(f"a span needs {name}", field=name)
    meta, metrics = mapping(span.get("meta")), mapping(span.get("metrics"))
    tags = {**(shared_tags or {}), **read_tags(span.get("tags"))}
    kind = _kind(meta)
    start_ns = count(span.get("start_ns")) or 0
    lasted_ns = count(span.get("duration"))
    end_ns = start_ns + lasted_ns if start_ns and lasted_ns is not None else 0
    error = _error(span, meta)
    session = text(span.get("session_id")) or tags.get("session_id", "")
    telemetry.add_span(
        resource=resource_of(tags, text(span.get("service"))),
        scope="ddtrace.llmobs",
        trace_id=trace_id(span["trace_id"]),
        span_id=span_id(span["span_id"]),
        parent_span_id=span_id(span.get("parent_id")),
        name=text(span.get("name")),
        start_ns=start_ns,
        end_ns=end_ns,
        attributes={
            NATIVE_ID: text(span["span_id"]),
            NATIVE_TRACE_ID: text(span["trace_id"]),
            "vagus.convention": "datadog",
            "vagus.span.kind": _KINDS.get(kind, kind) or None,
            "gen_ai.operation.name": _OPERATIONS.get(kind),
            "datadog.span.kind": kind or None,
            **{f"datadog.tag.{k}": v for k, v in tags.items() if k not in _OF_THE_RESOURCE},
            **attribution(tags),
            "session.id": session or None,
            **_model(meta, metrics),
            **_content(kind, text(span.get("name")), meta),
            "error.type": error.get("type") if error else None,
        },
        error=error["message"] if error else None,
        events=[_exception(error, end_ns)] if error else (),
    )


def read_tags(tags: Any) -> dict[str, str]:
    """Tags as a list of `key:value` or as an object."""
    if isinstance(tags, dict):
        return {text(key): text(value) for key, value in tags.items() if text(value)}
    found = (tag.partition(":") for tag in listed(tags) if isinstance(tag, str))
    return {key: value for key, _, value in found if key and value}


def resource_of(tags: Mapping[str, str], service: str = "") -> dict[str, Any]:
    """The program that a span ran in."""
    said = {
        "service.name": tags.get("service") or service or tags.get("ml_app", ""),
        "service.version": tags.get("version", ""),
        "deployment.environment.name": tags.get("env", ""),
        "telemetry.sdk.name": "ddtrace",
        "telemetry.sdk.version": tags.get("ddtrace.version", ""),
        "telemetry.sdk.language": tags.get("language", ""),
    }
    return {key: value for key, value in said.items() if value}


def _kind(meta: Mapping[str, Any]) -> str:
    inner = mapping(meta.get("span")).get("kind")
    return text(inner or meta.get("span.kind") or meta.get("kind")).lower()


def _error(span: Mapping[str, Any], meta: Mapping[str, Any]) -> dict[str, str] | None:
    held = mapping(meta.get("error"))
    said = {
        name: text(held.get(name)) or text(meta.get(f"error.{name}"))
        for name in ("type", "message", "stack")
    }
    if span.get("status") != "error" and not any(said.values()):
        return None
    return said | {"type": said["type"].removeprefix("builtins.")}


def _exception(error: Mapping[str, str], at_ns: int) -> Event:
    said = {"type": error["type"], "message": error["message"], "stacktrace": error["stack"]}
    return Event("exception", at_ns, {f"exception.{k}": v for k, v in said.items() if v})


def _model(meta: Mapping[str, Any], metrics: Mapping[str, Any]) -> dict[str, Any]:
    """Model, parameters, prompt, first token and usage."""
    metadata = mapping(meta.get("metadata"))
    prompt = mapping(mapping(meta.get("input")).get("prompt"))
    return {
        "gen_ai.request.model": text(meta.get("model_name")) or None,
        "gen_ai.provider.name": text(meta.get("model_provider")) or None,
        "gen_ai.request.temperature": number(metadata.get("temperature")),
        "gen_ai.request.max_tokens": count(first(metadata, "max_tokens", "max_completion_tokens")),
        "gen_ai.response.time_to_first_chunk": number(metrics.get("time_to_first_token")),
        "gen_ai.prompt.name": text(prompt.get("id")) or None,
        "gen_ai.prompt.version": text(prompt.get("version")) or None,
        **{f"datadog.metadata.{key}": value for key, value in metadata.items()},
        **_usage(metrics).attributes(),
    }


def _usage(metrics: Mapping[str, Any]) -> Usage:
    """The token counts; the tracer counts cached tokens as input, and programs may not."""
    tokens = count(metrics.get("input_tokens"))
    read = count(metrics.get("cache_read_input_tokens"))
    short = count(metrics.get("ephemeral_5m_input_tokens"))
    long = count(metrics.get("ephemeral_1h_input_tokens"))
    written = count(metrics.get("cache_write_input_tokens"))
    if written is None and (short is not None or long is not None):
        written = (short or 0) + (long or 0)
    cached = (read or 0) + (written or 0)
    if tokens is not None and cached > tokens:
        tokens += cached
    return Usage(
        input_tokens=tokens,
        output_tokens=count(metrics.get("output_tokens")),
        cache_read=read,
        cache_write=written,
        cache_write_5m=short,
        cache_write_1h=long,
        reasoning=count(metrics.get("reasoning_output_tokens")),
        cost_usd=number(metrics.get("total_cost")),
    )


def _content(kind: str, name: str, meta: Mapping[str, Any]) -> dict[str, Any]:
    went_in, came_out = mapping(meta.get("input")), mapping(meta.get("output"))
    messages, answers = listed(went_in.get("messages")), listed(came_out.get("messages"))
    value = _json(went_in.get("value")) or _json(went_in.get("documents"))
    result, documents = _json(came_out.get("value")), listed(came_out.get("documents"))
    said = {
        "gen_ai.input.messages": json_text(messages) if messages else None,
        "gen_ai.output.messages": json_text(answers) if answers else None,
        "gen_ai.tool.definitions": _json(meta.get("tool_definitions")),
    }
    if kind == "tool":
        return said | {
            "gen_ai.tool.name": name or None,
            "gen_ai.tool.call.arguments": value,
            "gen_ai.tool.call.result": result,
        }
    if kind == "retrieval":
        return said | {
            "gen_ai.retrieval.query.text": value,
            "gen_ai.retrieval.documents": json_text(documents) if documents else None,
            "output.value": result,
        }
    return said | {"input.value": value, "output.value": result}


def _json(value: Any) -> str | None:
    if value is None or value == "" or value == {} or value == []:
        return None
    return value if isinstance(value, str) else json_text(value)
