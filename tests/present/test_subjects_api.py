"""Measures, scores, changes, incidents, monitors, settings, keys and SQL over the API."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from sqlalchemy import insert

from support.house import NOW_MS, House, a_trace, good
from vagus.model.episode import Episode, State
from vagus.model.finding import Evidence, Finding, Hypothesis
from vagus.present.api.build import SUBJECTS
from vagus.respond.lifecycle import respond
from vagus.store.meta.tables import monitors
from vagus.watch.defaults import ensure_defaults

DOCS = Path(__file__).parents[2] / "docs"
NOW_S = NOW_MS // 1000


def test_the_catalogue_is_listed(desk):
    measures = {measure["id"]: measure for measure in desk.get("/api/v1/measures")}

    assert {"requests", "error_rate", "latency_p95", "cost"} <= set(measures)
    assert "model" in measures["cost"]["dimensions"]
    assert all(measure["help"] for measure in measures.values())


def test_a_slice_is_the_same_by_get_and_by_post(desk):
    for _ in range(3):
        desk.send(a_trace()[1])

    asked = {"measure": "requests", "from": "-1h", "to": "now", "step": 600}
    posted = desk.post("/api/v1/slice", asked | {"by": ["service", "kind"]})
    got = desk.get("/api/v1/slice", **asked, by="service,kind")

    assert posted == got
    (series,) = got["series"]
    assert series["key"] == ["shop", "agent"]
    assert series["total"]["value"] == 3
    assert sum(point["value"] for point in series["points"]) == 3
    assert (got["by"], got["step"], got["truncated"]) == (["service", "kind"], 600, 0)


def test_times_are_numbers_or_text(desk):
    asked = {"measure": "requests", "from": NOW_S - 600, "to": NOW_S}
    texts = {name: str(value) for name, value in asked.items()}

    assert desk.post("/api/v1/slice", asked) == desk.post("/api/v1/slice", texts)
    answer = desk.client.post("/api/v1/slice", json=asked | {"from": 1e30})
    assert answer.json()["error"]["field"] == "from"


def test_an_unknown_ratio_is_null(desk):
    (series,) = desk.get("/api/v1/slice", measure="error_rate")["series"]

    assert series["total"]["value"] is None


def test_a_slice_that_cannot_be_asked_names_the_field(desk):
    for body, field in (
        ({"measure": "nothing"}, "measure"),
        ({"measure": "requests", "by": ["colour"]}, "by"),
        ({"measure": "requests", "from": "x"}, "from"),
        ({"measure": "requests", "step": 7}, "step"),
        ({"measure": "requests", "unknown": 1}, "unknown"),
        ({}, "measure"),
    ):
        answer = desk.client.post("/api/v1/slice", json=body)
        assert (answer.status_code, answer.json()["error"]["field"]) == (400, field)


def test_facets_count_values(desk):
    for _ in range(2):
        desk.send(a_trace()[1])

    facets = desk.get("/api/v1/facets", dims="service,model")

    assert facets["service"] == [{"value": "shop", "count": 2}]
    assert facets["model"][0]["count"] == 2


def test_scores_are_taken_one_or_many_and_listed(desk):
    one = desk.post(
        "/api/v1/scores", {"session": "s", "name": "csat", "value": 4, "source": "user"}
    )
    two = desk.post(
        "/api/v1/scores", [{"trace_id": "AB" * 16, "name": "thumbs", "passed": p} for p in (1, 0)]
    )

    scores = desk.get("/api/v1/scores", filter="name:thumbs")

    assert (one, two) == ({"accepted": 1}, {"accepted": 2})
    assert sorted(score["passed"] for score in scores) == [False, True]
    assert {score["trace_id"] for score in scores} == {"ab" * 16}


@pytest.mark.parametrize(
    ("score", "field"),
    [
        ({"name": "x", "value": 1}, "trace_id"),
        ({"name": "x", "trace_id": "ab" * 16}, "value"),
        ({"trace_id": "ab" * 16, "value": 1}, "name"),
        ({"name": "x", "trace_id": "not hex", "value": 1}, "trace_id"),
        ({"name": "x", "trace_id": "ab" * 16, "value": "NaN"}, "value"),
    ],
)
def test_a_wrong_score_names_its_field(desk, score, field):
    answer = desk.client.post("/api/v1/scores", json=score)

    assert answer.status_code == 400
    assert answer.json()["error"]["field"].split(".")[-1] == field


def test_a_change_is_told_and_read_back(desk):
    told = desk.post(
        "/api/v1/changes",
        {"kind": "deploy", "after": "v2", "time": NOW_S - 60, "scope": {"env": "p"}},
    )
    future = desk.client.post("/api/v1/changes", json={"kind": "deploy", "time": NOW_S + 9e5})

    assert [change["change_id"] for change in desk.get("/api/v1/changes")] == [told["change_id"]]
    assert (told["source"], told["time_ms"]) == ("told", (NOW_S - 60) * 1000)
    assert future.json()["error"]["field"] == "time"


@pytest.fixture
def incident(house, desk):
    """An incident that opened by itself from a firing episode."""
    episode = Episode(
        episode_id=f"e-{desk.project}",
        project=desk.project,
        monitor_id="m",
        monitor="Groundedness",
        measure="groundedness",
        group={"feature": "help"},
        severity="page",
        state=State.FIRING,
        onset_ms=NOW_MS - 60_000,
        fired_ms=NOW_MS,
    )
    finding = Finding(
        measure="groundedness",
        project=desk.project,
        onset_ms=NOW_MS - 60_000,
        window=(NOW_MS - 60_000, NOW_MS),
        reference=(NOW_MS - 120_000, NOW_MS - 60_000),
        verdict="identified",
        summary="The index is stale.",
        hypotheses=[
            Hypothesis(
                cause="stale_index",
                title="A stale index",
                probability=0.9,
                evidence=[Evidence(statement="documents are older", weight=2.0)],
            )
        ],
    )
    outcome = respond(house.meta, [episode], lambda _: finding, NOW_MS)
    return outcome.opened[0]


def test_an_incident_shows_its_diagnosis_and_runbook(desk, incident):
    (listed,) = desk.get("/api/v1/incidents", state="open")
    detail = desk.get(f"/api/v1/incidents/{incident}")

    (hypothesis,) = listed["finding"]["hypotheses"]
    assert (hypothesis["cause"], hypothesis["probability"]) == ("stale_index", 0.9)
    assert hypothesis["against"] == []
    assert listed["episodes"][0]["group"] == {"feature": "help"}
    assert detail["runbook"]["markdown"].startswith("# ")
    assert detail["events"][0]["kind"] == "opened"
    assert desk.get("/api/v1/incidents", state="resolved") == []


def test_people_act_on_an_incident(house, desk, incident):
    base = f"/api/v1/incidents/{incident}"
    desk.post(f"{base}/acknowledge", {})
    desk.post(f"{base}/note", {"note": "looking"})
    desk.post(f"{base}/resolve", {"note": "rebuilt"})

    kinds = [event["kind"] for event in desk.get(base)["events"]]
    again = desk.client.post(f"{base}/resolve", json={})
    stranger = house.client(house.key("incident-stranger"))

    assert kinds[-3:] == ["acknowledged", "note", "resolved"]
    assert desk.get(base)["state"] == "resolved"
    assert again.status_code == 400
    assert stranger.get(base).status_code == 404
    assert stranger.post(f"{base}/note", json={"note": "x"}).status_code == 404


def test_monitors_and_objectives_show_their_state(house, desk):
    ensure_defaults(house.meta, desk.project, NOW_MS)

    monitors_now = desk.get("/api/v1/monitors")
    (slo, *_) = desk.get("/api/v1/slos")

    assert len(monitors_now) >= 4
    assert monitors_now[0]["judged_until_ms"] is None
    assert slo["budget"]["state"] == "insufficient_data"
    assert slo["budget"]["spent"] is None


def test_a_monitor_is_put_and_put_again(desk):
    spec = {
        "name": "Errors",
        "measure": "error_rate",
        "rule": {"type": "threshold", "op": ">", "value": 0.1},
        "by": ["feature"],
    }
    first = good(desk.client.put("/api/v1/monitors/errors", json=spec))
    second = good(desk.client.put("/api/v1/monitors/errors", json=spec | {"enabled": False}))

    (listed,) = [m for m in desk.get("/api/v1/monitors") if m["id"] == "errors"]
    assert (first["enabled"], second["enabled"], listed["enabled"]) == (True, False, False)
    assert listed["rule"]["value"] == 0.1


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"measure": "nothing"}, "measure"),
        ({"by": ["colour"]}, "by"),
        ({"filter": "colour:x"}, "filter"),
        ({"rule": {"type": "threshold", "op": "~", "value": 1}}, "rule.op"),
        ({"measure": "requests", "rule": {"type": "sequential"}}, "measure"),
    ],
)
def test_a_monitor_that_could_not_judge_is_refused(desk, change, field):
    spec = {
        "name": "x",
        "measure": "error_rate",
        "rule": {"type": "threshold", "op": ">", "value": 0.1},
    }

    answer = desk.client.put("/api/v1/monitors/x", json=spec | change)

    assert answer.status_code == 400
    assert answer.json()["error"]["field"] == field


def test_a_stored_monitor_of_another_project_is_not_listed(house, desk):
    house.key("other-monitors")
    row = {"id": "theirs", "spec": {"name": "theirs", "measure": "cost", "rule": {}}}
    row |= {"project": "other-monitors", "enabled": True, "created_ms": 1, "updated_ms": 1}
    with house.meta.begin() as connection:
        connection.execute(insert(monitors).values(**row))

    assert all(monitor["id"] != "theirs" for monitor in desk.get("/api/v1/monitors"))


def test_settings_say_their_source_and_hide_passwords(desk):
    settings = {row["key"]: row for row in desk.get("/api/v1/settings")}

    assert settings["store.meta_url"]["source"] == "flag"
    assert settings["store.meta_url"]["value"] == "postgresql://me:***@db/x"
    assert settings["server.port"]["source"] == "default"


def test_keys_and_targets_are_made_shown_once_and_recorded(house):
    owner = house.owner()
    key = good(owner.post("/api/v1/keys", json={"name": "ci", "kind": "api"}))
    target = good(
        owner.post("/api/v1/targets", json={"name": "pager", "url": "https://hooks.example/x"})
    )

    assert house.client(key["text"]).get("/api/v1/me").json()["project"] == "default"
    assert target["secret"].startswith("whsec_")
    listed = owner.get("/api/v1/keys").text + owner.get("/api/v1/targets").text
    assert key["text"] not in listed
    assert target["secret"] not in listed
    good(owner.delete(f"/api/v1/keys/{key['id']}"))
    good(owner.delete(f"/api/v1/targets/{target['id']}"))
    assert house.client(key["text"]).get("/api/v1/me").status_code == 401
    actions = [entry["action"] for entry in good(owner.get("/api/v1/audit"))]
    assert actions[:4] == ["target.delete", "key.revoke", "target.create", "key.create"]


def test_sql_answers_with_types_and_says_when_it_was_cut(desk):
    query = {"query": "SELECT number AS n, toString(number) AS s FROM numbers(5)", "limit": 3}

    body = desk.post("/api/v1/sql", query)

    assert body["columns"] == [{"name": "n", "type": "UInt64"}, {"name": "s", "type": "String"}]
    assert body["rows"] == [[0, "0"], [1, "1"], [2, "2"]]
    assert body["truncated"] is True


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("SELECT nothing FROM spans", "nothing"),
        ("SELECT name, name FROM spans", "two columns"),
        ("SELECT repeat('a', 1000000) AS a FROM numbers(100000)", "limit"),
        ("DELETE FROM spans", "SELECT"),
    ],
)
def test_sql_that_fails_says_why(desk, query, words):
    answer = desk.client.post("/api/v1/sql", json={"query": query})

    assert answer.status_code == 400
    assert words in answer.json()["error"]["message"]


def test_health_says_what_is_wrong(house, desk):
    anybody = house.client()
    ready = anybody.get("/readyz")
    house.problems.append("the write-ahead log has failed")
    broken = anybody.get("/readyz")
    house.problems.clear()

    assert anybody.get("/healthz").json() == {"status": "ok"}
    assert (ready.status_code, ready.json()["status"]) == (200, "ready")
    assert (broken.status_code, broken.json()["problems"]) == (
        503,
        ["the write-ahead log has failed"],
    )
    assert desk.get("/api/v1/health/ingest")["refused"] == {"bad_key": 2}


def test_without_sign_in_only_localhost_is_answered(engine, tmp_path):
    house = House(engine, tmp_path, auth=False)
    anybody = house.client()

    assert anybody.get("/api/v1/me").json()["role"] == "owner"
    assert anybody.get("/api/v1/me", headers={"Host": "evil.example"}).status_code == 403
    forged = {"Origin": "http://evil.example"}
    body = {"kind": "deploy"}
    assert anybody.post("/api/v1/changes", json=body, headers=forged).status_code == 403
    assert anybody.post("/api/v1/changes", json=body).status_code == 201
    house.meta.close()


def test_errors_have_one_shape(desk):
    missing = desk.client.get("/api/v1/nothing")
    method = desk.client.put("/api/v1/me")
    not_json = desk.client.post("/api/v1/slice", content=b"{", headers={"Content-Type": "x/y"})

    for answer, status in ((missing, 404), (method, 405), (not_json, 400)):
        assert answer.status_code == status
        assert set(answer.json()["error"]) == {"message", "field", "limit"}


def plain(path):
    """A path as people write it: without the words that let a name hold slashes."""
    return path.replace(":path", "")


def test_the_page_lists_every_route_and_no_other():
    page = (DOCS / "api.md").read_text()
    served = {
        f"`{method} {plain(route.path)}`"
        for subject in SUBJECTS
        for route in subject.router.routes
        for method in route.methods - {"HEAD"}
    } | {"`GET /api/v1/openapi.json`"}
    described = {
        f"`{part}`"
        for part in page.split("`")
        if part.startswith(("GET /", "POST /", "PUT /", "PATCH /", "DELETE /"))
    }

    assert described == served


def test_a_finding_keeps_every_field_on_the_wire(desk, incident):
    (listed,) = desk.get("/api/v1/incidents")

    assert set(listed["finding"]) == {f.name for f in msgspec.structs.fields(Finding)}
    episode = {f.name for f in msgspec.structs.fields(Episode)}
    assert set(listed["episodes"][0]) == episode
