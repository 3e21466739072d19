"""Simulated steps as real spans of the real OpenTelemetry SDK, sent over OTLP/HTTP."""

from __future__ import annotations

import random
import time

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import SpanKind, Status, StatusCode

from vagus.demo.dialect import DIALECTS, who
from vagus.demo.step import Failure, Step
from vagus.demo.story import Visit
from vagus.errors import Unavailable

_BATCH = 500
_ATTEMPTS = 6
_CLIENT_KINDS = ("llm", "embedding", "retrieval")


class _Ids(IdGenerator):
    """Ids from the request's own randomness, so that a demo can be repeated exactly."""

    rng = random.Random(0)  # noqa: S311 - ids of a story

    def generate_span_id(self) -> int:
        """A span id."""
        return self.rng.getrandbits(64) or 1

    def generate_trace_id(self) -> int:
        """A trace id."""
        return self.rng.getrandbits(128) or 1


class _Collector(SpanProcessor):
    """Keeps ended spans until they are sent; the sender decides when, so none is ever dropped."""

    def __init__(self) -> None:
        self.spans: list[ReadableSpan] = []

    def on_end(self, span: ReadableSpan) -> None:
        """Keep the span."""
        self.spans.append(span)


class Sender:
    """Turns requests into spans with the times of the story, and sends them in batches."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self._ids = _Ids()
        self._collector = _Collector()
        self._tracers: dict[tuple[str, str, str, str], trace.Tracer] = {}
        self.span_count = 0

    def add(self, visit: Visit, root: Step, rng: random.Random) -> str:
        """Make the spans of one request; gives the trace id. Sends when a batch is full."""
        self._ids.rng = rng
        self._emit(visit, root, None)
        trace_id = self._collector.spans[-1].get_span_context()
        if len(self._collector.spans) >= _BATCH:
            self.flush()
        return f"{trace_id.trace_id:032x}" if trace_id else ""

    def flush(self) -> None:
        """Send what is waiting, again and again if the server asks for patience."""
        spans, self._collector.spans = self._collector.spans, []
        if not spans:
            return
        for attempt in range(_ATTEMPTS):
            if self._exporter.export(spans) is SpanExportResult.SUCCESS:
                self.span_count += len(spans)
                return
            time.sleep(min(5.0, 0.5 * 2**attempt))
        raise Unavailable(f"{len(spans)} spans could not be sent in {_ATTEMPTS} attempts")

    def close(self) -> None:
        """Send the rest and close the connection."""
        self.flush()
        self._exporter.shutdown()

    def _emit(self, visit: Visit, step: Step, parent: Context | None) -> None:
        name, attributes = DIALECTS[visit.feature.dialect](step, visit)
        span = self._tracer(visit).start_span(
            name,
            context=parent or Context(),
            kind=_kind_of(step, parent),
            attributes=attributes if parent else attributes | who(visit),
            start_time=_ns(visit, step.start_ms),
        )
        context = trace.set_span_in_context(span, Context())
        for child in step.children:
            self._emit(visit, child, context)
        first_ms = step.call.first_token_ms if step.call else None
        if first_ms is not None and visit.feature.dialect == "openinference":
            # OpenInference has no attribute for the first token, only the time of this event.
            span.add_event(
                "First Token Stream Event", timestamp=_ns(visit, step.start_ms + first_ms)
            )
        if step.failure is not None:
            _fail(span, step.failure, _ns(visit, step.end_ms))
        span.end(_ns(visit, step.end_ms))

    def _tracer(self, visit: Visit) -> trace.Tracer:
        key = (visit.feature.service, visit.version, visit.env, visit.region)
        if key not in self._tracers:
            service, version, env, region = key
            provider = TracerProvider(
                sampler=ALWAYS_ON,
                resource=Resource(
                    {
                        "service.name": service,
                        "service.version": version,
                        "deployment.environment.name": env,
                        "cloud.region": region,
                        "telemetry.sdk.language": "python",
                        "telemetry.sdk.name": "opentelemetry",
                    }
                ),
                id_generator=self._ids,
                shutdown_on_exit=False,
            )
            provider.add_span_processor(self._collector)
            self._tracers[key] = provider.get_tracer("fernway.support", version)
        return self._tracers[key]


def otlp_exporter(url: str, ingest_key: str) -> SpanExporter:
    """The SDK's own OTLP/HTTP exporter, pointed at the server."""
    headers = {"authorization": f"Bearer {ingest_key}"} if ingest_key else {}
    return OTLPSpanExporter(endpoint=f"{url}/v1/traces", headers=headers, timeout=30)


def _ns(visit: Visit, offset_ms: float) -> int:
    return visit.at_ms * 1_000_000 + int(offset_ms * 1_000_000)


def _kind_of(step: Step, parent: Context | None) -> SpanKind:
    if parent is None:
        return SpanKind.SERVER
    return SpanKind.CLIENT if step.kind in _CLIENT_KINDS else SpanKind.INTERNAL


def _fail(span: trace.Span, failure: Failure, at_ns: int) -> None:
    span.set_attribute("error.type", failure.type)
    if failure.http_status is not None:
        span.set_attribute("http.response.status_code", failure.http_status)
    span.add_event(
        "exception",
        {"exception.type": failure.type, "exception.message": failure.message},
        timestamp=at_ns,
    )
    span.set_status(Status(StatusCode.ERROR, failure.message))
