"""Starting and stopping: `init`, `flush`, `shutdown` and `health`."""

from __future__ import annotations

import atexit
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from opentelemetry import trace

from vagus.sdk import _address, _threads
from vagus.sdk._guard import guard, say_once
from vagus.sdk._score import ScoreSender, send_scores_to
from vagus.sdk._step import Capture

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.sampling import Sampler

    from vagus.sdk._processor import Processor, SpanSender

_EXIT_S = 3.0


@dataclass(frozen=True, slots=True)
class Health:
    """What became of the spans and scores of this process."""

    spans_sent: int = 0
    spans_waiting: int = 0
    spans_dropped: int = 0
    spans_failed: int = 0
    scores_sent: int = 0
    scores_waiting: int = 0
    scores_dropped: int = 0
    scores_failed: int = 0


class _Running:
    """What `init` has started."""

    lock = threading.Lock()
    spans: SpanSender | None = None
    scores: ScoreSender | None = None
    processor: Processor | None = None
    provider: TracerProvider | None = None
    stops_at_exit = False


@guard(default=None)
def init(
    service: str | None = None,
    *,
    endpoint: str | None = None,
    api_key: str | None = None,
    environment: str | None = None,
    version: str | None = None,
    resource: Mapping[str, Any] | None = None,
    sample_rate: float = 1.0,
    capture_content: bool = True,
    instrument: bool = True,
    threads: bool = True,
) -> None:
    """Start sending this program's traces to Vagus; a second call changes nothing.

    Uses the tracer provider that the program already has, or sets one. `instrument` switches on
    the installed GenAI instrumentations, `threads` carries the context into threads.
    """
    with _Running.lock:
        if _Running.spans is not None:
            return
        said = _resource_of(service, environment, version, resource)
        _start(_address.resolve(endpoint, api_key), said, sample_rate)
        Capture.content = capture_content
        if threads:
            _threads.carry_through_threads()
        if not _Running.stops_at_exit:
            atexit.register(shutdown, _EXIT_S)
            _Running.stops_at_exit = True
    if instrument:
        from vagus.sdk import _instrument

        _instrument.say_capture(capture_content)
        _instrument.instrument()


def _start(address: _address.Address, said: Mapping[str, Any], sample_rate: float) -> None:
    # Imported here, so that `import vagus` costs nothing in programs that never call init.
    from vagus.sdk._processor import Processor, SpanSender

    provider = _provider(said, sample_rate)
    if _Running.processor is None or _Running.provider is not provider:
        _Running.processor = Processor()
        _Running.provider = provider
        provider.add_span_processor(_Running.processor)
    _Running.spans = SpanSender(address)
    _Running.processor.attach_queue(_Running.spans.queue)
    _Running.scores = ScoreSender(address)
    send_scores_to(_Running.scores.queue)


def _provider(said: Mapping[str, Any], sample_rate: float) -> TracerProvider:
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider

    current = trace.get_tracer_provider()
    if isinstance(current, TracerProvider):
        if said and current is not _Running.provider:
            say_once(
                "provider",
                "vagus: this program has set its own TracerProvider; its resource is used, and "
                f"init's {', '.join(said)} is not",
            )
        return current
    made = TracerProvider(resource=Resource.create(dict(said)), sampler=_sampler(sample_rate))
    trace.set_tracer_provider(made)
    return made


def _sampler(sample_rate: float) -> Sampler | None:
    if sample_rate >= 1.0:
        return None  # OpenTelemetry's default, which honours OTEL_TRACES_SAMPLER
    from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased

    return ParentBased(TraceIdRatioBased(max(sample_rate, 0.0)))


def _resource_of(
    service: str | None,
    environment: str | None,
    version: str | None,
    resource: Mapping[str, Any] | None,
) -> dict[str, Any]:
    said = {
        "service.name": service,
        "service.version": version,
        "deployment.environment.name": environment,
    }
    return {**(resource or {}), **{key: value for key, value in said.items() if value}}


@guard(default=False)
def flush(timeout_s: float = 10.0) -> bool:
    """Wait until all spans and scores so far have left; true when they did in time."""
    deadline_s = time.monotonic() + timeout_s
    spans, scores = _Running.spans, _Running.scores
    is_done = spans is None or spans.queue.flush(timeout_s)
    left_s = max(deadline_s - time.monotonic(), 0.0)
    return (scores is None or scores.queue.flush(left_s)) and is_done


@guard(default=None)
def shutdown(timeout_s: float = 5.0) -> None:
    """Flush for at most this long, stop sending, and undo what `init` changed in threads."""
    with _Running.lock:
        spans, scores = _Running.spans, _Running.scores
        if spans is None or scores is None:
            return
        deadline_s = time.monotonic() + timeout_s
        if _Running.processor is not None:
            _Running.processor.detach_queue()
        send_scores_to(None)
        scores.close(timeout_s / 3)
        spans.close(max(deadline_s - time.monotonic(), 0.0))
        _Running.spans = _Running.scores = None
        _threads.stop_carrying()


def health() -> Health:
    """How many spans and scores were sent, wait, found no room, or were refused."""
    spans, scores = _Running.spans, _Running.scores
    if spans is None or scores is None:
        return Health()
    return Health(
        spans_sent=spans.queue.sent,
        spans_waiting=spans.queue.waiting,
        spans_dropped=spans.queue.dropped,
        spans_failed=spans.queue.failed,
        scores_sent=scores.queue.sent,
        scores_waiting=scores.queue.waiting,
        scores_dropped=scores.queue.dropped,
        scores_failed=scores.queue.failed,
    )
