"""Where a series changed level: one change point with an interval, for rates and for means.

The split that maximises the profile likelihood (Hinkley 1970), and as interval all splits whose
log-likelihood lies within -log(1 - sqrt(confidence)) of the best: 3.68 nats at 95 % (Hansen 2000).
Half a chi-square quantile, 1.92, would be too narrow: a place is not a smooth parameter.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ChangePoint:
    """The first index of the new level, its interval, the two levels, and the gain in nats.

    `gain` is the log-likelihood won over 'no change'; because the place was searched for, below
    about log(n) + 3 it is what noise gives.
    """

    index: int
    low: int
    high: int
    before: float
    after: float
    gain: float

    def is_clear(self, n: int) -> bool:
        """Whether the gain is more than a search over `n` places finds in noise."""
        return self.gain > math.log(max(2, n)) + 3.0


def change_point(
    values: ArrayLike, weights: ArrayLike | None = None, confidence: float = 0.95
) -> ChangePoint | None:
    """The change point of a series of means, by weighted least squares.

    A weight is the sample size behind a value; NaN values and weights of 0 are missing. None when
    fewer than four values are there, or none differ.
    """
    y = np.asarray(values, dtype=np.float64)
    w = np.ones_like(y) if weights is None else np.asarray(weights, dtype=np.float64)
    seen = np.flatnonzero(~np.isnan(y) & (w > 0))
    if seen.size < 4:
        return None
    weight, total = np.cumsum(w[seen]), np.cumsum((w * y)[seen])
    # Less the squares, which are the same for every split, the fit is the sum of total^2 / weight.
    left, right = total[:-1] / weight[:-1], (total[-1] - total[:-1]) / (weight[-1] - weight[:-1])
    mean = total[-1] / weight[-1]
    between = weight[:-1] * (left - mean) ** 2 + (weight[-1] - weight[:-1]) * (right - mean) ** 2
    overall = float((w[seen] * (y[seen] - mean) ** 2).sum())
    if overall <= 1e-12 * max(1.0, mean * mean) * float(weight[-1]):
        return None
    # The variance is unknown: n/2 * log of the residual sums, kept off zero for perfect steps.
    residual = np.maximum(overall - between, 1e-9 * overall)
    gain = seen.size / 2 * (math.log(overall) - np.log(residual))
    return _locate(gain, left, right, seen, confidence)


def rate_change_point(
    successes: ArrayLike, trials: ArrayLike, confidence: float = 0.95
) -> ChangePoint | None:
    """The change point of a series of rates, by the binomial likelihood.

    Windows without trials are missing. None below four windows, or when all or none succeeded.
    """
    size = np.asarray(trials, dtype=np.float64)
    seen = np.flatnonzero(size > 0)
    if seen.size < 4:
        return None
    n, hits = np.cumsum(size[seen]), np.cumsum(np.asarray(successes, dtype=np.float64)[seen])
    if not 0 < hits[-1] < n[-1]:
        return None
    rest_n, rest_hits = n[-1] - n[:-1], hits[-1] - hits[:-1]
    whole = float(_log_likelihood(hits[-1:], n[-1:])[0])
    gain = _log_likelihood(hits[:-1], n[:-1]) + _log_likelihood(rest_hits, rest_n) - whole
    return _locate(gain, hits[:-1] / n[:-1], rest_hits / rest_n, seen, confidence)


def _log_likelihood(hits: Floats, n: Floats) -> Floats:
    """The binomial log-likelihood at its own rate; 0 log 0 is 0."""
    rate = np.clip(hits / n, 0.0, 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        yes = np.where(rate > 0, rate * np.log(rate), 0.0)
        no = np.where(rate < 1, (1 - rate) * np.log1p(-rate), 0.0)
    likelihood: Floats = n * (yes + no)
    return likelihood


def _locate(
    gain: Floats, left: Floats, right: Floats, seen: NDArray[np.intp], confidence: float
) -> ChangePoint:
    """The best split, and the splits that are nearly as good."""
    best = int(np.argmax(gain))
    slack = -math.log(1 - math.sqrt(confidence))
    near = np.flatnonzero(gain >= gain[best] - slack)
    return ChangePoint(
        index=int(seen[best + 1]),
        low=int(seen[near[0] + 1]),
        high=int(seen[near[-1] + 1]),
        before=float(left[best]),
        after=float(right[best]),
        gain=float(max(0.0, gain[best])),
    )
