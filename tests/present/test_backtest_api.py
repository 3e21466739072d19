"""The past is judged by event time: onset, detection, class and finding of every fault."""

from __future__ import annotations

import random
from typing import Any

import pytest

from measures.settled_rows import START_S, step_row, trace_row
from support.house import good
from vagus.respond.incident import list_incidents

ONSET_S = START_S + 6 * 3600
END_S = ONSET_S + 3600
MONITOR = {
    "id": "errors",
    "name": "Errors",
    "measure": "error_rate",
    "rule": {"type": "sequential", "target": 0.02},
}


@pytest.fixture
def broken(desk: Any) -> Any:
    """Seven hours of twenty requests a minute, of which many fail in the last: a wrong request."""
    rng = random.Random(11)
    rows: dict[str, list[dict[str, Any]]] = {"traces": [], "steps": []}
    for at_s in range(START_S, END_S, 60):
        failing = 0.25 if at_s >= ONSET_S else 0.01
        for _ in range(20):
            outcome = (
                {"status": "error", "error_class": "invalid_request"}
                if rng.random() < failing
                else {}
            )
            rows["traces"].append(trace_row(desk.project, at_s, **outcome))
            call = {"is_billable": 1, "provider": "alpha", "model": "large", **outcome}
            rows["steps"].append(step_row(desk.project, at_s, **call))
    for table, found in rows.items():
        desk.house.engine.insert(table, found)
    return desk


def test_a_fault_of_the_past_is_found_classified_and_diagnosed(broken: Any) -> None:
    asked = {"from": START_S, "to": END_S, "monitors": [MONITOR]}
    answer = broken.post("/api/v1/backtest", asked)
    (episode,) = answer["episodes"]
    assert abs(episode["onset_ms"] - ONSET_S * 1000) <= 10 * 60_000
    assert episode["onset_ms"] <= episode["detected_ms"] <= (ONSET_S + 20 * 60) * 1000
    assert episode["class"] == "systematic"
    assert episode["class_evidence"]
    assert episode["finding"]["measure"] == "error_rate"
    assert sum(h["probability"] for h in episode["finding"]["hypotheses"]) == pytest.approx(1)
    assert answer["undiagnosed"] == 0


def test_a_backtest_tells_nobody_and_keeps_nothing(broken: Any) -> None:
    asked = {"from": START_S, "to": END_S, "monitors": [MONITOR], "findings": False}
    assert broken.post("/api/v1/backtest", asked)["episodes"][0]["finding"] is None
    assert list_incidents(broken.house.meta, broken.project) == []
    assert broken.get("/api/v1/monitors") == []


def test_a_calm_time_has_no_episodes(broken: Any) -> None:
    asked = {"from": START_S, "to": ONSET_S - 600, "monitors": [MONITOR]}
    assert broken.post("/api/v1/backtest", asked)["episodes"] == []


def test_without_monitors_of_its_own_a_project_is_judged_by_the_defaults(broken: Any) -> None:
    asked = {"from": START_S, "to": END_S, "findings": False}
    answer = broken.post("/api/v1/backtest", asked)
    assert len(answer["monitors"]) >= 4
    assert "error-rate" in {e["monitor_id"] for e in answer["episodes"]}


@pytest.mark.parametrize(
    ("change", "status", "field"),
    [
        ({"monitors": ["nobody"]}, 404, "monitors"),
        ({"monitors": [{**MONITOR, "measure": "nothing"}]}, 400, "measure"),
        ({"from": END_S, "to": START_S}, 400, "to"),
        ({"from": START_S - 200 * 86_400}, 400, "from"),
        ({"from": "yesterday"}, 400, "from"),
    ],
)
def test_what_cannot_be_replayed_is_refused_by_name(
    desk: Any, change: dict[str, Any], status: int, field: str
) -> None:
    asked = {"from": START_S, "to": END_S, **change}
    answer = desk.client.post("/api/v1/backtest", json=asked)
    assert (answer.status_code, answer.json()["error"]["field"]) == (status, field)
    assert good(desk.client.get("/api/v1/monitors")) == []
