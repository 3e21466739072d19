"""Prices, rules of attribution and pricing history again, asked for over HTTP."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from support.house import NOW_MS, Desk, add_span
from vagus.assess.cost.book import PriceBook
from vagus.assess.cost.reprice import Repricer
from vagus.settle.journal import Journal

PRICE = {"model": {"equals": "our-model"}, "per_million": {"input": 2.0, "output": 3.0}}
_moments_ns = itertools.count(NOW_MS * 1_000_000, 1_000_000)


def send_call(desk: Desk, trace: int, **attributes: Any) -> str:
    """One settled call of a model that nobody knows; the id of its trace."""
    message = ExportTraceServiceRequest()
    said = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "our-model",
        "gen_ai.usage.input_tokens": 1_000_000,
        "gen_ai.usage.output_tokens": 1_000_000,
    }
    trace_id = trace.to_bytes(16, "big")
    add_span(message, trace_id, 1, attributes=said | attributes)
    desk.send(message)
    return trace_id.hex()


def work(desk: Desk) -> None:
    """Do what the settling thread does with the jobs."""
    house = desk.house
    journal = Journal(house.folder / "journal", house.engine)
    book = PriceBook(house.meta)
    repricer = Repricer(
        house.engine, journal, house.meta, book, house.audit, clock_ns=lambda: next(_moments_ns)
    )
    while repricer.tick():
        pass


def test_a_price_is_kept_changed_shown_and_deleted(desk: Desk) -> None:
    made = desk.client.put("/api/v1/prices/ours", json=PRICE | {"name": "Ours"}).json()
    assert (made["id"], made["model"], made["per_million"]) == (
        "ours", {"equals": "our-model"}, {"input": 2.0, "output": 3.0},
    )  # fmt: skip
    desk.client.put("/api/v1/prices/ours", json=PRICE | {"valid_from_ms": 5})
    assert desk.get("/api/v1/prices/ours")["valid_from_ms"] == 5
    assert [price["id"] for price in desk.get("/api/v1/prices")] == ["ours"]
    assert desk.client.delete("/api/v1/prices/ours").json() == {"ok": True}
    assert desk.client.get("/api/v1/prices/ours").status_code == 404
    actions = [entry.action for entry in desk.house.audit.read(desk.project)]
    assert actions[:3] == ["price.delete", "price.update", "price.create"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"per_million": {"tokens": 1}}, "per_million"),
        ({"model": {}}, "model"),
        ({"list_factor": 0.5}, "price"),
        ({"gpu": {"usd_per_hour": 1.0}}, "price"),
    ],
)
def test_what_is_no_price_is_refused_with_its_field(
    desk: Desk, change: dict[str, Any], field: str
) -> None:
    answer = desk.client.put("/api/v1/prices/ours", json=PRICE | change)
    assert answer.status_code == 400
    assert answer.json()["error"]["field"] == field


def test_a_price_for_every_project_is_for_owners_only(desk: Desk) -> None:
    answer = desk.client.put("/api/v1/prices/wide", json=PRICE | {"every_project": True})
    assert answer.status_code == 403


def test_another_project_does_not_see_a_price(desk: Desk) -> None:
    desk.client.put("/api/v1/prices/ours", json=PRICE)
    other = desk.house.client(desk.house.key(f"{desk.project}-other"))
    assert other.get("/api/v1/prices").json() == []
    assert other.get("/api/v1/prices/ours").status_code == 404


def test_calls_without_a_price_are_listed_with_the_reason(desk: Desk) -> None:
    send_call(desk, 1)
    send_call(desk, 2)
    send_call(desk, 3, **{"gen_ai.request.stream": True, "gen_ai.request.model": "other"})
    rows = desk.get("/api/v1/prices/unknown")
    assert [(row["model"], row["reason"], row["calls"]) for row in rows] == [
        ("our-model", "no_price", 2), ("other", "no_price", 1),
    ]  # fmt: skip
    assert rows[0]["input_tokens"] == 2_000_000


def test_history_is_priced_again_on_request(desk: Desk) -> None:
    trace_id = send_call(desk, 1)
    desk.client.put("/api/v1/prices/ours", json=PRICE)
    asked = {"from": "-1h", "why": "a contract"}
    dry = desk.post("/api/v1/prices/reprice", asked | {"dry_run": True})
    work(desk)
    job = desk.post("/api/v1/prices/reprice", asked)
    assert (job["state"], job["changed"]) == ("running", 0)
    work(desk)
    for made in (dry, job):
        done = desk.get(f"/api/v1/prices/reprice/{made['id']}")
        assert (done["state"], done["changed"], done["after_usd"]) == ("done", 1, 5.0)
    assert desk.get("/api/v1/prices/unknown") == []
    (change,) = desk.get(f"/api/v1/prices/reprice/{job['id']}/changes")
    assert (change["trace_id"], change["before_usd"], change["after_usd"]) == (trace_id, None, 5.0)
    assert desk.get(f"/api/v1/prices/reprice/{dry['id']}/changes") == []
    step = desk.get(f"/api/v1/traces/{trace_id}/spans/{1:016x}")["step"]
    assert (step["cost_usd"], step["price_source"], step["price_id"]) == (
        5.0, "contract", "own/ours",
    )  # fmt: skip
    assert {job["id"] for job in desk.get("/api/v1/prices/reprice")} == {dry["id"], job["id"]}


def test_a_job_of_another_project_is_not_found(desk: Desk) -> None:
    job = desk.post("/api/v1/prices/reprice", {})
    other = desk.house.client(desk.house.key(f"{desk.project}-other"))
    assert other.get(f"/api/v1/prices/reprice/{job['id']}").status_code == 404
    work(desk)


def test_rules_are_kept_and_reach_history(desk: Desk) -> None:
    trace_id = send_call(desk, 1)
    assert desk.get("/api/v1/attribution") == {"rules": [], "updated_ms": None}
    rules = [{"when": "service:shop", "set": {"team": "payments"}, "name": "", "override": False}]
    answer = desk.client.put("/api/v1/attribution", json={"rules": rules})
    assert answer.json()["rules"] == rules
    desk.post("/api/v1/prices/reprice", {"from": "-1h"})
    work(desk)
    (row,) = desk.get("/api/v1/traces", **{"from": "-1h", "filter": "team:payments"})["rows"]
    assert row["trace_id"] == trace_id


def test_a_wrong_rule_is_refused_with_its_place(desk: Desk) -> None:
    rules = [{"when": "service:shop", "set": {"team": "a"}}, {"when": "x>1", "set": {"team": "b"}}]
    answer = desk.client.put("/api/v1/attribution", json={"rules": rules})
    assert (answer.status_code, answer.json()["error"]["field"]) == (400, "rules[1].when")
