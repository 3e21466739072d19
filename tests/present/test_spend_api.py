"""Spend over the API: top, gaps, allocation and the explained change, over a real ledger."""

from __future__ import annotations

import math

import pytest

from measures.settled_rows import step_row
from support.house import NOW_MS

NOW_S = NOW_MS // 1000
DAY_S = 86_400


def call(desk, ago_s, **values):
    """One charged call, some time ago."""
    known = {
        "is_billable": 1, "has_usage": 1, "input_tokens": 1000, "output_tokens": 100,
        "provider": "openai", "model": "m", "cost_source": "computed",
        "cost_input_usd": 0.002, "cost_output_usd": 0.001, "cost_usd": 0.003,
    }  # fmt: skip
    return step_row(desk.project, NOW_S - ago_s, **known | values)


def unknown(desk, ago_s, **values):
    priceless = {"cost_usd": None, "cost_source": "unknown", "cost_input_usd": 0.0}
    return call(desk, ago_s, **priceless, cost_output_usd=0.0, **values)


def insert(desk, rows):
    desk.house.engine.insert("steps", rows)


def test_the_top_users_are_listed_with_the_rest_beside_them(desk):
    rows = [call(desk, 600, user=f"u{n}", cost_usd=float(n)) for n in range(1, 6)]
    rows += [call(desk, 600, user="u5", cost_usd=1.0), unknown(desk, 600, user="u9")]
    insert(desk, rows)

    top = desk.get("/api/v1/spend/top", key="user", limit=2)

    assert [(row["value"], row["cost_usd"]) for row in top["rows"]] == [("u5", 6.0), ("u4", 4.0)]
    assert top["total_usd"] == 16.0
    assert top["others"]["cost_usd"] == 6.0
    assert top["others"]["unknown_cost_calls"] == 1
    assert top["total"] == {"n": 6}
    assert top["rows"][0]["share"] == 6.0 / 16.0


def test_a_group_of_unknown_cost_alone_has_none(desk):
    insert(desk, [unknown(desk, 600, user="a")])

    top = desk.get("/api/v1/spend/top", key="user")

    assert top["rows"][0]["cost_usd"] is None
    assert top["total_usd"] is None
    assert top["rows"][0]["share"] is None


def test_a_cancelled_row_is_not_spent(desk):
    row = call(desk, 600, team="a", user="a")
    insert(desk, [row])
    insert(desk, [{**row, "sign": -1}])

    for key in ("team", "user"):
        assert desk.get("/api/v1/spend/top", key=key)["rows"] == []


def test_the_untagged_share_is_of_cost_and_of_calls(desk):
    insert(
        desk,
        [
            call(desk, 600, team="a", cost_usd=3.0),
            call(desk, 600, cost_usd=1.0),
            unknown(desk, 600),
            unknown(desk, 600, team="a", user="u"),
        ],
    )

    gaps = {gap["dimension"]: gap for gap in desk.get("/api/v1/spend/untagged")["dimensions"]}

    assert gaps["team"]["cost_share"] == 0.25
    assert gaps["team"]["call_share"] == 0.5
    assert gaps["user"]["call_share"] == 0.75
    assert gaps["model"]["cost_share"] == 0.0


@pytest.mark.parametrize(("weight", "of_a"), [("tokens", 0.5), ("calls", 0.5), ("cost", 0.75)])
def test_a_shared_cost_is_spread_by_usage(desk, weight, of_a):
    insert(
        desk,
        [
            call(desk, 600, team="a", cost_usd=3.0),
            call(desk, 600, team="b", cost_usd=1.0),
            call(desk, 600, team="gateway", feature="gateway", cost_usd=100.0),
        ],
    )

    found = desk.get(
        "/api/v1/spend/allocation", weight=weight, shared="team:gateway", filter="team:a,b"
    )

    assert found["shared_usd"] == 100.0
    assert {row["value"]: row["allocated_usd"] for row in found["rows"]} == {
        "a": 100 * of_a,
        "b": 100 * (1 - of_a),
    }
    assert found["unallocated_usd"] == 0.0


def test_an_amount_that_does_not_divide_is_spread_to_the_last_part(desk):
    insert(desk, [call(desk, 600, team=team) for team in "abc"])

    found = desk.get("/api/v1/spend/allocation", amount_usd="100", weight="calls")

    assert round(math.fsum(row["allocated_usd"] for row in found["rows"]), 9) == 100.0
    assert max(row["allocated_usd"] for row in found["rows"]) == 33.333333334


def test_a_shared_cost_that_nobody_used_stays_whole(desk):
    found = desk.get("/api/v1/spend/allocation", amount_usd="7.5")

    assert (found["rows"], found["unallocated_usd"]) == ([], 7.5)


def test_untagged_calls_bear_their_part_or_are_spread(desk):
    insert(desk, [call(desk, 600, team="a"), call(desk, 600)])

    kept = desk.get("/api/v1/spend/allocation", amount_usd="10")
    spread = desk.get("/api/v1/spend/allocation", amount_usd="10", untagged="spread")

    assert {row["value"]: row["allocated_usd"] for row in kept["rows"]} == {"a": 5.0, "": 5.0}
    assert {row["value"]: row["allocated_usd"] for row in spread["rows"]} == {"a": 10.0}


def question(**more):
    return {
        "before": {"from": "-2d", "to": "-1d"},
        "after": {"from": "-1d", "to": "now"},
        **more,
    }


def test_a_loop_that_grew_explains_the_change(desk):
    rows = []
    for n in range(20):
        trace = f"{n:032x}"
        rows.append(call(desk, DAY_S + 7200, trace_id=trace, feature="chat"))
        rows += [
            call(desk, 7200, trace_id=f"{n + 100:032x}", feature="chat", span_id=f"{k:016x}")
            for k in range(3)
        ]
    rows += [unknown(desk, 7200, feature="chat") for _ in range(4)]
    insert(desk, rows)

    found = desk.post("/api/v1/spend/explain", question())

    assert found["before_usd"] == pytest.approx(0.06)
    assert found["after_usd"] == pytest.approx(0.18)
    first = found["parts"][0]
    assert first["factor"] == "loop"
    assert first["words"] == "first calls per request 1.00 → 3.00"
    assert first["share"] == pytest.approx(1.0)
    assert abs(sum(part["usd"] for part in found["parts"]) - found["change_usd"]) < 1e-9
    assert found["unknown"] == {"before_calls": 0, "after_calls": 4}


def test_a_model_that_took_over_is_mix_and_the_segments_add_up(desk):
    rows = [call(desk, DAY_S + 7200, model="cheap", feature="chat") for _ in range(10)]
    rows += [
        call(desk, 7200, model="dear", feature="chat", cost_input_usd=0.02, cost_output_usd=0.01,
             cost_usd=0.03)
        for _ in range(10)
    ]  # fmt: skip
    insert(desk, rows)

    found = desk.post("/api/v1/spend/explain", question(filter="feature:chat"))

    assert found["parts"][0]["factor"] == "mix"
    assert sum(s["change_usd"] for s in found["segments"]) == pytest.approx(found["change_usd"])
    assert {s["model"] for s in found["segments"]} == {"cheap", "dear"}


def test_many_segments_are_put_together_and_said_so(desk):
    rows = [
        call(desk, ago, model=f"m{n}", feature=f"f{n % 130}", cost_usd=0.003 + n / 1e6)
        for n in range(900)
        for ago in (7200, DAY_S + 7200)
    ]
    insert(desk, rows)

    found = desk.post("/api/v1/spend/explain", question())

    assert found["segments_left_out"] == 500
    assert len(found["segments"]) == 21
    assert found["before_usd"] == pytest.approx(sum(0.003 + n / 1e6 for n in range(900)))
    assert found["change_usd"] == pytest.approx(0.0, abs=1e-9)


def test_the_minute_between_two_stretches_counts_once(desk):
    middle_s = NOW_S - DAY_S
    middle_s += 30 - middle_s % 60
    insert(desk, [call(desk, NOW_S - middle_s + offset) for offset in (20, -20, 300)])

    asked = {
        "before": {"from": middle_s - 3600, "to": middle_s},
        "after": {"from": middle_s, "to": middle_s + 3600},
    }
    found = desk.post("/api/v1/spend/explain", asked)

    assert found["before_usd"] == pytest.approx(0.003)
    assert found["after_usd"] == pytest.approx(0.006)


def test_nothing_before_and_nothing_after_is_no_change(desk):
    found = desk.post("/api/v1/spend/explain", question())

    assert (found["change_usd"], found["segments"]) == (0.0, [])
    assert {part["share"] for part in found["parts"]} == {None}


@pytest.mark.parametrize(
    ("path", "params", "field"),
    [
        ("top", {"key": "colour"}, "key"),
        ("top", {"limit": 0}, "limit"),
        ("top", {"limit": 5000}, "limit"),
        ("top", {"filter": "cost_usd>"}, "filter"),
        ("allocation", {}, "amount_usd"),
        ("allocation", {"amount_usd": "1", "shared": "team:a"}, "amount_usd"),
        ("allocation", {"amount_usd": "-1"}, "amount_usd"),
        ("allocation", {"amount_usd": "1", "by": "colour"}, "key"),
    ],
)
def test_what_cannot_be_asked_names_the_field(desk, path, params, field):
    answer = desk.client.get(f"/api/v1/spend/{path}", params=params)

    assert (answer.status_code, answer.json()["error"]["field"]) == (400, field)
