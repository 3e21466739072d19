"""What others alert by, each with one number to turn: threshold, three sigma, burn rate.

Each gives a score a minute, and alarms when the score passes a limit; the limit is what is tuned
on fault-free months. They are told what Vagus has to learn: the true usual rate of each series.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

NAMES = ("threshold", "three_sigma", "burn_rate")
_DAY = 1440
_WINDOW, _HOLD, _FEWEST = 5, 5, 30


class Scores:
    """The scores of each series, a day at a time; the largest of each day is kept for tuning."""

    def __init__(self, rows: int) -> None:
        self._n = np.zeros((rows, _DAY))
        self._hits = np.zeros((rows, _DAY))
        self._days = 0
        self.largest: dict[str, list[Floats]] = {name: [] for name in NAMES}

    def day(self, n: Floats, hits: Floats, level: Floats) -> dict[str, Floats]:
        """The scores of every minute of the next day."""
        found = scores(np.hstack([self._n, n]), np.hstack([self._hits, hits]), level)
        self._n, self._hits = n, hits
        # The first day has no past to be compared with.
        if self._days:
            for name, values in found.items():
                self.largest[name].append(values.max(axis=1))
        self._days += 1
        return found

    def limits(self, alarms: int) -> dict[str, float]:
        """The lowest limit at which each rule alarms on so many days of all series, at most."""
        found = {}
        for name, days in self.largest.items():
            ordered = np.sort(np.concatenate(days))[::-1]
            found[name] = float(ordered[alarms])
        return found


def scores(n: Floats, hits: Floats, level: Floats) -> dict[str, Floats]:
    """The scores of the second day of two."""
    rates = {w: _rate(n, hits, w) for w in (5, 30, 60, 360)}
    enough = _sums(n, _WINDOW) >= _FEWEST
    five = np.where(enough, rates[5], 0.0)
    ratio = five / level[:, None]
    budget = np.maximum(0.01, 2 * level)[:, None]
    fast = np.where(_sums(n, 60) >= _FEWEST, np.minimum(rates[60], rates[5]), 0.0)
    slow = np.where(_sums(n, 360) >= _FEWEST, np.minimum(rates[360], rates[30]), 0.0)
    fast, slow = fast / (14.4 * budget), slow / (6.0 * budget)
    return {
        "threshold": _held(ratio, _HOLD)[:, _DAY:],
        "three_sigma": _held(_sigmas(five, enough, _chance(n, level)), 3)[:, _DAY:],
        "burn_rate": np.maximum(fast, slow)[:, _DAY:],
    }


def _chance(n: Floats, level: Floats) -> Floats:
    """The standard deviation of five minutes by chance alone."""
    p = level[:, None]
    found: Floats = np.sqrt(p * (1 - p) / np.maximum(_sums(n, _WINDOW), 1.0))
    return found


def _sigmas(rate: Floats, enough: NDArray[np.bool_], chance: Floats) -> Floats:
    """How far five minutes lie from the mean of the day before, in its standard deviations.

    A day of few minutes does not know its spread: it is that of chance at least.
    """
    count = np.maximum(_sums(enough.astype(float), _DAY), 1.0)
    mean = _sums(rate, _DAY) / count
    square = np.maximum(_sums(rate**2, _DAY) / count - mean**2, 0.0)
    past_mean, past_sd = np.roll(mean, _WINDOW, axis=1), np.roll(np.sqrt(square), _WINDOW, axis=1)
    found: Floats = np.where(enough, (rate - past_mean) / np.maximum(past_sd, chance), 0.0)
    return found


def _sums(values: Floats, width: int) -> Floats:
    total = np.cumsum(values, axis=1)
    found = total.copy()
    found[:, width:] -= total[:, :-width]
    return found


def _rate(n: Floats, hits: Floats, width: int) -> Floats:
    found: Floats = _sums(hits, width) / np.maximum(_sums(n, width), 1.0)
    return found


def _held(values: Floats, minutes: int) -> Floats:
    """The smallest of the last minutes: what was passed all the time."""
    found = values.copy()
    for back in range(1, minutes):
        found[:, back:] = np.minimum(found[:, back:], values[:, :-back])
    return found
