"""What the SDK costs the host: microseconds a span while the backend is down.

    python bench/sdk_cost.py [--spans 20000]

Compares one span of OpenTelemetry alone (no processor) with the same span when `vagus.init` has
run, and one call of an observed function. Writes results/sdk_cost.json.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter_ns

ROOT = Path(__file__).parents[1]
RESULT = ROOT / "bench" / "results" / "sdk_cost.json"
sys.path.insert(0, str(ROOT / "src"))

ROUNDS = 7
ATTRIBUTES = {"gen_ai.request.model": "gpt-4.1-mini", "text": "x" * 500, "n": 3}


def per_call_us(function: Callable[[], object], calls: int) -> float:
    """Median over the rounds of the mean time of one call, in microseconds."""
    rounds = []
    for _ in range(ROUNDS):
        before_ns = perf_counter_ns()
        for _ in range(calls // ROUNDS):
            function()
        rounds.append((perf_counter_ns() - before_ns) / (calls // ROUNDS) / 1000)
    return round(statistics.median(rounds), 2)


def machine() -> str:
    """What it was measured on."""
    return f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"


def main() -> int:
    """Measure in one process."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--spans", type=int, default=20_000)
    spans = parser.parse_args().spans

    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider

    import vagus

    trace.set_tracer_provider(TracerProvider())
    tracer = trace.get_tracer("bench")

    def one_span() -> None:
        with tracer.start_as_current_span("work", attributes=ATTRIBUTES):
            pass

    def plain(question: str) -> str:
        return question

    alone_us = per_call_us(one_span, spans)
    vagus.init(endpoint="http://127.0.0.1:9", instrument=False)
    dead_us = per_call_us(one_span, spans)
    observed = vagus.observe(plain)
    observed_us = per_call_us(lambda: observed("why is the sky blue?"), spans)
    found = vagus.health()
    vagus.shutdown(0)
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True
    )
    result = {
        "what": "host time a span, backend down",
        "opentelemetry_alone_us": alone_us,
        "with_vagus_us": dead_us,
        "added_by_vagus_us": round(dead_us - alone_us, 2),
        "observed_call_us": observed_us,
        "spans_waiting": found.spans_waiting,
        "spans_dropped": found.spans_dropped,
        "machine": machine(),
        "commit": commit.stdout.strip(),
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
    }
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=2) + "\n")
    print(f"a span: {alone_us} µs alone, {dead_us} µs with vagus; observed call {observed_us} µs")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
