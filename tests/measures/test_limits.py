"""Shares beyond a limit: the same from rollups and rows, and only of what is known."""

from __future__ import annotations

import pytest

from measures.settled_rows import START_S, trace_row
from vagus.errors import BadInput
from vagus.measures.catalogue import Catalogue, Direction, load_catalogue
from vagus.measures.limits import limit_of
from vagus.measures.slice import Request, slice_measure
from vagus.store.chdb import ChdbEngine


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue()


@pytest.mark.parametrize("filter", ["", "user:u"])
@pytest.mark.parametrize(
    ("measure", "bad", "n"),
    [
        ("latency_ms_over_5000", 3, 10),
        ("latency_ms_over_200", 7, 10),
        ("ttft_ms_over_800", 0, 0),
        ("cost_usd_over_0.05", 3, 9),
    ],
)
def test_a_share_beyond_a_limit_is_the_same_from_rollup_and_rows(
    engine: ChdbEngine, catalogue: Catalogue, project: str, measure: str, bad: int, n: int,
    filter: str,
) -> None:  # fmt: skip
    rows = [
        trace_row(
            project, START_S + 60 * i, duration_ms=ms, user="u", cost_usd=0.01 * i,
            unknown_cost_calls=int(i == 6),
        )
        for i, ms in enumerate([100.0] * 3 + [1000.0] * 4 + [9000.0] * 3)
    ]  # fmt: skip
    wrong = trace_row(project, START_S, duration_ms=90_000.0, user="u", cost_usd=9.0)
    engine.insert("traces", [*rows, wrong, {**wrong, "sign": -1}])
    asked = Request(measure, START_S, START_S + 3600, filter=filter)

    (series,) = slice_measure(engine, project, asked, catalogue).series

    if not n:
        assert series.total.value is None
    else:
        assert (series.total.numerator, series.total.n) == (bad, n)
        assert series.total.low is not None


def test_a_limit_says_what_it_is_and_anything_else_is_refused(catalogue: Catalogue) -> None:
    measure = catalogue.get("latency_ms_over_5000")

    assert measure.help == "Share of requests that took longer than 5000 ms."
    assert measure.direction is Direction.UP_IS_BAD
    assert catalogue.get("step_cost_usd_over_0.5").table == "steps"
    assert limit_of("latency_ms_over_-1") is None
    with pytest.raises(BadInput) as caught:
        catalogue.get("latency_over_5000")
    assert caught.value.field == "measure"
