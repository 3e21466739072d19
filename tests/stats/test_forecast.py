"""The forecast of spend: its interval holds as often as it says, on traffic of many kinds."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vagus.stats.forecast import MIN_DAYS, outlook

WEEK = (1.2, 1.25, 1.2, 1.15, 1.0, 0.6, 0.6)


def steady(rng, days):
    """Independent days around one level."""
    return 100 * rng.gamma(16, 1 / 16, days)


def skewed(rng, days):
    """Few large jobs: days differ by a factor of three."""
    return 100 * rng.gamma(3, 1 / 3, days)


def weekly(rng, days):
    """Office hours: the weekend sees half."""
    return 100 * rng.gamma(20, 1 / 20, days) * np.resize(WEEK, days)


def wandering(rng, days):
    """A level that moves by three percent a day."""
    level = 100 * np.exp(np.cumsum(rng.normal(0, 0.03, days)))
    return level * rng.gamma(30, 1 / 30, days)


@pytest.mark.parametrize("kind", [steady, skewed, weekly, wandering])
@pytest.mark.parametrize(("past", "ahead"), [(7, 7), (28, 14), (56, 28)])
def test_the_interval_holds_about_as_often_as_it_says(kind, past, ahead):
    rng = np.random.default_rng(5)
    held = 0
    for _ in range(400):
        days = kind(rng, past + ahead)
        found = outlook(days[:past].tolist(), [1.0] * ahead, 0)
        held += found.low <= days[past:].sum() <= found.high

    assert held / 400 >= 0.86, held / 400


def test_the_interval_is_narrow_enough_to_be_of_use():
    rng = np.random.default_rng(8)
    widths = []
    for _ in range(100):
        found = outlook(steady(rng, 28).tolist(), [1.0] * 14, 0)
        widths.append((found.high - found.low) / 2 / found.expected)

    assert np.median(widths) < 0.25


def test_more_history_of_the_same_gives_a_narrower_interval():
    rng = np.random.default_rng(6)
    days = steady(rng, 56).tolist()

    short, long = (outlook(days[-n:], [1.0] * 10, 0) for n in (7, 56))

    assert long.high - long.low < short.high - short.low


def test_weekends_are_expected_as_weekends():
    days = (100 * np.resize(WEEK, 56)).tolist()

    weekend = outlook(days + days[:5], [1.0, 1.0], 0)
    workdays = outlook(days, [1.0, 1.0], 0)

    assert weekend.expected == pytest.approx(120, rel=0.2)
    assert workdays.expected == pytest.approx(245, rel=0.1)


def test_what_is_left_of_a_day_counts_by_its_share():
    days = [100.0] * 10

    assert outlook(days, [0.25], 0).expected == pytest.approx(25.0)
    assert outlook(days, [], 0).expected == 0.0


def test_the_chance_to_pass_a_line_falls_with_the_line():
    rng = np.random.default_rng(7)
    found = outlook(steady(rng, 28).tolist(), [1.0] * 7, 0)

    chances = [found.chance_above(found.expected + z * found.spread) for z in (-3, -1, 0, 1, 3)]

    assert chances == sorted(chances, reverse=True)
    assert chances[2] == pytest.approx(0.5, abs=0.01)
    assert found.chance_above(found.high) == pytest.approx(0.05, abs=0.005)


def test_too_short_a_history_foretells_nothing():
    assert outlook([5.0] * (MIN_DAYS - 1), [1.0], 0) is None
    assert outlook([5.0] * (MIN_DAYS - 1) + [0.0] * 30, [1.0], 0) is None


@given(
    st.lists(st.floats(0.01, 1e6), min_size=MIN_DAYS, max_size=60),
    st.lists(st.floats(0, 1), max_size=40),
    st.integers(0, 6),
)
def test_any_history_gives_finite_numbers_in_order(days, future, weekday):
    found = outlook(days, future, weekday)

    assert 0 <= found.low <= found.expected <= found.high or math.isclose(
        found.low, found.expected, abs_tol=1e-6
    )
    assert math.isfinite(found.high)
