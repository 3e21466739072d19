"""The list of traces: filters, sorts, pages and counts, with late spans in it."""

from __future__ import annotations

import os
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from support.house import NOW_MS, a_trace, add_span, llm
from vagus.errors import BadInput
from vagus.present.listing import Question, list_traces
from vagus.present.moment import parse_moment

NOW_S = NOW_MS // 1000


@pytest.fixture
def many(house, desk):
    """Fifty traces, some of which settled again, with equal and differing sort values."""
    rows = []
    for number in range(50):
        row = {
            "project": desk.project,
            "trace_id": f"{number:032x}",
            "minute": (NOW_S - number * 20) // 60 * 60,
            "start": f"{NOW_S - number * 20}.{number:06d}",
            "duration_ms": float(number % 7),
            "cost_usd": (number * 37 % 11) / 10,
            "input_tokens": number % 5,
            "status": "error" if number % 3 == 0 else "ok",
            "team": "red" if number % 2 else 'blue, "the second"',
            "name": f"request {number}",
        }
        rows.append(row | {"version": 1, "sign": 1})
        if number % 4 == 0:
            rows.append(row | {"version": 1, "sign": -1})
            rows.append(row | {"version": 2, "sign": 1, "duration_ms": 50.0})
    house.engine.insert("traces", rows)
    return desk


def pages(desk, **params):
    """Every row, page by page."""
    rows, cursor = [], ""
    while True:
        page = desk.get("/api/v1/traces", **params, cursor=cursor)
        rows += page["rows"]
        if page["next_cursor"] is None:
            return rows
        cursor = page["next_cursor"]


@pytest.mark.parametrize("order", ["desc", "asc"])
@pytest.mark.parametrize(
    ("sort", "key"),
    [
        ("start", lambda row: row["start_ms"]),
        ("duration", lambda row: row["duration_ms"]),
        ("cost", lambda row: row["cost_usd"]),
        ("tokens", lambda row: row["input_tokens"] + row["output_tokens"]),
    ],
)
def test_pages_give_every_trace_once_in_order(many, sort, key, order):
    rows = pages(many, sort=sort, order=order, limit=7)

    assert len({row["trace_id"] for row in rows}) == len(rows) == 50
    values = [key(row) for row in rows]
    assert values == sorted(values, reverse=order == "desc")


def test_a_trace_that_settled_again_is_shown_as_it_is_now(many):
    page = many.get("/api/v1/traces", limit=500)

    durations = {int(row["trace_id"], 16): row["duration_ms"] for row in page["rows"]}
    assert [durations[n] for n in (0, 1, 4)] == [50.0, 1.0, 50.0]
    assert page["total"] == {"n": 50, "is_exact": True}


def test_a_filter_narrows_rows_and_count(many):
    page = many.get("/api/v1/traces", filter="team:red status:error duration_ms<50", limit=2)
    quoted = many.get("/api/v1/traces", filter='team:"blue, \\"the second\\""')
    word = many.get("/api/v1/traces", filter='"request 17"')

    assert page["total"]["n"] == sum(1 for n in range(50) if n % 2 and n % 3 == 0)
    assert all(row["team"] == "red" for row in page["rows"])
    assert quoted["total"]["n"] == 25
    assert [row["name"] for row in word["rows"]] == ["request 17"]


def test_the_range_bounds_the_list(many):
    assert many.get("/api/v1/traces", **{"from": "-5m"})["total"]["n"] < 50
    assert many.get("/api/v1/traces", **{"from": "1", "to": "60"})["rows"] == []


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"filter": "colour:red"}, "filter"),
        ({"filter": 'team:"red'}, "filter"),
        ({"from": "yesterday"}, "from"),
        ({"from": "now", "to": "-1h"}, "to"),
        ({"from": "nan"}, "from"),
        ({"limit": "0"}, "limit"),
        ({"limit": "501"}, "limit"),
        ({"sort": "name"}, "sort"),
        ({"cursor": "nonsense"}, "cursor"),
        ({"cursor": "e30"}, "cursor"),
        ({"cursor": "WyJzdGFydCIsImRlc2MiLDEsMl0"}, "cursor"),
    ],
)
def test_a_wrong_question_names_its_field(desk, params, field):
    answer = desk.client.get("/api/v1/traces", params=params)

    assert answer.status_code == 400
    assert answer.json()["error"]["field"] == field


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.text(max_size=60))
def test_no_cursor_breaks_the_list(house, desk, text):
    with suppress(BadInput):
        list_traces(house.engine, desk.project, Question(NOW_S - 60, NOW_S, cursor=text))


def test_scores_come_with_the_rows_that_have_them(desk):
    trace_id, message = a_trace()
    desk.send(message)
    for passed in (True, False):
        score = {"trace_id": trace_id, "name": "thumbs", "passed": passed, "id": "one"}
        desk.post("/api/v1/scores", score | {"time": NOW_S + passed})

    (row,) = desk.get("/api/v1/traces")["rows"]

    assert row["scores"] == {"thumbs": {"value": None, "passed": False}}


def test_an_unknown_cost_is_null_and_never_zero(desk):
    trace, message = os.urandom(16), ExportTraceServiceRequest()
    add_span(message, trace, 1, attributes=llm(**{"gen_ai.request.model": "nobody-knows-9"}))
    desk.send(message)

    (row,) = desk.get("/api/v1/traces")["rows"]

    assert row["cost_usd"] is None
    assert row["cost_known"] is False


def test_moments():
    for text, expected in (("now", 1000), ("-10s", 990), ("-2m", 880), ("12.7", 12), ("-9w", 0)):
        assert parse_moment(text, now_s=1000, field="from") == expected


@pytest.mark.parametrize(
    "text",
    ["1780000000", "1780000000000", "1780000000123.5", "2026-05-28T20:26:40Z",
     "2026-05-28T20:26:40", "2026-05-28T22:26:40+02:00", "2026-05-28 20:26:40"],
)  # fmt: skip
def test_one_moment_may_be_written_in_many_ways(text: str) -> None:
    assert parse_moment(text, now_s=0, field="from") == 1_780_000_000


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01", "-6y", "12345678901", "٣", "nan"])
def test_what_is_no_moment_is_refused_by_name(text: str) -> None:
    with pytest.raises(BadInput) as refused:
        parse_moment(text, now_s=0, field="to")
    assert refused.value.field == "to"
