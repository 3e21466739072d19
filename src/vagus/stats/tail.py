"""Exact tails of the count distributions, without SciPy: Poisson, binomial and beta-binomial."""

from __future__ import annotations

import math
from collections.abc import Callable

# Terms below this share of the sum so far can no longer change it in double precision.
_NEGLIGIBLE = 1e-17


def poisson_upper_tail(count: int, mean: float) -> float:
    """The chance of `count` or more events when `mean` are expected."""
    if count <= 0:
        return 1.0
    if mean <= 0:
        return 0.0

    def log_pmf(i: int) -> float:
        return i * math.log(mean) - mean - math.lgamma(i + 1)

    if count > mean:
        return _sum_up(log_pmf(count), count, None, lambda i: mean / (i + 1))
    below = _sum_down(log_pmf(count - 1), count - 1, lambda i: i / mean)
    return max(0.0, 1.0 - below)


def binomial_upper_tail(successes: int, n: int, p: float, dispersion: float = 0.0) -> float:
    """The chance of `successes` or more out of `n` when each succeeds with probability `p`.

    `dispersion` is the correlation of two trials in the same window, 0 to 1: the beta-binomial
    tail (Skellam 1948). 0 is the plain binomial.
    """
    if successes <= 0:
        return 1.0
    if successes > n or p <= 0:
        return 0.0
    if p >= 1:
        return 1.0
    if dispersion > 0:
        log_pmf, up = _beta_binomial(n, p, dispersion)
    else:
        log_pmf, up = _binomial(n, p)
    if successes > n * p:
        return _sum_up(log_pmf(successes), successes, n, up)
    below = _sum_down(log_pmf(successes - 1), successes - 1, lambda i: 1.0 / up(i - 1))
    return max(0.0, 1.0 - below)


_Law = tuple[Callable[[int], float], Callable[[int], float]]


def _binomial(n: int, p: float) -> _Law:
    odds = p / (1 - p)

    def log_pmf(i: int) -> float:
        choose = math.lgamma(n + 1) - math.lgamma(i + 1) - math.lgamma(n - i + 1)
        return choose + i * math.log(p) + (n - i) * math.log1p(-p)

    return log_pmf, lambda i: (n - i) / (i + 1) * odds


def _beta_binomial(n: int, p: float, dispersion: float) -> _Law:
    total = 1.0 / min(dispersion, 0.999) - 1.0
    a, b = p * total, (1 - p) * total

    def log_beta(x: float, y: float) -> float:
        return math.lgamma(x) + math.lgamma(y) - math.lgamma(x + y)

    def log_pmf(i: int) -> float:
        choose = math.lgamma(n + 1) - math.lgamma(i + 1) - math.lgamma(n - i + 1)
        return choose + log_beta(i + a, n - i + b) - log_beta(a, b)

    return log_pmf, lambda i: (n - i) / (i + 1) * (i + a) / (n - i - 1 + b)


def _sum_up(log_first: float, start: int, stop: int | None, up: Callable[[int], float]) -> float:
    """The sum of the terms from `start` upwards; `up(i)` is term i+1 over term i."""
    term = total = 1.0
    i = start
    while stop is None or i < stop:
        term *= up(i)
        total += term
        if term < total * _NEGLIGIBLE:
            break
        i += 1
    return min(1.0, math.exp(log_first + math.log(total)))


def _sum_down(log_first: float, start: int, down: Callable[[int], float]) -> float:
    """The sum of the terms from `start` down to 0; `down(i)` is term i-1 over term i."""
    term = total = 1.0
    for i in range(start, 0, -1):
        term *= down(i)
        total += term
        if term < total * _NEGLIGIBLE:
            break
    return min(1.0, math.exp(log_first + math.log(total)))
