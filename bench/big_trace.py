"""One trace of 50,000 spans: its thin columns from the API, and the page in a real browser."""

from __future__ import annotations

import http.client
import os
import time
import urllib.request
from urllib.parse import urlsplit

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from bench.browser import page
from bench.ingest import HEADERS, until_visible
from bench.record import save
from bench.servers import vagus

SPANS = 50_000


def requests(trace_id: bytes) -> list[bytes]:
    """The trace in requests of 2,500 spans; each span has up to five children."""
    bodies = []
    now_ns = time.time_ns()
    for first in range(0, SPANS, 2_500):
        message = ExportTraceServiceRequest()
        group = message.resource_spans.add()
        group.resource.attributes.add(key="service.name").value.string_value = "agent"
        spans = group.scope_spans.add().spans
        for number in range(first, first + 2_500):
            parent = (number - 1) // 5
            span = spans.add(
                trace_id=trace_id,
                span_id=(number + 1).to_bytes(8, "big"),
                parent_span_id=(parent + 1).to_bytes(8, "big") if number else b"",
                name=f"step {number}",
                start_time_unix_nano=now_ns - (SPANS - number) * 1_000_000,
                end_time_unix_nano=now_ns - (SPANS - number) * 1_000_000 + 900_000,
            )
            if not number:
                span.end_time_unix_nano = now_ns
            span.attributes.add(key="gen_ai.operation.name").value.string_value = "chat"
            span.attributes.add(key="gen_ai.request.model").value.string_value = "gpt-4.1-mini"
            span.attributes.add(key="gen_ai.usage.input_tokens").value.int_value = 100
        bodies.append(message.SerializeToString())
    return bodies


def main() -> None:
    trace_id = os.urandom(16)
    with vagus() as server:
        connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=60)
        for body in requests(trace_id):
            connection.request("POST", "/v1/traces", body, HEADERS)
            answer = connection.getresponse()
            answer.read()
            assert answer.status == 200
        count = "SELECT count() FROM traces WHERE span_count = 50000"
        until_visible(lambda: int(server.sql(count)[0][0]), 1, time.perf_counter(), 120)  # type: ignore[call-overload]
        url = f"{server.url}/api/v1/traces/{trace_id.hex()}?limit={SPANS}"
        times, size = [], 0
        for _ in range(5):
            started = time.perf_counter()
            with urllib.request.urlopen(url, timeout=60) as reply:
                size = len(reply.read())
            times.append(time.perf_counter() - started)
        with page() as browser:
            usable = []
            for _ in range(3):
                started = time.perf_counter()
                browser.goto(f"{server.url}/traces/{trace_id.hex()}")
                browser.get_by_text("step 1", exact=True).first.wait_for(timeout=30_000)
                usable.append(time.perf_counter() - started)
    api_s, page_s = sorted(times)[2], sorted(usable)[1]
    save(
        "big_trace",
        "one trace of 50,000 spans: thin columns from the API < 1 s; the page usable < 2 s",
        {
            "api_median_s": round(api_s, 3),
            "api_worst_s": round(max(times), 3),
            "answer_mb": round(size / 1e6, 2),
            "page_usable_median_s": round(page_s, 3),
            "page_usable_worst_s": round(max(usable), 3),
        },
        met=api_s < 1 and page_s < 2,
    )


if __name__ == "__main__":
    main()
