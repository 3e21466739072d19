"""Opik's traces and spans as OTLP spans.

A trace of Opik has a start, an end, an input and an output of its own, so it becomes the root span;
spans without a parent hang under it. It says no usage, and so nothing is counted twice.
"""

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
    span_id_of,
    time_ns,
    trace_id_of,
)
from vagus.receive.dialects.shared import count, first, listed, mapping, number, text
from vagus.receive.providers.usage import Usage

_SCOPE = "opik"
_USED = "original_usage."


def add_trace(telemetry: Telemetry, said: Any, *, sdk_version: str) -> None:
    """Add a trace, or an update of one, as the root span of its spans."""
    trace = _object(said, "trace")
    native = _id(trace, "id")
    thread = text(trace.get("thread_id"))
    _add(
        telemetry,
        trace,
        native=native,
        trace=native,
        parent_span_id=b"",
        sdk_version=sdk_version,
        attributes={
            "vagus.span.kind": "workflow",
            "session.id": thread or None,
            "opik.thread_id": thread or None,
        },
    )


def add_span(telemetry: Telemetry, said: Any, *, is_update: bool, sdk_version: str) -> None:
    """Add a span, or an update of one; an update that names no parent leaves the parent be."""
    span = _object(said, "span")
    native, trace = _id(span, "id"), _id(span, "trace_id")
    parent = text(span.get("parent_span_id")) or ("" if is_update else trace)
    kind = text(span.get("type")) or (None if is_update else "general")
    model = text(span.get("model")) or None
    attributes = {
        "opik.span.type": kind,
        "gen_ai.operation.name": "chat" if kind == "llm" else None,
        "gen_ai.tool.name": text(span.get("name")) or None if kind == "tool" else None,
        "gen_ai.request.model": model,
        "gen_ai.provider.name": text(span.get("provider")) or None,
        "gen_ai.usage.cost": number(span.get("total_estimated_cost")),
        **_usage(mapping(span.get("usage"))),
    }
    _add(
        telemetry,
        span,
        native=native,
        trace=trace,
        parent_span_id=span_id_of(parent) if parent else b"",
        sdk_version=sdk_version,
        attributes=attributes,
    )


def _add(
    telemetry: Telemetry,
    said: Mapping[str, Any],
    *,
    native: str,
    trace: str,
    parent_span_id: bytes,
    sdk_version: str,
    attributes: Mapping[str, Any],
) -> None:
    end_ns = _moment(said, "end_time")
    error = mapping(said.get("error_info"))
    kind, message = text(error.get("exception_type")), text(error.get("message"))
    ttft_ms = number(said.get("ttft"))
    telemetry.add_span(
        resource={
            "service.name": text(said.get("project_name")) or None,
            "telemetry.sdk.name": "opik",
            "telemetry.sdk.version": sdk_version or None,
        },
        scope=_SCOPE,
        trace_id=trace_id_of(trace),
        span_id=span_id_of(native),
        parent_span_id=parent_span_id,
        name=text(said.get("name")),
        start_ns=_moment(said, "start_time"),
        end_ns=end_ns,
        attributes={
            **attributes,
            "input.value": _value(said.get("input")),
            "output.value": _value(said.get("output")),
            "metadata": json_text(mapping(said["metadata"])) if said.get("metadata") else None,
            "tag.tags": [t for t in listed(said.get("tags")) if isinstance(t, str)] or None,
            "gen_ai.response.time_to_first_chunk": ttft_ms / 1000 if ttft_ms is not None else None,
            "deployment.environment.name": text(said.get("environment")) or None,
            "error.type": kind or None,
            NATIVE_ID: native,
            NATIVE_TRACE_ID: trace,
        },
        error=message or kind if error else None,
        events=_exception(error, kind, message, end_ns),
    )


def _usage(said: Mapping[str, Any]) -> dict[str, Any]:
    """Tokens by class; Opik's own `prompt_tokens` include what was cached, whoever the provider."""

    def used(*names: str) -> int | None:
        keys = [key for name in names for key in (_USED + name, name)]
        return count(first(said, *keys))

    read = used("cache_read_input_tokens", "prompt_tokens_details.cached_tokens",
                "input_tokens_details.cached_tokens", "cached_content_token_count",
                "cacheReadInputTokens")  # fmt: skip
    written = used("cache_creation_input_tokens", "cacheWriteInputTokens",
                   "prompt_tokens_details.cache_write_tokens")  # fmt: skip
    whole, output = count(said.get("prompt_tokens")), count(said.get("completion_tokens"))
    found = Usage(
        input_tokens=whole if whole is not None else used("input_tokens"),
        output_tokens=output if output is not None else used("output_tokens"),
        cache_read=read,
        cache_write=written,
        cache_write_5m=used("cache_creation.ephemeral_5m_input_tokens"),
        cache_write_1h=used("cache_creation.ephemeral_1h_input_tokens"),
        reasoning=used("completion_tokens_details.reasoning_tokens",
                       "output_tokens_details.reasoning_tokens",
                       "thoughts_token_count"),
        audio_input=used("prompt_tokens_details.audio_tokens"),
        audio_output=used("completion_tokens_details.audio_tokens"),
        web_search_requests=used("server_tool_use.web_search_requests"),
    ).attributes()  # fmt: skip
    if whole is None:
        # The provider's own figure; whether it includes the cached ones is for others to tell.
        found.pop("vagus.cache_accounting", None)
    return found


def _exception(
    error: Mapping[str, Any], kind: str, message: str, time_ns_: int
) -> tuple[Event, ...]:
    if not error:
        return ()
    said = {
        "exception.type": kind or None,
        "exception.message": message or None,
        "exception.stacktrace": text(error.get("traceback")) or None,
    }
    return (Event("exception", time_ns_, said),)


def _value(value: Any) -> Any:
    """An input or output; the decorator's `{"output": x}` around a single value is taken off."""
    if isinstance(value, dict) and set(value) == {"output"}:
        return _value(value["output"])
    return json_text(value) if isinstance(value, list) else value


def _object(said: Any, what: str) -> dict[str, Any]:
    if not isinstance(said, dict):
        raise BadInput(f"a {what} must be a JSON object", field=what)
    return said


def _id(said: Mapping[str, Any], name: str) -> str:
    found = said.get(name)
    if not isinstance(found, str) or not found:
        raise BadInput(f"{name} is missing", field=name)
    return found


def _moment(said: Mapping[str, Any], name: str) -> int:
    if said.get(name) is None:
        return 0
    found = time_ns(said[name])
    if not found:
        raise BadInput(f"{name} is not a time", field=name)
    return found
