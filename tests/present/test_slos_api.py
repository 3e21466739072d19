"""Objectives over the API: put, judged again, checked, overridden, and out as OpenSLO."""

from __future__ import annotations

import time
from typing import Any

import pytest

from measures.settled_rows import score_row, trace_row
from support.house import NOW_MS, good

NOW_S = NOW_MS // 1000
DAY_S = 86_400


def spec(**more: Any) -> dict[str, Any]:
    return {"name": "Errors", "measure": "error_rate", "target": 0.99, **more}


@pytest.fixture
def shop(desk: Any) -> Any:
    """Ten requests an hour over 30 days, one in a hundred failing; two days ago half of them."""
    rows = []
    for hour in range(30 * 24):
        at_s = NOW_S - 30 * DAY_S + hour * 3600 + 600
        broken = 28 * 24 <= hour < 28 * 24 + 12
        for i in range(10):
            failed = i % 2 == 0 if broken else (hour * 10 + i) % 100 == 0
            status = "error" if failed else "ok"
            rows.append(trace_row(desk.project, at_s + 60 * i, status=status))
    desk.house.engine.insert("traces", rows)
    return desk


def test_an_objective_is_put_shown_and_deleted(shop: Any) -> None:
    made = good(shop.client.put("/api/v1/slos/errors", json=spec(**{"lambda": 4})))

    assert shop.get("/api/v1/slos/errors") == made
    assert (made["lambda"], made["window_days"], made["policies"]) == (4, 30, [])
    assert made["budget"]["state"] == "exhausted"
    bad = made["budget"]["spent"] * 0.01 * made["budget"]["total"]
    assert bad == pytest.approx(60 + 71, abs=1.5)
    assert made["budget"]["sentence"].startswith("spent 18")
    assert [burn["long_min"] for burn in made["budget"]["burns"]] == [60, 360, 1440, 4320]
    good(shop.client.delete("/api/v1/slos/errors"))
    assert shop.client.get("/api/v1/slos/errors").status_code == 404


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"measure": "nothing"}, "measure"),
        ({"measure": "latency_p95"}, "measure"),
        ({"filter": "colour:x"}, "filter"),
        ({"target": 0.6}, "lambda"),
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"calendar": "decade"}, "calendar"),
        ({"policies": [{"above": 1, "action": "explode"}]}, "policies[0].action"),
        ({"judge": {"good": 20, "good_passed": 12, "bad": 20, "bad_failed": 12}}, "judge"),
        ({"judge": {"good": 2, "good_passed": 3, "bad": 2, "bad_failed": 1}}, "judge"),
    ],
)
def test_an_objective_that_cannot_be_kept_names_its_field(
    desk: Any, change: dict[str, Any], field: str
) -> None:
    answer = desk.client.put("/api/v1/slos/errors", json=spec() | change)

    assert (answer.status_code, answer.json()["error"]["field"]) == (400, field)


def test_the_line_is_dragged_over_the_last_thirty_days(shop: Any) -> None:
    targets = [0.9, 0.95, 0.99, 0.999]
    began = time.perf_counter()
    found = shop.post("/api/v1/slos/judge", {"spec": spec(), "targets": targets})
    took_s = time.perf_counter() - began

    assert took_s < 2.0
    assert sum(point["total"] for point in found["points"]) == 7200
    spent = [judged["budget"]["spent"] for judged in found["targets"]]
    assert spent == sorted(spent)
    assert spent[2] == found["judged"]["budget"]["spent"]
    (page,) = [a for a in found["judged"]["alerts"] if a["rule"] == "sequential"]
    outage_s = NOW_S - 2 * DAY_S + 600
    assert abs(page["onset_s"] - outage_s) < 3600
    assert outage_s < page["fired_s"] < outage_s + 2 * 3600
    assert found["targets"][0]["problems"][0].startswith("unfireable-alert")


def test_fifty_targets_are_judged_at_once_and_more_than_a_bound_refused(shop: Any) -> None:
    targets = [0.8 + 0.003 * i for i in range(50)]

    assert (
        len(shop.post("/api/v1/slos/judge", {"spec": spec(), "targets": targets})["targets"]) == 50
    )
    for body, field in (
        ({"spec": spec(), "targets": [0.9] * 201}, "targets"),
        ({"spec": spec(), "targets": [1.0]}, "targets"),
        ({}, "id"),
        ({"id": "a", "spec": spec()}, "id"),
    ):
        answer = shop.client.post("/api/v1/slos/judge", json=body)
        assert (answer.status_code, answer.json()["error"]["field"]) == (400, field)


def test_promotions_stop_on_a_spent_budget_until_two_people_say_otherwise(shop: Any) -> None:
    freeze = {"above": 1.0, "action": "freeze"}
    assert shop.get("/api/v1/slos/check")["allowed"]
    dry = good(shop.client.put("/api/v1/slos/errors", json=spec(policies=[freeze])))
    assert dry["policy_states"][0]["effect"] == "dry_run"
    assert shop.get("/api/v1/slos/check")["allowed"]

    body = spec(policies=[freeze | {"dry_run": False}])
    acting = good(shop.client.put("/api/v1/slos/errors", json=body))
    said = shop.get("/api/v1/slos/check")
    assert acting["policy_states"][0]["effect"] == "acting"
    assert (said["allowed"], said["known"]) == (False, True)
    assert "promotions stop above 100%" in said["reason"]

    for people, reason, field in (
        (["Ann"], "x", "people"),
        (["Ann", " ann "], "x", "people"),
        (["Ann", "Bob"], " ", "reason"),
    ):
        asked = {"people": people, "reason": reason}
        answer = shop.client.post("/api/v1/slos/errors/overrides", json=asked)
        assert (answer.status_code, answer.json()["error"]["field"]) == (400, field)
    held = shop.post(
        "/api/v1/slos/errors/overrides", {"people": ["Ann", "Bob"], "reason": "a security fix"}
    )
    assert held["expires_ms"] - held["created_ms"] == 72 * 3_600_000
    said = shop.get("/api/v1/slos/check")
    assert said["allowed"]
    assert "overridden by Ann and Bob: a security fix" in said["reason"]
    good(shop.client.delete(f"/api/v1/slos/overrides/{held['id']}"))
    assert not shop.get("/api/v1/slos/check", slo="errors")["allowed"]
    acts = [e.action for e in shop.house.audit.read(shop.project) if e.action.startswith("slo.")]
    assert acts[:2] == ["slo.override.end", "slo.override"]


def test_too_little_evidence_allows_and_says_so(desk: Any) -> None:
    freeze = {"above": 1.0, "action": "freeze", "dry_run": False}
    good(desk.client.put("/api/v1/slos/errors", json=spec(policies=[freeze])))

    said = desk.get("/api/v1/slos/check")

    assert (said["allowed"], said["known"]) == (True, False)


def test_objectives_travel_as_openslo(desk: Any) -> None:
    good(desk.client.put("/api/v1/slos/a", json=spec(calendar="month", timezone="Europe/Rome")))
    good(desk.client.put("/api/v1/slos/b", json=spec(measure="latency_ms_over_5000")))
    text = desk.client.get("/api/v1/slos.yaml").text
    before = [slo | {"created_ms": 0} for slo in desk.get("/api/v1/slos")]
    good(desk.client.delete("/api/v1/slos/a"))

    applied = good(desk.client.put("/api/v1/slos.yaml", content=text))

    assert applied == {"created": ["a"], "updated": ["b"]}
    assert [slo | {"created_ms": 0} for slo in desk.get("/api/v1/slos")] == before
    assert "latency_ms_over_5000" in desk.client.get("/api/v1/slos/b/openslo").text
    refused = desk.client.put("/api/v1/slos.yaml", content=text.replace("error_rate", "nothing"))
    assert (refused.status_code, refused.json()["error"]["field"]) == (400, "measure")


def test_sampled_verdicts_say_how_many_stand_for_how_many(desk: Any) -> None:
    rows = [
        score_row(desk.project, NOW_S - DAY_S + i * 60, passed=int(i % 20 != 0), weight=25.0)
        for i in range(800)
    ]
    desk.house.engine.insert("scores", rows)
    base = spec(measure="evaluation_pass_rate", filter="name:groundedness", target=0.9)

    raw = good(desk.client.put("/api/v1/slos/raw", json=base))["budget"]
    judge = {"good": 400, "good_passed": 388, "bad": 200, "bad_failed": 190}
    told = good(desk.client.put("/api/v1/slos/told", json=base | {"judge": judge}))["budget"]

    assert (raw["judged"], raw["total"], raw["calibration"]) == (800, 20_000, "uncalibrated")
    assert "n = 800 judged of about 20,000" in raw["sentence"]
    assert raw["spent"] == pytest.approx(0.5)
    # The judge fails 3 % of the good: of its 5 % some 2 % are left, less surely known.
    assert told["calibration"] == "calibrated"
    assert told["spent"] < raw["spent"]
    assert told["high"] - told["low"] > raw["high"] - raw["low"]


def test_another_project_sees_none_of_it(shop: Any) -> None:
    good(shop.client.put("/api/v1/slos/errors", json=spec()))
    stranger = shop.house.client(shop.house.key("slo-stranger"))

    assert stranger.get("/api/v1/slos/errors").status_code == 404
    assert stranger.get("/api/v1/slos").json() == []
    assert stranger.get("/api/v1/slos/check", params={"slo": "errors"}).status_code == 404
    posted = {"people": ["A", "B"], "reason": "x"}
    assert stranger.post("/api/v1/slos/errors/overrides", json=posted).status_code == 404
