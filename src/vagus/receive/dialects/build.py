"""OTLP built from what a rival's protocol says: ids, times, values, spans and scores."""

from __future__ import annotations

import hashlib
import math
import re
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

#: What the client called the span and its trace, when that is not the OTLP id itself.
NATIVE_ID = "vagus.native.id"
NATIVE_TRACE_ID = "vagus.native.trace_id"
EVALUATION = "gen_ai.evaluation.result"

_UUID = re.compile(r"[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}")
_FRACTION = re.compile(r"\.(\d+)")
_INT64 = 1 << 63
_LATEST_NS = 1 << 63


@dataclass(frozen=True, slots=True)
class Event:
    """A span event."""

    name: str
    time_ns: int
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Another tool's score, feedback, annotation or assessment, about a span, trace or session.

    `score_id` is the tool's own id: the same id again replaces the earlier verdict, or with
    `is_update` changes what it says anew. `source` is code, model, human, user or external.
    """

    name: str
    score_id: str
    time_ns: int
    trace_id: bytes = b""
    span_id: bytes = b""
    session: str = ""
    value: float | None = None
    label: str = ""
    passed: bool | None = None
    explanation: str = ""
    source: str = "external"
    evaluator: str = ""
    is_deleted: bool = False
    is_update: bool = False


class Telemetry:
    """What one request of a rival's protocol means: spans and verdicts, as OTLP requests."""

    def __init__(self) -> None:
        self.traces = ExportTraceServiceRequest()
        self.logs = ExportLogsServiceRequest()
        self._scopes: dict[tuple[Any, ...], Any] = {}

    def add_span(
        self,
        *,
        resource: Mapping[str, Any],
        scope: str,
        trace_id: bytes,
        span_id: bytes,
        parent_span_id: bytes = b"",
        name: str,
        start_ns: int = 0,
        end_ns: int = 0,
        attributes: Mapping[str, Any],
        error: str | None = None,
        is_ok: bool = False,
        events: Iterable[Event] = (),
        scope_version: str = "",
    ) -> None:
        """Add one span; `error` is its status message when it failed, '' for an unsaid one.

        Attributes that are None are left out. Lists of scalars become arrays, everything else that
        is nested becomes JSON text. An unknown time is 0.
        """
        span = self._spans_of(resource, scope, scope_version).add(
            trace_id=trace_id,
            span_id=span_id,
            parent_span_id=parent_span_id,
            name=clean(name),
            kind=Span.SPAN_KIND_INTERNAL,
            start_time_unix_nano=start_ns,
            end_time_unix_nano=end_ns,
        )
        span.attributes.extend(pairs(attributes))
        if error is not None:
            span.status.code, span.status.message = Status.STATUS_CODE_ERROR, clean(error)
        elif is_ok:
            span.status.code = Status.STATUS_CODE_OK
        for event in events:
            span.events.add(
                name=clean(event.name),
                time_unix_nano=event.time_ns,
                attributes=pairs(event.attributes),
            )

    def add_verdict(self, verdict: Verdict) -> None:
        """Add one verdict, as the log event that OpenTelemetry has for evaluation results."""
        if not self.logs.resource_logs:
            self.logs.resource_logs.add().scope_logs.add()
        said = {
            "gen_ai.evaluation.name": verdict.name,
            "gen_ai.evaluation.score.value": _finite(verdict.value),
            "gen_ai.evaluation.score.label": verdict.label or None,
            "gen_ai.evaluation.explanation": verdict.explanation or None,
            "vagus.score.id": verdict.score_id,
            "vagus.score.source": verdict.source,
            "vagus.score.passed": verdict.passed,
            "vagus.score.evaluator": verdict.evaluator or None,
            "vagus.score.deleted": verdict.is_deleted or None,
            "vagus.score.updated": verdict.is_update or None,
            "session.id": verdict.session or None,
        }
        record = LogRecord(
            time_unix_nano=verdict.time_ns,
            observed_time_unix_nano=verdict.time_ns,
            trace_id=verdict.trace_id,
            span_id=verdict.span_id,
            event_name=EVALUATION,
            attributes=pairs(said),
        )
        self.logs.resource_logs[0].scope_logs[0].log_records.append(record)

    def _spans_of(self, resource: Mapping[str, Any], scope: str, version: str) -> Any:
        key = (tuple(sorted((name, str(v)) for name, v in resource.items())), scope, version)
        if key not in self._scopes:
            holder = self.traces.resource_spans.add(resource=Resource(attributes=pairs(resource)))
            group = holder.scope_spans.add()
            group.scope.name, group.scope.version = clean(scope), clean(version)
            self._scopes[key] = group.spans
        return self._scopes[key]


def trace_id_of(native: str) -> bytes:
    """The 16 bytes of a UUID or of 32 hex digits; of anything else a hash of it."""
    own = _uuid_bytes(native)
    return own if own and any(own) else _digest(native, 16)


def span_id_of(native: str) -> bytes:
    """16 hex digits as they are, the last 8 bytes of a UUID, of anything else a hash."""
    if len(native) == 16 and set(native.lower()) <= set("0123456789abcdef"):
        own = bytes.fromhex(native)
    else:
        own = _uuid_bytes(native)[8:]
    return own if any(own) else _digest(native, 8)


def _uuid_bytes(native: str) -> bytes:
    return uuid.UUID(native).bytes if _UUID.fullmatch(native) else b""


def _digest(native: str, size: int) -> bytes:
    return hashlib.blake2b(native.encode(errors="replace"), digest_size=size).digest()


def time_ns(value: Any) -> int:
    """A moment in epoch ns from ISO 8601 text, a number of s, ms, us or ns, or a datetime; else 0.

    The unit of a number follows from its size: seconds up to the year 2286, and so on.
    """
    if isinstance(value, bool) or value is None:
        return 0
    if isinstance(value, int | float):
        return _from_number(value)
    if isinstance(value, datetime):
        return _from_datetime(value, "")
    text = str(value).strip()
    try:
        return _from_number(float(text)) if not text.isdigit() else _from_number(int(text))
    except ValueError:
        pass
    fraction = _FRACTION.search(text)
    digits = fraction.group(1) if fraction else ""
    whole = text[: fraction.start()] + text[fraction.end() :] if fraction else text
    try:
        return _from_datetime(datetime.fromisoformat(whole), digits)
    except (ValueError, OverflowError):
        return 0


def _from_number(value: float) -> int:
    if not math.isfinite(value) or value <= 0:
        return 0
    for most, scale in ((1e10, 10**9), (1e13, 10**6), (1e16, 10**3)):
        if value < most:
            # Whole numbers stay exact; a float keeps its microseconds.
            return value * scale if isinstance(value, int) else round(value * 1e6) * scale // 10**6
    return int(value) if value < _LATEST_NS else 0


def _from_datetime(moment: datetime, digits: str) -> int:
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    whole_ns = (since.days * 86_400 + since.seconds) * 10**9 + since.microseconds * 1000
    return max(0, whole_ns + int(digits[:9].ljust(9, "0") if digits else 0))


def pairs(attributes: Mapping[str, Any]) -> list[KeyValue]:
    """The attributes of OTLP; those that are None are left out."""
    return [
        KeyValue(key=clean(str(key)), value=any_value(value))
        for key, value in attributes.items()
        if value is not None
    ]


def any_value(value: Any) -> AnyValue:
    """A value of OTLP: scalars as such, lists of scalars as arrays, the rest as JSON text."""
    if isinstance(value, list | tuple) and all(
        isinstance(v, str | bool | int | float) for v in value
    ):
        answer = AnyValue()
        answer.array_value.values.extend(any_value(v) for v in value)
        if not value:
            answer.array_value.SetInParent()
        return answer
    if isinstance(value, bool):
        return AnyValue(bool_value=value)
    if isinstance(value, int) and -_INT64 <= value < _INT64:
        return AnyValue(int_value=value)
    if isinstance(value, float):
        return AnyValue(double_value=value)
    return AnyValue(string_value=clean(value) if isinstance(value, str) else json_text(value))


def json_text(value: Any) -> str:
    """A value as JSON; what JSON cannot say becomes text."""
    return clean(msgspec.json.encode(value, enc_hook=str).decode(errors="replace"))


def clean(text: str) -> str:
    """The text with lone surrogates replaced, which UTF-8 cannot carry."""
    return text.encode("utf-8", "replace").decode() if not text.isascii() else text


def _finite(value: float | None) -> float | None:
    return float(value) if value is not None and math.isfinite(value) else None
