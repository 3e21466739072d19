"""People work on an incident over the API."""

from __future__ import annotations

from typing import Any

import pytest

from support.house import NOW_MS, a_trace
from vagus.model.episode import Episode, State
from vagus.respond.lifecycle import respond


@pytest.fixture
def base(house: Any, desk: Any) -> str:
    """The address of an incident that opened by itself."""
    episode = Episode(
        episode_id=f"e-{desk.project}",
        project=desk.project,
        monitor_id="m",
        monitor="Error rate",
        measure="error_rate",
        group={},
        severity="page",
        state=State.FIRING,
        onset_ms=NOW_MS - 60_000,
        fired_ms=NOW_MS,
    )
    outcome = respond(house.meta, [episode], lambda _: None, NOW_MS)
    return f"/api/v1/incidents/{outcome.opened[0]}"


def test_incident_is_described_moved_and_closed(desk: Any, base: str) -> None:
    said = {"level": "SEV2", "roles": {"lead": "Ada"}, "affected": [{"name": "shop", "count": 3}]}
    assert desk.client.patch(base, json=said).status_code == 200
    desk.client.patch(base, json={"aware_ms": NOW_MS - 30_000})
    desk.post(f"{base}/phase", {"phase": "monitoring", "note": "rolled back"})
    assert desk.get("/api/v1/incidents", state="open")[0]["phase"] == "monitoring"
    for phase in ("resolved", "review", "closed"):
        desk.post(f"{base}/phase", {"phase": phase})

    shown = desk.get(base)
    assert {name: shown[name] for name in said} == said
    assert (shown["state"], shown["phase"]) == ("closed", "closed")
    assert shown["clocks"]["aware_ms"] == NOW_MS - 30_000
    assert shown["clocks"]["ttd_ms"] == 60_000
    assert desk.get("/api/v1/incidents", state="open") == []


def test_cause_is_accepted_with_a_reason(desk: Any, base: str) -> None:
    body = {"cause": "provider_outage", "verdict": "accepted", "reason": "their status page"}
    desk.post(f"{base}/cause", body)
    refused = desk.client.post(f"{base}/cause", json=body | {"reason": ""})

    shown = desk.get(base)
    assert (shown["cause"], shown["accepted_cause"]) == ("provider_outage", "provider_outage")
    assert refused.json()["error"]["field"] == "reason"


def test_links_and_actions_are_listed(desk: Any, base: str) -> None:
    desk.post(f"{base}/links", {"kind": "trace", "ref": "ab" * 16})
    action = {"words": "alert sooner", "owner": "Ada", "due_ms": NOW_MS, "verify": "error_rate"}
    made = desk.post(f"{base}/actions", action)
    path = f"{base}/actions/{made['id']}"
    assert desk.client.put(path, json={"state": "done"}).status_code == 200

    assert desk.get(f"{base}/links")[0]["ref"] == "ab" * 16
    (kept,) = desk.get(f"{base}/actions")
    assert kept | action == kept
    assert kept["state"] == "done"


def test_levels_say_when_to_choose_them(desk: Any) -> None:
    levels = desk.get("/api/v1/incident-levels")

    assert [level["level"] for level in levels] == ["SEV1", "SEV2", "SEV3", "SEV4"]


def test_stranger_sees_nothing_of_it(house: Any, base: str) -> None:
    stranger = house.client(house.key("response-stranger"))

    assert stranger.patch(base, json={"level": "SEV1"}).status_code == 404
    assert stranger.get(f"{base}/links").status_code == 404
    assert stranger.get(f"{base}/actions").status_code == 404


def test_post_mortem_has_the_numbers_of_the_telemetry(desk: Any, base: str) -> None:
    for _ in range(3):
        desk.send(a_trace()[1])
    answer = desk.client.get(f"{base}/postmortem.md")

    assert answer.headers["content-type"].startswith("text/markdown")
    assert answer.text.startswith("# Post-mortem of incident 1: Error rate")
    (row,) = [line for line in answer.text.splitlines() if line.startswith("| `error_rate`")]
    assert "n = 3" in row


def test_action_is_verified_by_a_query_that_can_be_asked(desk: Any, base: str) -> None:
    refused = desk.client.post(f"{base}/actions", json={"words": "x", "verify": "no_such by y"})

    assert refused.status_code == 400
