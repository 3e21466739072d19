"""Start on an empty directory, memory after a million spans, and delay until visible at 5,000/s."""

from __future__ import annotations

import http.client
import statistics
import threading
import time
from urllib.parse import urlsplit

from bench.ingest import HEADERS, send, until_visible
from bench.record import save
from bench.servers import Vagus, vagus
from bench.traffic import Requests

_COUNT = "SELECT count() FROM spans"


def count(server: Vagus) -> int:
    return int(server.sql(_COUNT)[0][0])  # type: ignore[call-overload]


def freshness(server: Vagus, requests: Requests, seconds: int) -> list[float]:
    """Seconds from each acknowledgement until the span counts, at 5,000 spans a second."""
    acknowledged: list[tuple[float, int]] = []
    before, done = count(server), threading.Event()

    def run() -> None:
        connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=60)
        started, sent = time.perf_counter(), 0
        while time.perf_counter() - started < seconds:
            connection.request("POST", "/v1/traces", requests.next(), HEADERS)
            connection.getresponse().read()
            sent += requests.spans
            acknowledged.append((time.perf_counter(), before + sent))
            time.sleep(max(0.0, started + sent / 5_000 - time.perf_counter()))
        done.set()

    thread = threading.Thread(target=run)
    thread.start()
    delays: list[float] = []
    seen = 0
    while not done.is_set() or seen < len(acknowledged):
        visible, now = count(server), time.perf_counter()
        while seen < len(acknowledged) and acknowledged[seen][1] <= visible:
            delays.append(now - acknowledged[seen][0])
            seen += 1
        time.sleep(0.02)
    thread.join()
    return delays


def main() -> None:
    starts = []
    for _ in range(5):
        with vagus() as server:
            starts.append(server.ready_s)
            empty_mib = server.memory_mib()
    requests = Requests()
    with vagus() as server:
        delays = freshness(server, requests, 20)
        sent = count(server)
        while sent < 1_000_000:
            bodies = [requests.next() for _ in range(200)]
            send(server.url, "/v1/traces", bodies, HEADERS)
            sent += len(bodies) * requests.spans
            until_visible(lambda: count(server), sent, time.perf_counter(), 120)
        full_mib = server.memory_mib()
        settled = "SELECT sum(span_count) FROM traces"
        until_visible(lambda: int(server.sql(settled)[0][0]), sent, time.perf_counter(), 400)  # type: ignore[call-overload]
        time.sleep(10)
        settled_mib = server.memory_mib()
    ready_s, p95_s = statistics.median(starts), statistics.quantiles(delays, n=20)[-1]
    save(
        "start",
        "ready on an empty directory < 3 s; resident < 700 MB after 1 M spans, evaluators loaded; "
        "p95 from acknowledgement to visible < 2 s at 5,000 spans/s",
        {
            "ready_median_s": round(ready_s, 2),
            "ready_worst_s": round(max(starts), 2),
            "resident_empty_mib": round(empty_mib),
            "resident_at_last_span_mib": round(full_mib),
            "resident_all_settled_mib": round(settled_mib),
            "visible_p50_s": round(statistics.median(delays), 2),
            "visible_p95_s": round(p95_s, 2),
        },
        met=ready_s < 3 and p95_s < 2 and max(full_mib, settled_mib) * 1.048576 < 700,
    )


if __name__ == "__main__":
    main()
