"""A simulated history gives the same numbers as OTLP that is settled and as rows put in."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from bench.diagnosis.rows import write_rows
from bench.diagnosis.scenario import Scenario, make_history, plan_scenario
from bench.diagnosis.send import settle

from vagus.measures.catalogue import load_catalogue
from vagus.measures.slice import Request, slice_measure
from vagus.store.chdb import ChdbEngine

_HOURS = 3600


def short(seed: int, cause: str) -> Scenario:
    """A scenario of five requests a minute, of which only the hours around the onset are made."""
    scenario = plan_scenario(seed, 5, (cause,) if cause else ())
    scenario.start_s, scenario.end_s = scenario.onset_s - _HOURS, scenario.onset_s + _HOURS
    return scenario


@pytest.mark.parametrize(
    ("seed", "cause"),
    [
        (4, ""),
        (7, "provider_outage"),
        (8, "telemetry_loss"),
        (11, "tool_loop"),
        (12, "context_conflict"),
        (13, "price_table_wrong"),
    ],
)
def test_settled_otlp_and_direct_rows_give_the_same_measures(
    engine: ChdbEngine, project: str, tmp_path: Path, seed: int, cause: str
) -> None:
    scenario = short(seed, cause)
    history = make_history(scenario)
    write_rows(engine, f"{project}-rows", history, tmp_path)
    settle(engine, f"{project}-otlp", history, tmp_path)
    catalogue = load_catalogue()
    different = {}
    for measure in (m.id for m in catalogue):
        request = Request(measure, scenario.start_s - 600, scenario.end_s + 7200)
        values = [
            slice_measure(engine, f"{project}-{sink}", request, catalogue).series[0].total.value
            for sink in ("rows", "otlp")
        ]
        if not _equal(*values):
            different[measure] = values
    assert different == {}


def _equal(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return math.isclose(one, other, rel_tol=1e-6, abs_tol=1e-9)
