"""Bets against 'all is well', a minute at a time for thousands of series at once.

Each bet multiplies its wealth by a factor whose mean is at most 1 while all is well. Shiryaev and
Roberts' sum M = (1 + M) * factor starts a new bet every minute, so that no moment of change has to
be guessed; the mean over bets of several sizes is an e-detector, and an alarm at M >= 1 / alpha has
a mean time to a false alarm of at least 1 / alpha minutes with data (Shin, Ramdas and Rinaldo,
2024). The e-CUSUM, max(M, 1) * factor, keeps the same promise. Both are steps of one family here:
`accumulate` with what a factor function gives.

What has to hold for the promise: `excess_factors` needs only that the conditional mean lies on the
right side of the tolerated one (and that its clipping costs no more than the allowance);
`likelihood_factors` needs independent trials; `count_factors` needs counts no more spread out than
the dispersion says. Do not use any of them to compare arms that were not assigned at random.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

# What share of its wealth each bet risks; small ones find a creep, large ones a jump.
FRACTIONS = np.array([0.02, 0.06, 0.15, 0.35, 0.65, 0.98])
# By how much each bet on a count says that it rose or fell.
RISES = np.array([1.15, 1.3, 1.6, 2.0, 3.0, 6.0])
FALLS = np.array([0.9, 0.8, 0.6, 0.4, 0.2, 0.05])
BETS = int(FRACTIONS.size)
# A series loses at most so many standard deviations a step; what a normal series gains by that
# clipping, and a little more for skewed ones, is taken off each step.
_DEPTH = 1.5
_ALLOWANCE = 0.05
# What one step of a series without bounds may give at most, in standard deviations.
_HEIGHT = 8.0
# One freak minute of a count gives no more than this, in natural logarithms.
_MOST_A_STEP = 5.0
_MOST = 1e280


def accumulate(wealth: Floats, factors: Floats, seen: Bools, *, is_cusum: bool = False) -> None:
    """Advance the wealth (series, bets) in place by one minute; series not `seen` stay."""
    began = np.maximum(wealth, 1.0) if is_cusum else 1.0 + wealth
    np.copyto(wealth, np.minimum(began * factors, _MOST), where=seen[:, None])


def log_e(wealth: Floats) -> Floats:
    """The natural logarithm of the mean over bets, 0 at least."""
    logs: Floats = np.log(np.maximum(1.0, wealth.mean(axis=1)))
    return logs


def excess_factors(
    x: Floats,
    tolerated: Floats,
    sign: int,
    spread: Floats,
    bounds: tuple[Floats, Floats] | None = None,
) -> Floats:
    """The factors (series, bets) that a step's `x` earns by lying beyond what is tolerated.

    `sign` is 1 when larger is worse. `spread` is the standard deviation of one step. `bounds` are
    how far a bounded series can go the good way, and the size of its smallest step; without them
    the series has no bounds, and a freak value counts as eight standard deviations.
    """
    excess = sign * (x - tolerated)
    depth = _DEPTH * spread
    if bounds is None:
        excess = np.minimum(excess, _HEIGHT * spread) - _ALLOWANCE * spread
    else:
        floor, smallest = bounds
        depth = depth + smallest
        excess = excess - np.where(depth < floor, _ALLOWANCE * spread, 0.0)
        depth = np.minimum(depth, floor)
    depth = np.maximum(depth, 1e-12)
    share = np.nan_to_num(np.maximum(excess, -depth) / depth)
    factors: Floats = 1.0 + share[:, None] * FRACTIONS[None, :]
    return factors


def count_factors(count: Floats, tolerated: Floats, sign: int, dispersion: Floats) -> Floats:
    """The factors of a count above (or below) what is tolerated: likelihood ratios of Poisson.

    `dispersion` is variance over mean; counts are divided by it, which makes an over-dispersed
    count worth as many independent events as vary as much.
    """
    rates = RISES if sign > 0 else FALLS
    events = (np.nan_to_num(count) / dispersion)[:, None]
    expected = (np.maximum(tolerated, 1e-9) / dispersion)[:, None]
    logs = events * np.log(rates)[None, :] + expected * (1.0 - rates)[None, :]
    factors: Floats = np.exp(np.clip(logs, -50.0, _MOST_A_STEP))
    return factors


def likelihood_factors(bad: Floats, trials: Floats, p0: Floats, p1: Floats) -> Floats:
    """The likelihood ratio of rate p1 against p0, the same for every bet."""
    logs = bad * np.log(p1 / p0) + (trials - bad) * np.log((1 - p1) / (1 - p0))
    ratio: Floats = np.repeat(np.exp(np.clip(logs, -600.0, 600.0))[:, None], BETS, axis=1)
    return ratio


def shock_factors(chance: Floats, share: float = 0.02, below: float = 1e-4) -> Floats:
    """A factor from the chance of a minute this bad: `share` of the wealth is put on rare minutes.

    The calibrator k * p ** (k - 1) with k = 0.1 (Vovk and Wang, 2021), kept to chances below a
    limit and scaled to have mean 1; any chance that is not too small keeps the promise.
    """
    k = 0.1
    small = np.clip(chance, 1e-300, 1.0)
    rare = np.where(small < below, k * small ** (k - 1) / below**k, 0.0)
    factors: Floats = 1.0 - share + share * rare
    return factors
