"""Run every bench, or those that are named, one after the other: `python -m bench [NAME ...]`."""

from __future__ import annotations

import subprocess
import sys

BENCHES = (
    "import_time",
    "weight",
    "inflate",
    "load",
    "ingest",
    "mixed",
    "langsmith",
    "start",
    "big_trace",
    "pages",
    "kill",
    "faults",
    "spend",
    "series",
)


def main() -> int:
    failed = [
        name
        for name in sys.argv[1:] or BENCHES
        if subprocess.run([sys.executable, "-m", f"bench.{name}"], check=False).returncode
    ]
    if failed:
        print(f"\nbroken: {', '.join(failed)}")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
