"""What `import vagus` costs beyond OpenTelemetry's own import: `python -m bench.import_time`.

Each sample is a fresh interpreter that first imports OpenTelemetry's API and then times the import
of `vagus`; the first rounds only warm the file cache.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from pathlib import Path

from bench.record import save

BAR_MS = 50.0
ROUNDS = 15
WARM_ROUNDS = 3
SOURCES = Path(__file__).parents[1] / "src"
OPENTELEMETRY = "opentelemetry.context, opentelemetry.trace"
TIMED = "import time; before = time.perf_counter(); import {}; print(time.perf_counter() - before)"


def sample_ms(program: str) -> float:
    """One timing in a fresh interpreter, in milliseconds."""
    environ = {**os.environ, "PYTHONPATH": str(SOURCES)}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environ, capture_output=True, text=True, check=True
    )
    return float(done.stdout) * 1000


def measure(name: str, program: str) -> dict[str, float]:
    """Median, least and greatest of the rounds."""
    samples = [sample_ms(program) for _ in range(ROUNDS + WARM_ROUNDS)][WARM_ROUNDS:]
    figures = {
        "median": statistics.median(samples),
        "least": min(samples),
        "greatest": max(samples),
    }
    return {f"{name}_{which}_ms": round(value, 2) for which, value in figures.items()}


def main() -> int:
    """Measure, print and write; 1 when the bar is missed."""
    figures = measure("vagus", f"import {OPENTELEMETRY}; {TIMED.format('vagus')}")
    figures |= measure("opentelemetry_api", TIMED.format(OPENTELEMETRY))
    is_met = figures["vagus_median_ms"] < BAR_MS
    save("import_time", f"median below {BAR_MS:g} ms beyond OpenTelemetry", figures, met=is_met)
    return 0 if is_met else 1


if __name__ == "__main__":
    raise SystemExit(main())
