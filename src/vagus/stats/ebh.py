"""e-BH: which of many e-values are discoveries, whatever hangs together among them.

Wang and Ramdas (2022), 'False discovery rate control with e-values': with K hypotheses, reject the
k largest when the k-th largest is at least K / (alpha * k). Among what it rejects, the expected
share of false ones is at most alpha, under any dependence. With e-detectors, whose value at a
moment has a mean of at most the time that it ran, alpha is the false alarms allowed a minute.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike


def log_threshold(log_e: ArrayLike, alpha: float, of: int | None = None) -> float:
    """The log e-value from which on one is a discovery; infinity when none is.

    `of` is the number of hypotheses when only the larger e-values are given.
    """
    values = np.sort(np.asarray(log_e, dtype=np.float64))[::-1]
    count = max(values.size, of or 0)
    if not values.size:
        return math.inf
    needed = math.log(count / alpha) - np.log(np.arange(1, values.size + 1))
    enough = np.flatnonzero(values >= needed)
    return float(needed[enough[-1]]) if enough.size else math.inf
