"""Comparisons agree with SciPy and with the papers, and keep their error rates."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from vagus.stats.compare import (
    Moments,
    benjamini_hochberg,
    compare_means,
    compare_rates,
    g_test,
    log_odds_ratio,
)

counts = st.integers(1, 500)


@given(counts, counts, counts, counts)
def test_the_g_test_is_scipys(a: int, b: int, c: int, d: int) -> None:
    expected = scipy.stats.chi2_contingency(
        [[a, b], [c, d]], correction=False, lambda_="log-likelihood"
    ).pvalue
    assert g_test(a, b, c, d) == pytest.approx(expected, rel=1e-6, abs=1e-12)


def test_an_empty_cell_is_allowed() -> None:
    expected = scipy.stats.chi2_contingency(
        [[0, 100], [10, 90]], correction=False, lambda_="log-likelihood"
    ).pvalue
    assert g_test(0, 100, 10, 90) == pytest.approx(expected)
    assert g_test(0, 0, 5, 5) == 1


def test_newcombes_example() -> None:
    # Newcombe (1998), 56/70 against 48/80, method 10: 0.0524 to 0.3339.
    found = compare_rates(48, 80, 56, 70)
    assert found is not None
    assert (round(found.value, 4), round(found.low, 4), round(found.high, 4)) == (
        0.2,
        0.0524,
        0.3339,
    )


def test_a_side_without_trials_cannot_be_compared() -> None:
    assert compare_rates(0, 0, 1, 2) is None
    assert compare_rates(1, 2, 0, 0) is None


def test_more_likely_is_positive() -> None:
    assert log_odds_ratio(90, 10, 10, 90) == pytest.approx(2 * math.log(90.5 / 10.5))
    assert log_odds_ratio(0, 0, 0, 0) == 0


def moments(values: list[float]) -> Moments:
    return Moments(len(values), sum(values), sum(v * v for v in values))


def test_welch_is_scipys_for_large_samples() -> None:
    rng = np.random.default_rng(7)
    first, second = rng.normal(0, 1, 4000).tolist(), rng.normal(0.05, 2, 3000).tolist()
    found = compare_means(moments(first), moments(second))
    expected = scipy.stats.ttest_ind(second, first, equal_var=False)
    assert found is not None
    assert found.p_value == pytest.approx(expected.pvalue, rel=0.01)
    interval = expected.confidence_interval()
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high), rel=0.01)


def test_too_few_values_cannot_be_compared() -> None:
    assert compare_means(moments([1.0]), moments([1.0, 2.0])) is None
    assert compare_means(moments([1.0, 2.0]), moments([])) is None
    assert moments([1.0]).error == math.inf


def test_samples_without_spread_differ_or_do_not() -> None:
    same = compare_means(moments([1.0, 1.0]), moments([1.0, 1.0]))
    other = compare_means(moments([1.0, 1.0]), moments([2.0, 2.0]))
    assert same is not None
    assert other is not None
    assert (same.p_value, other.p_value) == (1.0, 0.0)


def test_the_rest_is_what_is_left() -> None:
    whole, part = moments([1.0, 2.0, 3.0]), moments([2.0])
    assert whole.less(part) == moments([1.0, 3.0])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_q_values_are_scipys(p_values: list[float]) -> None:
    expected = scipy.stats.false_discovery_control(p_values)
    assert benjamini_hochberg(p_values) == pytest.approx(list(expected))


def test_no_questions_have_no_answers() -> None:
    assert benjamini_hochberg([]) == []


def test_the_g_test_keeps_its_error_rate() -> None:
    rng = np.random.default_rng(3)
    first, second = rng.binomial(400, 0.1, 3000), rng.binomial(300, 0.1, 3000)
    alarms = sum(g_test(a, 400 - a, b, 300 - b) < 0.05 for a, b in zip(first, second, strict=True))
    assert 0.035 < alarms / 3000 < 0.065
