"""What is usual for each group: the level at this hour of the week, and how far it wanders.

Minutes are kept back before they teach anything, by half of the time that the group is known and
six hours at most, so that a regression that has just begun does not become what it is compared
with; minutes of an episode teach nothing at all. What has been taught is kept by the hour. The
level at a moment is that of the last three days, moved towards the same hour of the last days, and
that towards the same hour of the last weeks, each as far as there are enough of them.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from vagus.watch.rows import Rows

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

QUARTER_MIN = 15
DAY_H, WEEK_H = 24, 168
_LONGEST_WAIT_MIN = 360
_QUARTERS = _LONGEST_WAIT_MIN // QUARTER_MIN + 2
_RECENT_H = 72
_DAYS = 7
# Spreads forget by half in two days; a quarter and a minute each have their own clock.
_FORGET_QUARTER = 0.5 ** (1 / 192)
_FORGET_MINUTE = 0.5 ** (1 / 2880)
_NEVER = 1 << 60


class Reference(Rows):
    """The reference of all groups of a monitor; times are minutes of the epoch."""

    FILL: ClassVar[dict[str, Any]] = {
        "first_min": _NEVER, "last_x": np.nan, "level": np.nan, "cell_min": -1,
    }  # fmt: skip

    def __init__(
        self,
        *,
        weeks: int = 5,
        is_count: bool = False,
        is_share: bool = False,
        grows: bool = False,
        longest_wait_min: int = _LONGEST_WAIT_MIN,
    ) -> None:
        self.longest_wait_min = min(longest_wait_min, _LONGEST_WAIT_MIN)
        self.weeks, self.is_count, self.grows = weeks, is_count, grows
        self.is_share = is_share
        self.holiday_days: frozenset[int] = frozenset()
        self.is_pinned = False
        self.first_min = np.zeros(0, dtype=np.int64)
        # Quarters that wait, as a ring: amount, weight, minutes, and when each began.
        self.waiting = np.zeros((0, _QUARTERS, 3))
        self.cell_min = np.zeros((0, _QUARTERS), dtype=np.int64)
        # Hours that teach, as a ring over weeks: amount and weight.
        self.hours = np.zeros((0, WEEK_H * weeks, 2), dtype=np.float32)
        self.taught = np.zeros((0, 2))
        self.last_x = np.zeros(0)
        self.last_inverse = np.zeros(0)
        # Squared steps from minute to minute: their sums against 1 / n.
        self.steps = np.zeros((0, 5))
        self.wander = np.zeros((0, 3))
        # What was found at the last quarter.
        self.level = np.zeros(0)
        # How many observations it rests on, as far as a share's level is the mean of so many.
        self.behind = np.zeros(0)
        self._hour = -1

    def teach_hours(self, start_min: int, amount: Floats, weight: Floats) -> None:
        """Lay past hours into the ring, from the first minute of an hour on."""
        size = WEEK_H * self.weeks
        first = start_min // 60
        places = np.arange(first, first + amount.shape[1]) % size
        self.hours[:, places, 0], self.hours[:, places, 1] = amount, weight
        self.taught[:, 0] += weight.sum(axis=1)
        known = weight > 0
        began = (first + known.argmax(axis=1)) * 60
        self.first_min = np.where(known.any(axis=1), began, self.first_min)

    def add(self, minute: int, x: Floats, n: Floats, teaches: Bools) -> None:
        """Take in a minute: `x` is the value of each group and `n` its weight, 0 for nothing."""
        seen = (n > 0) & teaches
        self.first_min = np.where((self.first_min == _NEVER) & (n > 0), minute, self.first_min)
        value, inverse = np.where(seen, x, 0.0), 1.0 / np.maximum(n, 1e-9)
        place = minute // QUARTER_MIN % _QUARTERS
        began = minute - minute % QUARTER_MIN
        stale = self.cell_min[:, place] != began
        self.waiting[stale, place] = 0.0
        self.cell_min[stale, place] = began
        weight = np.where(seen, 1.0 if self.is_count else n, 0.0)
        self.waiting[:, place] += np.stack([value * weight, weight, seen.astype(float)], axis=1)
        self._step(seen, value, inverse)

    def _step(self, seen: Bools, value: Floats, inverse: Floats) -> None:
        both = seen & ~np.isnan(self.last_x)
        square = np.where(both, (value - np.nan_to_num(self.last_x)) ** 2 / 2, 0.0)
        mean = np.where(both, (inverse + self.last_inverse) / 2, 0.0)
        sums = np.stack([square, square * mean, mean, mean**2, both.astype(float)], axis=1)
        self.steps = np.where(both[:, None], self.steps * _FORGET_MINUTE + sums, self.steps)
        self.last_x = np.where(seen, value, self.last_x)
        self.last_inverse = np.where(seen, inverse, self.last_inverse)

    def forget_since(self, rows: NDArray[np.intp], since_min: int) -> None:
        """Let what waits from a minute on teach nothing: an episode began there."""
        late = self.cell_min[rows] + QUARTER_MIN > since_min
        self.waiting[rows] = np.where(late[:, :, None], 0.0, self.waiting[rows])

    def turn(self, minute: int) -> None:
        """At the start of a quarter: teach what has waited long enough, and find the level."""
        hour = minute // 60
        size = WEEK_H * self.weeks
        if not self.is_pinned:
            for past in range(max(self._hour + 1, hour - size + 1), hour + 1):
                self.taught[:, 0] -= self.hours[:, past % size, 1]
                self.hours[:, past % size] = 0.0
            self._teach(minute)
        self._hour = hour
        self._find(hour)

    def start_at(self, minute: int) -> None:
        """Say up to when past hours were taught, so that the ring is not cleared under them."""
        self._hour = minute // 60 - 1

    def _teach(self, minute: int) -> None:
        wait = np.clip((minute - self.first_min) / 2, QUARTER_MIN, self.longest_wait_min)
        age = minute - self.cell_min
        ripe = (self.waiting[:, :, 1] > 0) & (age >= wait[:, None] + QUARTER_MIN)
        if not ripe.any():
            return
        for place in np.flatnonzero(ripe.any(axis=0)).tolist():
            rows = np.flatnonzero(ripe[:, place])
            amount, weight, minutes = self.waiting[rows, place].T
            self._wandered(rows, amount / weight, minutes)
            hours = self.cell_min[rows, place] // 60 % (WEEK_H * self.weeks)
            self.hours[rows, hours, 0] += amount
            self.hours[rows, hours, 1] += weight
            self.taught[rows, 0] += weight
            self.taught[rows, 1] += minutes
            self.waiting[rows, place] = 0.0

    def _wandered(self, rows: NDArray[np.intp], mean: Floats, minutes: Floats) -> None:
        """A quarter's distance from the level of its time, less what chance alone explains."""
        known = ~np.isnan(self.level[rows])
        within, between = self.components(rows)
        inverse = self.steps[rows, 2] / np.maximum(self.steps[rows, 4], 1e-9)
        chance = (between + within * inverse) / np.maximum(minutes, 1.0)
        apart = np.where(known, (mean - np.nan_to_num(self.level[rows])) ** 2, 0.0)
        sums = np.stack([apart, np.where(known, chance, 0.0), known.astype(float)], axis=1)
        self.wander[rows] = self.wander[rows] * _FORGET_QUARTER + sums

    def components(self, rows: NDArray[np.intp] | slice = slice(None)) -> tuple[Floats, Floats]:
        """Variance of one observation, and of a minute beyond that, from neighbouring minutes."""
        square, cross, mean, mean_square, count = self.steps[rows].T
        safe = np.maximum(count, 1.0)
        spread = mean_square / safe - (mean / safe) ** 2
        covariance = cross / safe - square / safe * mean / safe
        varies = spread > 1e-3 * np.maximum(mean_square / safe, 1e-30)
        within = np.where(varies, covariance / np.where(varies, spread, 1.0), 0.0)
        most = square / np.maximum(mean, 1e-12)
        within = np.clip(within, 0.0, most)
        between = np.maximum(0.0, square / safe - within * mean / safe)
        return within, between

    def wandering(self) -> Floats:
        """The standard deviation of quarters beyond chance, from the level of their time."""
        square, chance, count = self.wander.T
        quarters = np.maximum(count, 1.0)
        # A few quarters do not know their own spread: chance alone may double it.
        explained = chance * (1.0 + np.sqrt(2.0 / quarters))
        variance = np.maximum(0.0, square - explained) / quarters
        found: Floats = np.sqrt(variance) * (1.0 + 2.0 / quarters)
        return found

    def _find(self, hour: int) -> None:
        size = WEEK_H * self.weeks
        recent = self.hours[:, np.arange(hour - _RECENT_H + 1, hour + 1) % size]
        if self.is_pinned:
            recent = self.hours
        amount, weight = recent.sum(axis=1, dtype=np.float64).T
        whole = _over(amount, weight)
        if self.is_pinned:
            self.level, self.behind = whole, weight
            return
        level, behind = whole, weight
        usual, trust, _, rests = self._usual(hour, DAY_H, _DAYS)
        level, behind = _moved(level, usual, trust), _rests_on(behind, rests, trust)
        if hour // 24 not in self.holiday_days:
            usual, trust, weeks, rests = self._usual(hour, WEEK_H, self.weeks - 1)
            trust = np.where(weeks >= 2, trust, 0.0)
            level, behind = _moved(level, usual, trust), _rests_on(behind, rests, trust)
        self.level, self.behind = level, behind

    def _usual(self, hour: int, every: int, times: int) -> tuple[Floats, Floats, Floats, Floats]:
        """What the same hour was before, how far to trust that, of how many, on how much it rests.

        Holidays are no example.
        """
        before = [hour - every * k for k in range(1, times + 1)]
        before = [h for h in before if h >= 0 and h // 24 not in self.holiday_days]
        if not before:
            nothing = np.zeros(self.level.size)
            return np.full(self.level.size, np.nan), nothing, nothing, nothing
        cells = self.hours[:, np.array(before) % (WEEK_H * self.weeks)].astype(np.float64)
        if self.grows and every == WEEK_H:
            cells[:, :, 0] *= self._growth(hour) ** np.arange(1, len(before) + 1)
        rates = _over(cells[:, :, 0], cells[:, :, 1])
        count = (~np.isnan(rates)).sum(axis=1)
        usual, trust = _median(rates, count), count / (count + 1.0)
        amount, weight = cells.sum(axis=1).T
        if self.is_share:
            # The median of hours with few observations is 0 or 1: those are pooled.
            apart, chance = self._pattern(hour, every, times)
            is_thin = chance * count > apart * weight
            usual = np.where(is_thin, _over(amount, weight), usual)
            trust = trust * apart * weight / np.maximum(apart * weight + chance, 1e-12)
        return usual, trust, count.astype(float), weight

    def _pattern(self, hour: int, every: int, times: int) -> tuple[Floats, Floats]:
        """How far the hours of a day or week lie apart beyond chance, and one trial's variance."""
        places = np.arange(hour - every * times, hour) % (WEEK_H * self.weeks)
        cells = self.hours[:, places].astype(np.float64)
        amount, weight = cells.reshape(-1, times, every, 2).sum(axis=1).transpose(2, 0, 1)
        total = np.maximum(weight.sum(axis=1), 1e-9)
        mean = amount.sum(axis=1) / total
        chance = np.maximum(mean * (1.0 - mean), 1e-9)
        square = (weight * (np.nan_to_num(_over(amount, weight)) - mean[:, None]) ** 2).sum(axis=1)
        known = (weight > 0).sum(axis=1)
        room = np.maximum(total - (weight**2).sum(axis=1) / total, 1e-9)
        apart: Floats = np.maximum(0.0, square - np.maximum(known - 1, 0) * chance) / room
        return apart, chance

    def _growth(self, hour: int) -> Floats:
        """How much a week brings: the last one against the one before, between half and double."""
        size = WEEK_H * self.weeks
        sums = [
            self.hours[:, np.arange(hour - WEEK_H * (k + 1), hour - WEEK_H * k) % size].sum(
                axis=1, dtype=np.float64
            )
            for k in (0, 1)
        ]
        now, then = (_over(total[:, 0], total[:, 1]) for total in sums)
        both = np.nan_to_num(_over(now, then), nan=1.0)
        growth: Floats = np.clip(both, 0.5, 2.0)[:, None]
        return growth


def _over(amount: Floats, weight: Floats) -> Floats:
    found: Floats = np.full(amount.shape, np.nan)
    np.divide(amount, weight, out=found, where=weight > 0)
    return found


def _moved(level: Floats, towards: Floats, share: Floats) -> Floats:
    """A level moved by a share towards another where that is known."""
    known = ~np.isnan(towards)
    start = np.where(np.isnan(level), towards, level)
    found: Floats = np.where(known, (1 - share) * start + share * np.nan_to_num(towards), start)
    return found


def _rests_on(weight: Floats, towards: Floats, share: Floats) -> Floats:
    """How many observations a moved level rests on, were its two parts wholly alike."""
    error = (1 - share) / np.sqrt(np.maximum(weight, 1e-9))
    error += np.where(towards > 0, share / np.sqrt(np.maximum(towards, 1e-9)), 0.0)
    found: Floats = 1.0 / np.maximum(error, 1e-9) ** 2
    return found


def _median(rates: Floats, count: NDArray[np.intp]) -> Floats:
    """The median of each row over what is known; NaN sorts last."""
    ordered = np.sort(rates, axis=1)
    rows = np.arange(rates.shape[0])
    low, high = np.maximum(0, (count - 1) // 2), np.minimum(count // 2, rates.shape[1] - 1)
    found: Floats = (ordered[rows, low] + ordered[rows, high]) / 2
    return found
