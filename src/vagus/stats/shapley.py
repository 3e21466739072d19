"""The exact split of a change among the factors that made it, whatever the order they moved in.

The value of a set of factors is what the total would be had only these moved. A factor's part is
its mean marginal contribution over all orders (Shapley 1953, "A value for n-person games"): the
parts add up to the whole change, a factor that did not move gets 0, and two that did the same get
the same. All 2^n sets are looked at, so it is for few factors: n is at most 12.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
MAX_PLAYERS = 12


def shapley(players: int, value: Callable[[int], Values]) -> Values:
    """The part of each player (rows) in each segment (columns).

    `value` gives the segments' values for a set of players, which is a bit mask.
    """
    if not 1 <= players <= MAX_PLAYERS:
        raise ValueError(f"{players} players; 1 to {MAX_PLAYERS} can be enumerated")
    values = np.stack([value(mask) for mask in range(1 << players)])
    masks = np.arange(1 << players)
    sizes = np.array([int(mask).bit_count() for mask in masks])
    weights = _weights(players)
    parts = np.zeros((players, values.shape[1]))
    for player in range(players):
        without = masks[(masks >> player) & 1 == 0]
        gains = values[without | (1 << player)] - values[without]
        parts[player] = weights[sizes[without]] @ gains
    return settle_rest(parts, values[-1] - values[0])


def settle_rest(parts: Values, change: Values) -> Values:
    """The parts with what rounding left over put into the largest of each segment.

    Sets far larger than both ends cancel in the sum, which leaves a rest of their size times 1e-16.
    What is too small for the largest part to hold goes into the smallest.
    """
    settled = parts.copy()
    for segment in range(parts.shape[1]):
        column = settled[:, segment]
        for place in (np.argmax(np.abs(column)), np.argmin(np.abs(column))):
            column[place] += math.fsum((float(change[segment]), *(-column).tolist()))
    return settled


def _weights(players: int) -> Values:
    """How often a set of each size comes just before a player, over all orders."""
    orders = math.factorial(players)
    return np.array(
        [
            math.factorial(size) * math.factorial(players - size - 1) / orders
            for size in range(players)
        ]
    )
