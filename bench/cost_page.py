"""Cost by any two dimensions over ten million billable calls, timed at the API."""

from __future__ import annotations

import argparse
import itertools
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.fill import MIXES, SPANS_PER_TRACE
from bench.pages import Call, ask, p95
from bench.record import save
from bench.servers import Vagus

ROUNDS = 3
CALLS_PER_TRACE = 3
#: What the cost screen offers to group by.
DIMENSIONS = (
    "model", "team", "feature", "provider", "service", "env", "tenant", "user", "session", "prompt",
    "prompt_version", "agent", "tool", "region", "service_tier", "cost_source", "kind",
)  # fmt: skip


def measure(data: Path) -> dict[str, object]:
    """The p95 of all pairs together and the slowest pairs, over seven days that end now."""
    server = Vagus(data, "--quality-enabled", "false")
    server.start()
    try:
        time.sleep(5)
        api = f"{server.url}/api/v1/slice?measure=cost&from=-7d&to=now&limit=400"
        took: dict[str, list[float]] = {}
        for one, other in itertools.combinations(DIMENSIONS, 2):
            call = Call("GET", f"{api}&by={one}&by={other}", None)
            ask(call)
            took[f"{one} x {other}"] = [ask(call) for _ in range(ROUNDS)]
        slowest = sorted(took, key=lambda pair: -max(took[pair]))[:5]
        counted = server.sql("SELECT count() FROM steps WHERE is_billable = 1")
        return {
            "ledger_rows": counted[0][0],
            "pairs": len(took),
            "p95_ms_of_all_pairs": p95([ms for values in took.values() for ms in values]),
            "slowest_ms_of_the_five_slowest_pairs": {
                pair: round(max(took[pair]), 1) for pair in slowest
            },
            "resident_mib": round(server.memory_mib()),
            "load_average": round(os.getloadavg()[0], 1),
        }
    finally:
        server.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=10_000_000)
    parser.add_argument("--mix", choices=MIXES, default="skewed")
    parser.add_argument("--data", type=Path, help="a filled directory to use, kept afterwards")
    args = parser.parse_args()
    data = args.data or Path(tempfile.mkdtemp(prefix="vagus-cost-")) / "data"
    if not (data / "engine").exists():
        spans = -(-args.calls // CALLS_PER_TRACE) * SPANS_PER_TRACE
        command = [sys.executable, "-m", "bench.fill", str(data), "--spans", str(spans)]
        subprocess.run([*command, "--settled-only", "--mix", args.mix], check=True)
    try:
        figures = {"mix": args.mix, **measure(data)}
    finally:
        if args.data is None:
            shutil.rmtree(data.parent)
    met = figures["p95_ms_of_all_pairs"] < 300  # type: ignore[operator]
    save(
        "cost_page" if args.mix == "skewed" else f"cost_page_{args.mix}",
        "cost by any two dimensions over 10 million ledger rows, 7 days: p95 < 300 ms",
        figures,
        met=met,
    )


if __name__ == "__main__":
    main()
