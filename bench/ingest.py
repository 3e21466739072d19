"""Durable ingest over HTTP until every span is visible, beside two rivals in the same run."""

from __future__ import annotations

import argparse
import http.client
import json
import threading
import time
import urllib.request
from collections.abc import Callable
from urllib.parse import urlsplit

from bench.record import save
from bench.servers import ENVIRONMENTS, free_port, rival, vagus
from bench.traffic import Requests

CONNECTIONS = 4


def send(url: str, path: str, bodies: list[bytes], headers: dict[str, str]) -> float:
    """Send all bodies from four connections; seconds until the last answer."""
    queue = list(enumerate(bodies))
    lock = threading.Lock()
    failures: list[str] = []

    def run() -> None:
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=300)
        while True:
            with lock:
                if not queue or failures:
                    return
                _, body = queue.pop()
            while True:
                connection.request("POST", path, body, headers)
                answer = connection.getresponse()
                said = answer.read()
                if answer.status in (429, 503):
                    time.sleep(0.05)
                    continue
                break
            if answer.status >= 300:
                failures.append(f"{answer.status} {said[:200]!r}")

    threads = [threading.Thread(target=run) for _ in range(CONNECTIONS)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise SystemExit(f"a request failed: {failures[0]}")
    return time.perf_counter() - started


def until_visible(count: Callable[[], int], wanted: int, started: float, limit_s: float) -> float:
    """Seconds from `started` until `count` reaches what was sent."""
    while True:
        seen = count()
        taken = time.perf_counter() - started
        if seen >= wanted:
            return taken
        if taken > limit_s:
            raise SystemExit(f"only {seen} of {wanted} spans are visible after {taken:.0f} s")
        time.sleep(0.05)


HEADERS = {"content-type": "application/x-protobuf"}


def measure_vagus(requests: Requests, spans: int) -> dict[str, float]:
    bodies = [requests.next() for _ in range(spans // requests.spans)]
    with vagus() as server:
        warm = [requests.next() for _ in range(8)]
        send(server.url, "/v1/traces", warm, HEADERS)
        before = len(warm) * requests.spans

        def count() -> int:
            return int(server.sql("SELECT count() FROM spans")[0][0])  # type: ignore[call-overload]

        until_visible(count, before, time.perf_counter(), 60)
        started = time.perf_counter()
        acknowledged_s = send(server.url, "/v1/traces", bodies, HEADERS)
        visible_s = until_visible(count, before + spans, started, 300)
        return {
            "spans": spans,
            "acknowledged_per_s": round(spans / acknowledged_s),
            "visible_per_s": round(spans / visible_s),
            "resident_mib": round(server.memory_mib()),
        }


def measure_phoenix(requests: Requests, spans: int) -> dict[str, float]:
    port = free_port()
    environ = {
        "PHOENIX_PORT": str(port),
        "PHOENIX_GRPC_PORT": str(free_port()),
        "PHOENIX_TELEMETRY_ENABLED": "false",
    }
    with rival("phoenix", ["phoenix", "serve"], port, environ) as url:
        time.sleep(3)
        bodies = [requests.next() for _ in range(spans // requests.spans)]
        started = time.perf_counter()
        send(url, "/v1/traces", bodies, HEADERS)

        def count() -> int:
            query = {"query": "{ projects { edges { node { recordCount } } } }"}
            asked = urllib.request.Request(
                url + "/graphql", json.dumps(query).encode(), {"content-type": "application/json"}
            )
            with urllib.request.urlopen(asked, timeout=60) as answer:
                edges = json.loads(answer.read())["data"]["projects"]["edges"]
            return sum(edge["node"]["recordCount"] for edge in edges)

        visible_s = until_visible(count, spans, started, 300)
    return {"spans": spans, "visible_per_s": round(spans / visible_s, 1)}


def measure_mlflow(requests: Requests, spans: int) -> dict[str, float]:
    port = free_port()
    command = [
        "mlflow",
        "server",
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        "--workers",
        "2",
        "--backend-store-uri",
        "sqlite:///mlflow.db",
    ]
    with rival("mlflow", command, port, {}) as url:
        time.sleep(5)
        bodies = [requests.next() for _ in range(spans // requests.spans)]
        headers = {**HEADERS, "x-mlflow-experiment-id": "0"}
        started = time.perf_counter()
        send(url, "/v1/traces", bodies, headers)
        # MLflow stores before it answers; what is acknowledged can be searched.
        visible_s = time.perf_counter() - started
    return {"spans": spans, "visible_per_s": round(spans / visible_s, 1)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spans", type=int, default=200_000)
    parser.add_argument("--rival-spans", type=int, default=5_000)
    parser.add_argument("--only-ours", action="store_true")
    args = parser.parse_args()
    requests = Requests()
    ours = measure_vagus(requests, args.spans)
    figures: dict[str, object] = {"vagus": ours}
    met: bool | None = ours["visible_per_s"] >= 20_000
    if not args.only_ours:
        for name, bar, run in (("phoenix", 100, measure_phoenix), ("mlflow", 50, measure_mlflow)):
            if not (ENVIRONMENTS / name).exists():
                raise SystemExit(f"{name} is not installed: sh bench/rivals.sh")
            theirs = run(requests, args.rival_spans)
            ratio = round(ours["visible_per_s"] / theirs["visible_per_s"], 1)
            figures[name] = theirs
            figures[f"ratio_to_{name}"] = ratio
            met = met and ratio >= bar
    save(
        "ingest",
        "durable, visible, 250 spans of 2 kB a request, 4 connections, 2 cores: >= 20,000 spans/s, "
        ">= 100 x arize-phoenix, >= 50 x mlflow",
        figures,
        met=met,
    )


if __name__ == "__main__":
    main()
