"""Runs the bench: many scenarios in many processes, one line of JSON for each, resumable."""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.diagnosis.examine import Bench
from bench.diagnosis.plan import identity, plan_all
from bench.diagnosis.scenario import CAUSES, Scenario
from vagus.errors import VagusError

_RESTART_AFTER = 60
_bench: Bench | None = None


def parse_arguments(words: Sequence[str] | None = None) -> argparse.Namespace:
    """What a run is asked to do."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--half", choices=("tuning", "reporting"), default="reporting")
    parser.add_argument("--seeds", type=int, default=2, help="seeds of every cause and rate")
    parser.add_argument("--first", type=int, default=0, help="the first seed of the half")
    parser.add_argument("--rpm", default="5,50,500", help="requests a minute, by commas")
    parser.add_argument("--causes", default="", help="only these, by commas")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("bench/.diagnosis/runs.jsonl"))
    parser.add_argument("--cases", type=Path, help="keep what was seen, for tuning")
    parser.add_argument("--no-replay", action="store_true", help="leave the monitors out")
    parser.add_argument("--limit-s", type=float, default=float("inf"), help="stop after this time")
    return parser.parse_args(words)


def run(args: argparse.Namespace) -> Path:
    """Run what is not yet done; the file of results."""
    args.out.parent.mkdir(parents=True, exist_ok=True)
    known = done(args.out)
    causes = tuple(args.causes.split(",")) if args.causes else CAUSES
    rpms = [int(rpm) for rpm in args.rpm.split(",")]
    wanted = [s for s in plan_all(args.seeds, args.half, rpms, causes, args.first)
              if identity(s) not in known]  # fmt: skip
    # Long ones first, so that no process is left alone with one at the end.
    wanted.sort(key=lambda s: (s.seed % 2000, -s.rpm))
    started = time.monotonic()
    context = multiprocessing.get_context("spawn")
    options = (args.cases, not args.no_replay)
    with (
        args.out.open("a") as file,
        context.Pool(args.jobs, _open, options, maxtasksperchild=_RESTART_AFTER) as pool,
    ):
        for number, result in enumerate(pool.imap_unordered(_examine, wanted)):
            file.write(json.dumps(result) + "\n")
            file.flush()
            if number % 20 == 0:
                taken_s = time.monotonic() - started
                print(f"{number + 1}/{len(wanted)} in {taken_s:.0f} s", file=sys.stderr)
            if time.monotonic() - started > args.limit_s:
                pool.terminate()
                break
    return Path(args.out)


def done(file: Path) -> set[str]:
    """The scenarios whose results are there."""
    if not file.exists():
        return set()
    return {json.loads(line)["id"] for line in file.read_text().splitlines() if line}


def _open(cases: Path | None, has_replay: bool) -> None:
    global _bench
    _bench = Bench(cases=cases, has_replay=has_replay)


def _examine(scenario: Scenario) -> dict[str, Any]:
    """One scenario; what fails is a result too, and counts as wrong."""
    if _bench is None:
        raise RuntimeError("the process has no engine")
    try:
        return _bench.examine(scenario)
    except VagusError as e:
        return {
            "id": identity(scenario), "seed": scenario.seed, "rpm": scenario.rpm,
            "causes": list(scenario.causes), "decoy": scenario.decoy, "failed": str(e)[:500],
        }  # fmt: skip
