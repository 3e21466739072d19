"""Transient or systematic: simulated episodes of ten families, and how many are told apart.

A transient family is trouble of somebody else's API that goes by itself within half an hour; a
systematic one stays until somebody does something. Each episode is judged as the watcher would: a
quarter of an hour after it was noticed, and once more at its end or after two hours.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.diagnosis.dice import Dice
from bench.diagnosis.examine import PROJECT, Bench
from bench.diagnosis.faults.fault import FAULTS, Fault
from bench.diagnosis.report import share
from bench.diagnosis.scenario import History, Scenario, make_history, plan_scenario
from bench.diagnosis.scene import Scene
from bench.record import save
from vagus.model.episode import Episode, State
from vagus.watch.circumstances import read_circumstances
from vagus.watch.classify import classify

TRANSIENT, SYSTEMATIC = "transient", "systematic"
_BEFORE_S, _AFTER_S = 7200, 7800
_LOOK_S = 900
#: Each of ten families so often, by requests a minute: 600 episodes in all.
_SEEDS = {5: 24, 50: 24, 500: 12}
_BAR = "transient against systematic: >= 95 % right on >= 500 simulated episodes"


def _timeouts(s: Scene) -> None:
    """Calls of one provider time out for a while."""
    s.limit(("provider", "region"))
    s.toward("p_timeout", s.dice.between(0.1, 0.4))


def _connections(s: Scene) -> None:
    """A network does not take connections for a while."""
    s.limit(("region", "provider", "service"))
    s.toward("p_connection", s.dice.between(0.15, 0.5))


def _overload(s: Scene) -> None:
    """A provider is overloaded: 5xx and 429 side by side."""
    s.limit(("provider", "model"))
    s.toward("p_server_error", s.dice.between(0.08, 0.35))
    s.toward("p_rate_limit", s.dice.between(0.03, 0.2))


@dataclass(frozen=True, slots=True)
class Family:
    """A kind of episode: what happens, what raises the alarm, and what it truly is."""

    name: str
    truth: str
    fault: Fault
    measure: str


FAMILIES = (
    Family("rate limit", TRANSIENT, FAULTS["provider_rate_limit"], "rate_limit_share"),
    Family("provider 5xx", TRANSIENT, FAULTS["provider_outage"], "server_error_share"),
    Family("timeouts", TRANSIENT, Fault("timeouts", (), _timeouts), "timeout_share"),
    Family("connections", TRANSIENT, Fault("connections", (), _connections), "server_error_share"),
    Family("overload", TRANSIENT, Fault("overload", (), _overload), "retry_share"),
    Family("prompt", SYSTEMATIC, FAULTS["prompt_regression"], "evaluation_pass_rate"),
    Family("model removed", SYSTEMATIC, FAULTS["model_removed"], "error_rate"),
    Family("schema", SYSTEMATIC, FAULTS["schema_break"], "format_error_share"),
    Family("tool", SYSTEMATIC, FAULTS["tool_failure"], "tool_error_rate"),
    Family("empty retrieval", SYSTEMATIC, FAULTS["retrieval_empty"], "retrieval_empty_share"),
)


@dataclass(frozen=True, slots=True)
class Case:
    """One episode to be judged: its history, and when it began and ended."""

    family: Family
    history: History
    onset_s: int
    noticed_s: int
    ended_s: int | None


def make_case(number: int, seed: int, rpm: int) -> Case:
    """The columns of one episode and its true class."""
    family = FAMILIES[number]
    dice = Dice(seed * 131 + number, rpm)
    scenario = _scenario(seed * 11 + number, rpm)
    is_transient = family.truth == TRANSIENT
    lasting_s = int(dice.between(240, 1800)) if is_transient else None
    if lasting_s is not None:
        scenario.lasting_s = float(lasting_s)
    history = make_history(scenario, [family.fault])
    noticed_s = scenario.onset_s + int(dice.between(60, 360))
    ended_s = None if lasting_s is None else max(noticed_s, scenario.onset_s + lasting_s) + 120
    return Case(family, history, scenario.onset_s, noticed_s, ended_s)


def _scenario(seed: int, rpm: int) -> Scenario:
    scenario = plan_scenario(seed, rpm)
    scenario.start_s = scenario.onset_s - _BEFORE_S
    scenario.end_s = scenario.onset_s + _AFTER_S
    scenario.has_partial_loss = False
    return scenario


def judge_case(bench: Bench, case: Case) -> dict[str, Any]:
    """What the classifier says a quarter of an hour after the alarm, and at the end."""
    bench.put(case.history)
    result: dict[str, Any] = {"family": case.family.name, "truth": case.family.truth}
    last_s = case.ended_s or case.onset_s + _AFTER_S - 600
    early_s = min(case.noticed_s + _LOOK_S, last_s)
    for name, now_s in (("early", early_s), ("last", last_s)):
        ended_s = case.ended_s if case.ended_s is not None and now_s >= case.ended_s else None
        episode = Episode(
            episode_id="bench", project=PROJECT, monitor_id="bench", monitor="bench",
            measure=case.family.measure, group={}, severity="page",
            state=State.RESOLVED if ended_s else State.FIRING, onset_ms=case.onset_s * 1000,
            fired_ms=case.noticed_s * 1000, resolved_ms=ended_s * 1000 if ended_s else None,
        )  # fmt: skip
        seen = read_circumstances(bench.engine, bench.catalogue, episode, "", now_s * 1000)
        word, signs, chance = classify(seen)
        result[name] = word
        result[f"{name}_chance"] = round(chance, 4)
        result[f"{name}_signs"] = [sign.statement for sign in signs[:4]]
    return result


_bench: Bench | None = None


def _open() -> None:
    global _bench
    _bench = Bench(has_replay=False)


def _one(task: tuple[int, int, int]) -> dict[str, Any]:
    if _bench is None:
        raise RuntimeError("the process has no engine")
    number, seed, rpm = task
    return {"seed": seed, "rpm": rpm, **judge_case(_bench, make_case(number, seed, rpm))}


def figures(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Accuracy with its interval, who was taken for what, and which families are hard."""
    whole: dict[str, Any] = {"episodes": len(rows), "families": len(FAMILIES)}
    for look in ("early", "last"):
        whole[look] = share(row[look] == row["truth"] for row in rows)
        pairs = Counter(f"{row['truth']} called {row[look]}" for row in rows)
        whole[f"{look}_confusion"] = dict(sorted(pairs.items()))
    whole["by_rpm"] = {
        rpm: share(row["last"] == row["truth"] for row in rows if row["rpm"] == rpm)["share"]
        for rpm in sorted({row["rpm"] for row in rows})
    }
    whole["by_family"] = {
        family.name: share(r["last"] == r["truth"] for r in rows if r["family"] == family.name)[
            "share"
        ]
        for family in FAMILIES
    }
    return whole


def main(words: Sequence[str]) -> None:
    """Judge all episodes, and write the figures beside those of the other benches."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--share", type=float, default=1.0, help="of the seeds of each family")
    parser.add_argument("--out", type=Path, default=Path("bench/.diagnosis/episodes.jsonl"))
    args = parser.parse_args(words)
    tasks = [
        (number, seed, rpm)
        for rpm, seeds in _SEEDS.items()
        for seed in range(max(1, round(seeds * args.share)))
        for number in range(len(FAMILIES))
    ]
    context = multiprocessing.get_context("spawn")
    with context.Pool(args.jobs, _open, maxtasksperchild=100) as pool:
        rows = list(pool.imap_unordered(_one, tasks))
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = figures(rows)
    met = len(rows) >= 500 and found["last"]["share"] >= 0.95
    save("episodes", _BAR, found, met=met)
