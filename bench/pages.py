"""Pages over ten million stored spans: every request that a page makes, timed at the API."""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from bench.browser import page
from bench.record import save
from bench.servers import Vagus

ROUNDS = 20
#: As many connections as a browser opens to one host.
CONNECTIONS = 6


@dataclass(frozen=True)
class Call:
    """One request of a page."""

    method: str
    url: str
    body: bytes | None


def calls_of(base: str, path: str) -> list[Call]:
    """What a real browser asks the API for when it opens the page."""
    seen: list[Call] = []
    with page() as browser:
        browser.on(
            "request",
            lambda r: (
                seen.append(Call(r.method, r.url, r.post_data_buffer))
                if "/api/v1/" in r.url
                else None
            ),
        )
        browser.goto(base + path)
        browser.wait_for_load_state("networkidle")
        browser.wait_for_timeout(2000)
    return list(dict.fromkeys(seen))


def ask(call: Call) -> float:
    """Milliseconds until the whole answer is there."""
    started = time.perf_counter()
    headers = {"content-type": "application/json"} if call.body else {}
    request = urllib.request.Request(call.url, call.body, headers, method=call.method)
    with urllib.request.urlopen(request, timeout=120) as answer:
        answer.read()
    return (time.perf_counter() - started) * 1000


def p95(values: list[float]) -> float:
    return round(statistics.quantiles(values, n=20)[-1], 1)


def time_page(name: str, calls: list[Call]) -> dict[str, object]:
    """The p95 of the slowest request alone, and of all requests of the page together."""
    for call in calls:
        ask(call)
    alone = {call.url + str(call.body): [ask(call) for _ in range(ROUNDS)] for call in calls}
    together = []
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        for _ in range(ROUNDS):
            started = time.perf_counter()
            list(pool.map(ask, calls))
            together.append((time.perf_counter() - started) * 1000)
    slowest = max(alone.items(), key=lambda pair: p95(pair[1]))
    return {
        "requests": len(calls),
        "slowest_request_p95_ms": p95(slowest[1]),
        "slowest_request": slowest[0].partition("/api/v1")[2][:200],
        "all_requests_p95_ms": p95(together),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spans", type=int, default=10_000_000)
    parser.add_argument("--data", type=Path, help="a filled directory to use, kept afterwards")
    args = parser.parse_args()
    data = args.data or Path(tempfile.mkdtemp(prefix="vagus-pages-")) / "data"
    if not (data / "engine").exists():
        subprocess.run(
            [sys.executable, "-m", "bench.fill", str(data), "--spans", str(args.spans)], check=True
        )
    server = Vagus(data, "--quality-enabled", "false")
    server.start()
    try:
        time.sleep(5)
        trace_id = str(
            server.sql("SELECT trace_id FROM traces ORDER BY start DESC LIMIT 1 OFFSET 5000")[0][0]
        )
        api = f"{server.url}/api/v1"
        week = "from=-7d&to=now"
        pages = {
            "overview, 7 days": calls_of(server.url, "/?from=-7d"),
            "trace list, 7 days, filtered": [
                Call(
                    "GET", f"{api}/traces?{week}&filter=team:search%20status:error&limit=100", None
                )
            ],
            "cost by model and team, 7 days": [
                Call("GET", f"{api}/slice?measure=cost&by=model&by=team&{week}", None)
            ],
            "cost page, 7 days": calls_of(server.url, "/cost?from=-7d"),
            "one trace by id": [Call("GET", f"{api}/traces/{trace_id}", None)],
        }
        figures: dict[str, object] = {
            "spans": server.sql("SELECT count() FROM spans")[0][0],
            "disk_gib": round(
                sum(f.stat().st_size for f in data.rglob("*") if f.is_file()) / 2**30, 2
            ),
            **{name: time_page(name, calls) for name, calls in pages.items()},
            "resident_mib": round(server.memory_mib()),
        }
    finally:
        server.stop()
        if args.data is None:
            shutil.rmtree(data.parent)
    slow = {name: f["slowest_request_p95_ms"] for name, f in figures.items() if isinstance(f, dict)}
    met = slow["one trace by id"] < 50 and all(  # type: ignore[operator]
        ms < 300
        for name, ms in slow.items()
        if name != "one trace by id"  # type: ignore[operator]
    )
    save(
        "pages",
        "10 million spans stored: overview, trace list with a filter, cost by model x team: "
        "p95 < 300 ms a request; one trace by id < 50 ms",
        figures,
        met=met,
    )


if __name__ == "__main__":
    main()
