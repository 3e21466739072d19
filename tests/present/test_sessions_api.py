"""Sessions: what a conversation took, its turns in order, and what nobody can know."""

from __future__ import annotations

import pytest

from support.house import NOW_MS

NOW_S = NOW_MS // 1000


def turn(project, number, session, **more):
    start_s = NOW_S - 3000 + number * 20
    return {
        "project": project,
        "trace_id": f"{number:032x}",
        "minute": start_s // 60 * 60,
        "start": f"{start_s}.{number:06d}",
        "version": 1,
        "sign": 1,
        "session": session,
        "duration_ms": 1000.0,
        "status": "ok",
        "billable_calls": 1,
        "input_tokens": 10,
        "output_tokens": 5,
        "cost_usd": 0.5,
        "input": f"question {number}",
        "output": f"answer {number}",
        **more,
    }


@pytest.fixture
def talks(house, desk):
    """Thirty sessions of one to three turns; one of them settled again with another cost."""
    rows = [
        turn(desk.project, number * 3 + again, f"talk {number:02d}", user="ada")
        for number in range(30)
        for again in range(number % 3 + 1)
    ]
    first = rows[0]
    rows.append({**first, "sign": -1})
    rows.append({**first, "version": 2, "cost_usd": 9.0, "status": "error"})
    rows.append(turn(desk.project, 999, "", user="nobody"))
    house.engine.insert("traces", rows)
    return desk


def pages(desk, path, key, **params):
    rows, cursor = [], ""
    while True:
        page = desk.get(path, **params, cursor=cursor)
        rows += page[key]
        if page["next_cursor"] is None:
            return rows
        cursor = page["next_cursor"]


@pytest.mark.parametrize("sort", ["last", "cost", "turns", "duration"])
@pytest.mark.parametrize("order", ["asc", "desc"])
def test_pages_give_every_session_once_in_order(talks, sort, order):
    rows = pages(talks, "/api/v1/sessions", "rows", sort=sort, order=order, limit=7)
    keys = {"last": "last_ms", "cost": "cost_usd", "turns": "turns", "duration": "duration_ms"}
    values = [row[keys[sort]] for row in rows]
    assert len({row["session"] for row in rows}) == len(rows) == 30
    assert values == sorted(values, reverse=order == "desc")


def test_a_session_adds_up_its_turns_as_they_are_now(talks):
    (row,) = talks.get("/api/v1/sessions", filter='session:"talk 00"')["rows"]
    assert (row["turns"], row["cost_usd"], row["errors"], row["user"]) == (1, 9.0, 1, "ada")
    (row,) = talks.get("/api/v1/sessions", filter='session:"talk 05"')["rows"]
    assert (row["turns"], row["cost_usd"], row["input_tokens"]) == (3, 1.5, 30)
    assert (row["first_input"], row["last_output"]) == ("question 15", "answer 17")
    assert row["duration_ms"] == 41_000


def test_sessions_are_filtered_by_what_a_row_also_sums_up(talks):
    found = talks.get("/api/v1/sessions", filter="user:ada cost_usd>1 duration_ms>500")["rows"]
    assert [row["session"] for row in found] == ["talk 00"]
    assert talks.get("/api/v1/sessions", filter="user:nobody")["rows"] == []


def test_a_session_with_unknown_cost_says_so(house, desk):
    rows = [
        turn(desk.project, 1, "half", cost_usd=0.25),
        turn(desk.project, 2, "half", cost_usd=0.0, unknown_cost_calls=1),
        turn(desk.project, 3, "none", cost_usd=0.0, unknown_cost_calls=1),
    ]
    house.engine.insert("traces", rows)
    found = {row["session"]: row for row in desk.get("/api/v1/sessions")["rows"]}
    assert (found["half"]["cost_usd"], found["half"]["cost_known"]) == (0.25, False)
    assert (found["none"]["cost_usd"], found["none"]["cost_known"]) == (None, False)


def test_turns_come_in_order_and_page_by_page(talks):
    detail = talks.get("/api/v1/sessions/talk 05")
    assert [t["input"] for t in detail["turns"]] == ["question 15", "question 16", "question 17"]
    assert detail["session"]["turns"] == 3
    paged = pages(talks, "/api/v1/sessions/talk 05", "turns", limit=2)
    assert [t["trace_id"] for t in paged] == [t["trace_id"] for t in detail["turns"]]


def test_a_session_may_be_named_anything(house, desk):
    name = "a/b?c=\"d'; DROP TABLE traces --"
    house.engine.insert("traces", [turn(desk.project, 1, name)])
    answer = desk.client.get(
        "/api/v1/sessions/" + "a%2Fb%3Fc=%22d'%3B%20DROP%20TABLE%20traces%20--"
    )
    assert answer.status_code == 200
    assert answer.json()["session"]["session"] == name


def test_an_unknown_session_is_not_found(talks):
    answer = talks.client.get("/api/v1/sessions/nobody")
    assert answer.status_code == 404
    assert answer.json()["error"]["field"] == "session"


@pytest.mark.parametrize(
    ("params", "field"), [({"sort": "name"}, "sort"), ({"cursor": "e30"}, "cursor")]
)
def test_a_wrong_question_about_sessions_names_its_field(talks, params, field):
    answer = talks.client.get("/api/v1/sessions", params=params)
    assert answer.status_code == 400
    assert answer.json()["error"]["field"] == field
