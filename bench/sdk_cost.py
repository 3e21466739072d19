"""What the SDK costs the host while the backend is down: `python -m bench.sdk_cost`.

Compares one span of OpenTelemetry alone (no processor) with the same span when `vagus.init` has
run, and one call of an observed function.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from time import perf_counter_ns

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

import vagus
from bench.record import save

ROUNDS = 7
CALLS = 3000
ATTRIBUTES = {"gen_ai.request.model": "gpt-4.1-mini", "text": "x" * 500, "n": 3}


def per_call_us(function: Callable[[], object]) -> float:
    """Median over the rounds of the mean time of one call, in microseconds."""
    rounds = []
    for _ in range(ROUNDS):
        before_ns = perf_counter_ns()
        for _ in range(CALLS):
            function()
        rounds.append((perf_counter_ns() - before_ns) / CALLS / 1000)
    return round(statistics.median(rounds), 2)


def main() -> int:
    """Measure without Vagus first, then with a backend that is not there."""
    trace.set_tracer_provider(TracerProvider())
    tracer = trace.get_tracer("bench")

    def one_span() -> None:
        with tracer.start_as_current_span("work", attributes=ATTRIBUTES):
            pass

    alone_us = per_call_us(one_span)
    vagus.init(endpoint="http://127.0.0.1:9", instrument=False)
    with_vagus_us = per_call_us(one_span)
    observed = vagus.observe(lambda question: question)
    figures = {
        "span_alone_us": alone_us,
        "span_with_vagus_us": with_vagus_us,
        "added_us": round(with_vagus_us - alone_us, 2),
        "observed_call_us": per_call_us(lambda: observed("why is the sky blue?")),
        "spans_waiting": vagus.health().spans_waiting,
        "spans_dropped": vagus.health().spans_dropped,
    }
    vagus.shutdown(0)
    save("sdk_cost", "none stated: host time a span, backend down", figures, met=None)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
