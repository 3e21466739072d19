"""A slice says what a plain count over the living rows says, with its interval and its gaps."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from measures.settled_rows import START_S, score_row, step_row, trace_row
from vagus.errors import BadInput
from vagus.measures.catalogue import load_catalogue
from vagus.measures.facets import Facet, facets
from vagus.measures.filter import quote
from vagus.measures.slice import Point, Request, Slice, slice_measure
from vagus.store.engine import Engine

CATALOGUE = load_catalogue()
END_S = START_S + 3600
_numbers = itertools.count()


def fresh_project() -> str:
    """A project for one example of a property."""
    return f"slice-{next(_numbers)}"


def ask(engine: Engine, project: str, measure: str, **more: object) -> Slice:
    """Ask for the hour that the tests write to."""
    request = Request(measure, START_S, END_S, **more)  # type: ignore[arg-type]
    return slice_measure(engine, project, request, CATALOGUE)


def total(engine: Engine, project: str, measure: str, **more: object) -> Point:
    """The total of the only series."""
    (series,) = ask(engine, project, measure, **more).series
    return series.total


living = st.lists(
    st.fixed_dictionaries(
        {
            "team": st.sampled_from(["a", "b", "c"]), "user": st.sampled_from(["u", "v"]),
            "status": st.sampled_from(["ok", "error"]), "duration_ms": st.floats(0.01, 1e6),
            "input_tokens": st.integers(0, 9), "output_tokens": st.integers(0, 9),
            "minute": st.integers(0, 59),
        }
    ),
    min_size=1,
    max_size=25,
)  # fmt: skip


def nearest_rank(values: list[float], q: float) -> float:
    """The quantile of plain values."""
    return sorted(values)[max(1, math.ceil(q * len(values))) - 1]


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(rows=living, cancelled=st.integers(0, 5), has_user=st.booleans())
def test_a_slice_says_what_a_plain_count_says(
    engine: Engine, rows: list[dict[str, object]], cancelled: int, has_user: bool
) -> None:
    project = fresh_project()
    made = [
        trace_row(
            project, START_S + 60 * row["minute"], **{k: v for k, v in row.items() if k != "minute"}
        )  # type: ignore[operator]
        for row in rows
    ]
    gone = [row | {"duration_ms": 7e6, "status": "error"} for row in made[:cancelled]]
    engine.insert("traces", made + gone)
    engine.insert("traces", [row | {"sign": -1} for row in gone])
    filter_text = "user:u" if has_user else ""
    kept = [row for row in made if not has_user or row["user"] == "u"]
    by_team: dict[str, list[dict[str, float]]] = {}
    for row in kept:
        by_team.setdefault(row["team"], []).append(row)

    def totals(measure: str) -> dict[str, float | None]:
        found = ask(engine, project, measure, by=("team",), filter=filter_text, step_s=600)
        for series in found.series:
            assert sum(point.n for point in series.points) == series.total.n
        return {series.key[0]: series.total.value for series in found.series}

    assert totals("requests") == {team: len(t) for team, t in by_team.items()}
    assert totals("error_rate") == {
        team: sum(row["status"] == "error" for row in t) / len(t) for team, t in by_team.items()
    }
    assert totals("latency_p95") == {
        team: pytest.approx(nearest_rank([row["duration_ms"] for row in t], 0.95), rel=0.0101)
        for team, t in by_team.items()
    }
    tokens = {
        team: [x for row in t if (x := row["input_tokens"] + row["output_tokens"])]
        for team, t in by_team.items()
    }
    assert totals("tokens_per_request") == {
        team: pytest.approx(sum(t) / len(t)) if t else None for team, t in tokens.items()
    }


def test_no_data_is_unknown_and_not_zero(engine: Engine, project: str) -> None:
    point = total(engine, project, "error_rate")
    assert (point.n, point.value, point.low, point.high) == (0, None, None, None)
    assert total(engine, project, "latency_p95").value is None
    assert total(engine, project, "tokens_per_request").value is None
    assert ask(engine, project, "error_rate", by=("team",)).series == ()


def test_counting_nothing_is_zero(engine: Engine, project: str) -> None:
    assert total(engine, project, "requests").value == 0


def test_a_minute_without_data_is_a_gap(engine: Engine, project: str) -> None:
    engine.insert("traces", [trace_row(project, START_S + 60)])
    (series,) = ask(engine, project, "error_rate", step_s=60).series
    assert [point.value for point in series.points[:3]] == [None, 0.0, None]
    assert len(series.points) == 60


def test_steps_are_counted_from_the_epoch(engine: Engine, project: str) -> None:
    request = Request("requests", START_S + 130, START_S + 1000, step_s=300)
    found = slice_measure(engine, project, request, CATALOGUE)
    assert (found.start_s, found.end_s) == (START_S, START_S + 1020)
    assert [point.t_s - START_S for point in found.series[0].points] == [0, 300, 600, 900]


def test_other_projects_are_never_seen(engine: Engine, project: str) -> None:
    engine.insert("traces", [trace_row(project + "-other", START_S, team="theirs")])
    assert total(engine, project, "requests").value == 0
    assert facets(engine, project, START_S, END_S, ("team",)) == {"team": ()}


def test_the_smallest_groups_are_left_out_and_counted(engine: Engine, project: str) -> None:
    rows = [
        trace_row(project, START_S, team=f"t{number}", status="error")
        for number in range(5)
        for _ in range(number + 1)
    ]
    engine.insert("traces", rows)
    found = ask(engine, project, "error_rate", by=("team",), limit=2, step_s=3600)
    assert [series.key for series in found.series] == [("t4",), ("t3",)]
    assert [series.points[0].n for series in found.series] == [5, 4]
    assert found.truncated == 3


def test_cost_is_ranked_by_amount_not_by_calls(engine: Engine, project: str) -> None:
    cheap = [step_row(project, START_S, is_billable=1, model="a", cost_usd=0.01) for _ in range(3)]
    engine.insert(
        "steps", [*cheap, step_row(project, START_S, is_billable=1, model="b", cost_usd=9.0)]
    )
    found = ask(engine, project, "cost", by=("model",), limit=1)
    assert [series.key for series in found.series] == [("b",)]


def test_unknown_cost_is_never_zero(engine: Engine, project: str) -> None:
    unknown = step_row(project, START_S, is_billable=1, cost_usd=None, cost_source="unknown")
    engine.insert("steps", [unknown])
    engine.insert("traces", [trace_row(project, START_S, billable_calls=1, unknown_cost_calls=1)])
    assert total(engine, project, "cost").value is None
    assert total(engine, project, "cost_per_request").value is None
    assert total(engine, project, "unknown_cost_share").value == 1

    engine.insert("steps", [step_row(project, START_S, is_billable=1, cost_usd=0.25)])
    engine.insert("traces", [trace_row(project, START_S, billable_calls=1, cost_usd=0.25)])
    assert total(engine, project, "cost").value == 0.25
    assert total(engine, project, "cost_per_request").value == 0.25
    assert total(engine, project, "unknown_cost_share").value == 0.5


def test_a_sampled_score_counts_for_those_it_stands_for(engine: Engine, project: str) -> None:
    engine.insert(
        "scores",
        [
            score_row(project, START_S, passed=1, value=1.0, weight=9.0),
            score_row(project, START_S, passed=0, value=0.0, weight=1.0),
            score_row(project, START_S, status="failed", weight=50.0),
        ],
    )
    rate = total(engine, project, "evaluation_pass_rate", by=("name",))
    assert (rate.value, rate.n) == (0.9, 2)
    # Two rows of such unequal weight are worth 100 / 82 rows: the interval says almost nothing.
    assert (rate.high or 0) - (rate.low or 0) > 0.7
    assert total(engine, project, "groundedness").value == pytest.approx(0.9)


def test_the_interval_of_a_rate_is_wilsons(engine: Engine, project: str) -> None:
    rows = [trace_row(project, START_S, status="error" if i < 10 else "ok") for i in range(100)]
    engine.insert("traces", rows)
    point = total(engine, project, "error_rate")
    assert (round(point.low or 0, 4), round(point.high or 0, 4)) == (0.0552, 0.1744)


def test_the_cache_share_has_an_interval_over_calls_not_tokens(
    engine: Engine, project: str
) -> None:
    rows = [
        step_row(
            project, START_S, is_billable=1, has_usage=1, input_tokens=1000,
            cache_read_tokens=1000 * (i % 2),
        )
        for i in range(100)
    ]  # fmt: skip
    engine.insert("steps", rows)
    point = total(engine, project, "cache_hit_share")
    assert point.value == 0.5
    assert point.n == 100
    assert (round(point.low or 0, 2), round(point.high or 0, 2)) == (0.40, 0.60)


def test_one_call_has_no_interval(engine: Engine, project: str) -> None:
    engine.insert("steps", [step_row(project, START_S, is_billable=1, has_usage=1, input_tokens=9)])
    engine.insert("traces", [trace_row(project, START_S, input_tokens=9)])
    for measure in ("cache_hit_share", "tokens_per_request", "latency_p95"):
        point = total(engine, project, measure)
        assert (point.low, point.high) == (None, None)


def test_a_search_looks_in_name_and_input(engine: Engine, project: str) -> None:
    engine.insert("traces", [trace_row(project, START_S, input="My REFUND, please")])
    engine.insert("traces", [trace_row(project, START_S, input="hello")])
    assert total(engine, project, "requests", filter="refund").value == 1
    assert total(engine, project, "requests", filter='"refund, please"').value == 1


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(value=st.text(st.characters(exclude_categories=("Cs",)), max_size=12))
def test_any_value_finds_its_own_row_and_no_other(engine: Engine, value: str) -> None:
    project = fresh_project()
    rows = [trace_row(project, START_S, team=value, user=value, trace_id="mine", input=value)]
    engine.insert(
        "traces", [*rows, trace_row(project, START_S, team=value + "x", user="x" + value)]
    )
    written = quote(value)
    assert total(engine, project, "requests", filter=f"team:{written}").value == 1
    assert total(engine, project, "requests", filter=f"user:{written} trace_id:mine").value == 1
    (first, _) = sorted(
        ask(engine, project, "requests", by=("team",)).series, key=lambda s: len(s.key[0])
    )
    assert first.key == (value,)
    found = ask(engine, project, "requests", by=("team", "user"), limit=1, step_s=3600)
    assert (found.truncated, found.series[0].points[0].value) == (1, 1)
    if value:
        assert total(engine, project, "requests", filter=written).value == 1


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (Request("speed", 0, 60), "measure"),
        (Request("requests", 60, 60), "to"),
        (Request("requests", -60, 60), "from"),
        (Request("requests", 0, 2**40), "from"),
        (Request("requests", 0, 60, step_s=61), "step"),
        (Request("requests", 0, 60, step_s=0), "step"),
        (Request("requests", 0, 86400 * 365, step_s=60), "step"),
        (Request("requests", 0, 60, by=("colour",)), "by"),
        (Request("requests", 0, 60, by=("team", "team")), "by"),
        (Request("requests", 0, 60, by=("team", "env", "model", "user", "agent")), "by"),
        (Request("requests", 0, 60, limit=0), "limit"),
        (Request("requests", 0, 60, limit=1001), "limit"),
        (Request("requests", 0, 60, filter="colour:red"), "filter"),
    ],
)
def test_a_question_that_cannot_be_asked_names_its_field(
    engine: Engine, project: str, request_: Request, field: str
) -> None:
    with pytest.raises(BadInput) as caught:
        slice_measure(engine, project, request_, CATALOGUE)
    assert caught.value.field == field


def test_facets_count_the_most_frequent_values(engine: Engine, project: str) -> None:
    engine.insert("traces", [trace_row(project, START_S, team=t, user=t) for t in "aab"])
    engine.insert("steps", [step_row(project, START_S, kind="tool", tool="search", team="a")])
    found = facets(engine, project, START_S, END_S, ("team", "user", "tool"))
    assert found == {
        "team": (Facet("a", 2), Facet("b", 1)),
        "user": (Facet("a", 2), Facet("b", 1)),
        "tool": (Facet("search", 1),),
    }
    assert facets(engine, project, START_S, END_S, ("team",), "team:b") == {
        "team": (Facet("b", 1),)
    }
    assert facets(engine, project, START_S, END_S, ("team",), "tool:search") == {
        "team": (Facet("a", 1),)
    }


@pytest.mark.parametrize("dimensions", [("colour",), ("team",) * 41])
def test_facets_of_unknown_or_too_many_dimensions_are_refused(
    engine: Engine, project: str, dimensions: tuple[str, ...]
) -> None:
    with pytest.raises(BadInput):
        facets(engine, project, START_S, END_S, dimensions)


def test_a_failure_that_a_retry_repaired_is_no_provider_error(engine: Engine, project: str) -> None:
    call = {"is_billable": 1, "request_model": "m", "model": "m"}
    engine.insert(
        "steps",
        [
            step_row(project, START_S, **call, status="error", error_class="rate_limit"),
            step_row(project, START_S, **call, is_retry=1),
            step_row(project, START_S, **call),
            step_row(project, START_S, **call, status="error", error_class="rate_limit"),
        ],
    )
    point = total(engine, project, "provider_error_rate")
    assert (point.numerator, point.denominator) == (1, 3)
    assert total(engine, project, "rate_limit_share").value == 0.5
    assert total(engine, project, "retry_share").value == 0.25
    by_class = ask(engine, project, "provider_error_rate", by=("error_class",))
    assert {series.key: series.total.value for series in by_class.series}[("",)] == 0
