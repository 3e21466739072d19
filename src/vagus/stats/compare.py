"""Two samples side by side: rates and means, and many such questions at once.

Rates: the G-test (Woolf 1957), and Newcombe's hybrid score interval (1998, method 10).
Means: Welch's statistic with a normal limit, for large samples. Many questions: the false
discovery rate of Benjamini and Hochberg (1995). All look once at fixed samples: for continuous
looking there is `vagus.stats.sequential`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from vagus.stats.interval import wilson


@dataclass(frozen=True, slots=True)
class Difference:
    """The second level minus the first, with its 95 % interval and the two-sided p-value."""

    value: float
    low: float
    high: float
    p_value: float


def compare_rates(
    successes_1: float, n_1: float, successes_2: float, n_2: float, confidence: float = 0.95
) -> Difference | None:
    """The difference of two rates; None when a side has no trials."""
    if n_1 <= 0 or n_2 <= 0:
        return None
    rate_1, rate_2 = successes_1 / n_1, successes_2 / n_2
    low_1, high_1 = wilson(successes_1, n_1, confidence)
    low_2, high_2 = wilson(successes_2, n_2, confidence)
    difference = rate_2 - rate_1
    return Difference(
        value=difference,
        low=difference - math.hypot(rate_2 - low_2, high_1 - rate_1),
        high=difference + math.hypot(high_2 - rate_2, rate_1 - low_1),
        p_value=g_test(successes_1, n_1 - successes_1, successes_2, n_2 - successes_2),
    )


def g_test(a: float, b: float, c: float, d: float) -> float:
    """The p-value of 'the rows (a, b) and (c, d) have the same odds', by the likelihood ratio.

    Not for expected counts below about five, where it is too bold.
    """
    total = a + b + c + d
    statistic = 0.0
    for observed, row, column in (
        (a, a + b, a + c),
        (b, a + b, b + d),
        (c, c + d, a + c),
        (d, c + d, b + d),
    ):
        if observed > 0:
            statistic += 2 * observed * math.log(observed * total / (row * column))
    # The chi-square survival function with one degree of freedom.
    return math.erfc(math.sqrt(max(0.0, statistic) / 2))


def log_odds_ratio(a: float, b: float, c: float, d: float) -> float:
    """How much likelier (a, b) is than (c, d), in nats, with half a count added to every cell."""
    return math.log((a + 0.5) * (d + 0.5) / ((b + 0.5) * (c + 0.5)))


@dataclass(frozen=True, slots=True)
class Moments:
    """A sample as its sums."""

    n: float
    total: float
    squares: float

    @property
    def mean(self) -> float:
        """The mean; only for a sample that is not empty."""
        return self.total / self.n

    @property
    def error(self) -> float:
        """The standard error of the mean; infinite below two values."""
        if self.n < 2:
            return math.inf
        variance = max(0.0, (self.squares - self.total * self.mean) / (self.n - 1))
        return math.sqrt(variance / self.n)

    def less(self, other: Moments) -> Moments:
        """The rest of this sample without `other`, which is a part of it."""
        return Moments(
            max(0.0, self.n - other.n), self.total - other.total, self.squares - other.squares
        )


def compare_means(first: Moments, second: Moments) -> Difference | None:
    """The difference of two means; None when a side has fewer than two values."""
    if first.n < 2 or second.n < 2:
        return None
    error = math.hypot(first.error, second.error)
    difference = second.mean - first.mean
    if error == 0:
        p_value = 1.0 if difference == 0 else 0.0
    else:
        p_value = math.erfc(abs(difference) / error / math.sqrt(2))
    half = 1.959963984540054 * error
    return Difference(difference, difference - half, difference + half, p_value)


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """The q-value of each p-value: the false discovery rate at which it would just be named."""
    order = sorted(range(len(p_values)), key=lambda i: p_values[i], reverse=True)
    q_values = [1.0] * len(p_values)
    least = 1.0
    for place, index in enumerate(order):
        rank = len(p_values) - place
        least = min(least, p_values[index] * len(p_values) / rank)
        q_values[index] = least
    return q_values
