"""kill -9 at random moments under load: what was acknowledged is there once, and adds up."""

from __future__ import annotations

import argparse
import contextlib
import http.client
import random
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bench.record import save
from bench.servers import Vagus
from bench.traffic import SPANS_PER_TRACE, Requests

HEADERS = {"content-type": "application/x-protobuf"}
#: Short, so that a kill also meets segments being loaded and traces being settled.
FLAGS = ("--receive-segment-ms", "150", "--settle-quiet-ms", "300", "--watch-interval-s", "1")
_SETTLED_S = 600.0


@dataclass
class Traffic:
    """Requests from a few connections; those without an answer are sent again, as exporters do."""

    requests: Requests
    connections: int = 4
    acknowledged: set[str] = field(default_factory=set)
    refused: Counter[int] = field(default_factory=Counter)
    resent: int = 0
    _unanswered: list[tuple[bytes, list[str]]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _stop: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def start(self, url: str) -> None:
        """Begin to send."""
        self._stop.clear()
        again, self._unanswered = self._unanswered, []
        self._threads = [
            threading.Thread(target=self._run, args=(url, again)) for _ in range(self.connections)
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Send no more, and wait for the answers that still come."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _run(self, url: str, again: list[tuple[bytes, list[str]]]) -> None:
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
        with contextlib.closing(connection):
            self._send(connection, again)

    def _send(
        self, connection: http.client.HTTPConnection, again: list[tuple[bytes, list[str]]]
    ) -> None:
        while again or not self._stop.is_set():
            with self._lock:
                if again:
                    body, traces = again.pop()
                    self.resent += 1
                else:
                    body, traces = self.requests.next_with_traces()
            try:
                connection.request("POST", "/v1/traces", body, HEADERS)
                answer = connection.getresponse()
                answer.read()
            except (OSError, http.client.HTTPException):
                with self._lock:
                    self._unanswered += [(body, traces), *again]
                    again.clear()
                return
            with self._lock:
                if answer.status == 200:
                    self.acknowledged.update(traces)
                else:
                    self.refused[answer.status] += 1
                    self._unanswered.append((body, traces))


@dataclass
class Verdict:
    """What was found after the last start."""

    kills: int
    kills_at_start: int = 0
    acknowledged_spans: int = 0
    stored_spans: int = 0
    lost: int = 0
    doubled: int = 0
    half: int = 0
    sent_again: int = 0
    slowest_ready_s: float = 0.0
    sums: dict[str, tuple[float, float]] = field(default_factory=dict)

    def faults(self) -> list[str]:
        """What broke a promise, in words; empty when none was."""
        found = []
        if self.lost:
            found.append(f"{self.lost} acknowledged traces lost")
        if self.doubled:
            found.append(f"{self.doubled} traces hold a span twice")
        if self.half:
            found.append(f"{self.half} traces are there in part")
        for name, (stored, recomputed) in self.sums.items():
            if abs(stored - recomputed) > 1e-6 * max(1.0, abs(recomputed)):
                found.append(f"{name} is {stored}, and {recomputed} when counted from the spans")
        return found


def kill_often(
    data: Path,
    kills: int,
    *,
    seed: int,
    spans: int = 250,
    longest_s: float = 3.0,
    connections: int = 4,
    progress: bool = False,
) -> Verdict:
    """Kill a server `kills` times, start it once more and compare what was said with what is."""
    chance = random.Random(seed)
    server = Vagus(data, *FLAGS)
    traffic = Traffic(Requests(spans, templates=4, seed=seed), connections)
    verdict = Verdict(kills)
    since_s = time.time()
    for number in range(kills):
        if number and chance.random() < 0.2:
            # Another kill, while the start repairs what the one before left behind.
            server.begin(data.parent / "unused.ready")
            time.sleep(chance.uniform(0.2, 2.0))
            server.kill()
            verdict.kills_at_start += 1
            continue
        server.start()
        verdict.slowest_ready_s = max(verdict.slowest_ready_s, round(server.ready_s, 2))
        traffic.start(server.url)
        time.sleep(chance.uniform(0.0, longest_s))
        server.kill()
        traffic.stop()
        if progress:
            print(
                f"  {number + 1}/{kills}: {len(traffic.acknowledged) * SPANS_PER_TRACE} spans",
                flush=True,
            )
    server.start()
    try:
        traffic.start(server.url)
        time.sleep(0.5)
        traffic.stop()
        _check(server, traffic, verdict, since_s)
    finally:
        server.stop()
    return verdict


def _check(server: Vagus, traffic: Traffic, verdict: Verdict, since_s: float) -> None:
    _wait_until_settled(server)
    stored: dict[str, tuple[int, int]] = {}
    for prefix in range(256):
        rows: Any = server.sql(
            "SELECT trace_id, count(), uniqExact(span_id) FROM spans "
            f"WHERE startsWith(trace_id, '{prefix:02x}') GROUP BY trace_id"
        )
        stored |= {trace_id: (count, distinct) for trace_id, count, distinct in rows}
    verdict.acknowledged_spans = len(traffic.acknowledged) * SPANS_PER_TRACE
    verdict.stored_spans = sum(count for count, _ in stored.values())
    verdict.lost = len(traffic.acknowledged - stored.keys())
    verdict.doubled = sum(count != distinct for count, distinct in stored.values())
    verdict.half = sum(distinct != SPANS_PER_TRACE for _, distinct in stored.values())
    verdict.sent_again = traffic.resent
    verdict.sums = _sums(server, since_s)


def _wait_until_settled(server: Vagus) -> None:
    deadline_s = time.monotonic() + _SETTLED_S
    before: Any = None
    while time.monotonic() < deadline_s:
        health: Any = server.get("/api/v1/health/ingest")
        seen = [
            server.sql("SELECT uniqExact(trace_id) FROM spans")[0][0],
            server.sql("SELECT count() FROM traces")[0][0],
        ]
        if health["backlog_bytes"] == 0 and seen[0] == seen[1] and seen == before:
            return
        before = seen
        time.sleep(0.5)
    raise SystemExit(f"after {_SETTLED_S:.0f} s {before[0]} traces arrived, {before[1]} settled")


def _sums(server: Vagus, since_s: float) -> dict[str, tuple[float, float]]:
    """What the rollups and the settled rows say, each beside the same counted from spans."""
    window = {"from": int(since_s) - 3600, "to": int(time.time()) + 120}

    def rolled_up(measure: str) -> float:
        answer: Any = server.post("/api/v1/slice", {"measure": measure, **window})
        return float(answer["series"][0]["total"]["value"])

    def one(query: str) -> float:
        found: Any = server.sql(query)
        return float(found[0][0])

    def spent(what: str) -> float:
        return one(f"SELECT {what} FROM spans WHERE kind IN ('llm', 'embedding')")

    billable_steps = one("SELECT count() FROM ledger")
    spans_of_traces = one("SELECT sum(span_count) FROM traces")
    return {
        "requests": (rolled_up("requests"), one("SELECT uniqExact(trace_id) FROM spans")),
        "input_tokens": (rolled_up("input_tokens"), spent("sum(input_tokens)")),
        "output_tokens": (rolled_up("output_tokens"), spent("sum(output_tokens)")),
        "cached_tokens": (rolled_up("cached_tokens"), spent("sum(cache_read_tokens)")),
        "cost_usd": (rolled_up("cost"), one("SELECT sum(cost_usd) FROM ledger")),
        "spans_of_traces": (spans_of_traces, one("SELECT count() FROM spans")),
        "billable_steps": (billable_steps, spent("count()")),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=2026)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="vagus-kill-") as folder:
        verdict = kill_often(Path(folder) / "data", args.kills, seed=args.seed, progress=True)
    save(
        "kill",
        "kill -9 at random moments, 50 times, under load: 0 acknowledged spans lost, 0 duplicated "
        "after restart",
        {
            "kills": verdict.kills,
            "kills_while_starting": verdict.kills_at_start,
            "acknowledged_spans": verdict.acknowledged_spans,
            "stored_spans": verdict.stored_spans,
            "acknowledged_traces_lost": verdict.lost,
            "traces_with_a_doubled_span": verdict.doubled,
            "traces_in_part": verdict.half,
            "requests_sent_again": verdict.sent_again,
            "slowest_ready_s": verdict.slowest_ready_s,
            "sums_stored_and_recomputed": verdict.sums,
            "faults": verdict.faults(),
        },
        met=args.kills >= 50 and not verdict.faults(),
    )


if __name__ == "__main__":
    main()
