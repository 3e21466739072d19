"""Bills over the API: imported once, held against the ledger by day and model."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from measures.settled_rows import step_row
from support.house import NOW_MS, good

NOW_S = NOW_MS // 1000
DAY_S = NOW_S - NOW_S % 86_400 - 2 * 86_400
DAY = datetime.fromtimestamp(DAY_S, UTC).date().isoformat()


def costs(items, project="p", day_s=DAY_S):
    results = [
        {
            "object": "organization.costs.result",
            "amount": {"value": usd, "currency": "usd"},
            "line_item": item,
            "project_id": project,
        }
        for item, usd in items
    ]
    return json.dumps(
        {"object": "page", "data": [{"start_time": day_s, "results": results}], "has_more": False}
    ).encode()


def post(desk, body, **params):
    return good(desk.client.post("/api/v1/bills", content=body, params=params))


def ledger(desk, model, usd, provider="openai", **values):
    source = "unknown" if usd is None else "computed"
    row = step_row(
        desk.project, DAY_S + 3600, is_billable=1, provider=provider, model=model, cost_usd=usd,
        cost_source=source, input_tokens=100, output_tokens=10, **values,
    )  # fmt: skip
    desk.house.engine.insert("steps", [row])


def compared(desk):
    found = desk.get("/api/v1/bills/difference")
    return found, {row["model"]: row for row in found["rows"]}


def test_a_bill_meets_the_ledger_by_day_and_model(desk):
    ledger(desk, "gpt-4o", 0.9)
    ledger(desk, "gpt-4o", None)
    ledger(desk, "gpt-5", 2.0)
    ledger(desk, "claude-opus-4-5", 7.0, provider="anthropic")
    post(desk, costs([("gpt-4o-2024-08-06, input", 0.7), ("gpt-4o-2024-08-06, output", 0.3),
                      ("o3, input", 5.0), ("web search tool calls", 0.5)]))  # fmt: skip

    found, rows = compared(desk)

    met = rows["gpt-4o-2024-08-06"]
    assert (met["day"], met["state"], met["ledger_models"]) == (DAY, "matched", ["gpt-4o"])
    assert met["difference_usd"] == pytest.approx(0.1)
    assert (met["unknown_cost_calls"], met["ledger_calls"]) == (1, 2)
    assert (rows["o3"]["state"], rows["o3"]["ledger_usd"]) == ("only_billed", None)
    assert (rows["gpt-5"]["state"], rows["gpt-5"]["billed_usd"]) == ("only_ledger", None)
    assert rows[""]["billed_usd"] == 0.5
    assert "claude-opus-4-5" not in rows
    assert found["billed_usd"] == pytest.approx(6.5)
    assert found["ledger_usd"] == pytest.approx(2.9)


def test_a_bill_without_models_is_held_against_the_whole_day(desk):
    ledger(desk, "gpt-4o", 0.9)
    ledger(desk, "gpt-5", 2.0)
    post(desk, costs([(None, 3.0)], project=None))

    _, rows = compared(desk)

    assert list(rows) == [""]
    assert rows[""]["ledger_models"] == ["gpt-4o", "gpt-5"]
    assert rows[""]["difference_usd"] == pytest.approx(0.1)


def test_the_same_bytes_are_imported_once(desk):
    body = costs([("gpt-4o, input", 1.0)])

    first, second = post(desk, body, name="august"), post(desk, body)

    assert (first["is_new"], second["is_new"]) == (True, False)
    assert first["id"] == second["id"]
    assert [bill["name"] for bill in desk.get("/api/v1/bills")] == ["august"]


def test_a_longer_export_does_not_bill_the_same_line_twice(desk):
    post(desk, costs([("gpt-4o, input", 1.0)]))
    post(desk, costs([("gpt-4o, input", 1.5), ("gpt-4o, output", 2.0)]))

    found, rows = compared(desk)

    assert rows["gpt-4o"]["billed_usd"] == 3.5
    assert found["superseded"] == []


def test_an_export_that_tells_lines_apart_otherwise_takes_the_day_over(desk):
    coarse = post(desk, costs([(None, 3.0)], project=None))
    post(desk, costs([("gpt-4o, input", 3.0)]))

    found, _ = compared(desk)

    assert found["billed_usd"] == 3.0
    assert found["superseded"] == [coarse["id"]]


def test_a_forgotten_bill_no_longer_counts(desk):
    post(desk, costs([("gpt-4o, input", 1.0)]))
    wrong = post(desk, costs([("gpt-4o, input", 9.0)]))

    good(desk.client.delete(f"/api/v1/bills/{wrong['id']}"))

    assert compared(desk)[0]["billed_usd"] == 1.0
    assert desk.client.delete(f"/api/v1/bills/{wrong['id']}").status_code == 404


def test_bills_of_a_project_are_its_own(house, desk):
    bill = post(desk, costs([("gpt-4o, input", 1.0)]))
    other = house.client(house.key("another-desk"))

    assert good(other.get("/api/v1/bills")) == []
    assert other.delete(f"/api/v1/bills/{bill['id']}").status_code == 404
    again = good(other.post("/api/v1/bills", content=costs([("gpt-4o, input", 1.0)])))
    assert again["is_new"]


def test_what_is_no_bill_is_refused(desk):
    answer = desk.client.post("/api/v1/bills", content=b"hello")

    assert (answer.status_code, answer.json()["error"]["field"]) == (400, "body")
    far = desk.client.get("/api/v1/bills/difference", params={"from": "-9999d"})
    assert far.json()["error"]["field"] == "from"
