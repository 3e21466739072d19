"""Fault-free traffic of many services, a day at a time: what a detector must bear in silence.

Volumes of 1 to 500 requests a minute with a day, a week, growth, memory and bursts of users; rates
with a daily swing, memory (AR(1) of the logarithm, some of it very persistent) and minutes that
are more spread out than chance (beta-binomial).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter  # type: ignore[import-untyped]

Floats = NDArray[np.float64]
Generator = np.random.Generator

DAY_MIN = 1440
#: How much of a rate's deviation is left a minute later; the last one forgets in three hours.
PERSISTENCES = (0.9, 0.98, 0.995)
SPREADS = (0.0, 0.0005, 0.002)
_VOLUME_MEMORY, _VOLUME_SWING = 0.9, 0.15
_BURSTS_A_DAY = 0.3


@dataclass(slots=True)
class Memory:
    """A stationary AR(1) for each row, carried from day to day."""

    phi: Floats
    sd: Floats
    now: Floats

    @staticmethod
    def begun(rng: Generator, phi: Floats, sd: Floats) -> Memory:
        """A process in its stationary law."""
        return Memory(phi, sd, rng.normal(0.0, sd))

    def days(self, rng: Generator, minutes: int) -> Floats:
        """The next minutes of every row."""
        noise = rng.normal(size=(self.phi.size, minutes))
        noise *= (self.sd * np.sqrt(1 - self.phi**2))[:, None]
        found = np.empty_like(noise)
        for phi in np.unique(self.phi):
            rows = self.phi == phi
            start = (phi * self.now[rows])[:, None]
            found[rows], _ = lfilter([1.0], [1.0, -phi], noise[rows], axis=1, zi=start)
        self.now = found[:, -1].copy()
        return found


class Traffic:
    """How many come a minute, to every row."""

    def __init__(self, rng: Generator, volume: Floats) -> None:
        size = volume.size
        self._rng, self.volume = rng, volume
        self._day = rng.uniform(0.0, 0.8, size)
        self._week = rng.uniform(0.0, 0.5, size)
        self._growth = rng.uniform(-0.2, 0.4, size) / 30
        self._peak = rng.uniform(0, DAY_MIN, size)
        self._memory = Memory.begun(
            rng, np.full(size, _VOLUME_MEMORY), np.full(size, _VOLUME_SWING)
        )

    def day(self, number: int) -> Floats:
        """The counts of one day's minutes."""
        rng, size = self._rng, self.volume.size
        at = np.arange(DAY_MIN)
        wave = np.cos(2 * np.pi * (at[None, :] - self._peak[:, None]) / DAY_MIN)
        mean = self.volume[:, None] * (1 + self._day[:, None] * wave)
        mean *= (1 - self._week * (number % 7 >= 5))[:, None] * (1 + self._growth * number)[:, None]
        mean *= np.exp(self._memory.days(rng, DAY_MIN) - _VOLUME_SWING**2 / 2)
        for row in np.flatnonzero(rng.random(size) < _BURSTS_A_DAY).tolist():
            start, length = int(rng.integers(0, DAY_MIN - 60)), int(rng.integers(10, 60))
            mean[row, start : start + length] *= rng.uniform(1.5, 3.0)
        return rng.poisson(np.maximum(mean, 0.0)).astype(np.float64)


class Rates:
    """The bad share of every row, minute by minute."""

    def __init__(self, rng: Generator, level: Floats, phi: Floats) -> None:
        size = level.size
        self._rng, self.level, self.phi = rng, level, phi
        self.spread = rng.choice(SPREADS, size)
        self._day = rng.uniform(0.0, 0.3, size)
        self._peak = rng.uniform(0, DAY_MIN, size)
        self._sd = rng.uniform(0.1, 0.3, size)
        self._memory = Memory.begun(rng, phi, self._sd)

    def day(self) -> Floats:
        """The true rate of one day's minutes."""
        at = np.arange(DAY_MIN)
        wave = np.cos(2 * np.pi * (at[None, :] - self._peak[:, None]) / DAY_MIN)
        wander = np.exp(self._memory.days(self._rng, DAY_MIN) - self._sd[:, None] ** 2 / 2)
        rate = self.level[:, None] * (1 + self._day[:, None] * wave) * wander
        return np.minimum(rate, 0.95)

    def hits(self, n: Floats, rate: Floats) -> Floats:
        """How many of `n` are bad."""
        rng = self._rng
        p = rate.copy()
        for spread in SPREADS[1:]:
            rows = self.spread == spread
            total = 1 / spread - 1
            bad = np.clip(rate[rows], 1e-6, 1 - 1e-6)
            p[rows] = rng.beta(bad * total, (1 - bad) * total)
        return rng.binomial(n.astype(np.int64), p).astype(np.float64)


def volumes(rng: Generator, size: int, low: float = 1.0, high: float = 500.0) -> Floats:
    """Volumes a minute, small and large ones equally often by their logarithm."""
    found: Floats = np.exp(rng.uniform(np.log(low), np.log(high), size))
    return found
