"""What watching promises, measured: `python -m bench.alarms [--quick]`; about four minutes."""

from __future__ import annotations

import argparse

from bench.alarms import delays, pages, promised


def main() -> None:
    """False pages of fault-free months first; their number tunes what delays are compared with."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="seconds, and nothing is saved")
    is_quick = parser.parse_args().quick
    projects, days, seeds, cases = (20, 3, 3, 40) if is_quick else (320, 30, 20, 400)
    months = pages.main(projects, days, is_saved=not is_quick)
    limits = months.scores.limits(len(months.errors.detector.opened))
    delays.main(seeds, cases, limits, is_saved=not is_quick)
    promised.main(cases, is_saved=not is_quick)


if __name__ == "__main__":
    main()
