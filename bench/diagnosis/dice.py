"""Chance with two halves: what thresholds are tuned on and what is reported never share a range."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

T = TypeVar("T")
#: The part of every range that both halves may draw from lies in the middle.
_OVERLAP = 0.75


class Dice:
    """Draws for one scenario; even seeds are the tuning half, odd seeds the reporting half."""

    def __init__(self, seed: int, stream: int) -> None:
        self.rng = np.random.default_rng((seed, stream))
        self.is_reporting = seed % 2 == 1

    def between(self, low: float, high: float) -> float:
        """A number of the half's own part of a range: the lower part for tuning, else the upper."""
        width = (high - low) * _OVERLAP
        start = high - width if self.is_reporting else low
        return float(start + width * self.rng.random())

    def factor(self, low: float, high: float) -> float:
        """A factor, uniform on the logarithm."""
        return float(np.exp(self.between(float(np.log(low)), float(np.log(high)))))

    def chance(self, probability: float) -> bool:
        """Whether something happens that has this probability."""
        return bool(self.rng.random() < probability)

    def pick(self, values: Sequence[T], weights: Sequence[float] | None = None) -> T:
        """One of the values."""
        if weights is None:
            return values[int(self.rng.integers(len(values)))]
        share = np.asarray(weights, dtype=float)
        return values[int(self.rng.choice(len(values), p=share / share.sum()))]
