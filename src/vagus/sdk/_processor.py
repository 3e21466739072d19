"""The span processor: adds what `vagus.context` says, and hands ended spans to the queue."""

from __future__ import annotations

import logging
import os
import threading
from typing import Any

from opentelemetry.context import (
    _SUPPRESS_INSTRUMENTATION_KEY,
    attach,
    get_current,
    set_value,
)
from opentelemetry.context.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor
from opentelemetry.sdk.trace.export import SpanExportResult

from vagus.sdk._address import Address
from vagus.sdk._context import attributes_in
from vagus.sdk._guard import guard, say_once
from vagus.sdk._queue import Limits, Queue

_QUEUE_NAME = "vagus-spans"
_CLOSE_S = 3.0
# A span without attributes still costs about this much.
_SPAN_BYTES = 800


class Processor(SpanProcessor):
    """One per tracer provider; `attach_queue` arms it and `detach_queue` makes it inert."""

    def __init__(self) -> None:
        self._queue: Queue[ReadableSpan] | None = None

    def attach_queue(self, queue: Queue[ReadableSpan]) -> None:
        """Send spans to this queue from now on."""
        self._queue = queue

    def detach_queue(self) -> None:
        """Send nothing from now on."""
        self._queue = None

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Put the attributes of the surrounding `vagus.context` on the span."""
        if self._queue is not None:
            _write_context(span, parent_context)

    def on_end(self, span: ReadableSpan) -> None:
        """Queue a sampled span; never waits."""
        queue = self._queue
        if queue is not None and span.context is not None and span.context.trace_flags.sampled:
            _enqueue(queue, span)

    def shutdown(self) -> None:
        """Flush for a bounded time; called by the provider when the program ends."""
        queue, self._queue = self._queue, None
        if queue is not None:
            queue.close(_CLOSE_S)

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Wait until what is queued has left, or the timeout."""
        queue = self._queue
        return True if queue is None else queue.flush(timeout_millis / 1000)


@guard(default=None)
def _write_context(span: Span, parent_context: Context | None) -> None:
    attributes = attributes_in(parent_context)
    if attributes:
        span.set_attributes(attributes)


@guard(default=None)
def _enqueue(queue: Queue[ReadableSpan], span: ReadableSpan) -> None:
    queue.put(span, _size_of(span))


def _size_of(span: ReadableSpan) -> int:
    size_bytes = _SPAN_BYTES + 400 * len(span.events)
    for value in (span.attributes or {}).values():
        size_bytes += len(value) + 100 if isinstance(value, str | tuple) else 100
    return size_bytes


class SpanSender:
    """The queue of spans and the OTLP exporter behind it."""

    def __init__(self, address: Address) -> None:
        self._exporter = OTLPSpanExporter(
            endpoint=address.traces_url, headers=dict(address.headers)
        )
        _quieten()
        self.queue: Queue[ReadableSpan] = Queue(_QUEUE_NAME, self._export, limits_from_environ())

    def close(self, timeout_s: float) -> None:
        """Flush until the timeout, then give up on what is left."""
        self.queue.close(timeout_s)
        self._exporter.shutdown()  # type: ignore[no-untyped-call]

    def _export(self, batch: list[ReadableSpan]) -> bool:
        before = get_current()
        # The exporter's own HTTP calls must not become spans.
        attach(set_value(_SUPPRESS_INSTRUMENTATION_KEY, True))
        try:
            return self._exporter.export(batch) is SpanExportResult.SUCCESS
        finally:
            attach(before)


def limits_from_environ() -> Limits:
    """The standard OTEL_BSP_* settings, where they are usable numbers."""

    def number(name: str, default: int) -> int:
        text = os.environ.get(name, "")
        return int(text) if text.isdigit() and int(text) > 0 else default

    standard = Limits()
    items = number("OTEL_BSP_MAX_QUEUE_SIZE", standard.items)
    return Limits(
        items=items,
        batch=min(items, number("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", standard.batch)),
        delay_s=number("OTEL_BSP_SCHEDULE_DELAY", int(standard.delay_s * 1000)) / 1000,
    )


class _OncePerMinute(logging.Filter):
    """Lets the exporter's complaints from our own thread through once a minute."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Keep every record of other threads; say ours through the SDK's own logger."""
        if threading.current_thread().name != _QUEUE_NAME:
            return True
        say_once("export", f"vagus: spans could not be sent: {record.getMessage()}")
        return False


_once_per_minute = _OncePerMinute()


def _quieten() -> None:
    names: tuple[Any, ...] = (
        "opentelemetry.exporter.otlp.proto.http.trace_exporter",
        "opentelemetry.exporter.otlp.common.http",
    )
    for name in names:
        logging.getLogger(name).addFilter(_once_per_minute)
