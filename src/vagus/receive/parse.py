"""The check that stands between a body and the log: is it OTLP that the engine can load?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from google.protobuf.message import DecodeError

from vagus.errors import BadInput
from vagus.receive.locate import locate_fault
from vagus.receive.nested import may_nest, nested_values
from vagus.receive.schema import REQUESTS

_NO_TRACE = bytes(16)
_NO_SPAN = bytes(8)


@dataclass(frozen=True, slots=True)
class Checked:
    """A request that can be stored, and what had to be left out of it."""

    request: bytes
    items: int
    nested: tuple[tuple[bytes, str], ...] = ()
    rejected: int = 0
    message: str = ""


def check_request(signal: str, body: bytes) -> Checked:
    """Parse a protobuf request; raises `BadInput` that says where it is broken.

    Spans whose ids can't be ids are taken out and counted, and the rest is encoded again;
    otherwise the bytes go on untouched, unknown fields included.
    """
    kind = REQUESTS[signal]
    try:
        request = kind.FromString(body)
    except DecodeError as e:
        where = locate_fault(body, kind.DESCRIPTOR)
        raise BadInput(f"the body is not a valid OTLP {signal} request: {where}") from e
    nested = tuple(nested_values(signal, request)) if may_nest(signal, body) else ()
    if signal != "traces":
        count = _count_logs if signal == "logs" else _count_points
        return Checked(body, count(request), nested)
    bad = _reject_spans(request)
    items = _count_spans(request)
    if not bad:
        return Checked(body, items, nested)
    reason = f"spans left out: {len(bad)}; the first: {bad[0]}"
    left = request.SerializeToString() if items else b""
    return Checked(left, items, nested, len(bad), reason)


def _count_spans(request: Any) -> int:
    return sum(len(s.spans) for r in request.resource_spans for s in r.scope_spans)


def _count_logs(request: Any) -> int:
    return sum(len(s.log_records) for r in request.resource_logs for s in r.scope_logs)


def _count_points(request: Any) -> int:
    points = 0
    for resource in request.resource_metrics:
        for scope in resource.scope_metrics:
            for metric in scope.metrics:
                kind = metric.WhichOneof("data")
                points += len(getattr(metric, kind).data_points) if kind else 0
    return points


def _reject_spans(request: Any) -> list[str]:
    """Take out the spans without usable ids; returns a sentence for each."""
    reasons: list[str] = []
    for i, resource in enumerate(request.resource_spans):
        for j, scope in enumerate(resource.scope_spans):
            bad = [k for k, span in enumerate(scope.spans) if _has_bad_id(span)]
            place = f"resource_spans[{i}].scope_spans[{j}]"
            reasons += [f"{place}.spans[{k}] {_id_fault(scope.spans[k])}" for k in bad]
            for k in reversed(bad):
                del scope.spans[k]
    return reasons


def _has_bad_id(span: Any) -> bool:
    trace_id, span_id = span.trace_id, span.span_id
    return len(trace_id) != 16 or len(span_id) != 8 or trace_id == _NO_TRACE or span_id == _NO_SPAN


def _id_fault(span: Any) -> str:
    if len(span.trace_id) != 16:
        return f"has a trace_id of {len(span.trace_id)} bytes instead of 16"
    if len(span.span_id) != 8:
        return f"has a span_id of {len(span.span_id)} bytes instead of 8"
    return f"has an all-zero {'trace_id' if span.trace_id == _NO_TRACE else 'span_id'}"
