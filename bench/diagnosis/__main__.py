"""The bench of diagnosis: run, report, calibrate, episodes, localise."""

from __future__ import annotations

import sys

from bench.diagnosis import calibrate, episodes, localise, report, run

_COMMANDS = {
    "run": lambda words: run.run(run.parse_arguments(words)),
    "report": report.main,
    "calibrate": calibrate.main,
    "episodes": episodes.main,
    "localise": localise.main,
}


def main() -> int:
    """Do what the first word says."""
    name, *words = sys.argv[1:] or ["run"]
    if name not in _COMMANDS:
        print(f"one of: {', '.join(_COMMANDS)}", file=sys.stderr)
        return 2
    _COMMANDS[name](words)
    return 0


if __name__ == "__main__":
    sys.exit(main())
