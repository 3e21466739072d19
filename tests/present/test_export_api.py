"""Exports: every row once, typed, unknown left empty, and nothing a spreadsheet would run."""

from __future__ import annotations

import csv
import io

import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from measures.settled_rows import step_row, trace_row
from support.house import NOW_MS
from vagus.present.export import table
from vagus.present.export.csv import guard, write_csv
from vagus.present.export.table import Column, Export

NOW_S = NOW_MS // 1000


def call(desk, **values):
    known = {
        "is_billable": 1, "cost_usd": 0.25, "cost_source": "computed", "input_tokens": 100,
        "model": "m", "provider": "p",
    }  # fmt: skip
    return step_row(desk.project, NOW_S - 600, **known | values)


def insert(desk, name, rows):
    desk.house.engine.insert(name, rows)


def read(desk, file, **params):
    answer = desk.client.get(f"/api/v1/export/{file}", params=params)
    assert answer.status_code == 200, answer.text
    if file.endswith("parquet"):
        return pyarrow.parquet.read_table(io.BytesIO(answer.content)).to_pylist()
    return list(csv.DictReader(io.StringIO(answer.text, newline="")))


def test_a_ledger_keeps_unknown_empty_and_its_source_beside_it(desk):
    insert(
        desk,
        "steps",
        [
            call(desk, trace_id="a" * 32, response_id="r1"),
            call(desk, trace_id="b" * 32, cost_usd=None, cost_source="unknown"),
            call(desk, trace_id="c" * 32, is_billable=0),
        ],
    )

    rows = read(desk, "ledger.csv")
    typed = read(desk, "ledger.parquet")

    assert [(r["trace_id"][0], r["cost_usd"], r["cost_source"]) for r in rows] == [
        ("a", "0.25", "computed"), ("b", "", "unknown"),
    ]  # fmt: skip
    assert [row["cost_usd"] for row in typed] == [0.25, None]
    assert typed[0]["input_tokens"] == 100
    assert typed[0]["is_retry"] is False
    assert int(typed[0]["start"].timestamp()) == NOW_S - 600
    assert list(rows[0]) == list(typed[0])


@pytest.mark.parametrize("file", ["ledger.csv", "ledger.parquet", "traces.csv", "sessions.csv"])
def test_every_row_is_there_once_however_many_pages_it_takes(desk, monkeypatch, file):
    monkeypatch.setattr(table, "PAGE", 7)
    traces = [f"{n:032x}" for n in range(20)]
    insert(desk, "steps", [call(desk, trace_id=t, span_id=f"{s:016x}") for t in traces
                           for s in range(2)])  # fmt: skip
    insert(
        desk,
        "traces",
        [
            trace_row(desk.project, NOW_S - 600 + n % 3 * 60, trace_id=t, session=f"s{n}",
                      billable_calls=2, cost_usd=0.5)
            for n, t in enumerate(traces)
        ],
    )  # fmt: skip

    rows = read(desk, file)

    names = {"ledger": ("trace_id", "span_id"), "traces": ("trace_id",), "sessions": ("session",)}
    keys = [tuple(row[name] for name in names[file.partition(".")[0]]) for row in rows]
    assert len(keys) == len(set(keys)) == (40 if file.startswith("ledger") else 20)


def test_a_cancelled_row_is_not_exported(desk):
    row = call(desk)
    insert(desk, "steps", [row])
    insert(desk, "steps", [{**row, "sign": -1}])

    assert read(desk, "ledger.csv") == []


def test_traces_and_sessions_say_where_their_cost_comes_from(desk):
    insert(
        desk,
        "steps",
        [
            call(desk, trace_id="a" * 32, session="s"),
            call(desk, trace_id="a" * 32, session="s", cost_usd=None, cost_source="unknown"),
            call(desk, trace_id="b" * 32, session="t", cost_usd=None, cost_source="unknown"),
        ],
    )
    insert(
        desk,
        "traces",
        [
            trace_row(desk.project, NOW_S - 600, trace_id="a" * 32, session="s", billable_calls=2,
                      unknown_cost_calls=1, cost_usd=0.25, user="u"),
            trace_row(desk.project, NOW_S - 600, trace_id="b" * 32, session="t", billable_calls=1,
                      unknown_cost_calls=1, cost_usd=0.0),
            trace_row(desk.project, NOW_S - 600, trace_id="c" * 32),
        ],
    )  # fmt: skip

    traces = {row["trace_id"][0]: row for row in read(desk, "traces.csv")}
    sessions = {row["session"]: row for row in read(desk, "sessions.parquet")}

    told = ("cost_usd", "cost_sources", "unknown_cost_calls")
    assert [traces["a"][n] for n in told] == ["0.25", "computed+unknown", "1"]
    assert [traces["b"][n] for n in told] == ["", "unknown", "1"]
    assert [traces["c"][n] for n in told] == ["0.0", "none", "0"]
    assert [sessions["s"][n] for n in told] == [0.25, "computed+unknown", 1]
    assert [sessions["t"][n] for n in told] == [None, "unknown", 1]
    assert (sessions["s"]["user"], sessions["s"]["turns"]) == ("u", 1)


def test_spend_is_by_day_and_any_dimensions(desk):
    insert(
        desk,
        "steps",
        [
            call(desk, team="a"),
            call(desk, team="a", cost_source="reported", cost_usd=1.0),
            call(desk, team="b", cost_usd=None, cost_source="unknown"),
        ],
    )

    rows = read(desk, "spend.parquet", by="team,model")

    assert [(r["team"], r["calls"], r["cost_usd"], r["reported_usd"]) for r in rows] == [
        ("a", 2, 1.25, 1.0), ("b", 1, None, None),
    ]  # fmt: skip
    assert rows[1]["unknown_cost_calls"] == 1
    assert rows[0]["day"] == "2026-11-18"


def test_a_filter_narrows_every_export(desk):
    insert(desk, "steps", [call(desk, team="a"), call(desk, team="b")])

    assert [row["team"] for row in read(desk, "ledger.csv", filter="team:b")] == ["b"]
    assert [row["calls"] for row in read(desk, "spend.csv", filter="team:b")] == ["1"]


def test_an_empty_export_has_its_columns(desk):
    answer = desk.client.get("/api/v1/export/traces.csv")

    assert answer.text.startswith("start,trace_id,name,")
    assert answer.headers["content-disposition"] == 'attachment; filename="traces.csv"'
    assert read(desk, "traces.parquet") == []


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "\uff1d"])
def test_no_text_of_telemetry_is_a_formula(desk, start):
    insert(desk, "steps", [call(desk, user=f"{start}HYPERLINK(0)", cost_usd=-0.5)])

    (row,) = read(desk, "ledger.csv")
    (typed,) = read(desk, "ledger.parquet")

    assert row["user"] == f"'{start}HYPERLINK(0)"
    assert row["cost_usd"] == "-0.5"
    assert typed["user"] == f"{start}HYPERLINK(0)"


@given(st.lists(st.text(max_size=20), min_size=1, max_size=5))
def test_any_text_comes_back_from_csv(texts):
    export = Export("x", (Column("t", "text"),), iter([[{"t": text} for text in texts]]))

    body = b"".join(write_csv(export)).decode()
    rows = list(csv.reader(io.StringIO(body, newline="")))

    shown = [text.encode("utf-8", "replace").decode() for text in texts]
    assert [row[0] if row else "" for row in rows[1:]] == [guard(text) for text in shown]


def test_too_much_is_refused_before_the_first_byte(desk, monkeypatch):
    monkeypatch.setattr(table, "MAX_ROWS", 1)
    insert(desk, "steps", [call(desk), call(desk)])

    answer = desk.client.get("/api/v1/export/ledger.csv")

    assert (answer.status_code, answer.json()["error"]["limit"]) == (400, "1")


@pytest.mark.parametrize(
    ("file", "params"),
    [
        ("secrets.csv", {}),
        ("ledger.xlsx", {}),
        ("ledger.csv", {"filter": "colour:red"}),
        ("spend.csv", {"by": "colour"}),
        ("spend.csv", {"by": "team,team"}),
    ],
)
def test_what_cannot_be_exported_is_refused(desk, file, params):
    assert desk.client.get(f"/api/v1/export/{file}", params=params).status_code == 400
