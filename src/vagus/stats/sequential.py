"""Tests that may be looked at after every window: e-CUSUM, Shiryaev-Roberts, shock, betting.

An e-detector is a running product of bets against 'all is well'; when all is well its average run
length to an alarm at 1 / alpha is at least 1 / alpha windows (Shin, Ramdas and Rinaldo 2024).
Looking at it more often costs nothing. A null that does not hold voids the promise: the
likelihood detectors assume independent trials, the betting ones only the stated mean.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vagus.stats.tail import binomial_upper_tail

Floats = NDArray[np.float64]

# Bets small and large, so that both a creep and a jump grow some product fast; each is capped at
# _LARGEST_BET / m0, beyond which one good window could bankrupt it.
BETS = (1.0, 3.0, 8.0, 16.0, 24.0, 32.0, math.inf)
_LARGEST_BET = 0.98


@dataclass(frozen=True, slots=True)
class Detection:
    """The path of a detector in natural logarithms, its first alarm and the estimated onset.

    `alarm` is the index of the first window at or above log(1 / alpha), None without one; `onset`
    is the first window of the stretch that the evidence rests on (up to the alarm, or the end).
    """

    log_e: Floats
    alarm: int | None
    onset: int

    @property
    def last(self) -> float:
        """The log e-value after the last window; 0 without any window."""
        return float(self.log_e[-1]) if self.log_e.size else 0.0


def capped_alternative(p0: float, ratio: float) -> float:
    """The rate worth waking for: `ratio` times p0, kept half-way below certainty."""
    return min(p0 * ratio, (1 + p0) / 2)


def ecusum(
    successes: ArrayLike,
    trials: ArrayLike,
    p0: float,
    p1: float,
    alpha: float = 1e-4,
    dispersion: float = 0.0,
) -> Detection:
    """The likelihood-ratio e-CUSUM of rate p1 against p0, reset at 1, alarm at 1 / alpha.

    Valid when windows are independent given the past with a rate on p0's side, and trials within
    a window are independent too, or share `dispersion`: then the likelihood is beta-binomial and
    counts are rounded. Windows without trials leave the evidence where it is.
    """
    total = _log_likelihood_ratio(successes, trials, p0, p1, dispersion)
    # max(1, E) before each step is the total less the lowest total so far.
    floor = np.minimum.accumulate(total[:-1])
    log_e = total[1:] - floor
    alarm = _first(log_e, alpha)
    return Detection(log_e, alarm, _lowest(total, alarm))


def climb_began(
    successes: ArrayLike, trials: ArrayLike, p0: float, p1: float, dispersion: float = 0.0
) -> int:
    """The most likely first window of a change from p0 to p1 that lasts to the end.

    With p1 as it turned out to be it is sharper than the onset of a detector, whose p1 is the
    smallest change worth finding, so that one stray failure before the change starts its climb.
    """
    return _lowest(_log_likelihood_ratio(successes, trials, p0, p1, dispersion), None)


def _log_likelihood_ratio(
    successes: ArrayLike, trials: ArrayLike, p0: float, p1: float, dispersion: float
) -> Floats:
    """The running log-likelihood ratio of p1 against p0, with 0 before the first window."""
    hits = np.asarray(successes, dtype=np.float64)
    misses = np.asarray(trials, dtype=np.float64) - hits
    if dispersion > 0 and hits.size:
        steps = _rising(p1, p0, dispersion, hits) + _rising(1 - p1, 1 - p0, dispersion, misses)
    else:
        steps = hits * math.log(p1 / p0) + misses * math.log((1 - p1) / (1 - p0))
    total: Floats = np.concatenate([[0.0], np.cumsum(steps)])
    return total


def _rising(p1: float, p0: float, dispersion: float, counts: Floats) -> Floats:
    """Log of the ratio of the rising factorials that p1 and p0 give a beta-binomial count.

    What depends on the trials alone is the same for both rates and cancels out.
    """
    total = 1.0 / dispersion - 1.0
    whole = np.rint(counts).astype(np.intp)
    i = np.arange(whole.max())
    table = np.concatenate([[0.0], np.cumsum(np.log((p1 * total + i) / (p0 * total + i)))])
    ratios: Floats = table[whole]
    return ratios


def betting_esr(
    x: ArrayLike, m0: float, lambdas: Sequence[float] = BETS, alpha: float = 1e-4
) -> Detection:
    """The Shiryaev-Roberts sum of bets that a window's rate `x` in [0, 1] has a mean above m0.

    M = mean over bets of (1 + M) * (1 + bet * (x - m0)), alarm at 1 / alpha. It needs only that
    the conditional mean is at most m0: over-dispersed and dependent windows are fine. NaN windows
    are skipped. It does not know how many trials a window held: an outage in large windows is
    found some minutes later than by `ecusum` or `shock`.
    """
    rates = np.asarray(x, dtype=np.float64)
    seen = ~np.isnan(rates)
    bets = np.unique(np.minimum(np.asarray(lambdas, dtype=np.float64), _LARGEST_BET / m0))
    steps = np.log1p(bets[:, None] * (np.where(seen, rates, m0) - m0))
    total = np.concatenate([np.zeros((bets.size, 1)), np.cumsum(steps, axis=1)], axis=1)
    # The sum over starts j of the product from j on, times the growth since: all in logs.
    starts = np.where(seen, -total[:, :-1], -np.inf)
    sums = total[:, 1:] + np.logaddexp.accumulate(starts, axis=1)
    log_e = np.logaddexp.reduce(sums, axis=0) - math.log(bets.size)
    alarm = _first(log_e, alpha)
    if not rates.size:
        return Detection(log_e, None, 0)
    best = int(np.argmax(sums[:, -1 if alarm is None else alarm]))
    return Detection(log_e, alarm, _lowest(total[best], alarm))


def _first(log_e: Floats, alpha: float) -> int | None:
    at = np.flatnonzero(log_e >= -math.log(alpha))
    return int(at[0]) if at.size else None


def _lowest(total: Floats, alarm: int | None) -> int:
    """The window after the lowest running total before the alarm: where the climb began."""
    upto = total[: -1 if alarm is None else alarm + 1]
    # The last of equal minima: windows without evidence before the climb do not belong to it.
    return int(upto.size - 1 - np.argmin(upto[::-1])) if upto.size else 0


def shock(successes: float, trials: float, p0: float, dispersion: float = 0.0) -> float:
    """The chance of one window this bad at rate p0; below 1e-6 it is an outage on its own.

    `dispersion` is the intra-window correlation (`dispersion_of`): the tail is then beta-binomial.
    Counts are rounded in the direction that makes the chance larger.
    """
    return binomial_upper_tail(math.floor(successes), math.ceil(trials), p0, dispersion)


def shocks(
    successes: ArrayLike, trials: ArrayLike, p0: float, dispersion: float, limit: float = 1e-6
) -> NDArray[np.intp]:
    """The windows whose `shock` chance lies below `limit`; exact, but cheap for calm series."""
    hits = np.floor(np.asarray(successes, dtype=np.float64))
    size = np.ceil(np.asarray(trials, dtype=np.float64))
    rate = np.divide(hits, size, out=np.zeros_like(hits), where=size > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        divergence = np.where(rate > 0, rate * np.log(rate / p0), 0.0) + np.where(
            rate < 1, (1 - rate) * np.log((1 - rate) / (1 - p0)), 0.0
        )
    # The tail of k out of n is never below exp(-n * divergence) / (n + 1): the rest cannot pass.
    possible = (rate > p0) & (size * divergence + np.log(size + 1) >= -math.log(limit))
    return np.array(
        [i for i in np.flatnonzero(possible) if shock(hits[i], size[i], p0, dispersion) < limit],
        dtype=np.intp,
    )


def dispersion_of(successes: ArrayLike, trials: ArrayLike) -> float:
    """How much two trials of one window share, 0 to 0.5, from differences of neighbouring windows.

    Differences (Rice 1984) make a step or a slow drift of the rate count as one odd pair and not
    as noise. 0 when windows hold single trials: then nothing can be said, nor does it matter.
    """
    size = np.asarray(trials, dtype=np.float64)
    kept = size > 0
    size = size[kept]
    hits = np.asarray(successes, dtype=np.float64)[kept]
    if size.size < 2:
        return 0.0
    rate = hits / size
    mean = hits.sum() / size.sum()
    variance = mean * (1 - mean)
    inverse = 1 / size[1:] + 1 / size[:-1]
    room = float(np.maximum(0.0, 2 - inverse).sum())
    if variance <= 0 or room <= 0:
        return 0.0
    excess = float((np.diff(rate) ** 2).sum()) / variance - float(inverse.sum())
    return float(min(0.5, max(0.0, excess / room)))


def scaled_trials(trials: ArrayLike, dispersion: float) -> Floats:
    """What correlated trials are worth in independent ones: n / (1 + (n - 1) * dispersion)."""
    size = np.asarray(trials, dtype=np.float64)
    return size / (1 + np.maximum(0.0, size - 1) * dispersion)


def betting_confidence_sequence(
    x: ArrayLike, alpha: float = 0.05, grid: int = 400
) -> tuple[Floats, Floats]:
    """The hedged-capital confidence sequence for the mean of `x` in [0, 1], at every moment.

    Waudby-Smith and Ramdas (2024, 'Estimating means of bounded random variables by betting'):
    with probability 1 - alpha the mean lies inside at all times at once, so one may stop when one
    likes. The bounds lie on the grid, rounded outwards. Do not use it when the mean itself moves
    (take a recent stretch), nor to compare arms that were not assigned at random.
    """
    values = np.asarray(x, dtype=np.float64)
    values = values[~np.isnan(values)]
    bets = _predictable_bets(values, alpha)
    means = np.linspace(0.0, 1.0, grid + 1)[1:-1]
    gap = values[:, None] - means[None, :]
    up = np.minimum(bets[:, None], 0.5 / means)
    down = np.minimum(bets[:, None], 0.5 / (1 - means))
    rise = np.cumsum(np.log1p(up * gap), axis=0)
    fall = np.cumsum(np.log1p(-down * gap), axis=0)
    wealth = np.maximum(rise, fall) + math.log(0.5)
    # The running intersection: a mean once refuted stays out.
    alive = np.maximum.accumulate(wealth, axis=0) < -math.log(alpha)
    step = 1.0 / grid
    any_left = alive.any(axis=1)
    low = np.where(any_left, means[np.argmax(alive, axis=1)] - step, np.nan)
    high = np.where(
        any_left, means[means.size - 1 - np.argmax(alive[:, ::-1], axis=1)] + step, np.nan
    )
    return low, high


def _predictable_bets(values: Floats, alpha: float) -> Floats:
    """The plug-in bets of the paper: each from the values before it only."""
    order = np.arange(1, values.size + 1)
    mean = (0.5 + np.cumsum(values)) / (order + 1)
    spread = (0.25 + np.cumsum((values - mean) ** 2)) / (order + 1)
    before = np.concatenate([[0.25], spread[:-1]]) if values.size else spread
    bets: Floats = np.sqrt(2 * math.log(2 / alpha) / (before * order * np.log(order + 1)))
    return bets
