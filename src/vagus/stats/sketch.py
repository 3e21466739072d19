"""A log-bucket sketch: quantiles within 1 % from counts that add up across rows and minutes.

DDSketch of Masson, Rim and Lee (2019): a value falls into bucket ceil(log(value) / log(gamma)).
The SQL of the measures uses `SQL_BUCKET`, so that both sides name the same bucket. At the exact
edge of a bucket the last bit of a logarithm may differ; the 1 % holds in either bucket.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vagus.stats.interval import quantile_interval

RELATIVE_ACCURACY = 0.01
GAMMA = (1 + RELATIVE_ACCURACY) / (1 - RELATIVE_ACCURACY)
LOG_GAMMA = math.log(GAMMA)
# Everything at or below this, zero and negatives too, shares the lowest bucket and reads as 0.
MINIMUM = 1e-9
LOWEST_KEY = math.ceil(math.log(MINIMUM) / LOG_GAMMA)

# Put the column in place of {value}; the numbers are `MINIMUM` and `LOG_GAMMA` to the last digit.
SQL_BUCKET = f"toInt32(ceil(log(greatest({{value}}, {MINIMUM!r})) / {LOG_GAMMA!r}))"


def bucket(value: float) -> int:
    """The key of the bucket of a value."""
    return math.ceil(math.log(max(value, MINIMUM)) / LOG_GAMMA)


def value_of(key: int) -> float:
    """The value that stands for a bucket: within 1 % of everything in it."""
    return 0.0 if key <= LOWEST_KEY else 2.0 * math.exp(key * LOG_GAMMA) / (GAMMA + 1)


def values_of(keys: ArrayLike) -> NDArray[np.float64]:
    """`value_of` of many buckets at once."""
    column = np.asarray(keys, dtype=np.float64)
    values = 2.0 * np.exp(column * LOG_GAMMA) / (GAMMA + 1)
    found: NDArray[np.float64] = np.where(column <= LOWEST_KEY, 0.0, values)
    return found


@dataclass(frozen=True, slots=True)
class Quantile:
    """A quantile and its interval; a bound is None when the sample is too small to give one."""

    value: float | None
    low: float | None
    high: float | None
    n: int


def quantile(keys: ArrayLike, counts: ArrayLike, q: float, confidence: float = 0.95) -> Quantile:
    """The q-quantile of a sketch, with its order-statistic interval; no data gives None.

    `keys` and `counts` are columns in any order; counts of a key that comes twice are added, and
    keys whose counts cancel out are dropped.
    """
    key_column, running = _running(keys, counts)
    if not key_column.size:
        return Quantile(None, None, None, 0)
    n = int(running[-1])
    rank = max(1, math.ceil(q * n))
    low, high = quantile_interval(running, q, confidence)
    return Quantile(
        value=value_of(int(key_column[np.searchsorted(running, rank)])),
        low=None if low is None else value_of(int(key_column[low])),
        high=None if high is None else value_of(int(key_column[high])),
        n=n,
    )


def share_above(keys: ArrayLike, counts: ArrayLike, limit: float) -> tuple[int, int]:
    """How many values lie in buckets above the one of `limit`, and how many there are."""
    key_column, running = _running(keys, counts)
    if not key_column.size:
        return 0, 0
    n = int(running[-1])
    at = int(np.searchsorted(key_column, bucket(limit), side="right"))
    return n - (int(running[at - 1]) if at else 0), n


def _running(keys: ArrayLike, counts: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The distinct keys in order, and the running totals of their counts."""
    raw_keys = np.asarray(keys, dtype=np.int64)
    raw_counts = np.asarray(counts, dtype=np.int64)
    distinct, where = np.unique(raw_keys, return_inverse=True)
    summed = np.zeros(distinct.size, dtype=np.int64)
    np.add.at(summed, where, raw_counts)
    kept = summed > 0
    return distinct[kept], np.cumsum(summed[kept])
