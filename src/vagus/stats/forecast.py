"""The sum of the days to come, from the days that were, with an interval.

The model is simple exponential smoothing in its innovations form: a level that wanders, an error
each day, and a fixed factor for each day of the week. The variance of a sum of future days is that
of lead-time demand (Hyndman, Koehler, Ord and Snyder 2008, "Forecasting with Exponential
Smoothing", chapter 6.7): an error today moves every later day by alpha, which is how fast the level
wanders. Alpha is averaged over by likelihood. The uncertainty of the level itself is added, and the
quantiles are Student's, for the spread is estimated from the same days. Factors of weekdays are
used from three weeks on, drawn towards 1 by two weeks' worth. The interval is wide rather than
wrong: on a level that rests it holds more often than it says, on one that wanders about as often.

It must not be used for amounts that grow or shrink by a trend within the horizon: the level then
lags behind, and the interval is right only as far as the past errors show the lag.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from vagus.stats.interval import student_quantile

MIN_DAYS = 3
_ALPHAS = tuple(n / 20 for n in range(13))
_WEEKS_FOR_FACTORS = 3
_PRIOR_WEEKS = 2.0
CONFIDENCE = 0.9


@dataclass(frozen=True, slots=True)
class Outlook:
    """A sum to come: the expected value, and the `CONFIDENCE` interval around it.

    `spread` is the standard error on `degrees` degrees of freedom.
    """

    expected: float
    low: float
    high: float
    spread: float
    degrees: float

    def chance_above(self, line: float) -> float:
        """How likely the sum ends above a line, to a thousandth."""
        if self.spread <= 0:
            return float(self.expected > line)
        score = (line - self.expected) / self.spread
        low, high = 0.0005, 0.9995
        for _ in range(12):
            middle = (low + high) / 2
            if student_quantile(middle, self.degrees) < score:
                low = middle
            else:
                high = middle
        return 1 - (low + high) / 2


def outlook(
    days: Sequence[float], future: Sequence[float], weekday: int, confidence: float = CONFIDENCE
) -> Outlook | None:
    """The sum over future days, of which each counts by its share.

    None below three past days that saw something: days of nothing have no spread to learn from.
    `days` are whole past days, the oldest first; `weekday` (0 to 6) is that of the first of them.
    `future` starts on the day after the last one: 1 for a whole day, 0.25 for what is left of one.
    """
    if sum(amount > 0 for amount in days) < MIN_DAYS:
        return None
    factors = _weekday_factors(days, weekday)
    adjusted = [amount / factors[(weekday + n) % 7] for n, amount in enumerate(days)]
    first = weekday + len(days)
    weights = [share * factors[(first + n) % 7] for n, share in enumerate(future)]
    models = _fit(adjusted)
    total = sum(weights)
    expected = sum(model.weight * model.level for model in models) * total
    spread = math.sqrt(
        sum(
            model.weight
            * (
                model.variance * _sum_variance(weights, future, model.alpha, len(days))
                + (model.level * total - expected) ** 2
            )
            for model in models
        )
    )
    degrees = max(1.0, len(days) - 2.0)
    half = student_quantile(0.5 + confidence / 2, degrees) * spread
    # Nothing that is spent comes back.
    return Outlook(expected, max(0.0, expected - half), expected + half, spread, degrees)


def _weekday_factors(days: Sequence[float], weekday: int) -> list[float]:
    """How much of a mean day each weekday sees; all 1 below three weeks or without any amount."""
    mean = sum(days) / len(days)
    if len(days) < 7 * _WEEKS_FOR_FACTORS or mean <= 0:
        return [1.0] * 7
    factors = []
    for day in range(7):
        seen = [amount / mean for n, amount in enumerate(days) if (weekday + n) % 7 == day]
        factors.append((sum(seen) + _PRIOR_WEEKS) / (len(seen) + _PRIOR_WEEKS))
    scale = sum(factors) / 7
    return [factor / scale for factor in factors]


@dataclass(frozen=True, slots=True)
class _Model:
    """One smoothing: its last level, the variance of its errors, and how likely it is."""

    alpha: float
    level: float
    variance: float
    weight: float


def _fit(days: Sequence[float]) -> list[_Model]:
    """Every smoothing, weighted by how well it would have foretold each day.

    The weights are Gaussian likelihoods at each model's own variance: a month hardly tells a level
    that rests from one that wanders a little, and choosing one of them would be too sure.
    """
    n = len(days) - 1
    found = []
    for alpha in _ALPHAS:
        level, errors = _smooth(days, alpha)
        found.append((alpha, level, sum(error * error for error in errors) / n))
    least = min(variance for _, _, variance in found)
    if least <= 0:
        found = [model for model in found if model[2] <= 0]
    odds = [(least / variance) ** (n / 2) if least > 0 else 1.0 for _, _, variance in found]
    return [
        _Model(alpha, level, variance, odd / sum(odds))
        for (alpha, level, variance), odd in zip(found, odds, strict=True)
    ]


def _smooth(days: Sequence[float], alpha: float) -> tuple[float, list[float]]:
    """The last level and the errors of foretelling each day from those before it.

    Early on the level is the mean so far: a weight of alpha would trust the first day too much.
    """
    level, errors = days[0], []
    for n, amount in enumerate(days[1:], start=1):
        error = amount - level
        gain = max(alpha, 1 / (n + 1))
        # Foretelling from a mean of n days is off by the error of that mean too.
        errors.append(error / math.sqrt(1 + 1 / n) if gain > alpha else error)
        level += gain * error
    return level, errors


def _sum_variance(
    weights: Sequence[float], shares: Sequence[float], alpha: float, days: int
) -> float:
    """The variance of the sum in units of one day's: its errors, what they move, and the level."""
    later = 0.0
    total = 0.0
    for weight, share in zip(reversed(weights), reversed(shares), strict=True):
        # A part of a day varies by the root of its share, and moves the level by its share.
        own = weight / math.sqrt(share) if share > 0 else 0.0
        total += (own + alpha * share * later) ** 2
        later += weight
    level = 1 / days if alpha == 0 else alpha / (2 - alpha) / days
    return total + later * later * level
