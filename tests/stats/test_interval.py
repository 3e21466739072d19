"""Intervals against SciPy, published figures, and their own coverage."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from vagus.stats.interval import (
    effective_n,
    mean_interval,
    poisson_interval,
    quantile_interval,
    quantile_ranks,
    student_quantile,
    weighted_wilson,
    wilson,
    wilson_arrays,
    zero_failure_bound,
)


@given(n=st.integers(1, 100_000), share=st.floats(0, 1), level=st.sampled_from([0.8, 0.95, 0.99]))
def test_wilson_is_scipys(n: int, share: float, level: float) -> None:
    hits = round(share * n)
    expected = stats.binomtest(hits, n).proportion_ci(level, method="wilson")

    assert wilson(hits, n, level) == pytest.approx((expected.low, expected.high), abs=1e-9)


@given(
    st.lists(
        st.integers(0, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), max_size=20
    )
)
def test_wilson_of_columns_is_wilson_of_each(rows: list[tuple[int, int]]) -> None:
    low, high = wilson_arrays([hits for hits, _ in rows], [n for _, n in rows])

    assert [*zip(low, high, strict=True)] == [pytest.approx(wilson(*row)) for row in rows]


@pytest.mark.parametrize(
    ("bad", "n", "low", "high"),
    [
        (2, 50, 0.011, 0.135),
        (5, 100, 0.022, 0.112),
        (20, 400, 0.033, 0.076),
        (50, 1000, 0.038, 0.065),
    ],
)
def test_few_samples_give_the_known_wide_intervals(
    bad: int, n: int, low: float, high: float
) -> None:
    assert wilson(bad, n) == pytest.approx((low, high), abs=6e-4)


def test_no_data_leaves_everything_possible() -> None:
    assert wilson(0, 0) == (0.0, 1.0)
    assert weighted_wilson(0, 0, 0) == (0.0, 1.0)
    assert mean_interval(3.0, 9.0, 1) is None
    assert zero_failure_bound(0) == 1.0
    assert effective_n(0, 0) == 0.0


@pytest.mark.parametrize(("n", "bound"), [(59, 0.05), (299, 0.01), (2995, 0.001)])
def test_zero_failures_prove_a_bound_only_from_enough_trials(n: int, bound: float) -> None:
    assert zero_failure_bound(n) <= bound < zero_failure_bound(n - 1)


@given(weight=st.floats(0.1, 50), n=st.integers(1, 500), share=st.floats(0, 1))
def test_equal_weights_change_nothing(weight: float, n: int, share: float) -> None:
    hits = round(share * n)

    found = weighted_wilson(hits * weight, n * weight, n * weight * weight)
    assert found == pytest.approx(wilson(hits, n), abs=1e-9)


def test_unequal_weights_widen_the_interval() -> None:
    low, high = weighted_wilson(50, 100, 50 * 1.9**2 + 50 * 0.1**2)
    equal = wilson(50, 100)

    assert low < equal[0]
    assert high > equal[1]


@pytest.mark.parametrize("degrees", [1, 2, 3, 4, 5, 8, 20, 100, 5000])
@pytest.mark.parametrize("p", [0.0005, 0.025, 0.3, 0.6, 0.9, 0.975, 0.9995])
def test_student_quantile_is_scipys(degrees: int, p: float) -> None:
    assert student_quantile(p, degrees) == pytest.approx(float(stats.t.ppf(p, degrees)), rel=2e-4)


def test_student_quantile_without_degrees_is_unbounded() -> None:
    assert student_quantile(0.975, 0) == math.inf


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=50))
def test_mean_interval_is_scipys(values: list[float]) -> None:
    data = np.array(values)
    scale = float(data.std(ddof=1) / math.sqrt(data.size))
    if scale < 1e-3:
        return
    found = mean_interval(float(data.sum()), float((data**2).sum()), data.size)
    expected = stats.t.interval(0.95, data.size - 1, data.mean(), scale)

    assert found == pytest.approx(expected, rel=1e-3, abs=1e-3 * scale + 1e-3)


@pytest.mark.parametrize("count", [0, 1, 2, 7, 50, 400, 1000, 1001, 20_000])
@pytest.mark.parametrize("level", [0.9, 0.95, 0.999])
def test_poisson_interval_is_garwoods(count: int, level: float) -> None:
    tail = (1 - level) / 2
    low = float(stats.chi2.ppf(tail, 2 * count)) / 2 if count else 0.0
    high = float(stats.chi2.ppf(1 - tail, 2 * count + 2)) / 2

    assert poisson_interval(count, level) == pytest.approx(
        (low, high), rel=2e-6 if count <= 1000 else 1e-5
    )


def test_nothing_seen_still_leaves_three_point_seven() -> None:
    assert poisson_interval(0) == pytest.approx((0.0, 3.689), abs=1e-3)


@given(n=st.integers(1, 4000), q=st.floats(0.01, 0.99))
def test_ranks_cover_the_quantile_as_often_as_promised(n: int, q: float) -> None:
    low, high = quantile_ranks(n, q)
    covered = float(stats.binom.cdf(high - 1, n, q) - stats.binom.cdf(low - 1, n, q))
    if high == n + 1:
        covered = 1 - float(stats.binom.cdf(low - 1, n, q))

    # Above the exact range the normal limit may fall short by a little.
    assert covered >= 0.95 - (1e-9 if n <= 1000 else 0.006)


def test_a_small_sample_does_not_bound_a_far_quantile() -> None:
    assert quantile_ranks(50, 0.99)[1] == 51
    assert quantile_ranks(0, 0.5) == (0, 1)
    assert quantile_interval([10, 30, 50], 0.99) == (2, None)
    assert quantile_interval([], 0.5) == (None, None)
    assert quantile_interval([5], 0.001) == (None, 0)
