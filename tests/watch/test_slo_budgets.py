"""Budgets: intervals, windows by the calendar, rates of burning and when it is all gone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from measures.settled_rows import START_S, score_row, trace_row
from vagus.measures.catalogue import Catalogue
from vagus.model.calendar import Stretch
from vagus.store.chdb import ChdbEngine
from vagus.store.meta.db import Meta
from vagus.store.meta.tables import slos as slo_table
from vagus.watch.budgets import budget_of, spent_in
from vagus.watch.objectives.tally import Counts, Tally
from vagus.watch.slo import Slo, decode_slo, monitor_of, raw_alarm, window_of
from vagus.watch.watcher import Watcher

HOUR_S, DAY_S = 3600, 86_400
NOW_S = START_S + 40 * DAY_S
MONTH = Stretch(NOW_S - 30 * DAY_S, NOW_S)


def slo(target: float = 0.99, **more: Any) -> Slo:
    base = {"id": "s", "name": "S", "project": "p", "measure": "error_rate", "target": target}
    return decode_slo({**base, **more})


def counts(n: float, bad: float) -> Counts:
    return Counts(n, n, bad, n)


def test_the_budget_is_an_interval() -> None:
    found = spent_in(slo(0.95), Counts(812, 20_300, 425.6, 812), "not_judged", MONTH, NOW_S)

    assert found.spent == pytest.approx(0.419, abs=0.001)
    assert found.low is not None
    assert found.high is not None
    assert 0.2 < found.low < 0.42 < found.high < 0.8
    assert (found.state, found.floor) == ("ok", 59)
    assert found.sentence.endswith("n = 812 judged of about 20,300")


def test_too_few_events_are_never_ok() -> None:
    few = spent_in(slo(), counts(100, 0), "not_judged", MONTH, NOW_S)
    none = spent_in(slo(), counts(0, 0), "not_judged", MONTH, NOW_S)

    assert (few.state, few.spent) == ("insufficient_data", 0.0)
    assert few.high is not None
    assert few.high > 1
    assert (none.state, none.spent) == ("insufficient_data", None)
    assert none.sentence == "nothing was counted in the window"


def test_a_budget_is_exhausted_when_even_the_lower_bound_is_over_it() -> None:
    assert spent_in(slo(), counts(1000, 13), "not_judged", MONTH, NOW_S).state == "ok"
    assert spent_in(slo(), counts(1000, 30), "not_judged", MONTH, NOW_S).state == "exhausted"


def test_a_calendar_window_spends_as_its_time_passes() -> None:
    window = Stretch(0, 30 * DAY_S)
    found = spent_in(slo(), counts(10_000, 200), "not_judged", window, 3 * DAY_S)

    assert found.spent == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("calendar", "zone", "now", "hours"),
    [
        ("month", "Europe/Berlin", datetime(2026, 3, 10, tzinfo=UTC), 31 * 24 - 1),
        ("month", "Europe/Berlin", datetime(2026, 10, 10, tzinfo=UTC), 31 * 24 + 1),
        ("week", "America/New_York", datetime(2026, 3, 8, 12, tzinfo=UTC), 7 * 24 - 1),
        ("month", "UTC", datetime(2028, 2, 29, tzinfo=UTC), 29 * 24),
        ("month", "UTC", datetime(2100, 2, 28, tzinfo=UTC), 28 * 24),
        ("quarter", "UTC", datetime(2028, 1, 1, tzinfo=UTC), 91 * 24),
        ("quarter", "Australia/Lord_Howe", datetime(2026, 5, 1, tzinfo=UTC), 91 * 24 + 0.5),
    ],
)
def test_calendar_windows_know_summer_time_and_leap_years(
    calendar: str, zone: str, now: datetime, hours: float
) -> None:
    window = window_of(slo(calendar=calendar, timezone=zone), int(now.timestamp()))

    assert (window.end_s - window.start_s) / HOUR_S == hours


@given(
    now_s=st.integers(0, 4_000_000_000),
    zone=st.sampled_from(
        ["UTC", "Europe/Berlin", "America/Sao_Paulo", "Africa/Cairo", "Asia/Gaza"]
    ),
    calendar=st.sampled_from(["week", "month", "quarter"]),
)
def test_calendar_windows_follow_each_other_without_a_gap(
    now_s: int, zone: str, calendar: str
) -> None:
    objective = slo(calendar=calendar, timezone=zone)
    window = window_of(objective, now_s)

    assert window.start_s <= now_s < window.end_s
    assert window_of(objective, window.end_s).start_s == window.end_s
    local = datetime.fromtimestamp(window.start_s, ZoneInfo(zone))
    # Where midnight itself is skipped, the day begins an hour later.
    assert local.hour == 0 or local - timedelta(hours=local.hour) < local
    assert local.weekday() == 0 if calendar == "week" else local.day == 1


def events(project: str, hours: int, bad: Any) -> list[dict[str, Any]]:
    return [
        trace_row(
            project,
            NOW_S - (hours - hour) * HOUR_S + 60 * (i % 60),
            status="error" if bad(hour, i) else "ok",
            duration_ms=9000.0 if i % 10 == 0 else 100.0,
        )
        for hour in range(hours)
        for i in range(60)
    ]


def test_the_budget_burns_and_its_end_is_forecast(
    engine: ChdbEngine, catalogue: Catalogue, project: str
) -> None:
    # Calm for four days, then ten times the budget for two hours.
    engine.insert(
        "traces",
        events(project, 96, lambda h, i: i % 10 == 0 if h >= 94 else h % 5 == 0 and i == 7),
    )
    found = budget_of(engine, catalogue, slo(project=project), NOW_S - 60)

    hour, six, day, three = found.burns
    assert found.burn == pytest.approx(10)
    assert hour.long.value == pytest.approx(10)
    assert (hour.is_firing, three.is_firing) == (False, False)
    assert (six.long.value, day.long.n) == (pytest.approx(3.6, abs=0.3), 1440)
    assert found.spent == pytest.approx((12 + 19) / 5760 / 0.01, rel=0.02)
    end = found.exhaustion
    assert end is not None
    assert end.hours is not None
    assert end.hours == pytest.approx(720 * (1 - found.spent) / (10 - found.spent))
    assert end.low_hours is not None
    assert end.low_hours < end.hours


def test_latency_and_cost_objectives_count_requests_and_are_watched(
    engine: ChdbEngine, meta: Meta, catalogue: Catalogue, project: str
) -> None:
    engine.insert("traces", events(project, 30, lambda h, i: False))
    objective = slo(0.99, project=project, measure="latency_ms_over_5000")
    row = {"id": "s", "project": project, "created_ms": 0}
    with meta.begin() as connection:
        values = row | {"spec": msgspec.to_builtins(objective)}
        connection.execute(slo_table.insert().values(**values))

    found = budget_of(engine, catalogue, objective, NOW_S - 60)
    opened = Watcher(engine, meta, catalogue, lambda: float(NOW_S)).tick(NOW_S)

    assert found.spent == pytest.approx(10.0)
    assert "slo.s" in {t.episode.monitor_id for t in opened if t.kind == "opened"}


def test_slices_count_as_one_each(engine: ChdbEngine, catalogue: Catalogue, project: str) -> None:
    # Two of twenty-four hours are bad, with many and with few events alike.
    engine.insert("traces", events(project, 24, lambda h, i: h in (3, 9) and i < 6))
    objective = slo(0.9, project=project, slice_target=0.95, slice_min=60, window_days=1)

    found = budget_of(engine, catalogue, objective, NOW_S - 60)

    assert (found.judged, found.spent) == (24, pytest.approx(2 / 24 / 0.1))
    assert found.state == "insufficient_data"


def test_unequal_weights_are_worth_less(
    engine: ChdbEngine, catalogue: Catalogue, project: str
) -> None:
    rows = [
        score_row(project, NOW_S - 7200, passed=1, weight=1.0 if i % 10 else 100.0)
        for i in range(200)
    ]
    engine.insert("scores", rows)
    found = budget_of(
        engine, catalogue, slo(0.9, project=project, measure="evaluation_pass_rate"), NOW_S
    )

    assert (found.judged, found.calibration) == (200, "uncalibrated")
    assert found.n == pytest.approx((180 + 2000) ** 2 / (180 + 200_000))
    assert found.state == "insufficient_data"


def test_a_judge_moves_the_target_to_what_it_would_see() -> None:
    judge = {"good": 2000, "good_passed": 1940, "bad": 1000, "bad_failed": 900}
    objective = slo(0.9, judge=judge)
    target, ratio = raw_alarm(objective)

    assert target > 0.03 * 0.9 + 0.9 * 0.1
    assert target == pytest.approx(0.117, abs=0.012)
    assert target * ratio == pytest.approx(0.03 * 0.7 + 0.9 * 0.3, abs=0.005)
    assert monitor_of(objective).rule.target == target  # type: ignore[union-attr]


def test_steps_add_up_to_longer_ones() -> None:
    one = np.ones(10)
    tally = Tally(600, 300, one, one * 2, one, one)
    hours = tally.coarser(3600)

    assert (hours.start_s, hours.total.tolist()) == (0, [20.0])
    assert tally.within(900, 1500) == Counts(2, 4, 2, 2)
