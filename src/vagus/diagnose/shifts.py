"""New values and shifted shares in counts by minute: the arithmetic of the change log."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vagus.stats.compare import g_test

Counts = Mapping[str, NDArray[np.float64]]

#: A minute is compared by the two hours before it and the half hour from it on.
BEFORE_MIN = 120
AFTER_MIN = 30
#: A shift is told once the best place for it has been passed by this much.
PASSED_MIN = 15
#: A clear step is visible for this long, so as much is looked at before what is reported.
VISIBLE_MIN = BEFORE_MIN + AFTER_MIN + PASSED_MIN
_FEWEST = 20
_FEWEST_NEW = 5
_FIRST_HOUR_MIN = 60
_LEAST_SHIFT = 0.15
#: Every minute of every value of every scope is looked at: about a thousand million in a year.
_LEAST_P_VALUE = 1e-9
#: More new values than these in one look are the nature of a dimension and not changes.
_MOST_NEW = 20


@dataclass(frozen=True, slots=True)
class Shift:
    """A value that came or grew at a minute of the panel; `before` is what gave way, '' nothing."""

    index: int
    value: str
    before: str
    share_before: float
    share_after: float
    is_new: bool


def find_shifts(
    counts: Counts, first: int, known: Collection[str], *, is_young: bool
) -> list[Shift]:
    """The shifts from minute `first` of a panel on, by time.

    `known` are values that were there in the days before the panel; `is_young` says that nothing
    at all was, so that the first hour makes no changes.
    """
    if not counts:
        return []
    sums = {value: np.concatenate(([0.0], np.cumsum(row))) for value, row in counts.items()}
    total = np.sum(list(sums.values()), axis=0)
    new = list(_new_values(sums, total, known, is_young))
    found = [s for s in new if s.index >= first] if len(new) <= _MOST_NEW else []
    arrivals = {shift.value: shift.index for shift in new}
    for value, sum_ in sums.items():
        for shift in _risen(value, sum_, sums, total):
            is_arrival = abs(shift.index - arrivals.get(value, -VISIBLE_MIN)) <= PASSED_MIN
            if shift.index >= first and not is_arrival:
                found.append(shift)
    return sorted(found, key=lambda shift: (shift.index, shift.value))


def is_filled(total: NDArray[np.float64], index: int) -> bool:
    """Whether both sides of a minute hold enough to compare, in sums that begin with 0."""
    low, high = max(0, index - BEFORE_MIN), min(index + AFTER_MIN, len(total) - 1)
    return bool(total[index] - total[low] >= _FEWEST and total[high] - total[index] >= _FEWEST)


def _new_values(
    sums: Counts, total: NDArray[np.float64], known: Collection[str], is_young: bool
) -> Iterator[Shift]:
    """Values that nobody saw before, at their first minute."""
    begun = int(np.argmax(total > 0)) - 1 if is_young else -_FIRST_HOUR_MIN
    for value, sum_ in sums.items():
        if value in known or sum_[-1] == 0:
            continue
        index = int(np.argmax(sum_ > 0)) - 1
        end = index + AFTER_MIN
        if end >= len(total) or index < begun + _FIRST_HOUR_MIN or not is_filled(total, index):
            continue
        if sum_[end] - sum_[index] >= _FEWEST_NEW:
            yield _shift(value, index, sums, total, is_new=True)


def _risen(
    value: str, sum_: NDArray[np.float64], sums: Counts, total: NDArray[np.float64]
) -> Iterator[Shift]:
    """Where the share of a value rose the most, once for each stretch in which it is higher."""
    at = np.arange(BEFORE_MIN, len(total) - AFTER_MIN)
    if not len(at):
        return
    n_before = total[at] - total[at - BEFORE_MIN]
    n_after = total[at + AFTER_MIN] - total[at]
    hits_before = sum_[at] - sum_[at - BEFORE_MIN]
    hits_after = sum_[at + AFTER_MIN] - sum_[at]
    is_enough = (n_before >= _FEWEST) & (n_after >= _FEWEST)
    rise = hits_after / np.maximum(n_after, 1) - hits_before / np.maximum(n_before, 1)
    is_higher = np.concatenate(([False], is_enough & (rise >= _LEAST_SHIFT), [False]))
    edges = np.flatnonzero(is_higher[1:] != is_higher[:-1])
    for start, stop in edges.reshape(-1, 2):
        best = int(start + np.argmax(rise[start:stop]))
        p_value = g_test(
            hits_before[best], n_before[best] - hits_before[best],
            hits_after[best], n_after[best] - hits_after[best],
        )  # fmt: skip
        if p_value <= _LEAST_P_VALUE and best + PASSED_MIN < len(at):
            yield _shift(value, int(at[best]), sums, total, is_new=False)


def _shift(
    value: str, index: int, sums: Counts, total: NDArray[np.float64], *, is_new: bool
) -> Shift:
    low, high = max(0, index - BEFORE_MIN), index + AFTER_MIN
    n_before, n_after = total[index] - total[low], total[high] - total[index]
    shares = {
        name: ((row[index] - row[low]) / n_before, (row[high] - row[index]) / n_after)
        for name, row in sums.items()
    }
    gone = min(shares, key=lambda name: shares[name][1] - shares[name][0])
    gave_way = gone != value and shares[gone][1] < shares[gone][0]
    before, after = shares[value]
    return Shift(index, value, gone if gave_way else "", float(before), float(after), is_new)
