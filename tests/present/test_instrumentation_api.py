"""What the instrumentation report counts, grades and advises."""

from __future__ import annotations

import pytest

from support.house import NOW_MS

NOW_S = NOW_MS // 1000
SPAN = {"received": NOW_S - 100, "start_ns": (NOW_S - 101) * 10**9, "end_ns": (NOW_S - 100) * 10**9}


def settled(project, number, **more):
    return {
        "project": project,
        "service": "shop",
        "trace_id": f"{number:032x}",
        "minute": (NOW_S - 300) // 60 * 60,
        "start": NOW_S - 300,
        "version": 1,
        "sign": 1,
        "status": "ok",
        **more,
    }


@pytest.fixture
def shop(house, desk):
    """Twenty requests of one call each; eight name their session, none its user."""
    project = desk.project
    house.engine.insert(
        "traces",
        [
            settled(
                project,
                n,
                input="hi",
                output="ho",
                session="s" if n < 8 else "",
                span_count=2,
                orphan_count=1 if n == 0 else 0,
            )
            for n in range(20)
        ],
    )
    steps = [
        settled(
            project,
            n,
            span_id=f"{n:016x}",
            kind="llm",
            model="gpt-4.1" if n else "own-model",
            provider="openai",
            has_usage=1,
            is_billable=1,
            cost_source="computed" if n else "unknown",
        )
        for n in range(20)
    ]
    repeated = settled(project, 0, span_id="r", kind="agent", has_usage=1, is_billable=0)
    house.engine.insert("steps", [*steps, repeated])
    spans = [
        {
            **SPAN,
            "project": project,
            "service": "shop",
            "trace_id": f"{n:032x}",
            "span_id": f"{n:016x}",
            "kind": "llm",
            "request_model": "gpt-4.1",
            "input_tokens": 5,
            "sdk": "openinference-instrumentation-openai",
            "sdk_version": "0.1",
            "convention": "openinference",
            "attr_keys": ["input.value"],
            "attr_kinds": [1],
            "attr_values": ["hi"],
        }
        for n in range(20)
    ]
    house.engine.insert("spans", spans)
    return desk


def test_shares_are_counted_where_a_number_is_used(shop):
    (service,) = shop.get("/api/v1/instrumentation")["services"]
    shares = {name: (share["n"], share["value"]) for name, share in service["shares"].items()}
    assert shares == {
        "model": (20, 1.0),
        "tokens": (20, 1.0),
        "cost": (20, 0.95),
        "prompt_version": (20, 0.0),
        "messages": (20, 1.0),
        "session": (20, 0.4),
        "user": (20, 0.0),
    }
    assert service["shares"]["session"]["low"] < 0.4 < service["shares"]["session"]["high"]
    assert (service["orphans"]["n"], service["orphans"]["value"]) == (40, 0.025)
    assert service["repeated_usage"] == 1
    assert service["unknown_models"] == [{"provider": "openai", "model": "own-model", "calls": 1}]


def test_the_grade_follows_from_what_is_said(shop):
    (service,) = shop.get("/api/v1/instrumentation")["services"]
    # .2 + .25 + .15 * .95 + .15 + .1 * .4 for what is said, less the share of orphans.
    assert service["score"] == pytest.approx(0.7825 - 0.025)
    assert service["grade"] == "B"


def test_the_advice_speaks_the_convention_of_the_service_and_begins_with_what_counts(shop):
    (service,) = shop.get("/api/v1/instrumentation")["services"]
    assert [remedy["line"] for remedy in service["advice"][:3]] == [
        "with using_user(user_id):",
        "with using_session(session_id):",
        "with using_prompt_template(template=text, version=version):",
    ]


def test_each_sender_is_named_with_what_its_own_spans_say(shop):
    (service,) = shop.get("/api/v1/instrumentation")["services"]
    (sender,) = service["senders"]
    assert (sender["sdk"], sender["convention"]) == (
        "openinference-instrumentation-openai",
        "openinference",
    )
    assert (sender["spans"], sender["calls"]) == (20, 20)
    assert sender["shares"]["messages"]["value"] == 1.0
    assert sender["shares"]["session"]["value"] == 0.0


def test_a_service_without_settled_requests_has_no_grade(house, desk):
    span = {**SPAN, "project": desk.project, "service": "new", "trace_id": "t", "span_id": "s"}
    house.engine.insert("spans", [span])
    (service,) = desk.get("/api/v1/instrumentation")["services"]
    assert (service["grade"], service["score"], service["spans"]) == ("", None, 1)
    assert service["shares"]["model"]["value"] is None


def test_nothing_is_reported_for_an_empty_project(desk):
    assert desk.get("/api/v1/instrumentation") == {"services": [], "more": 0}
