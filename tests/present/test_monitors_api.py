"""Monitors can be declared one by one or as a file, and say what is wrong with a declaration."""

from __future__ import annotations

import json

import msgspec
import pytest
from sqlalchemy import select

from vagus.store.meta.tables import audit

ERRORS = {
    "id": "errors",
    "name": "Errors",
    "measure": "error_rate",
    "by": ["feature"],
    "rule": {"type": "threshold", "op": ">", "value": 0.2},
}
SLOW = {
    "id": "slow",
    "name": "Slow",
    "measure": "latency_p95",
    "rule": {"type": "threshold", "op": ">", "value": 9000},
    "enabled": False,
}


def _apply(desk, monitors, query=""):
    return desk.client.put(f"/api/v1/monitors.yaml{query}", content=msgspec.yaml.encode(monitors))


def test_a_file_is_applied_as_a_whole_and_comes_back_the_same(desk):
    answer = _apply(desk, [ERRORS, SLOW]).json()
    assert (answer["created"], answer["unchanged"]) == (["errors", "slow"], [])
    kept = desk.client.get("/api/v1/monitors.yaml")
    assert kept.headers["content-type"].startswith("application/yaml")
    again = desk.client.put("/api/v1/monitors.yaml", content=kept.content).json()
    assert again["unchanged"] == ["errors", "slow"]
    assert again["created"] == again["updated"] == again["deleted"] == []
    changed = _apply(desk, [{**ERRORS, "name": "More errors"}], "?prune=true").json()
    assert (changed["updated"], changed["deleted"]) == (["errors"], ["slow"])
    names = [m["name"] for m in desk.client.get("/api/v1/monitors").json()]
    assert names == ["More errors"]


def test_a_dry_run_changes_nothing(desk):
    assert _apply(desk, [ERRORS], "?dry_run=true").json()["created"] == ["errors"]
    assert desk.client.get("/api/v1/monitors").json() == []


@pytest.mark.parametrize(
    ("monitor", "field"),
    [
        ({**ERRORS, "measure": "nothing"}, "monitors[1].measure"),
        ({**ERRORS, "by": ["planet"]}, "monitors[1].by"),
        ({**ERRORS, "rule": {"type": "threshold", "op": "?", "value": 1}}, "monitors[1].rule.op"),
        ({**ERRORS, "enabled": "yes"}, "monitors[1].id"),
        ({**SLOW, "filter": "planet:mars"}, "monitors[1].filter"),
        ({**SLOW, "id": "slow"}, "monitors[1].id"),
    ],
)
def test_one_wrong_monitor_leaves_all_as_they_were(desk, monitor, field):
    answer = _apply(desk, [SLOW, monitor])
    assert answer.status_code == 400
    assert answer.json()["error"]["field"] == field
    assert desk.client.get("/api/v1/monitors").json() == []


def test_a_file_that_is_no_list_is_refused(desk):
    for text in (b"a: 1", b"[", json.dumps("x").encode()):
        answer = desk.client.put("/api/v1/monitors.yaml", content=text)
        assert (answer.status_code, answer.json()["error"]["field"]) == (400, "monitors")


def test_a_deleted_monitor_is_gone_and_the_act_is_written_down(desk):
    _apply(desk, [ERRORS])
    assert desk.client.delete("/api/v1/monitors/errors").status_code == 200
    assert desk.client.delete("/api/v1/monitors/errors").status_code == 404
    with desk.house.meta.read() as connection:
        acts = connection.execute(select(audit.c.object).where(audit.c.action == "monitor.delete"))
        assert "monitor:errors" in acts.scalars().all()
