"""The series a rule judges: one row a minute (or a window), with what is missing kept missing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# Minute, n, numerator, denominator, value.
Row = tuple[int, float, float | None, float | None, float | None]


@dataclass(frozen=True, slots=True)
class Points:
    """Columns over equal steps of `step_min` minutes from `start_min` (minutes of the epoch).

    `n` is the sample size, 0 where there is nothing; `value` is then NaN, never 0.
    """

    start_min: int
    step_min: int
    n: Floats
    numerator: Floats
    denominator: Floats
    value: Floats

    @classmethod
    def of(cls, rows: Iterable[Row], start_min: int, end_min: int, step_min: int = 1) -> Points:
        """The points of `[start_min, end_min)` from rows.

        Rows outside, and a last step that is not complete, are left out.
        """
        size = max(0, (end_min - start_min) // step_min)
        table, values = np.zeros((3, size)), np.full(size, np.nan)
        for minute, n, numerator, denominator, value in rows:
            at = (minute - start_min) // step_min
            if 0 <= at < size and n > 0:
                table[:, at] = n, numerator or 0.0, denominator or 0.0
                values[at] = np.nan if value is None else value
        return cls(start_min, step_min, table[0], table[1], table[2], values)

    def advanced(self, tail: Points | None, since_min: int, start_min: int, end_min: int) -> Points:
        """The series moved to `[start_min, end_min)`, everything from `since_min` on as in `tail`.

        Without a tail these minutes are missing.
        """
        step = self.step_min
        start_min -= start_min % step
        since_min -= since_min % step
        size = (end_min - start_min) // step
        columns = []
        for name, missing in (
            ("n", 0.0),
            ("numerator", 0.0),
            ("denominator", 0.0),
            ("value", np.nan),
        ):
            column = np.full(size, missing)
            _lay(column, getattr(self, name), (self.start_min - start_min) // step)
            column[max(0, (since_min - start_min) // step) :] = missing
            if tail is not None:
                _lay(column, getattr(tail, name), (tail.start_min - start_min) // step)
            columns.append(column)
        return Points(start_min, step, *columns)

    @property
    def size(self) -> int:
        """How many steps there are."""
        return int(self.n.size)

    @property
    def end_min(self) -> int:
        """The first minute after the series."""
        return self.start_min + self.size * self.step_min

    def minute(self, index: int) -> int:
        """The first minute of a step."""
        return self.start_min + index * self.step_min

    def index(self, minute: int) -> int:
        """The step that a minute lies in; may be outside."""
        return (minute - self.start_min) // self.step_min

    def rates(self) -> Floats:
        """Numerator over denominator, in [0, 1]; NaN where nothing is known."""
        known = (self.n > 0) & (self.denominator > 0)
        rates = np.full(self.size, np.nan)
        np.divide(self.numerator, self.denominator, out=rates, where=known)
        clipped: Floats = np.clip(rates, 0.0, 1.0)
        return clipped

    def trailing(self, window_min: int) -> tuple[Floats, Floats]:
        """Sample size and value over the last `window_min` minutes at each step, by exact sums."""
        width = max(1, window_min // self.step_min)
        if width == 1 or not self.size:
            return self.n, self.value
        columns = (self.n, self.numerator, self.denominator)
        n, numerator, denominator = (_trailing_sum(column, width) for column in columns)
        value = np.full(self.size, np.nan)
        np.divide(numerator, denominator, out=value, where=(n > 0) & (denominator > 0))
        return n, value


def _lay(target: Floats, source: Floats, at: int) -> None:
    """Copy `source` into `target` from index `at` on; what sticks out on either side is dropped."""
    source = source[max(0, -at) :]
    at = max(0, at)
    source = source[: max(0, target.size - at)]
    target[at : at + source.size] = source


def _trailing_sum(column: Floats, width: int) -> Floats:
    """Exact for whole numbers; differences of running sums would drift for others."""
    total: Floats = np.convolve(column, np.ones(width))[: column.size]
    return total


def clock(minute: int) -> str:
    """A minute of the epoch as people read it."""
    return datetime.fromtimestamp(minute * 60, UTC).strftime("%Y-%m-%d %H:%M UTC")


def run_lengths(mask: NDArray[np.bool_]) -> NDArray[np.intp]:
    """How many true values in a row end at each place."""
    places = np.arange(mask.size)
    lengths: NDArray[np.intp] = places - np.maximum.accumulate(np.where(mask, -1, places))
    return lengths
