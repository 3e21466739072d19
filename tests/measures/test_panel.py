"""A panel holds the same numbers as slices, for every kind of measure and thousands of groups."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from measures.settled_rows import START_S, score_row, step_row, trace_row
from vagus.errors import BadInput
from vagus.measures.catalogue import Catalogue, load_catalogue
from vagus.measures.panel import Panel, read_panel
from vagus.measures.slice import Request, slice_measure
from vagus.store.chdb import ChdbEngine

START_MIN = START_S // 60
MINUTES = 30


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue()


def fill(engine: ChdbEngine, project: str) -> None:
    rng = np.random.default_rng(4)
    tables: dict[str, list[dict[str, Any]]] = {"traces": [], "steps": [], "scores": []}
    for minute in range(MINUTES):
        for feature, rate in (("chat", 5), ("search", 2), ("rare", 0.2)):
            at = START_S + minute * 60
            for _ in range(rng.poisson(rate)):
                status = "error" if rng.random() < 0.2 else "ok"
                ms, cost = float(rng.lognormal(6)), float(rng.lognormal(-5))
                row = trace_row(
                    project, at, feature=feature, status=status, duration_ms=ms, cost_usd=cost
                )
                tables["traces"].append(row)
                if rng.random() < 0.1:
                    # A late span settles the trace again: the old row is cancelled.
                    tables["traces"] += [{**row, "sign": -1}, {**row, "duration_ms": ms * 2}]
                tables["steps"].append(
                    step_row(
                        project, at, feature=feature, is_billable=1, cost_usd=cost, has_usage=1,
                        input_tokens=100, cache_read_tokens=int(rng.integers(0, 90)),
                        output_tokens=50,
                    )
                )  # fmt: skip
                tables["scores"].append(
                    score_row(
                        project, at, feature=feature, weight=float(rng.integers(1, 4)),
                        passed=int(rng.random() < 0.8), value=0.5,
                    )
                )  # fmt: skip
    for table, rows in tables.items():
        engine.insert(table, rows)


@pytest.mark.parametrize(
    "measure",
    [
        "requests", "cost", "error_rate", "provider_error_rate", "cost_per_request",
        "cache_hit_share", "output_tokens_per_s", "evaluation_pass_rate", "latency_p95",
    ],
)  # fmt: skip
@pytest.mark.parametrize(("by", "step_min"), [((), 1), (("feature",), 1), (("feature",), 5)])
def test_a_panel_holds_what_slices_say(
    engine: ChdbEngine,
    catalogue: Catalogue,
    project: str,
    measure: str,
    by: tuple[str, ...],
    step_min: int,
) -> None:
    fill(engine, project)
    panel = read_panel(
        engine, catalogue, project, measure, START_MIN, START_MIN + MINUTES, by, step_min=step_min
    )
    asked = Request(measure, START_S, START_S + MINUTES * 60, by, step_s=step_min * 60)
    expected = slice_measure(engine, project, asked, catalogue)

    assert panel.n.shape == (len(expected.series), MINUTES // step_min)
    assert set(panel.keys) == {series.key for series in expected.series}
    for series in expected.series:
        row = panel.rows()[series.key]
        for step, point in enumerate(series.points):
            if point.n > 0 and point.value is not None:
                assert panel.value[row, step] == pytest.approx(point.value, rel=1e-9)
                assert panel.n[row, step] == pytest.approx(point.n)
            else:
                assert math.isnan(panel.value[row, step]) or panel.n[row, step] == 0


def test_a_limit_keeps_the_largest_and_counts_the_rest(
    engine: ChdbEngine, catalogue: Catalogue, project: str
) -> None:
    fill(engine, project)
    panel = read_panel(
        engine, catalogue, project, "requests", START_MIN, START_MIN + MINUTES, ("feature",),
        limit=2,
    )  # fmt: skip

    assert panel.keys == (("chat",), ("search",))
    assert panel.truncated == 1


def test_a_quantile_comes_with_its_logarithms_or_what_lies_above_a_limit(
    engine: ChdbEngine, catalogue: Catalogue, project: str
) -> None:
    rows = [trace_row(project, START_S, duration_ms=ms) for ms in (100.0, 200.0, 400.0, 800.0)]
    engine.insert("traces", rows)
    window = (START_MIN, START_MIN + 2)

    logs = read_panel(engine, catalogue, project, "latency_p50", *window)
    assert logs.numerator[0, 0] / 4 == pytest.approx(math.log(100 * 2**1.5), abs=0.02)
    assert logs.value[0, 0] == pytest.approx(200, rel=0.02)
    assert np.isnan(logs.value[0, 1])
    slow = read_panel(engine, catalogue, project, "latency_p50", *window, above=300.0)
    assert (slow.numerator[0, 0], slow.denominator[0, 0]) == (2, 4)


def test_weighted_observations_are_worth_fewer(
    engine: ChdbEngine, catalogue: Catalogue, project: str
) -> None:
    rows = [score_row(project, START_S, weight=w, passed=1) for w in (1.0, 1.0, 1.0, 9.0)]
    engine.insert("scores", rows)

    panel = read_panel(engine, catalogue, project, "evaluation_pass_rate", START_MIN, START_MIN + 1)
    assert panel.n[0, 0] == 4
    assert panel.trials[0, 0] == pytest.approx(144 / 84)


def test_thousands_of_groups_are_one_panel(
    engine: ChdbEngine, catalogue: Catalogue, project: str
) -> None:
    rows = [trace_row(project, START_S + 60 * (i % 3), tenant=f"t{i % 4000}") for i in range(8000)]
    engine.insert("traces", rows)

    panel = read_panel(
        engine, catalogue, project, "error_rate", START_MIN, START_MIN + 3, ("tenant",)
    )
    assert panel.n.shape == (4000, 3)
    assert panel.n.sum() == 8000


def test_an_empty_project_is_an_empty_panel(
    engine: ChdbEngine, catalogue: Catalogue, project: str
) -> None:
    panel = read_panel(engine, catalogue, project, "error_rate", 100, 160, ("feature",))

    assert (panel.keys, panel.steps, panel.end_min) == ((), 60, 160)
    assert isinstance(panel.trials, np.ndarray)


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"by": ("colour",)}, "by"),
        ({"by": ("feature", "feature")}, "by"),
        ({"limit": 0}, "limit"),
        ({"step_min": 0}, "to"),
    ],
)
def test_a_wrong_question_names_its_field(
    engine: ChdbEngine, catalogue: Catalogue, project: str, options: dict[str, Any], field: str
) -> None:
    with pytest.raises(BadInput) as caught:
        read_panel(engine, catalogue, project, "error_rate", 100, 160, **options)

    assert caught.value.field == field


def test_panel_of_nothing_has_no_rows() -> None:
    assert Panel.empty(0, 10, 5).steps == 2
