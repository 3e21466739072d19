"""What `import vagus` costs beyond OpenTelemetry's own import; the bar is 50 ms.

    python bench/import_time.py [--rounds 15]

Each sample is a fresh interpreter that first imports OpenTelemetry's API and then times the import
of `vagus`; the first rounds only warm the file cache. Writes results/import_time.json.
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
from pathlib import Path

ROOT = Path(__file__).parents[1]
RESULT = ROOT / "bench" / "results" / "import_time.json"
BAR_MS = 50.0
WARM_ROUNDS = 3
PROGRAM = """
import time
import opentelemetry.context, opentelemetry.trace
before = time.perf_counter()
import vagus
print((time.perf_counter() - before) * 1000)
"""
BASELINE = """
import time
before = time.perf_counter()
import opentelemetry.context, opentelemetry.trace
print((time.perf_counter() - before) * 1000)
"""


def sample_ms(program: str) -> float:
    """One timing in a fresh interpreter, in milliseconds."""
    environ = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environ, capture_output=True, text=True, check=True
    )
    return float(done.stdout)


def measure(program: str, rounds: int) -> dict[str, float]:
    """Median, least and greatest of the rounds."""
    samples = [sample_ms(program) for _ in range(rounds + WARM_ROUNDS)][WARM_ROUNDS:]
    return {
        "median_ms": round(statistics.median(samples), 2),
        "min_ms": round(min(samples), 2),
        "max_ms": round(max(samples), 2),
    }


def commit() -> str:
    """The commit that was measured."""
    done = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True
    )
    return done.stdout.strip()


def machine() -> str:
    """What it was measured on."""
    return f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"


def main() -> int:
    """Measure, print and write; 1 when the bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    vagus = measure(PROGRAM, rounds)
    result = {
        "what": "import vagus beyond OpenTelemetry's own import",
        "bar_ms": BAR_MS,
        "vagus": vagus,
        "opentelemetry_api": measure(BASELINE, rounds),
        "rounds": rounds,
        "machine": machine(),
        "commit": commit(),
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
    }
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=2) + "\n")
    print(f"import vagus: median {vagus['median_ms']} ms, bar {BAR_MS:g} ms")
    return 0 if vagus["median_ms"] < BAR_MS else 1


if __name__ == "__main__":
    raise SystemExit(main())
