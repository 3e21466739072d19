"""A LangSmith run as a span."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from vagus.errors import BadInput
from vagus.receive.dialects.build import (
    NATIVE_ID,
    NATIVE_TRACE_ID,
    Event,
    Telemetry,
    span_id_of,
    time_ns,
    trace_id_of,
)
from vagus.receive.dialects.langsmith.content import content_of
from vagus.receive.dialects.langsmith.usage import messages_of, read_usage
from vagus.receive.dialects.shared import (
    attribution,
    count,
    error_class,
    error_message,
    first,
    listed,
    mapping,
    number,
    text,
)

_MAX_EVENTS = 64
_MODELS = frozenset(("llm", "embedding", ""))
_OPERATIONS = {
    "llm": "chat",
    "embedding": "embeddings",
    "retriever": "retrieval",
    "tool": "execute_tool",
}
# LangSmith's client copies its own settings out of the environment into every run.
_ENVIRONMENT = ("LANGSMITH_", "LANGCHAIN_")
# How `routes.py` names what it saw of an attachment: its type and size, not its content.
_ATTACHED = "attachment."
_READ_ELSEWHERE = frozenset(("usage_metadata", "ls_model_name", "ls_provider"))
_PLACE = re.compile(r"(\d{8}T\d{12})Z([0-9a-fA-F-]{36})")


def merge_run(run: dict[str, Any], later: Mapping[str, Any]) -> None:
    """Add what a later write of the same run says; what it leaves empty stays."""
    for key, value in later.items():
        if value is None or value == "" or value == {} or value == []:
            continue
        if key == "extra" and isinstance(value, dict) and isinstance(run.get("extra"), dict):
            metadata = {**mapping(run["extra"].get("metadata")), **mapping(value.get("metadata"))}
            run["extra"] = {**run["extra"], **value, "metadata": metadata}
        else:
            run[key] = value


def add_run(run: Mapping[str, Any], telemetry: Telemetry) -> None:
    """Add the span of a run; raises `BadInput` that names what is missing."""
    native = text(run.get("id"))
    if not native:
        raise BadInput("a run needs an id", field="id")
    trace, parent = _place(run, native)
    start_ns = _began_ns(run)
    end_ns = time_ns(run.get("end_time"))
    extra = mapping(run.get("extra"))
    metadata = mapping(extra.get("metadata"))
    kind = text(run.get("run_type")).lower()
    attributes: dict[str, Any] = {
        NATIVE_ID: native,
        NATIVE_TRACE_ID: trace,
        "langsmith.span.kind": kind or None,
        "gen_ai.operation.name": _OPERATIONS.get(kind),
        "vagus.convention": "langsmith",
        "langsmith.span.tags": ", ".join(t for t in listed(run.get("tags")) if isinstance(t, str))
        or None,
    }
    attributes |= {f"langsmith.{key}": v for key, v in run.items() if key.startswith(_ATTACHED)}
    attributes |= _metadata(metadata)
    attributes |= attribution(metadata)
    attributes |= _model(kind, run, extra, metadata)
    attributes |= content_of(kind, run, extra)
    events = _events(run, start_ns, end_ns, attributes)
    error = text(run.get("error"))
    if error:
        attributes["error.type"] = error_class(error) or None
    telemetry.add_span(
        resource=_resource(run, extra, metadata),
        scope="langsmith",
        trace_id=trace_id_of(trace),
        span_id=span_id_of(native),
        parent_span_id=span_id_of(parent) if parent else b"",
        name=text(run.get("name")) or kind,
        start_ns=start_ns,
        end_ns=end_ns,
        attributes=attributes,
        error=error_message(error) if error else None,
        events=events,
    )


def _place(run: Mapping[str, Any], native: str) -> tuple[str, str]:
    """The trace and the parent ('' for none) of a run."""
    trace, parent = text(run.get("trace_id")), text(run.get("parent_run_id"))
    if trace and (parent or trace == native):
        return trace, parent
    steps = _PLACE.findall(text(run.get("dotted_order")))
    trace = trace or (steps[0][1] if steps else "")
    parent = parent or (steps[-2][1] if len(steps) > 1 else "")
    if parent and not trace:
        raise BadInput(
            f"run {native[:40]} has a parent but neither trace_id nor dotted_order",
            field="trace_id",
        )
    return trace or native, parent


def _began_ns(run: Mapping[str, Any]) -> int:
    """When the run began; `dotted_order` says it too, beside the ids from the root down."""
    if said_ns := time_ns(run.get("start_time")):
        return said_ns
    steps = _PLACE.findall(text(run.get("dotted_order")))
    if not steps:
        return 0
    stamp = steps[-1][0]
    return time_ns(f"{stamp[:15]}.{stamp[15:]}+00:00")


def _resource(
    run: Mapping[str, Any], extra: Mapping[str, Any], metadata: Mapping[str, Any]
) -> dict[str, Any]:
    runtime = mapping(extra.get("runtime"))
    said = {
        "service.name": text(run.get("session_name")) or "default",
        "service.version": text(first(metadata, "revision_id", "release")),
        "deployment.environment.name": text(first(metadata, "env", "environment")),
        "telemetry.sdk.name": text(runtime.get("sdk")) or "langsmith",
        "telemetry.sdk.version": text(runtime.get("sdk_version")),
    }
    return {key: value for key, value in said.items() if value}


def _metadata(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """What the program said about the run, without the client's own settings."""
    said = {
        f"langsmith.metadata.{key}": value
        for key, value in metadata.items()
        if key not in _READ_ELSEWHERE and not key.startswith(_ENVIRONMENT)
    }
    said["gen_ai.prompt.name"] = text(metadata.get("lc_hub_repo")) or None
    said["gen_ai.prompt.version"] = text(metadata.get("lc_hub_commit_hash")) or None
    said["gen_ai.agent.name"] = text(metadata.get("lc_agent_name")) or None
    return said


def _model(
    kind: str, run: Mapping[str, Any], extra: Mapping[str, Any], metadata: Mapping[str, Any]
) -> dict[str, Any]:
    """Model, provider, parameters and usage of a run that is a model call."""
    if kind not in _MODELS:
        return read_usage(metadata, {}) if "usage_metadata" in metadata else {}
    outputs = mapping(run.get("outputs"))
    asked = mapping(extra.get("invocation_params"))
    said = {**asked, **metadata}
    answered: dict[str, Any] = {}
    for message in messages_of(outputs):
        answered |= mapping(message.get("response_metadata"))
    answered |= mapping(outputs.get("llm_output"))
    model = first(metadata, "ls_model_name") or first(asked, "model", "model_name", "model_id")
    return {
        "gen_ai.request.model": text(model) or None,
        "gen_ai.provider.name": text(metadata.get("ls_provider")) or None,
        "gen_ai.response.model": text(
            first(answered, "model_name", "model", "model_id") or outputs.get("model")
        )
        or None,
        "gen_ai.response.id": text(answered.get("id")) or None,
        "gen_ai.response.finish_reasons": _finish(answered, outputs),
        "openai.response.service_tier": text(
            first(answered, "service_tier") or outputs.get("service_tier")
        )
        or None,
        "openai.response.system_fingerprint": text(answered.get("system_fingerprint")) or None,
        "gen_ai.request.temperature": number(first(said, "ls_temperature", "temperature")),
        "gen_ai.request.max_tokens": count(
            first(said, "ls_max_tokens", "max_tokens", "max_completion_tokens")
        ),
        "gen_ai.request.top_p": number(asked.get("top_p")),
        **read_usage(metadata, outputs),
    }


def _finish(answered: Mapping[str, Any], outputs: Mapping[str, Any]) -> list[str] | None:
    reason = text(first(answered, "finish_reason", "stop_reason", "done_reason"))
    if not reason:
        choice = mapping(next(iter(listed(outputs.get("choices"))), None))
        reason = text(choice.get("finish_reason") or outputs.get("stop_reason"))
    return [reason] if reason else None


def _events(
    run: Mapping[str, Any], start_ns: int, end_ns: int, attributes: dict[str, Any]
) -> list[Event]:
    """The run's events and its error; the first new token also says when the answer began."""
    found: list[Event] = []
    for item in listed(run.get("events"))[:100_000]:
        event = mapping(item)
        name, at_ns = text(event.get("name")), time_ns(event.get("time"))
        if name in ("", "start", "end") or len(found) >= _MAX_EVENTS:
            continue
        if name == "new_token":
            if attributes.get("gen_ai.request.stream"):
                continue
            attributes["gen_ai.request.stream"] = True
            if start_ns and at_ns >= start_ns:
                attributes["gen_ai.response.time_to_first_chunk"] = (at_ns - start_ns) / 1e9
        kwargs = {f"langsmith.{key}": v for key, v in mapping(event.get("kwargs")).items()}
        found.append(Event(name, at_ns, {} if name == "new_token" else kwargs))
    error = text(run.get("error"))
    if error:
        said = {
            "exception.type": error_class(error) or None,
            "exception.message": error_message(error),
            "exception.stacktrace": error if "\n" in error else None,
        }
        found.append(Event("exception", end_ns or start_ns, said))
    return found
