"""The threshold rule, a step at a time for all groups: beyond a limit for a while."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from vagus.watch.detector import Closed, Known, Opened
from vagus.watch.monitor import Threshold
from vagus.watch.rows import Rows

Floats = NDArray[np.float64]
Places = NDArray[np.intp]

_COMPARE: dict[str, Callable[[Floats, float], NDArray[np.bool_]]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}
_NEVER = -(1 << 60)


class ThresholdDetector(Rows):
    """Fires after `hold` steps beyond the limit, clears after as many within it.

    Steps with too few samples neither help nor hinder.
    """

    FILL: ClassVar[dict[str, Any]] = {
        "fired": _NEVER, "onset": _NEVER, "last_seen": _NEVER, "free_from": _NEVER,
        "held_until": _NEVER, "run_began": _NEVER,
    }  # fmt: skip

    def __init__(self, rule: Threshold, step_min: int) -> None:
        self.rule = rule
        self.hold = max(1, -(-rule.hold_min // step_min))
        self.run = np.zeros(0, dtype=np.int64)
        self.run_began = np.zeros(0, dtype=np.int64)
        self.fired = np.zeros(0, dtype=np.int64)
        self.onset = np.zeros(0, dtype=np.int64)
        self.last_seen = np.zeros(0, dtype=np.int64)
        self.free_from = np.zeros(0, dtype=np.int64)
        self.held_until = np.zeros(0, dtype=np.int64)
        self.level = np.zeros(0)
        self.size = np.zeros(0)
        self.most = np.zeros(0)
        self.now = np.zeros(0)
        self.facts: dict[int, list[tuple[int, Known]]] = {}
        self.opened: list[Opened] = []
        self.closed: list[Closed] = []

    @property
    def firing(self) -> NDArray[np.bool_]:
        """Which groups have an open episode."""
        found: NDArray[np.bool_] = self.fired > _NEVER
        return found

    def weigh(self, minute: int, x: Floats, n: Floats) -> None:
        """Count the step as beyond the limit or within it."""
        enough = n >= self.rule.min_n
        self.now, self.most = n, np.maximum(self.most, n)
        is_bad = _COMPARE[self.rule.op](x, self.rule.value)
        free = np.where(self.firing, minute > self.held_until, minute >= self.free_from)
        counts = enough & free & (is_bad != self.firing)
        breaks = enough & free & ~counts
        self.run_began = np.where(counts & (self.run == 0), minute, self.run_began)
        self.run = np.where(counts, self.run + 1, np.where(breaks, 0, self.run))
        self.level = np.where(enough, x, self.level)
        self.size = np.where(enough, n, self.size)
        self.last_seen = np.where(enough, minute, self.last_seen)

    def settle(self, minute: int) -> None:
        """Open and close."""
        for row in np.flatnonzero(self.run >= self.hold).tolist():
            if self.firing[row]:
                self._close(minute, row, "")
            else:
                self._open(minute, row)
        stale = self.firing & (
            minute - np.maximum(self.last_seen, self.fired) > self.rule.horizon_h * 60
        )
        for row in np.flatnonzero(stale).tolist():
            self._close(minute, row, f"no data for {self.rule.horizon_h} h")
        for row, known in self.facts.get(minute, ()):
            self._obey(minute, row, known)

    def _open(self, minute: int, row: int) -> None:
        onset = int(self.run_began[row])
        self.fired[row], self.onset[row], self.run[row] = minute, onset, 0
        level, n = float(self.level[row]), float(self.size[row])
        self.opened.append(Opened(row, onset, minute, 1, self.rule.value, level, n, 0.0))

    def _close(self, minute: int, row: int, reason: str) -> None:
        self.closed.append(Closed(row, minute, reason))
        self.fired[row] = self.onset[row] = _NEVER
        self.run[row], self.free_from[row] = 0, minute + 1

    def tell(self, row: int, known: Known, now_min: int) -> None:
        """Let a row know an episode that the store has; see `Detector.tell`."""
        if known.cleared_min is not None and known.cleared_min < now_min:
            return
        last = known.fired_min if known.cleared_min is None else known.cleared_min
        self.free_from[row] = max(int(self.free_from[row]), last + 1)
        if known.cleared_min is not None:
            self.held_until[row] = max(int(self.held_until[row]), known.cleared_min)
            self.facts.setdefault(known.cleared_min, []).append((row, known))
        self.facts.setdefault(max(known.fired_min, now_min), []).append((row, known))

    def _obey(self, minute: int, row: int, known: Known) -> None:
        is_open = bool(self.firing[row])
        if known.cleared_min is not None and known.cleared_min <= minute:
            if is_open:
                self._close(minute, row, "")
        elif not is_open:
            self.fired[row], self.onset[row] = known.fired_min, known.onset_min
            self.run[row] = 0
