"""Rollups say what the settled tables say, whatever is cancelled, settled again or replayed."""

from __future__ import annotations

import dataclasses
import itertools
import math
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from measures.settled_rows import START_S, score_row, step_row, trace_row
from vagus.measures.catalogue import Measure, load_catalogue
from vagus.measures.facts import TABLES, Table
from vagus.measures.filter import parse
from vagus.measures.plan import Plan, Source, plan, sums_sql
from vagus.measures.slice import Request, read_batch, read_sums, slice_measure
from vagus.store.engine import Engine

CATALOGUE = load_catalogue()
_numbers = itertools.count()
NAMES = st.sampled_from(["", "a", "b"])
COUNTS = st.sampled_from([0, 1, 2, 7, 1000])
# Values that a hostile or broken program may send stand beside the usual ones.
REALS = st.sampled_from([None, 0.0, 0.001, 0.3, 1.0, 42.5, 3600.0, -5.0, 1e300, 123456.789])
TIMES = st.integers(0, 9).map(lambda minute: START_S + 60 * minute)
# Some of these lie before and after the stretch that is asked for, whose ends cut two hours.
LONG_TIMES = st.integers(0, 239).map(lambda minute: START_S + 60 * minute)
LONG_WINDOW_S = (START_S + 17 * 60, START_S + 3 * 3600 + 41 * 60)

shared = {
    "service": NAMES, "env": NAMES, "team": NAMES, "model": NAMES, "user": NAMES,
    "index_version": NAMES,
}  # fmt: skip
traces = st.fixed_dictionaries(
    {
        **shared, "status": st.sampled_from(["ok", "error"]), "error_class": NAMES,
        "duration_ms": REALS.filter(lambda x: x is not None), "ttft_ms": REALS,
        "span_count": COUNTS, "orphan_count": COUNTS, "billable_calls": COUNTS,
        "agent_steps": COUNTS, "tool_calls": COUNTS, "input_tokens": COUNTS,
        "output_tokens": COUNTS, "unknown_cost_calls": st.sampled_from([0, 1]),
        "cost_usd": REALS.filter(lambda x: x is not None), "waiting_ms": REALS,
    }
)  # fmt: skip
steps = st.fixed_dictionaries(
    {
        **shared, "kind": st.sampled_from(["llm", "retrieval", "rerank", "tool", "embedding"]),
        "status": st.sampled_from(["ok", "error"]), "is_billable": st.sampled_from([0, 1]),
        "error_class": st.sampled_from(["", "rate_limit", "timeout"]),
        "is_retry": st.sampled_from([0, 1]), "has_usage": st.sampled_from([0, 1]),
        "finish_reason": st.sampled_from(["", "stop", "length", "content_filter"]),
        "duration_ms": REALS.filter(lambda x: x is not None), "ttft_ms": REALS,
        "input_tokens": COUNTS, "output_tokens": COUNTS, "cache_read_tokens": COUNTS,
        "cost_usd": REALS, "retrieved": st.sampled_from([None, 0, 5]), "top_score": REALS,
        "document_age_days": REALS, "rerank_moved": REALS,
        "cost_source": st.sampled_from(["none", "computed", "reported", "unknown"]),
        "service_tier": st.sampled_from(["", "batch"]), "cost_input_usd": COUNTS.map(float),
        "cost_output_usd": COUNTS.map(float), "cost_cache_read_usd": COUNTS.map(float),
        "cost_cache_write_usd": COUNTS.map(float), "cost_audio_usd": COUNTS.map(float),
        "cost_image_usd": COUNTS.map(float), "cost_request_usd": COUNTS.map(float),
        "audio_input_tokens": COUNTS, "image_output_tokens": COUNTS,
        "cache_write_1h_tokens": COUNTS, "web_search_requests": COUNTS,
        "is_local_cache": st.sampled_from([0, 1]), "is_cut_off": st.sampled_from([0, 1]),
        "temperature": st.sampled_from(["", "0", "0.7", "1e300", "nan", "warm"]),
        "max_tokens": st.sampled_from([None, 0, 7, 1000, 2**63]),
        "is_repeated": st.sampled_from([None, 0, 1]), "is_argument_error": st.sampled_from([0, 1]),
        "duplicate_documents": st.sampled_from([None, 0, 1]), "document_chars": REALS,
        "distinct_sources": st.sampled_from([None, 0, 3]),
    }
)  # fmt: skip
documents = st.lists(
    st.tuples(st.sampled_from(["wiki", "orders", "faq"]), COUNTS), unique_by=lambda x: x[0]
).map(lambda found: {"sources": [s for s, _ in found], "source_documents": [n for _, n in found]})
scores = st.fixed_dictionaries(
    {
        **shared, "name": st.sampled_from(["groundedness", "refusal", "format"]),
        "source": st.sampled_from(["code", "user"]), "value": REALS,
        "passed": st.sampled_from([None, 0, 1]), "weight": st.sampled_from([1.0, 4.0, 1e300]),
        "status": st.sampled_from(["ok", "failed"]), "dataset": st.sampled_from(["", "golden"]),
    }
)  # fmt: skip
#: How rows of a table are made, out of what, and the table that they are written to.
ROWS = {
    "traces": (trace_row, traces, "traces"),
    "steps": (step_row, steps, "steps"),
    "scores": (score_row, scores, "scores"),
    "documents": (step_row, documents, "steps"),
}
BY = {name: ("source",) if name == "documents" else ("team",) for name in TABLES}


def fresh_project() -> str:
    """A project for one example of a property."""
    return f"rollup-{next(_numbers)}"


def written(
    engine: Engine,
    table: str,
    project: str,
    data: st.DataObject,
    times: st.SearchStrategy[int] = TIMES,
) -> None:
    """Insert some rows, then cancel some of them and insert others in their place."""
    make, values, written_to = ROWS[table]
    drawn = data.draw(st.lists(st.tuples(times, values), min_size=1, max_size=30))
    rows = [make(project, minute_s, **value) for minute_s, value in drawn]
    engine.insert(written_to, rows)
    chosen = data.draw(st.lists(st.sampled_from(range(len(rows))), unique=True))
    again: list[dict[str, Any]] = []
    for index in chosen:
        again += [rows[index] | {"sign": -1}, rows[index] | data.draw(values) | {"version": 2}]
    engine.insert(written_to, again)


def answered(engine: Engine, asked: Plan, step_s: int | None) -> dict[tuple[str, ...], Any]:
    """The sums and buckets of each group and step, rounded to 12 digits."""
    found: dict[tuple[str, ...], Any] = {}
    for row in engine.query(sums_sql(asked, step_s, None), asked.params).dicts():
        buckets = sorted(zip(row.pop("buckets", ()), row.pop("counts", ()), strict=True))
        key = tuple(str(v) for k, v in row.items() if k == "t" or k.startswith("key_"))
        sums = {k: float(f"{v or 0:.12g}") for k, v in row.items() if k.startswith("sum_")}
        if buckets or any(sums.values()):
            found[key] = (sums, buckets)
    return found


def answers(
    engine: Engine,
    measure: Measure,
    project: str,
    by: tuple[str, ...],
    window_s: tuple[int, int] = (START_S, START_S + 600),
    step_s: int | None = 60,
) -> list[Any]:
    """What the rollup and the settled table answer to the same question."""
    asked = plan(measure, project, parse(""), by, *window_s)
    settled = dataclasses.replace(asked, source=Source.SETTLED)
    return [answered(engine, which, step_s) for which in (asked, settled)]


@pytest.mark.parametrize("table", TABLES)
@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_every_measure_reads_the_same_from_the_rollup_and_the_settled_table(
    engine: Engine, table: str, data: st.DataObject
) -> None:
    project = fresh_project()
    written(engine, table, project, data)
    for measure in CATALOGUE:
        if measure.table == table:
            rolled, settled = answers(engine, measure, project, BY[table])
            assert rolled == settled, measure.id


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("step_s", [None, 3600, 7200])
@settings(
    max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_whole_hours_and_the_minutes_around_them_say_what_the_settled_table_says(
    engine: Engine, table: str, step_s: int | None, data: st.DataObject
) -> None:
    project = fresh_project()
    written(engine, table, project, data, LONG_TIMES)
    for measure in CATALOGUE:
        if measure.table == table:
            rolled, settled = answers(engine, measure, project, BY[table], LONG_WINDOW_S, step_s)
            assert rolled == settled, measure.id


SPENT = [m for m in CATALOGUE if plan(m, "", parse(""), ("user",), 0, 60).source is Source.SPEND]


@pytest.mark.parametrize("by", [("user", "model"), ("user", "session"), ("cost_source", "tenant")])
@pytest.mark.parametrize("step_s", [None, 300, 3600])
@settings(
    max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_spend_by_who_it_was_for_is_what_the_settled_table_says(
    engine: Engine, by: tuple[str, str], step_s: int | None, data: st.DataObject
) -> None:
    project = fresh_project()
    written(engine, "steps", project, data, LONG_TIMES)
    for measure in SPENT:
        spent, settled = answers(engine, measure, project, by, LONG_WINDOW_S, step_s)
        assert spent == settled, measure.id


def test_the_measures_of_money_are_answered_from_the_rollup_of_spend() -> None:
    assert {"cost", "cost_per_call", "unknown_cost_share", "wasted_cost"} <= {m.id for m in SPENT}
    assert all(list(measure.where["is_billable"]) == ["1"] for measure in SPENT)


@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_totals_are_the_same_with_and_without_steps(engine: Engine, data: st.DataObject) -> None:
    project = fresh_project()
    written(engine, "steps", project, data, LONG_TIMES)
    for by in (("team", "model"), ("user", "team")):
        asked = Request("cost", *LONG_WINDOW_S, by=by, limit=3)
        whole = slice_measure(engine, project, asked, CATALOGUE)
        stepped = dataclasses.replace(asked, step_s=60)
        cut = slice_measure(engine, project, stepped, CATALOGUE)
        assert whole.truncated == cut.truncated
        assert [s.key for s in whole.series] == [s.key for s in cut.series]
        for one, other in zip(whole.series, cut.series, strict=True):
            assert (one.total.value is None) == (other.total.value is None)
            assert one.total.value is None or math.isclose(one.total.value, other.total.value or 0)
            assert one.total.n == other.total.n


def rolled_up(engine: Engine, table: Table, project: str) -> dict[str, Any]:
    """Everything the rollup holds about a project, added up; its hours say the same."""
    columns = ", ".join(f"sum({fact}_sum) AS {fact}" for fact in table.facts)
    minutes, hours = (
        next(
            engine.query(
                f"SELECT {columns} FROM {rollup} WHERE project = {{project:String}}",
                {"project": project},
            ).dicts()
        )
        for rollup in (table.rollup, table.hours)
    )
    assert hours == minutes
    return minutes


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
@settings(
    max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_rows_that_are_all_cancelled_leave_nothing(
    engine: Engine, table: Table, data: st.DataObject
) -> None:
    project = fresh_project()
    make, values, written_to = ROWS[table.name]
    drawn = data.draw(st.lists(st.tuples(TIMES, values), min_size=1, max_size=30))
    rows = [make(project, minute_s, **value) for minute_s, value in drawn]
    engine.insert(written_to, rows)
    engine.insert(written_to, [row | {"sign": -1} for row in reversed(rows)])
    assert set(rolled_up(engine, table, project).values()) == {0}


def test_a_batch_that_is_inserted_again_counts_once(engine: Engine, project: str) -> None:
    rows = [trace_row(project, START_S, team="a"), trace_row(project, START_S, team="b")]
    for _ in range(3):
        engine.insert("traces", rows, token=f"{project}-1")
    assert rolled_up(engine, TABLES["traces"], project)["requests"] == 2


def test_batches_that_look_alike_count_each(engine: Engine, project: str) -> None:
    for number in range(3):
        engine.insert("traces", [trace_row(project, START_S)], token=f"{project}-{number}")
    assert rolled_up(engine, TABLES["traces"], project)["requests"] == 3


def test_a_crash_between_table_and_rollup_is_healed_by_the_replay(
    engine: Engine, project: str
) -> None:
    rows = [trace_row(project, START_S)]
    engine.execute("DETACH TABLE trace_minutes_fill")
    try:
        engine.insert("traces", rows, token=f"{project}-1")
    finally:
        engine.execute("ATTACH TABLE trace_minutes_fill")
    assert rolled_up(engine, TABLES["traces"], project)["requests"] == 0

    engine.insert("traces", rows, token=f"{project}-1")
    assert rolled_up(engine, TABLES["traces"], project)["requests"] == 1
    request = Request("requests", START_S, START_S + 60, filter="user!=nobody")
    assert slice_measure(engine, project, request, CATALOGUE).series[0].total.value == 1


def test_merging_keeps_the_sums(engine: Engine, project: str) -> None:
    for number in range(4):
        engine.insert("steps", [step_row(project, START_S, cost_usd=0.1 * number, ttft_ms=5.0)])
    before = rolled_up(engine, TABLES["steps"], project)
    for rollup in ("step_minutes", "step_hours", "spend_hours"):
        engine.execute(f"OPTIMIZE TABLE {rollup} FINAL")
    assert rolled_up(engine, TABLES["steps"], project) == before


@settings(
    max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_many_questions_at_once_have_the_same_answers(engine: Engine, data: st.DataObject) -> None:
    project = fresh_project()
    for table in TABLES:
        written(engine, table, project, data)
    window = (START_S, START_S + 600)
    asked = [
        (measure, parse("source:wiki" if measure.table == "documents" else "team:a"))
        for measure in CATALOGUE
    ]
    together = read_batch(engine, project, asked, window, 120)
    for (measure, parsed), found in zip(asked, together, strict=True):
        alone = read_sums(engine, project, measure, parsed, (), window, 120).get((), {})
        kept = {t: sums for t, sums in alone.items() if sums.buckets or any(sums.by_role.values())}
        assert found == kept, measure.id
