"""The detector: every minute one step for all groups of a monitor at once.

A minute has two halves. `weigh` turns the minute into evidence and says who could be alarmed; the
caller decides from the evidence of all monitors how much is needed (`stats/ebh.py`); `settle` opens
and closes episodes and lets the minute teach the reference. State is carried from minute to minute,
so that a look costs what is new; going through history with the same steps gives what was, or would
have been, said at the time.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from vagus.stats.bets import (
    BETS,
    accumulate,
    count_factors,
    excess_factors,
    likelihood_factors,
    log_e,
    shock_factors,
)
from vagus.stats.interval import wilson_arrays
from vagus.stats.sequential import capped_alternative, shock
from vagus.watch.onset import began
from vagus.watch.reference import QUARTER_MIN, Reference
from vagus.watch.rows import Rows
from vagus.watch.settings import Settings
from vagus.watch.signal import Family, Signal

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Places = NDArray[np.intp]

# How many minutes are remembered to find an onset in.
MEMORY_MIN = 480
# The tolerated level lies above the usual one by so many times the group's own wandering.
_WANDERINGS = 3.0
# A minute is worth an exact tail when it lies so many standard deviations out.
_SUSPICIOUS = 4.0
_NEVER = -(1 << 60)


@dataclass(frozen=True, slots=True)
class Known:
    """An episode that the store has: it is a fact, whatever late data say; minutes of the epoch."""

    onset_min: int
    fired_min: int
    cleared_min: int | None
    baseline: float | None


@dataclass(frozen=True, slots=True)
class Opened:
    """An alarm: which row, since when, and what was seen; `base` is the tolerated level."""

    row: int
    onset_min: int
    fired_min: int
    side: int
    base: float
    level: float
    n: float
    log_e: float


@dataclass(frozen=True, slots=True)
class Closed:
    """The end of a row's episode, and why."""

    row: int
    minute: int
    reason: str


class Detector(Rows):
    """All groups of one monitor; see the module for how a minute goes."""

    FILL: ClassVar[dict[str, Any]] = {
        "fired": _NEVER, "onset": _NEVER, "last_seen": _NEVER, "free_from": _NEVER,
        "held_until": _NEVER, "base": np.nan, "clear_at": np.nan, "tolerated": np.nan,
        "peak": 0.0,
    }  # fmt: skip

    def __init__(self, settings: Settings, signal: Signal) -> None:
        self.settings, self.signal = settings, signal
        sides = len(signal.sides)
        extra = 1 if signal.family is Family.SHARE else 0
        self.reference = Reference(
            weeks=settings.weeks,
            is_count=signal.family is Family.COUNT,
            is_share=signal.family is Family.SHARE,
            grows=settings.grows,
            longest_wait_min=settings.longest_wait_min,
        )
        self.wealth = np.zeros((0, sides, BETS + extra))
        self.recovery = np.zeros((0, BETS))
        self.tolerated = np.zeros((0, sides))
        self.within = np.zeros(0)
        self.between = np.zeros(0)
        self.fired = np.zeros(0, dtype=np.int64)
        self.onset = np.zeros(0, dtype=np.int64)
        self.last_seen = np.zeros(0, dtype=np.int64)
        self.free_from = np.zeros(0, dtype=np.int64)
        self.held_until = np.zeros(0, dtype=np.int64)
        self.side = np.zeros(0, dtype=np.int8)
        self.base = np.zeros(0)
        self.clear_at = np.zeros(0)
        self.calm = np.zeros(0, dtype=np.int64)
        self.peak = np.zeros(0)
        self.judged = np.zeros(0)
        # Amount and weight since the onset, or since the group is judged.
        self.total = np.zeros((0, 2))
        self.past = np.zeros((0, MEMORY_MIN, 2), dtype=np.float32)
        # Episodes of the store by the minute at which they begin or end.
        self.facts: dict[int, list[tuple[int, Known]]] = {}
        self.opened: list[Opened] = []
        self.closed: list[Closed] = []
        self._suspects: list[int] = []
        # Nothing came and nobody fires: most minutes of most monitors.
        self._is_idle = False
        self._evidence: Floats = np.zeros(0)

    @property
    def firing(self) -> Bools:
        """Which groups have an open episode."""
        found: Bools = self.fired > _NEVER
        return found

    @property
    def evidence(self) -> Floats:
        """The log e-value of each group after the last minute."""
        return self._evidence

    @property
    def suspects(self) -> list[int]:
        """The rows whose own threshold is passed in this minute."""
        return self._suspects

    @property
    def series(self) -> int:
        """How many groups are judged: the hypotheses that share the project's budget."""
        return int((self.judged >= self.settings.min_n).sum())

    def grow(self, groups: int) -> None:
        """Make room for so many groups, in the reference too."""
        super().grow(groups)
        self.reference.grow(groups)

    def begin(self, minute: int) -> None:
        """Make ready for the first minute: find the levels that history gives."""
        self.reference.start_at(minute)
        self.reference.turn(minute)
        self._tolerate()

    def weigh(self, minute: int, x: Floats, n: Floats) -> None:
        """Turn a minute into evidence; `x` and `n` are the value and weight of each group."""
        if minute % QUARTER_MIN == 0:
            self.reference.turn(minute)
            self._tolerate()
        self._is_idle = not n.any() and not self.firing.any()
        if self._is_idle:
            self.past[:, minute % MEMORY_MIN] = 0.0
            self._suspects = []
            return
        seen = n > 0
        self.past[:, minute % MEMORY_MIN, 0] = x
        self.past[:, minute % MEMORY_MIN, 1] = n
        moved = seen if self.signal.family is not Family.COUNT else x > 0
        self.last_seen = np.where(moved, minute, self.last_seen)
        spread = self.spread(n)
        for place, sign in enumerate(self.signal.sides):
            tolerated = self.tolerated[:, place]
            bet_on = seen & ~self.firing & ~np.isnan(tolerated)
            factors = self._factors(x, n, tolerated, sign, spread)
            accumulate(self.wealth[:, place], factors, bet_on, is_cusum=self.settings.is_cusum)
        self.judged = np.where(
            seen & ~np.isnan(self.tolerated).all(axis=1), self.judged + n, self.judged
        )
        self._evidence = log_e(self.wealth.mean(axis=1))
        self.peak = np.where(self.firing, np.maximum(self.peak, self._evidence), self.peak)
        free = ~self.firing & (minute >= self.free_from) & (self.judged >= self.settings.min_n)
        is_suspect = free & (self._evidence >= -math.log(self.settings.alpha))
        self._suspects = np.flatnonzero(is_suspect).tolist()

    def settle(self, minute: int, x: Floats, n: Floats, needed: Floats | float) -> None:
        """Open who has as much evidence as is needed, close who has recovered, learn the rest.

        `needed` is one log e-value, or one for each row when rows belong to several projects.
        """
        if self._is_idle and minute not in self.facts:
            return
        self._recover(minute, x, n)
        limits = np.broadcast_to(needed, self.fired.shape)
        for row in self._suspects:
            if self._evidence[row] >= limits[row]:
                self._open(minute, row)
        for row in self._silent(minute):
            self._open(minute, row)
        for row, known in self.facts.get(minute, ()):
            self._obey(minute, row, known)
        counted = self.firing | (n > 0)
        self.total[:, 0] += np.where(counted, x * n, 0.0)
        self.total[:, 1] += np.where(counted, n, 0.0)
        self.reference.add(minute, x, n, ~self.firing)

    def recent_level(self, row: int, until_min: int) -> float:
        """The level of the last hour before a minute; NaN without data."""
        x, n = self._memory(until_min - 1, 60, row)
        return float((x * n).sum() / n.sum()) if n.sum() > 0 else math.nan

    def spread(self, n: Floats) -> Floats:
        """The standard deviation of one minute with so many observations."""
        variance = self.within / np.maximum(n, 1e-9) + self.between
        found: Floats = np.sqrt(np.maximum(variance, 1e-18))
        return found

    def _factors(
        self, x: Floats, n: Floats, tolerated: Floats, sign: int, spread: Floats
    ) -> Floats:
        """What the minute does to each bet of one side."""
        family = self.signal.family
        if family is Family.COUNT:
            return count_factors(x, tolerated, sign, self.dispersion())
        if family is Family.MEAN:
            return excess_factors(x, tolerated, sign, spread)
        floor = tolerated if sign > 0 else 1.0 - tolerated
        if self.settings.is_cusum:
            factors = self._likelihood(x, n, floor, sign)
        else:
            factors = excess_factors(x, tolerated, sign, spread, (floor, 1.0 / np.maximum(n, 1e-9)))
        return np.column_stack([factors, self._shocks(x, n, floor, sign, spread)])

    def _likelihood(self, x: Floats, n: Floats, target: Floats, sign: int) -> Floats:
        rate = x if sign > 0 else 1.0 - x
        p0 = np.clip(np.nan_to_num(target, nan=0.5), 1e-9, 1 - 1e-9)
        p1 = np.minimum(p0 * self.settings.ratio, (1 + p0) / 2)
        worth = n / (1.0 + np.maximum(0.0, n - 1.0) * self._shared(p0))
        return likelihood_factors(rate * worth, worth, p0, p1)

    def _shared(self, rate: Floats) -> Floats:
        """How much two trials of a minute hang together, from the spread beyond chance."""
        room = np.maximum(rate * (1.0 - rate), 1e-12)
        shared = np.clip(self.between / room, 0.0, 0.5)
        # Less than this is rounding, and a beta law cannot be reckoned with it.
        found: Floats = np.where(shared < 1e-5, 0.0, shared)
        return found

    def _shocks(self, x: Floats, n: Floats, floor: Floats, sign: int, spread: Floats) -> Floats:
        """The bet on single minutes that chance does not explain, as in an outage."""
        bad = (x if sign > 0 else 1.0 - x) * n
        far = bad > floor * n + _SUSPICIOUS * spread * n
        chance = np.ones(x.size)
        shared = self._shared(floor)
        for row in np.flatnonzero(far & (bad >= 3) & ~self.firing).tolist():
            chance[row] = shock(bad[row], n[row], float(floor[row]), float(shared[row]))
        return shock_factors(chance)

    def dispersion(self) -> Floats:
        """Variance over mean of the counts of a minute, 1 at least."""
        level = np.maximum(np.nan_to_num(self.reference.level), 1e-9)
        found: Floats = np.maximum(1.0, (self.within + self.between) / level)
        return found

    def _tolerate(self) -> None:
        """What each side tolerates until the next quarter, from the reference or the target."""
        reference, settings = self.reference, self.settings
        within, between = reference.components()
        wandering = reference.wandering()
        level = reference.level
        weight, minutes = reference.taught.T
        is_known = (weight >= settings.min_n) & (minutes >= settings.min_minutes)
        level = np.where(is_known, level, np.nan)
        share = self.signal.family is Family.SHARE
        if settings.target is not None:
            target = settings.target if self.signal.sides[0] > 0 else 1 - settings.target
            level = np.full(level.size, target)
        self.within = np.clip(level * (1 - level), 1e-6, 0.25) if share else within
        if share:
            square, _, inverse, _, count = reference.steps.T
            excess = square - np.nan_to_num(self.within) * inverse
            between = np.maximum(0.0, excess) / np.maximum(count, 1.0)
        is_count = self.signal.family is Family.COUNT
        self.between = between if is_count else between + wandering**2
        self.within = np.nan_to_num(self.within)
        for place, sign in enumerate(self.signal.sides):
            self.tolerated[:, place] = self._limit(level, sign, wandering, weight, minutes)

    def _limit(
        self, level: Floats, sign: int, wandering: Floats, weight: Floats, minutes: Floats
    ) -> Floats:
        """The tolerated level of one side."""
        settings, family = self.settings, self.signal.family
        if settings.target is not None:
            return level
        away = _WANDERINGS * wandering
        if settings.is_absence:
            return np.maximum(0.0, level * settings.remains - away)
        if family is Family.SHARE:
            bad = level if sign > 0 else 1.0 - level
            worth = self.reference.behind / (
                1.0
                + np.maximum(0.0, weight / np.maximum(minutes, 1) - 1)
                * self._shared(np.nan_to_num(bad))
            )
            _, high = wilson_arrays(np.nan_to_num(bad) * worth, np.maximum(worth, 1e-9))
            limit = settings.margin * high + _away(np.nan_to_num(bad), wandering)
            limit = np.maximum(settings.min_target, limit)
            limit = np.where(np.isnan(bad), np.nan, np.minimum(0.999, limit))
            return limit if sign > 0 else 1.0 - limit
        error = 2.0 * np.sqrt((self.within + self.between) / np.maximum(minutes, 1.0))
        if family is Family.COUNT:
            if sign > 0:
                away = _away(np.nan_to_num(level), wandering)
                return np.maximum(0.2, (level + error) * settings.margin + away)
            return np.maximum(0.0, (level - error) / settings.margin - away)
        scale = 1.0 if self.signal.is_log else np.abs(level)
        step = math.log(settings.margin) if self.signal.is_log else settings.margin - 1.0
        return level + sign * (step * scale + error + away)

    def _silent(self, minute: int) -> list[int]:
        """Who has said nothing for as long as the rule allows; that needs no evidence."""
        longest = self.settings.silent_min
        if longest is None:
            return []
        known = (self.last_seen > _NEVER) & (minute - self.last_seen >= longest)
        return np.flatnonzero(known & ~self.firing & (minute >= self.free_from)).tolist()

    def _open(self, minute: int, row: int) -> None:
        place = int(self.wealth[row].sum(axis=1).argmax())
        side = self.signal.sides[place]
        base = float(self.tolerated[row, place])
        onset = self._onset(minute, row, place)
        if self.settings.silent_min is not None and not base > 0:
            base, onset = 1.0 / self.settings.silent_min, int(self.last_seen[row]) + 1
        self._start(minute, row, onset, side, base)
        amount, n = self.total[row]
        self.opened.append(
            Opened(
                row, onset, minute, side, base, float(amount / n) if n > 0 else base, float(n),
                float(self._evidence[row]),
            )
        )  # fmt: skip

    def _start(self, minute: int, row: int, onset: int, side: int, base: float) -> None:
        self.fired[row], self.onset[row] = minute, onset
        self.side[row], self.base[row] = side, base
        self.peak[row] = self._evidence[row]
        self.recovery[row], self.calm[row] = 0.0, 0
        rows = np.array([row])
        self.reference.forget_since(rows, onset)
        x, n = self._memory(minute, min(MEMORY_MIN, minute - onset + 1), row)
        # This minute is added with the others when it settles.
        self.total[row] = float((x * n).sum()), float(n.sum())
        level = float((x * n).sum() / n.sum()) if n.sum() > 0 else base
        self.total[row] -= x[-1] * n[-1], n[-1]
        self.clear_at[row] = self._half_way(base, level, side)

    def _half_way(self, base: float, level: float, side: int) -> float:
        """The level that recovery must refute: half of the way back, or what is worth waking."""
        if math.isnan(base):
            return base
        half = base + 0.5 * (level - base) if side * (level - base) > 0 else base
        if self.signal.family is not Family.SHARE:
            return half
        bad = base if side > 0 else 1.0 - base
        waking = capped_alternative(min(bad, 0.999), self.settings.ratio)
        if half == base:
            return waking if side > 0 else 1.0 - waking
        return min(half, waking) if side > 0 else max(half, 1.0 - waking)

    def _memory(self, minute: int, length: int, row: int) -> tuple[Floats, Floats]:
        places = np.arange(minute - length + 1, minute + 1) % MEMORY_MIN
        x, n = self.past[row, places].astype(np.float64).T
        return x, n

    def _onset(self, minute: int, row: int, place: int) -> int:
        since = max(int(self.free_from[row]), minute - MEMORY_MIN + 1)
        length = min(MEMORY_MIN, minute - since + 1)
        x, n = self._memory(minute, length, row)
        scale = float(self.spread(np.ones(self.fired.size))[row])
        variance = self.within[row] / np.maximum(n, 1e-9) + self.between[row]
        tolerated = float(self.tolerated[row, place])
        usual = float(self.reference.level[row])
        first = began(
            self.signal, x, n, np.sqrt(np.maximum(variance, scale * 1e-9)), tolerated, usual,
            self.signal.sides[place],
        )  # fmt: skip
        return minute - length + 1 + first

    def _recover(self, minute: int, x: Floats, n: Floats) -> None:
        """Follow the open episodes: the mirrored bets look for the level that is worth waking."""
        rows = np.flatnonzero(self.firing)
        if not rows.size:
            return
        seen = n[rows] > 0
        spread = self.spread(n)[rows]
        for sign in (1, -1):
            of_side = rows[self.side[rows] == sign]
            if not of_side.size:
                continue
            at = np.isin(rows, of_side)
            factors = self._back(x[of_side], n[of_side], of_side, -sign, spread[at])
            wealth = self.recovery[of_side]
            accumulate(wealth, factors, seen[at])
            self.recovery[of_side] = wealth
        evidence = log_e(self.recovery[rows])
        gives_way = evidence > math.log(2.0)
        self.calm[rows] = np.where(
            seen, np.where(gives_way, self.calm[rows] + 1, 0), self.calm[rows]
        )
        done = (evidence >= -math.log(self.settings.clear_alpha)) & (
            self.calm[rows] >= self.settings.clear_min
        )
        gone = minute - np.maximum(self.last_seen, self.fired)[rows] > self.settings.horizon_min
        for row, is_gone in zip(
            rows[done | gone].tolist(), gone[done | gone].tolist(), strict=True
        ):
            if minute > self.held_until[row]:
                hours = self.settings.horizon_min // 60
                self._close(minute, row, f"no data for {hours} h" if is_gone else "")

    def _back(self, x: Floats, n: Floats, rows: Places, sign: int, spread: Floats) -> Floats:
        at = self.clear_at[rows]
        family = self.signal.family
        if family is Family.COUNT:
            return count_factors(x, at, sign, self.dispersion()[rows])
        if family is Family.MEAN:
            return excess_factors(x, at, sign, spread)
        floor = at if sign > 0 else 1.0 - at
        return excess_factors(x, at, sign, spread, (floor, 1.0 / np.maximum(n, 1e-9)))

    def _close(self, minute: int, row: int, reason: str) -> None:
        self.closed.append(Closed(row, minute, reason))
        self.fired[row] = self.onset[row] = _NEVER
        self.wealth[row] = 0.0
        self.free_from[row] = minute + 1
        self.total[row] = 0.0
        self.base[row] = np.nan

    def tell(self, row: int, known: Known, now_min: int) -> None:
        """Let a row know an episode that the store has, before the minute of its alarm comes.

        What the store says about the past is not said differently: until its last event the row
        opens and closes nothing by itself.
        """
        if known.cleared_min is not None and known.cleared_min < now_min:
            return
        last = known.fired_min if known.cleared_min is None else known.cleared_min
        self.free_from[row] = max(int(self.free_from[row]), last + 1)
        if known.cleared_min is not None:
            self.held_until[row] = max(int(self.held_until[row]), known.cleared_min)
            self.facts.setdefault(known.cleared_min, []).append((row, known))
        self.facts.setdefault(max(known.fired_min, now_min), []).append((row, known))

    def _obey(self, minute: int, row: int, known: Known) -> None:
        """An episode of the store begins or ends in this minute."""
        is_open = bool(self.fired[row] > _NEVER)
        if known.cleared_min is not None and known.cleared_min <= minute:
            if is_open:
                self._close(minute, row, "")
            return
        if is_open:
            return
        side = int(self.side[row]) or self.signal.sides[0]
        base = known.baseline
        level = float(self.tolerated[row, self.signal.sides.index(side)])
        self._start(minute, row, known.onset_min, side, level if base is None else base)
        self.fired[row] = known.fired_min


def _away(level: Floats, wandering: Floats) -> Floats:
    """How far above its level a group gets by itself; rates and counts wander by factors."""
    steps = np.minimum(1.5, _WANDERINGS * wandering / np.maximum(level, 1e-9))
    found: Floats = level * np.expm1(steps)
    return np.where(level > 0, found, _WANDERINGS * wandering)
