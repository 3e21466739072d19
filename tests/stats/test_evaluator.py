"""A judge's errors: taken out of its verdicts, and carried into the interval."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vagus.stats.evaluator import Calibration


@given(
    bad=st.floats(0.0, 1.0),
    good=st.integers(50, 5000),
    failed=st.integers(50, 5000),
    passed=st.floats(0.8, 1.0),
    found=st.floats(0.8, 1.0),
)
def test_correcting_takes_back_what_the_judge_does(
    bad: float, good: int, failed: int, passed: float, found: float
) -> None:
    judge = Calibration(good, round(good * passed), failed, round(failed * found))

    assert judge.corrected(judge.seen(bad)) == pytest.approx(bad, abs=1e-9)
    low, high = judge.interval(judge.seen(bad), 1e9)
    assert 0 <= low <= high <= 1
    assert judge.seen_at_most(bad) >= min(0.999, judge.seen(bad))


@pytest.mark.parametrize(
    ("bad", "n", "size"), [(0.05, 500, 200), (0.02, 2000, 400), (0.2, 200, 100), (0.05, 120, 60)]
)
def test_the_interval_holds_the_truth_nineteen_times_of_twenty(
    bad: float, n: int, size: int
) -> None:
    rng = np.random.default_rng(20_261_124)
    sensitivity, specificity = 0.95, 0.88
    held = 0
    runs = 2000
    for _ in range(runs):
        judge = Calibration(
            size, rng.binomial(size, sensitivity), size, rng.binomial(size, specificity)
        )
        raw = rng.binomial(n, (1 - sensitivity) * (1 - bad) + specificity * bad) / n
        low, high = judge.interval(raw, n)
        held += low <= bad <= high

    assert held / runs >= 0.94


def test_leaving_out_the_calibration_would_not_hold() -> None:
    rng = np.random.default_rng(7)
    n, bad = 2000, 0.05
    held = 0
    for _ in range(500):
        judge = Calibration(60, rng.binomial(60, 0.95), 60, rng.binomial(60, 0.88))
        raw = rng.binomial(n, 0.05 * (1 - bad) + 0.88 * bad) / n
        surely = Calibration(6e6, judge.good_passed * 1e5, 6e6, judge.bad_failed * 1e5)
        low, high = surely.interval(raw, n)
        held += low <= bad <= high

    assert held / 500 < 0.85


def test_a_judge_nobody_checked_tells_nothing() -> None:
    assert Calibration(0, 0, 0, 0).informedness() == (-1.0, 1.0)
    assert Calibration(100, 95, 0, 0).informedness() == (-1.0, 1.0)
    assert Calibration(0, 0, 0, 0).interval(0.1, 100) == (0.0, 1.0)
    low, high = Calibration(200, 190, 100, 88).informedness()
    assert 0.7 < low < 0.83 < high < 0.9
