"""Bets keep their promise: the mean time to a false alarm, and discoveries among many series."""

from __future__ import annotations

import math

import numpy as np
import pytest

from vagus.stats.bets import (
    BETS,
    accumulate,
    count_factors,
    excess_factors,
    likelihood_factors,
    log_e,
    shock_factors,
)
from vagus.stats.ebh import log_threshold

SERIES, MINUTES, ALPHA = 400, 1000, 1e-3


def alarms(factors_of: object, rng: np.random.Generator) -> float:
    """The share of series that reached 1 / alpha, which is at most alpha times the minutes."""
    wealth = np.zeros((SERIES, BETS))
    reached = np.zeros(SERIES, dtype=bool)
    for _ in range(MINUTES // 5):
        factors = factors_of(rng)  # type: ignore[operator]
        accumulate(wealth, factors, np.ones(SERIES, dtype=bool))
        reached |= log_e(wealth) >= -math.log(ALPHA)
    return float(reached.mean())


def shares(rng: np.random.Generator) -> np.ndarray:
    x = rng.binomial(20, 0.05, SERIES) / 20
    bounds = (np.full(SERIES, 0.05), np.full(SERIES, 0.05))
    return excess_factors(x, np.full(SERIES, 0.05), 1, np.full(SERIES, 0.049), bounds)


def means(rng: np.random.Generator) -> np.ndarray:
    x = rng.lognormal(0, 0.5, SERIES)
    mean, spread = math.exp(0.125), math.exp(0.125) * math.sqrt(math.exp(0.25) - 1)
    return excess_factors(x, np.full(SERIES, mean), 1, np.full(SERIES, spread))


def counts(rng: np.random.Generator) -> np.ndarray:
    x = rng.poisson(5, SERIES).astype(float)
    return count_factors(x, np.full(SERIES, 5.0), -1, np.ones(SERIES))


@pytest.mark.parametrize("factors_of", [shares, means, counts])
def test_a_series_at_what_is_tolerated_is_rarely_alarmed(factors_of: object) -> None:
    rate = alarms(factors_of, np.random.default_rng(2))

    assert rate <= ALPHA * MINUTES / 5


def test_the_mean_of_a_shock_is_at_most_one() -> None:
    chance = np.random.default_rng(3).random(2_000_000)

    assert shock_factors(chance).mean() <= 1.05
    assert shock_factors(np.array([1e-12]))[0] > 1e6


def test_the_likelihood_ratio_says_what_a_hit_and_a_miss_are_worth() -> None:
    one = np.array([1.0])
    found = likelihood_factors(one, 3 * one, 0.1 * one, 0.3 * one)

    assert found[0, 0] == pytest.approx(3 * (0.7 / 0.9) ** 2)


def test_what_was_not_seen_changes_nothing() -> None:
    wealth = np.full((2, BETS), 3.0)
    accumulate(wealth, np.full((2, BETS), 2.0), np.array([True, False]), is_cusum=True)

    assert wealth[:, 0].tolist() == [6.0, 3.0]


def test_one_discovery_among_many_needs_as_much_as_bonferroni() -> None:
    needed = log_threshold([20.0, 1.0, 0.0], 0.01, of=100)

    assert needed == pytest.approx(math.log(100 / 0.01))


def test_many_discoveries_need_less_each() -> None:
    assert log_threshold([10.0] * 50, 0.01, of=100) == pytest.approx(math.log(100 / 0.01 / 50))
    assert log_threshold([5.0], 0.01, of=100) == math.inf
    assert log_threshold([], 0.01) == math.inf
