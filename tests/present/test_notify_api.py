"""Targets of every kind, silences, maintenance and escalation over the API."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from sqlalchemy import delete, insert

from vagus.respond.outbox import enqueue, mark_dead
from vagus.store.meta.tables import incidents

_INCIDENT = {
    "id": "i_dead", "number": 900_000, "title": "t", "severity": "page", "state": "resolved",
    "occurred_ms": 1, "opened_ms": 1, "updated_ms": 1, "cause": "", "diagnoses": 0,
    "next_diagnosis_ms": 0,
}  # fmt: skip
_MATCHERS = [{"name": "measure", "op": "=~", "value": "latency_.+"}]


@pytest.fixture
def owner(house: Any) -> Iterator[httpx.Client]:
    """An owner's session; the targets that a test made are removed after it."""
    client = house.owner()
    yield client
    for target in client.get("/api/v1/targets").json():
        client.delete(f"/api/v1/targets/{target['id']}")


def _made(client: httpx.Client, path: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = client.post(f"/api/v1/{path}", json=body)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def test_secret_of_a_target_is_nowhere_to_be_read(owner: httpx.Client) -> None:
    path = "services/T0/B0/verysecret"
    key = "abcdefgh" * 4
    slack = {"name": "s", "kind": "slack", "url": f"https://hooks.slack.example/{path}"}
    pager = {"name": "p", "kind": "pagerduty", "url": "https://pd.example/x", "secret": key}
    shown = [_made(owner, "targets", body) for body in (slack, pager)]

    assert shown[0]["url"] == "https://hooks.slack.example/…"
    assert [target["secret"] for target in shown] == ["", ""]
    for place in ("targets", "audit"):
        text = owner.get(f"/api/v1/{place}").text
        assert "verysecret" not in text
        assert key not in text


def test_trial_of_a_target_says_what_came_back_and_is_recorded(owner: httpx.Client) -> None:
    target = _made(owner, "targets", {"name": "w", "url": "http://127.0.0.1:8080/x"})
    answer = owner.post(f"/api/v1/targets/{target['id']}/test").json()

    assert (answer["delivered"], answer["status"]) == (False, 0)
    assert "private, local or reserved" in answer["error"]
    assert owner.get("/api/v1/audit").json()[0]["action"] == "target.test"
    assert owner.post("/api/v1/targets/t_none/test").status_code == 404


def test_silence_is_made_previewed_listed_and_ended(owner: httpx.Client) -> None:
    now_ms = int(time.time() * 1000)
    body = {"reason": "known", "matchers": _MATCHERS, "ends_ms": now_ms + 3_600_000}
    preview = owner.post("/api/v1/silences/preview", json={"matchers": _MATCHERS})
    assert preview.json()["incidents"] == len(preview.json()["incident_numbers"])
    made = _made(owner, "silences", body)
    assert (made["state"], made["matchers"]) == ("active", _MATCHERS)

    assert owner.delete(f"/api/v1/silences/{made['id']}").status_code == 200
    (listed,) = [s for s in owner.get("/api/v1/silences").json() if s["id"] == made["id"]]
    assert listed["state"] == "ended"
    assert owner.delete(f"/api/v1/silences/{made['id']}").status_code == 404
    too_long = body | {"ends_ms": now_ms + 31 * 86_400_000}
    refused = owner.post("/api/v1/silences", json=too_long)
    assert (refused.status_code, "30 days" in refused.text) == (400, True)


def test_maintenance_window_says_when_it_holds_next(owner: httpx.Client) -> None:
    body = {
        "name": "backup",
        "start": "2026-01-05T02:00",
        "minutes": 60,
        "timezone": "Europe/Berlin",
        "repeat": "weekly",
    }
    made = _made(owner, "maintenance", body)
    assert made["next_end_ms"] - made["next_start_ms"] == 3_600_000
    assert owner.get("/api/v1/maintenance").json() == [made]
    assert owner.delete(f"/api/v1/maintenance/{made['id']}").status_code == 200

    for wrong in ({"timezone": "Mars/Base"}, {"start": "soon"}, {"weekdays": [9]}):
        assert owner.post("/api/v1/maintenance", json=body | wrong).status_code == 400


def test_escalation_names_targets_that_are_there(owner: httpx.Client) -> None:
    target = _made(owner, "targets", {"name": "w", "url": "https://hooks.example/x"})
    steps = [{"after_min": 0, "targets": [target["id"]]}]
    assert owner.put("/api/v1/escalation/page", json={"steps": steps}).status_code == 200
    assert owner.get("/api/v1/escalation").json() == [{"severity": "page", "steps": steps}]
    unknown = {"steps": [{"after_min": 0, "targets": ["t_none"]}]}
    assert owner.put("/api/v1/escalation/page", json=unknown).status_code == 400
    assert owner.put("/api/v1/escalation/huge", json={"steps": steps}).status_code == 400
    assert owner.delete("/api/v1/escalation/page").status_code == 200


def test_a_dead_notification_is_listed_and_given_another_day(
    owner: httpx.Client, house: Any
) -> None:
    target = _made(owner, "targets", {"name": "w", "url": "https://hook.example/x"})
    words = {"project": target["project"], "incident_id": "i_dead", "kind": "opened"}
    with house.meta.begin() as connection:
        connection.execute(insert(incidents).values(project=target["project"], **_INCIDENT))
        enqueue(connection, **words, key="opened", body={}, now_ms=1, only=[target["id"]])
    (waiting,) = owner.get("/api/v1/targets/deliveries?state=waiting").json()
    replay = f"/api/v1/targets/deliveries/{waiting['id']}/replay"
    assert owner.post(replay).status_code == 404
    mark_dead(house.meta, waiting["id"], "410", 2)

    (dead,) = owner.get("/api/v1/targets/deliveries?state=dead").json()
    assert (dead["id"], dead["error"], dead["state"]) == (waiting["id"], "410", "dead")
    assert owner.post(replay).status_code == 200
    assert owner.get("/api/v1/targets/deliveries?state=dead").json() == []
    assert owner.get("/api/v1/audit").json()[0]["action"] == "delivery.replay"
    assert owner.get("/api/v1/targets/deliveries?state=lost").status_code == 400

    owner.delete(f"/api/v1/targets/{target['id']}")
    with house.meta.begin() as connection:
        connection.execute(delete(incidents).where(incidents.c.id == "i_dead"))


def test_a_target_is_changed_and_a_new_url_has_a_new_secret(owner: httpx.Client) -> None:
    target = _made(owner, "targets", {"name": "w", "url": "https://hook.example/x"})
    path = f"/api/v1/targets/{target['id']}"
    same = {"name": "renamed", "url": target["url"], "enabled": False}
    kept = owner.put(path, json=same).json()
    assert (kept["name"], kept["enabled"], kept["secret"]) == ("renamed", False, "")
    moved = owner.put(path, json={**same, "url": "https://else.example/y"}).json()
    assert moved["secret"] not in ("", target["secret"])
    assert owner.put("/api/v1/targets/t_none", json=same).status_code == 404
