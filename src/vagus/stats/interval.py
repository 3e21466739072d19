"""Intervals for rates, means, counts and quantiles; too little data gives a wide interval, never 0.

Rates: Wilson (1927), with the effective sample size of Kish (1965) for weighted data.
Means: Student's t. Counts: the exact Poisson interval of Garwood (1936).
Quantiles: order statistics, which need no assumption about the distribution.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vagus.stats.tail import poisson_upper_tail

Interval = tuple[float, float]

# Above this count Wilson and Hilferty (1931) is right to five digits and the exact sum is slow.
_EXACT_POISSON_LIMIT = 1000
# Up to this sample size the ranks come from the exact binomial, above from its normal limit.
_EXACT_RANK_LIMIT = 1000


@lru_cache(maxsize=256)
def normal_quantile(p: float) -> float:
    """The value below which a standard normal falls with probability `p`."""
    return NormalDist().inv_cdf(p)


def effective_n(sum_w: float, sum_w2: float) -> float:
    """Kish's effective sample size: what `sum_w`-weighted rows are worth in equal rows."""
    return sum_w * sum_w / sum_w2 if sum_w2 > 0 else 0.0


def wilson(successes: float, n: float, confidence: float = 0.95) -> Interval:
    """The Wilson interval of a rate.

    For weighted data use `weighted_wilson`. With no data everything is possible: (0, 1).
    """
    if n <= 0:
        return 0.0, 1.0
    z2 = normal_quantile(0.5 + confidence / 2) ** 2
    rate = min(1.0, max(0.0, successes / n))
    centre = (rate + z2 / (2 * n)) / (1 + z2 / n)
    half = math.sqrt(z2 * (rate * (1 - rate) / n + z2 / (4 * n * n))) / (1 + z2 / n)
    low = 0.0 if rate == 0 else max(0.0, centre - half)
    high = 1.0 if rate == 1 else min(1.0, centre + half)
    return low, high


def weighted_wilson(
    weighted_successes: float, sum_w: float, sum_w2: float, confidence: float = 0.95
) -> Interval:
    """The Wilson interval of a weighted rate, at its effective sample size."""
    if sum_w <= 0:
        return 0.0, 1.0
    n = effective_n(sum_w, sum_w2)
    return wilson(weighted_successes / sum_w * n, n, confidence)


def wilson_arrays(
    successes: ArrayLike, n: ArrayLike, confidence: float = 0.95
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """`wilson` over whole columns at once."""
    size = np.asarray(n, dtype=np.float64)
    safe = np.where(size > 0, size, 1.0)
    rate = np.clip(np.asarray(successes, dtype=np.float64) / safe, 0.0, 1.0)
    z2 = normal_quantile(0.5 + confidence / 2) ** 2
    centre = (rate + z2 / (2 * safe)) / (1 + z2 / safe)
    spread = z2 * (rate * (1 - rate) / safe + z2 / (4 * safe * safe))
    half = np.sqrt(spread) / (1 + z2 / safe)
    low = np.where((size > 0) & (rate > 0), np.maximum(0.0, centre - half), 0.0)
    high = np.where((size > 0) & (rate < 1), np.minimum(1.0, centre + half), 1.0)
    return low, high


def zero_failure_bound(n: float, confidence: float = 0.95) -> float:
    """The largest failure rate that `n` trials without a failure leave possible, one-sided, exact.

    About 3/n at 95 %: zero failures prove '5 % or less' only from n = 59.
    """
    return 1.0 if n <= 0 else 1.0 - (1.0 - confidence) ** (1.0 / n)


def student_quantile(p: float, degrees: float) -> float:
    """The quantile of Student's t: exact for 1 and 2 degrees, else the expansion of Hill (1970)."""
    if degrees <= 0:
        return math.inf
    sign, tail = (1.0, 2 * (1 - p)) if p >= 0.5 else (-1.0, 2 * p)
    if degrees < 1.5:
        angle = tail * math.pi / 2
        return sign * math.cos(angle) / math.sin(angle)
    if degrees < 2.5:
        return sign * math.sqrt(2 / (tail * (2 - tail)) - 2)
    return sign * _hill(tail, degrees)


def _hill(tail: float, n: float) -> float:
    """Hill's Algorithm 396: the two-sided t quantile for more than two degrees of freedom."""
    a = 1 / (n - 0.5)
    b = 48 / (a * a)
    c = ((20700 * a / b - 98) * a - 16) * a + 96.36
    d = ((94.5 / (b + c) - 3) / b + 1) * math.sqrt(a * math.pi / 2) * n
    y = (d * tail) ** (2 / n)
    if y > 0.05 + a:
        x = normal_quantile(tail / 2)
        y = x * x
        if n < 5:
            c += 0.3 * (n - 4.5) * (x + 0.6)
        c += (((0.05 * d * x - 5) * x - 7) * x - 2) * x + b
        y = (((((0.4 * y + 6.3) * y + 36) * y + 94.5) / c - y - 3) / b + 1) * x
        y = math.expm1(a * y * y)
    else:
        inner = 1 / (((n + 6) / (n * y) - 0.089 * d - 0.822) * (n + 2) * 3)
        y = ((inner + 0.5 / (n + 4)) * y - 1) * (n + 1) / (n + 2) + 1 / y
    return math.sqrt(n * y)


def mean_interval(
    total: float, total_squares: float, n: float, confidence: float = 0.95
) -> Interval | None:
    """The interval of a mean from its sums; None below two rows, where the spread is unknown."""
    if n < 2:
        return None
    mean = total / n
    variance = max(0.0, (total_squares - total * mean) / (n - 1))
    half = student_quantile(0.5 + confidence / 2, n - 1) * math.sqrt(variance / n)
    return mean - half, mean + half


def poisson_interval(count: int, confidence: float = 0.95) -> Interval:
    """Garwood's exact interval for the mean of a Poisson count; (0, 3.69) when nothing was seen."""
    tail = (1 - confidence) / 2
    if count > _EXACT_POISSON_LIMIT:
        z = normal_quantile(1 - tail)
        return _wilson_hilferty(count, -z), _wilson_hilferty(count + 1, z)
    # P(X >= count) grows with the mean: the low end makes it `tail`, the high end of count + 1
    # leaves `tail` below.
    low = 0.0 if count == 0 else _poisson_mean(count, tail)
    return low, _poisson_mean(count + 1, 1 - tail)


def _wilson_hilferty(count: int, z: float) -> float:
    """Half the chi-square quantile with 2 * count degrees, as the cube of a normal."""
    return count * (1 - 1 / (9 * count) + z / (3 * math.sqrt(count))) ** 3


def _poisson_mean(count: int, tail: float) -> float:
    """The mean at which `count` or more events have probability `tail`, by bisection."""
    low, high = 0.0, count + 10 * math.sqrt(count) + 20
    for _ in range(80):
        middle = (low + high) / 2
        if poisson_upper_tail(count, middle) < tail:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def quantile_ranks(n: int, q: float, confidence: float = 0.95) -> tuple[int, int]:
    """The ranks (from 1) of the order statistics that bracket the q-quantile of `n` values.

    The low rank is 0 and the high rank n + 1 when no value of the sample is a bound.
    """
    tail = (1 - confidence) / 2
    if n > _EXACT_RANK_LIMIT:
        half = normal_quantile(1 - tail) * math.sqrt(n * q * (1 - q))
        low, high = math.floor(n * q - half), math.ceil(n * q + half) + 1
        return max(0, low), min(n + 1, high)
    if n <= 0:
        return 0, 1
    below = np.cumsum(_binomial_pmf(n, q))
    # X_(l) lies above the quantile when fewer than l values lie below it: P(B <= l - 1).
    low = int(np.searchsorted(below, tail, side="right"))
    high = int(np.searchsorted(below, 1 - tail, side="left")) + 1
    return low, min(high, n + 1)


def _binomial_pmf(n: int, p: float) -> NDArray[np.float64]:
    log_factorial = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, n + 1)))])
    k = np.arange(n + 1)
    choose = log_factorial[n] - log_factorial - log_factorial[::-1]
    p = min(1 - 1e-15, max(1e-300, p))
    pmf: NDArray[np.float64] = np.exp(choose + k * math.log(p) + (n - k) * math.log1p(-p))
    return pmf


def quantile_interval(
    cumulative: Sequence[int] | NDArray[np.int64], q: float, confidence: float = 0.95
) -> tuple[int | None, int | None]:
    """The bins of a histogram, given as running totals, that bracket its q-quantile.

    None on a side means that the sample is too small to bound it there.
    """
    running = np.asarray(cumulative)
    n = int(running[-1]) if running.size else 0
    low, high = quantile_ranks(n, q, confidence)
    low_bin = int(np.searchsorted(running, low)) if low >= 1 else None
    high_bin = int(np.searchsorted(running, high)) if high <= n else None
    return low_bin, high_bin
