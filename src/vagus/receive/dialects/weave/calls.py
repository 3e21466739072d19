"""Weave's calls as OTLP spans.

A call's `summary.usage` holds the usage of all calls below it too. So usage is read where a model
answered: from a provider's own answer, or from the summary of a call that says it is a model's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vagus.errors import BadInput
from vagus.receive.dialects.base import decode_json
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
from vagus.receive.dialects.shared import attribution, count, first, mapping, text
from vagus.receive.providers.exchange import Exchange
from vagus.receive.providers.read import read_exchange
from vagus.receive.providers.usage import Usage

_SCOPE = "weave"
_KINDS = {"llm", "tool", "agent", "retrieval", "embedding", "guardrail", "evaluator", "chain"}


def add_call(telemetry: Telemetry, said: Any, *, project: str = "") -> None:
    """Add a whole call, the start of one, or the end of one."""
    if not isinstance(said, dict):
        raise BadInput("a call must be a JSON object", field="call")
    call = {name: value for name, value in said.items() if value is not None}
    native, trace = _named(call, "id"), text(call.get("trace_id"))
    if not trace:
        raise BadInput("trace_id is missing", field="trace_id")
    parent = text(call.get("parent_id"))
    start_ns, end_ns = _moment(call, "started_at"), _moment(call, "ended_at")
    attributes = mapping(call.get("attributes"))
    own = mapping(attributes.get("weave"))
    error = _exception(call.get("exception"))
    message = error.get("message") or error.get("type")
    telemetry.add_span(
        resource={
            "service.name": (text(call.get("project_id")) or project).rpartition("/")[2] or None,
            "telemetry.sdk.name": "weave",
            "telemetry.sdk.version": text(own.get("client_version")) or None,
        },
        scope=_SCOPE,
        trace_id=trace_id_of(trace),
        span_id=span_id_of(native),
        parent_span_id=span_id_of(parent) if parent else b"",
        name=text(call.get("display_name")) or op_name(text(call.get("op_name"))),
        start_ns=start_ns,
        end_ns=end_ns,
        attributes={
            **_content(call),
            **_kind(call, own),
            **_context(call, attributes),
            "error.type": error.get("type") or None,
            NATIVE_ID: native,
            NATIVE_TRACE_ID: trace,
        },
        error=(message or "") if error else None,
        events=_events(error, end_ns),
    )


def op_name(ref: str) -> str:
    """The name of an operation, out of `weave:///entity/project/op/name:digest`."""
    return ref.rpartition("/op/")[2].partition(":")[0] if ref.startswith("weave:") else ref


def _content(call: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, key in (("inputs", "input.value"), ("output", "output.value")):
        if name in call:
            value = call[name]
            found[key] = value if isinstance(value, str) else json_text(value)
    return found


def _kind(call: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """What kind of step it is; of a model's answer also model, tokens and messages."""
    word = text(own.get("kind")).lower()
    kind = {"vagus.span.kind": word} if word in _KINDS else {}
    output, inputs = mapping(call.get("output")), mapping(call.get("inputs"))
    if mapping(output.get("usage")) and (output.get("model") or inputs.get("model")):
        reading = read_exchange(Exchange(request=inputs, response=output))
        return {**reading.attributes(), "vagus.span.kind": "llm", **kind}
    usage = mapping(mapping(call.get("summary")).get("usage"))
    if word == "llm" and len(usage) == 1:
        model, used = next(iter(usage.items()))
        return {**kind, "gen_ai.request.model": model, **_summed(mapping(used))}
    return kind


def _summed(used: Mapping[str, Any]) -> dict[str, Any]:
    details = mapping(used.get("prompt_tokens_details"))
    return Usage(
        input_tokens=count(first(used, "input_tokens", "prompt_tokens")),
        output_tokens=count(first(used, "output_tokens", "completion_tokens")),
        cache_read=count(first(details, "cached_tokens")),
    ).attributes()


def _context(call: Mapping[str, Any], attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Who the call was for; what the program gave as attributes is its metadata."""
    given = {name: value for name, value in attributes.items() if name != "weave"}
    thread = text(call.get("thread_id"))
    return {
        "metadata": json_text(given) if given else None,
        "user.id": text(call.get("wb_user_id")) or None,
        **attribution(given),
        **({"session.id": thread} if thread else {}),
        "weave.op_name": text(call.get("op_name")) or None,
        "weave.turn_id": text(call.get("turn_id")) or None,
        "weave.run_id": text(call.get("wb_run_id")) or None,
    }


def _exception(value: Any) -> dict[str, str]:
    """An exception, which is JSON in a text, as texts."""
    if not value:
        return {}
    try:
        held = mapping(decode_json(value, "exception") if isinstance(value, str) else value)
    except BadInput:
        held = {}
    if not held:
        return {"message": text(value) or json_text(value)}
    found = {name: text(held.get(name)) for name in ("type", "message", "traceback")}
    return {name: said for name, said in found.items() if said} or {"message": json_text(held)}


def _events(error: Mapping[str, str], end_ns: int) -> tuple[Event, ...]:
    if not error:
        return ()
    said = {
        "exception.type": error.get("type"),
        "exception.message": error.get("message"),
        "exception.stacktrace": error.get("traceback"),
    }
    return (Event("exception", end_ns, said),)


def _named(said: Mapping[str, Any], name: str) -> str:
    found = said.get(name)
    if not isinstance(found, str) or not found:
        raise BadInput(f"{name} is missing", field=name)
    return found


def _moment(said: Mapping[str, Any], name: str) -> int:
    if name not in said:
        return 0
    found = time_ns(said[name])
    if not found:
        raise BadInput(f"{name} is not a time", field=name)
    return found
