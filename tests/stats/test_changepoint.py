"""Change points: found where they are, with honest intervals, and not in noise."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vagus.stats.changepoint import change_point, rate_change_point


@given(at=st.integers(2, 37), before=st.floats(-50, 50), jump=st.floats(0.5, 20))
def test_a_clean_step_is_found_exactly(at: int, before: float, jump: float) -> None:
    found = change_point([before] * at + [before + jump] * (40 - at))

    assert found is not None
    assert (found.index, found.low, found.high) == (at, at, at)
    assert found.before == pytest.approx(before, abs=1e-9)
    assert found.after == pytest.approx(before + jump)
    assert found.is_clear(40)


def test_missing_windows_do_not_move_the_place() -> None:
    values = [1.0] * 10 + [math.nan] * 5 + [3.0] * 10
    weights = [1.0] * 20 + [0.0] + [1.0] * 4

    found = change_point(values, weights)
    assert found is not None
    assert found.index == 15


def test_too_little_or_constant_data_has_no_change_point() -> None:
    assert change_point([1.0, 2.0, 3.0]) is None
    assert change_point([2.0] * 30) is None
    assert rate_change_point([1, 1, 1], [5, 5, 5]) is None
    assert rate_change_point([0] * 9, [5] * 9) is None
    assert rate_change_point([5] * 9, [5] * 9) is None


def test_interval_holds_the_true_place_of_a_rate_change() -> None:
    rng = np.random.default_rng(17)
    inside, width = 0, []
    for _ in range(300):
        n = rng.poisson(15, 120)
        hits = rng.binomial(n, np.r_[np.full(70, 0.05), np.full(50, 0.2)])
        found = rate_change_point(hits, n)
        assert found is not None
        assert found.is_clear(120)
        inside += found.low <= 70 <= found.high
        width.append(found.high - found.low)
    assert inside / 300 >= 0.95
    assert np.median(width) <= 8


def test_noise_alone_rarely_looks_clear() -> None:
    rng = np.random.default_rng(18)
    clear = {"rate": 0, "mean": 0}
    for _ in range(400):
        n = rng.poisson(15, 120) + 1
        rate = rate_change_point(rng.binomial(n, 0.05), n)
        mean = change_point(rng.normal(size=120))
        assert rate is not None
        assert mean is not None
        clear["rate"] += rate.is_clear(120)
        clear["mean"] += mean.is_clear(120)
    assert clear["rate"] / 400 <= 0.02
    assert clear["mean"] / 400 <= 0.02
