"""A promise made on the data that there is, before a monitor is kept."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from measures.settled_rows import score_row, trace_row
from vagus.measures.catalogue import Catalogue
from vagus.store.chdb import ChdbEngine
from vagus.watch.monitor import Monitor, decode_monitor
from vagus.watch.preview import preview
from vagus.watch.promise import promise

START_S = 1_790_000_040 - 1_790_000_040 % 3600
HOURS = 4
PER_MIN = 5
NOW_MIN = START_S // 60 + HOURS * 60


def monitor(project: str, **change: Any) -> Monitor:
    base = {"id": "m", "name": "m", "project": project, "measure": "error_rate"}
    return decode_monitor({**base, "rule": {"type": "sequential"}, **change})


@pytest.fixture
def _told(engine: ChdbEngine, project: str) -> None:
    rows = [
        trace_row(
            project, START_S + minute * 60, service="api",
            status="error" if (minute * PER_MIN + i) % 20 == 0 else "ok",
        )
        for minute in range(HOURS * 60)
        for i in range(PER_MIN)
    ]  # fmt: skip
    engine.insert("traces", rows)


@pytest.mark.usefixtures("_told")
def test_a_promise_rests_on_the_volume_and_level_that_were_seen(
    engine: ChdbEngine, catalogue: Catalogue, project: str
) -> None:
    draft = monitor(project)

    found = preview(engine, catalogue, draft, NOW_MIN)
    assert found == replace(promise(draft, float(PER_MIN), 0.05, 1), groups=1)
    assert found.smallest_change_hour is not None
    assert found.smallest_change_day is not None
    assert 0.05 < found.smallest_change_day < found.smallest_change_hour < 1
    assert found.warnings == ()


@pytest.mark.usefixtures("_told")
def test_what_can_never_fire_says_so(
    engine: ChdbEngine, catalogue: Catalogue, project: str
) -> None:
    nothing = preview(engine, catalogue, monitor(project, filter="service:none"), NOW_MIN)
    rule = {"type": "threshold", "op": ">", "value": 0.1, "min_n": 1000}
    starved = preview(engine, catalogue, monitor(project, rule=rule), NOW_MIN)

    assert nothing.warnings == ("unfireable: there is no data",)
    assert any("1000 are needed" in warning for warning in starved.warnings)


@pytest.mark.usefixtures("_told")
def test_silence_is_promised_by_the_usual_volume_or_by_so_many_minutes(
    engine: ChdbEngine, catalogue: Catalogue, project: str
) -> None:
    absent = {"measure": "requests", "by": ["service"]}
    usual = preview(
        engine, catalogue, monitor(project, **absent, rule={"type": "absence"}), NOW_MIN
    )
    silent = {"type": "absence", "silent_min": 30}
    found = preview(engine, catalogue, monitor(project, **absent, rule=silent), NOW_MIN)

    assert usual.smallest_change_hour == 0.0
    assert found.smallest_change_day == 0.0


@pytest.mark.usefixtures("_told")
def test_no_smallest_change_is_stated_for_a_mean(
    engine: ChdbEngine, catalogue: Catalogue, project: str
) -> None:
    found = preview(engine, catalogue, monitor(project, measure="latency_p95"), NOW_MIN)

    assert found.false_alarms_per_30d == 1.0
    assert found.smallest_change_day is None
    assert found.warnings == ()


def test_the_level_is_the_bad_share_where_a_measure_counts_what_is_good(
    engine: ChdbEngine, catalogue: Catalogue, project: str
) -> None:
    rows = [
        score_row(project, START_S + minute * 60, passed=0 if minute % 20 == 0 else 1)
        for minute in range(HOURS * 60)
    ]
    engine.insert("scores", rows)
    draft = monitor(project, measure="evaluation_pass_rate", filter="name:groundedness")

    found = preview(engine, catalogue, draft, NOW_MIN)
    expected = promise(draft, 1.0, 0.05, 1)
    assert found.smallest_change_hour == pytest.approx(expected.smallest_change_hour)
    assert found.smallest_change_day == pytest.approx(expected.smallest_change_day)
    assert found.smallest_change_hour is not None
