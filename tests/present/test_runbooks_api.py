"""Runbooks over the API."""

from __future__ import annotations

from typing import Any

_TEXT = "# Ours\n\n## Confirm\n\n```check\nerror_rate\nexpect < 0.02\n```\n"


def test_own_runbook_is_put_read_and_taken_back(house: Any, desk: Any) -> None:
    path = "/api/v1/runbooks/stale_index"
    shipped = desk.get(path)
    assert (shipped["is_own"], shipped["version"]) == (False, 0)
    assert {step["kind"] for step in shipped["steps"]} >= {"check", "approve", "wait-until"}
    put = desk.client.put(path, json={"markdown": _TEXT})
    assert put.status_code == 200, put.text

    own = desk.get(path)
    assert own == put.json()
    assert [(s["kind"], s["line"], s["section"]) for s in own["steps"]] == [("check", 5, "Confirm")]
    assert "Ours" in [one["title"] for one in desk.get("/api/v1/runbooks")]
    stranger = house.client(house.key("runbook-stranger"))
    assert stranger.get(path).json()["version"] == 0
    assert desk.client.delete(path).status_code == 200
    assert desk.get(path) == shipped


def test_runbook_with_a_mistake_is_refused_with_its_line(desk: Any) -> None:
    bad = _TEXT.replace("error_rate", "no_such_measure")
    answer = desk.client.put("/api/v1/runbooks/stale_index", json={"markdown": bad})

    assert answer.status_code == 400
    assert "line 5" in answer.json()["error"]["message"]
    assert answer.json()["error"]["field"].startswith("check")
    assert desk.client.get("/api/v1/runbooks/no_such").status_code == 404
