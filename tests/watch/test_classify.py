"""An episode is called transient or systematic for reasons that can be read and checked."""

from __future__ import annotations

import random
from typing import Any

import pytest

from measures.settled_rows import START_S, score_row, step_row, trace_row
from vagus.measures.catalogue import Catalogue
from vagus.model.episode import Episode, State
from vagus.store.engine import Engine
from vagus.watch.circumstances import Circumstances, Failures, read_circumstances
from vagus.watch.classify import classify

ONSET_S = START_S + 90 * 60


def _episode(project: str, *, end_min: int | None = None, **values: Any) -> Episode:
    base: dict[str, Any] = {
        "episode_id": "e",
        "project": project,
        "monitor_id": "m",
        "monitor": "M",
        "measure": "error_rate",
        "group": {},
        "severity": "page",
        "state": State.FIRING if end_min is None else State.RESOLVED,
        "onset_ms": ONSET_S * 1000,
        "fired_ms": (ONSET_S + 120) * 1000,
        "resolved_ms": None if end_min is None else (ONSET_S + end_min * 60) * 1000,
    }
    return Episode(**{**base, **values})


def _traffic(
    project: str,
    *,
    failing: float = 0.01,
    error_class: str = "rate_limit",
    retry_works: float = 0.95,
    version: str = "1.0",
    passing: float = 0.95,
    minutes: int = 40,
    at_one_provider: bool = False,
) -> dict[str, list[dict[str, Any]]]:
    """Ten requests a minute; `failing`, `version` and `passing` hold from the onset on."""
    rng = random.Random(7)
    rows: dict[str, list[dict[str, Any]]] = {"traces": [], "steps": [], "scores": []}
    for minute in range(90 + minutes):
        at_s = START_S + minute * 60
        is_bad = at_s >= ONSET_S
        for _ in range(10):
            provider = rng.choice(("alpha", "beta"))
            shared = {"provider": provider, "service_version": version if is_bad else "0.9"}
            rate = failing if is_bad and (provider == "alpha" or not at_one_provider) else 0.01
            has_failed = rng.random() < rate
            call = {"is_billable": 1, **shared}
            rows["steps"].append(
                step_row(project, at_s, **call, **_outcome(has_failed, error_class))
            )
            if has_failed:
                has_failed = rng.random() > retry_works
                again = _outcome(has_failed, error_class)
                rows["steps"].append(step_row(project, at_s, is_retry=1, **call, **again))
            rows["traces"].append(trace_row(project, at_s, **_outcome(has_failed, error_class)))
            good = rng.random() < (passing if is_bad else 0.95)
            verdict = {"passed": int(good), "value": float(good)}
            rows["scores"].append(score_row(project, at_s, **verdict))
    return rows


def _outcome(has_failed: bool, error_class: str) -> dict[str, str]:
    if not has_failed:
        return {"status": "ok", "error_class": ""}
    return {"status": "error", "error_class": error_class}


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ({"failing": 0.4, "at_one_provider": True}, "transient"),
        ({"failing": 0.3, "error_class": "timeout"}, "transient"),
        ({"failing": 0.3, "error_class": "invalid_request", "retry_works": 0.0}, "systematic"),
        ({"passing": 0.6}, "systematic"),
        ({"passing": 0.7, "version": "1.1"}, "systematic"),
        ({"failing": 0.3, "error_class": "not_found", "retry_works": 0.0}, "systematic"),
    ],
)
def test_a_fault_gets_the_class_of_its_kind(
    engine: Engine, project: str, catalogue: Catalogue, fault: dict[str, Any], expected: str
) -> None:
    rows = {"version": "0.9", **fault}
    for table, found in _traffic(project, **rows).items():
        engine.insert(table, found)
    episode = _episode(project)
    seen = read_circumstances(engine, catalogue, episode, "", (ONSET_S + 40 * 60) * 1000)
    word, signs, _ = classify(seen)
    assert word == expected, [(s.statement, s.weight) for s in signs]
    assert all(s.statement.endswith(".") for s in signs)


def test_retries_that_help_are_told_apart_from_requests_that_fail(
    engine: Engine, project: str, catalogue: Catalogue
) -> None:
    for table, found in _traffic(project, failing=0.4, version="0.9").items():
        engine.insert(table, found)
    seen = read_circumstances(engine, catalogue, _episode(project), "", (ONSET_S + 40 * 60) * 1000)
    assert seen.retries > 100
    assert seen.failed_retries / seen.retries < 0.15
    assert sum(seen.finals.excess.values()) < 0.25 * sum(seen.attempts.excess.values())


def test_the_same_failures_change_class_when_they_last_for_hours() -> None:
    failures = Failures(5, 300, 1000, 1000, {"server_error": 5}, {"server_error": 300})
    young = Circumstances(20.0, False, attempts=failures, finals=failures)
    old = Circumstances(600.0, False, attempts=failures, finals=failures)
    assert classify(young)[0] == "transient"
    assert classify(young)[2] < classify(old)[2]


def test_without_any_telemetry_an_episode_counts_as_systematic() -> None:
    word, signs, chance = classify(Circumstances(10.0, False))
    assert word == "systematic"
    assert 0.5 < chance < 0.9
    assert not [s for s in signs if abs(s.weight) > 1]
