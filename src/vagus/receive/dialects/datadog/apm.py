"""Traces as the tracer sends them to its agent; those of LLM Observability ride inside."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vagus.errors import BadInput
from vagus.receive.dialects.base import decode_json
from vagus.receive.dialects.build import NATIVE_ID, NATIVE_TRACE_ID, Event, Telemetry
from vagus.receive.dialects.datadog.ids import joined_trace_id, span_id, trace_id
from vagus.receive.dialects.datadog.spans import add_llm_span, read_tags, resource_of
from vagus.receive.dialects.shared import count, decode_msgpack, listed, mapping, number, text

_FIELDS_05 = (
    "service",
    "name",
    "resource",
    "trace_id",
    "span_id",
    "parent_id",
    "start",
    "duration",
    "error",
    "meta",
    "metrics",
    "type",
)
_MAX_SPANS = 200_000


def read_traces(body: bytes, content_type: str, version: str) -> list[list[Any]]:
    """The traces of a body, each a list of spans; raises `BadInput`."""
    is_json = "json" in content_type
    found = decode_json(body, "body") if is_json else decode_msgpack(body, "body")
    if version == "v0.5":
        return _from_table(found)
    if not isinstance(found, list) or not all(isinstance(trace, list) for trace in found):
        raise BadInput("the body must be a list of traces, each a list of spans", field="body")
    return found


def add_trace(spans: list[Any], telemetry: Telemetry) -> list[BadInput]:
    """Add the spans of one trace; what cannot be used is given back with its reason.

    The spans of LLM Observability have a trace id of their own. When they are one trace, the
    others that the tracer saw with them join it, so that the tree is whole.
    """
    inner = [_llm_part(span) for span in spans]
    own = {text(part.get("trace_id")) for part in inner if part}
    home = own.pop() if len(own) == 1 else ""
    high = next((h for s in spans if (h := _upper_half(s))), "")
    seen = {text(mapping(span).get("span_id")) for span in spans}
    bad = []
    for span, part in zip(spans, inner, strict=True):
        try:
            if not isinstance(span, dict):
                raise BadInput("a span must be a map", field="span")
            if part:
                add_llm_span(_joined(span, part, home, seen), telemetry)
            else:
                _add_plain(span, home or joined_trace_id(span.get("trace_id"), high), telemetry)
        except BadInput as e:
            bad.append(e)
        except RecursionError:
            bad.append(BadInput("a span nests too deeply", field="span"))
    return bad


def _from_table(found: Any) -> list[list[Any]]:
    """Version 0.5: spans are tuples, and every text in them is a place in a table."""
    if not isinstance(found, list) or len(found) != 2 or not isinstance(found[0], list):
        raise BadInput("the body must be a table of texts and a list of traces", field="body")
    texts, traces = found

    def at(place: Any) -> str:
        if not isinstance(place, int) or not 0 <= place < len(texts):
            raise BadInput("a text lies outside the table", field="body")
        return text(texts[place])

    def read(row: Any) -> dict[str, Any]:
        if not isinstance(row, list) or len(row) != len(_FIELDS_05):
            raise BadInput(f"a span must have {len(_FIELDS_05)} fields", field="span")
        span = dict(zip(_FIELDS_05, row, strict=True))
        for name in ("service", "name", "resource", "type"):
            span[name] = at(span[name])
        span["meta"] = {at(key): at(value) for key, value in mapping(span["meta"]).items()}
        span["metrics"] = {at(key): value for key, value in mapping(span["metrics"]).items()}
        return span

    if sum(len(listed(trace)) for trace in listed(traces)) > _MAX_SPANS:
        raise BadInput("too many spans", field="body", limit=f"{_MAX_SPANS} spans")
    return [[read(row) for row in listed(trace)] for trace in listed(traces)]


def _llm_part(span: Any) -> dict[str, Any]:
    """What LLM Observability added to a span; nothing for a plain one."""
    held = mapping(mapping(span).get("meta_struct")).get("_llmobs")
    if isinstance(held, bytes):
        try:
            held = decode_msgpack(held, "meta_struct._llmobs")
        except BadInput:
            # The span itself is sound and is kept as a plain one.
            return {}
    return mapping(held)


def _upper_half(span: Any) -> str:
    return text(mapping(mapping(span).get("meta")).get("_dd.p.tid"))


def _joined(
    span: Mapping[str, Any], part: Mapping[str, Any], home: str, seen: set[str]
) -> dict[str, Any]:
    """One span of LLM Observability out of its two halves."""
    parent = text(part.get("parent_id"))
    above = text(span.get("parent_id"))
    if home and above in seen:
        parent = above
    meta = mapping(span.get("meta"))
    errors = {f"error.{name}": meta.get(f"error.{name}") for name in ("type", "message", "stack")}
    return {
        "span_id": text(span.get("span_id")),
        "trace_id": text(part.get("trace_id")),
        "parent_id": parent,
        "name": text(part.get("name")) or text(span.get("name")),
        "start_ns": span.get("start"),
        "duration": span.get("duration"),
        "status": "error" if span.get("error") else "ok",
        "session_id": part.get("session_id"),
        "service": span.get("service"),
        "tags": {"ml_app": part.get("ml_app"), **read_tags(part.get("tags"))},
        "meta": {**errors, **mapping(part.get("meta"))},
        "metrics": part.get("metrics"),
    }


def _add_plain(span: Mapping[str, Any], trace: str, telemetry: Telemetry) -> None:
    native = text(span.get("span_id"))
    if not span_id(native) or not trace:
        raise BadInput("a span needs span_id and trace_id", field="span_id")
    meta, metrics = mapping(span.get("meta")), mapping(span.get("metrics"))
    start_ns, lasted_ns = count(span.get("start")) or 0, count(span.get("duration")) or 0
    message = text(meta.get("error.message")) or text(meta.get("error.msg"))
    stack = text(meta.get("error.stack"))
    said = {
        "exception.type": text(meta.get("error.type")).removeprefix("builtins."),
        "exception.message": message,
        "exception.stacktrace": stack,
    }
    failed = bool(span.get("error"))
    telemetry.add_span(
        resource=resource_of(
            {k: text(meta.get(k)) for k in ("env", "version", "language")},
            text(span.get("service")),
        ),
        scope="ddtrace",
        trace_id=trace_id(trace),
        span_id=span_id(native),
        parent_span_id=span_id(span.get("parent_id")),
        name=text(span.get("name")),
        start_ns=start_ns,
        end_ns=start_ns + lasted_ns if start_ns else 0,
        attributes={
            NATIVE_ID: native,
            NATIVE_TRACE_ID: trace,
            "vagus.convention": "datadog",
            "datadog.resource": text(span.get("resource")) or None,
            "datadog.type": text(span.get("type")) or None,
            **{k: v for k, v in meta.items() if isinstance(v, str) and not k.startswith("_dd.")},
            **{k: number(v) for k, v in metrics.items() if not str(k).startswith("_")},
        },
        error=message if failed else None,
        events=[Event("exception", start_ns + lasted_ns, {k: v for k, v in said.items() if v})]
        if failed and any(said.values())
        else (),
    )
