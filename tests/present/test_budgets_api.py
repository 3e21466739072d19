"""Budgets over the API, from the ledger to the alert."""

from __future__ import annotations

import pytest

from measures.settled_rows import step_row
from support.house import NOW_MS, good
from vagus.assess.cost.spending import Spending
from vagus.respond.incident import list_incidents
from vagus.respond.lifecycle import respond
from vagus.store.meta.access.projects import ensure_project
from vagus.watch.spend import watch_spend

NOW_S = NOW_MS // 1000
HOUR_S = 3600
DAY_S = 86_400


def spend(desk, ago_s, usd, **values):
    """One charged call, some time ago; usd None is unknown."""
    source = "unknown" if usd is None else "computed"
    row = step_row(
        desk.project, NOW_S - ago_s, is_billable=1, cost_usd=usd, cost_source=source, **values
    )
    desk.house.engine.insert("steps", [row])


def put(desk, budget_id="b", **values):
    return good(
        desk.client.put(
            f"/api/v1/budgets/{budget_id}",
            json={"name": "Team A", "amount_usd": 100.0, "period": "rolling", "days": 7, **values},
        )
    )


@pytest.mark.parametrize("scope", ["team:a", "user:u1"])
def test_a_budget_says_what_is_spent_in_its_scope(desk, scope):
    spend(desk, HOUR_S, 30.0, team="a", user="u1")
    spend(desk, HOUR_S, None, team="a", user="u1")
    spend(desk, HOUR_S, 500.0, team="b", user="u2")
    spend(desk, 8 * DAY_S, 500.0, team="a", user="u1")

    made = put(desk, filter=scope)

    assert (made["spent_usd"], made["unknown_cost_calls"]) == (30.0, 1)
    assert (made["share_spent"], made["left_usd"]) == (0.3, 70.0)
    assert made["burn_usd_per_day"] == pytest.approx(30 / 7, rel=0.01)
    assert made["forecast"] is None
    assert desk.get("/api/v1/budgets") == [made]


def test_spend_of_which_nothing_is_known_is_unknown(desk):
    spend(desk, HOUR_S, None)

    assert put(desk)["spent_usd"] is None


def test_a_budget_without_calls_has_spent_nothing(desk):
    assert put(desk)["spent_usd"] == 0.0


def test_the_forecast_has_an_interval_around_what_the_days_say(desk):
    for day in range(30):
        for hour in range(24):
            spend(desk, day * DAY_S + hour * HOUR_S + 60, (10 + day % 3) / 24)

    month = put(desk, period="month", days=None, amount_usd=100.0)
    week = put(desk, "c", amount_usd=100.0)

    forecast = month["forecast"]
    assert forecast["low_usd"] <= forecast["expected_usd"] <= forecast["high_usd"]
    assert forecast["expected_usd"] == pytest.approx(330, rel=0.05)
    assert forecast["over_chance"] > 0.99
    assert week["forecast"]["expected_usd"] == pytest.approx(77, rel=0.1)
    assert week["forecast"]["over_chance"] < 0.1


def refreshed(desk):
    """The budgets as the worker of a server reads them."""
    spending = Spending(desk.house.engine, desk.house.meta, desk.house.services.gate)
    spending.refresh(NOW_MS)
    return spending


def test_the_check_answers_from_the_last_look(desk):
    spend(desk, HOUR_S, 99.0, team="a")
    put(desk, filter="team:a", action="block")
    refreshed(desk)

    allowed = desk.get("/api/v1/budgets/check", team="a", model="m", estimate_usd=0.5)
    refused = desk.get("/api/v1/budgets/check", team="a", estimate_usd=1.5)
    elsewhere = desk.get("/api/v1/budgets/check", team="b", estimate_usd=1e6)

    assert (allowed["allowed"], allowed["known"], allowed["age_ms"]) == (True, True, 0)
    assert allowed["budgets"][0]["left_usd"] == 1.0
    assert (refused["allowed"], elsewhere["allowed"]) == (False, True)
    assert refused["reason"] == "the budget 'Team A' has $99.00 of $100.00 spent"


def test_a_check_with_an_unknown_dimension_is_refused(desk):
    answer = desk.client.get("/api/v1/budgets/check", params={"colour": "red"})

    assert (answer.status_code, answer.json()["error"]["field"]) == (400, "colour")


def test_a_reached_share_becomes_an_incident_that_ends_with_the_budget(desk):
    house = desk.house
    spend(desk, HOUR_S, 85.0, team="a")
    put(desk, filter="team:a")
    own = [s for s in refreshed(desk).standings if s.budget.project == desk.project]

    opened = watch_spend(house.meta, own, NOW_S)
    again = watch_spend(house.meta, own, NOW_S + 60)
    episodes = [t.episode for t in opened if t.episode.project == desk.project]
    respond(house.meta, episodes, lambda episode: None, NOW_MS)
    (incident,) = list_incidents(house.meta, desk.project)
    good(desk.client.delete("/api/v1/budgets/b"))
    ended = watch_spend(house.meta, [], NOW_S + 120)
    gone = [t for t in ended if t.episode.project == desk.project]

    assert sorted(e.group["alert"] for e in episodes) == ["0.5", "0.8"]
    assert again == []
    assert incident.title.startswith("Budget Team A in alert=")
    assert len(incident.episodes) == 2
    assert {t.kind for t in gone} == {"resolved"}


def test_a_deleted_budget_is_gone(desk):
    put(desk)

    good(desk.client.delete("/api/v1/budgets/b"))

    assert desk.get("/api/v1/budgets") == []
    assert desk.client.delete("/api/v1/budgets/b").status_code == 404


def test_budgets_stay_in_their_project(house, desk):
    put(desk)
    with house.meta.begin() as connection:
        ensure_project(connection, "elsewhere", "Elsewhere", NOW_MS)
    other = house.client(house.key("elsewhere"))

    assert good(other.get("/api/v1/budgets")) == []
    assert other.delete("/api/v1/budgets/b").status_code == 404


def test_what_no_budget_can_be_names_its_field(desk):
    for change, field in (
        ({"amount_usd": -1}, "amount_usd"),
        ({"filter": "colour:red"}, "filter"),
        ({"timezone": "Mars"}, "timezone"),
        ({"days": None}, "days"),
        ({"surprise": 1}, "surprise"),
    ):
        body = {"name": "x", "amount_usd": 1.0, "period": "rolling", "days": 7, **change}
        answer = desk.client.put("/api/v1/budgets/b", json=body)
        assert (answer.status_code, answer.json()["error"]["field"]) == (400, field)
