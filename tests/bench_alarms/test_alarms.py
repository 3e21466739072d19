"""The bench of alarms counts what happens: quiet months, faults that are found, delays."""

from __future__ import annotations

import numpy as np
from bench.alarms import delays, pages


def test_fault_free_days_raise_few_pages_and_say_how_many_months_they_were() -> None:
    found = pages.figures(pages.simulate(5, 10, 2), 2)

    assert found["service_months"] == 0.7
    assert found["all"]["pages"] <= 3
    assert found["all"]["low"] <= found["all"]["per_30d"] <= found["all"]["high"]


def test_a_whole_outage_is_found_in_its_first_minutes() -> None:
    limits = dict.fromkeys(("threshold", "three_sigma", "burn_rate"), np.inf)
    rows = delays.simulate(7, 2, limits)
    out = [row for row in rows if row["fault"] == "outage 1" and row["volume"] >= 50]

    assert out
    assert all(row["vagus"] <= 3 for row in out)
    assert all(np.isinf(row["burn_rate"]) for row in rows)


def test_a_fall_of_quality_is_found_later_when_more_series_share_the_budget() -> None:
    one, many = (delays.quality(3, 60, series) for series in (1, 9))

    assert 30 < one["median_min"] < many["median_min"]
