"""Tails against SciPy."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from vagus.stats.tail import binomial_upper_tail, poisson_upper_tail

RATES = st.floats(1e-4, 0.9999)


@given(n=st.integers(1, 3000), share=st.floats(0, 1), p=RATES)
def test_binomial_tail_is_scipys(n: int, share: float, p: float) -> None:
    k = round(share * n)

    assert binomial_upper_tail(k, n, p) == pytest.approx(
        float(stats.binom.sf(k - 1, n, p)), rel=1e-6, abs=1e-12
    )


@given(
    n=st.integers(1, 300), share=st.floats(0, 1), p=st.floats(0.01, 0.99), d=st.floats(0.01, 0.5)
)
def test_beta_binomial_tail_is_scipys(n: int, share: float, p: float, d: float) -> None:
    k, total = round(share * n), 1 / d - 1

    assert binomial_upper_tail(k, n, p, d) == pytest.approx(
        float(stats.betabinom.sf(k - 1, n, p * total, (1 - p) * total)), rel=1e-6, abs=1e-10
    )


@given(k=st.integers(0, 3000), mean=st.floats(0.001, 3000))
def test_poisson_tail_is_scipys(k: int, mean: float) -> None:
    assert poisson_upper_tail(k, mean) == pytest.approx(
        float(stats.poisson.sf(k - 1, mean)), rel=1e-6, abs=1e-12
    )


def test_certain_and_impossible_tails() -> None:
    assert poisson_upper_tail(0, 5) == 1.0
    assert poisson_upper_tail(3, 0) == 0.0
    assert binomial_upper_tail(0, 10, 0.5) == 1.0
    assert binomial_upper_tail(11, 10, 0.5) == 0.0
    assert binomial_upper_tail(1, 10, 0.0) == 0.0
    assert binomial_upper_tail(10, 10, 1.0) == 1.0


def test_a_tiny_tail_keeps_its_digits() -> None:
    assert binomial_upper_tail(90, 100, 0.02) == pytest.approx(
        float(stats.binom.sf(89, 100, 0.02)), rel=1e-9
    )
