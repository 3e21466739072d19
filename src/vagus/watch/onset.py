"""Where a change began, once it is known how large it is."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vagus.watch.signal import Family, Signal

Floats = NDArray[np.float64]


def began(
    signal: Signal,
    x: Floats,
    n: Floats,
    spread: Floats,
    tolerated: float,
    usual: float,
    sign: int,
) -> int:
    """The most likely first minute of a change that lasts to the end of the stretch.

    First the climb: the stretch over which being beyond what is tolerated adds up. Its level tells
    how large the change is, and with that the likelihood of every start can be compared; a stray
    failure before the change does not count as its beginning then.
    """
    seen = n > 0
    excess = np.where(seen, sign * (x - tolerated) / np.maximum(spread, 1e-12), 0.0)
    climb = _lowest(np.clip(excess, -3.0, 8.0))
    weight = n[climb:]
    if not weight.sum() > 0:
        return climb
    level = float((x[climb:] * weight).sum() / weight.sum())
    start = tolerated if np.isnan(usual) else usual
    if signal.family is Family.SHARE:
        steps = _shares(x, n, (start, level, tolerated), sign)
    else:
        middle = (start + level) / 2
        steps = np.where(seen, (x - middle) * (level - start) / np.maximum(spread, 1e-12) ** 2, 0.0)
    return _lowest(steps)


def _shares(x: Floats, n: Floats, levels: tuple[float, float, float], sign: int) -> Floats:
    """The log-likelihood ratio of the level reached against what is tolerated, for bad shares."""
    _, level, tolerated = (p if sign > 0 else 1.0 - p for p in levels)
    p0 = min(max(tolerated, 1e-6), 0.97)
    p1 = min(0.98, max(level, p0 * 1.05))
    bad = (x if sign > 0 else 1.0 - x) * n
    steps: Floats = bad * np.log(p1 / p0) + (n - bad) * np.log((1 - p1) / (1 - p0))
    return steps


def _lowest(steps: Floats) -> int:
    """The step after the lowest running total; the last one of equals."""
    total = np.concatenate([[0.0], np.cumsum(steps)])[:-1]
    return int(total.size - 1 - np.argmin(total[::-1])) if total.size else 0
