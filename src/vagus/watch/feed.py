"""Reads what a monitor's detector steps through: each group keeps its row from look to look."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from vagus.measures.catalogue import Catalogue, Kind
from vagus.measures.panel import Key, Panel, read_panel
from vagus.store.engine import Engine
from vagus.watch.monitor import Drift, Monitor, Threshold
from vagus.watch.signal import Family, Signal, signal_of, values_of

Floats = NDArray[np.float64]

# What a detector may be given at once, in groups times minutes.
_MOST_CELLS = 1_000_000
# Minute sums of these add up to the value of a longer window; others are asked for by window.
_ADDS_UP = (Kind.RATIO, Kind.MEAN)
_OTHER = "\0other"
_NEVER = 1 << 60


@dataclass(frozen=True, slots=True)
class Block:
    """Value and weight of each row over a stretch of steps."""

    start_min: int
    step_min: int
    x: Floats
    n: Floats

    @property
    def end_min(self) -> int:
        """The first minute after the block."""
        return self.start_min + int(self.x.shape[1]) * self.step_min


class Feed:
    """The series of one monitor; `keys` names its rows and only grows."""

    def __init__(self, engine: Engine, catalogue: Catalogue, monitor: Monitor) -> None:
        self._engine, self._catalogue = engine, catalogue
        self.monitor = monitor
        self.measure = catalogue.get(monitor.measure)
        rule = monitor.rule
        self.signal: Signal | None = (
            None if isinstance(rule, Threshold) else signal_of(monitor, self.measure)
        )
        self.dimension = rule.dimension if isinstance(rule, Drift) else ""
        self.by = (*monitor.by, self.dimension) if self.dimension else monitor.by
        adds_up = self.measure.kind in _ADDS_UP
        self.step_min = 1 if not isinstance(rule, Threshold) or adds_up else rule.window_min
        self.keys: list[Key] = []
        self.left_out = 0
        self._index: dict[Key, int] = {}
        self._first = np.zeros(0, dtype=np.int64)

    @property
    def chunk_min(self) -> int:
        """How many minutes may be read at once."""
        return int(np.clip(_MOST_CELLS // max(1, len(self.keys)), 60, 1440))

    def row(self, key: Key) -> int:
        """The row of a group, a new one when it has none."""
        if key not in self._index:
            self._index[key] = len(self.keys)
            self.keys.append(key)
            self._first = np.append(self._first, _NEVER)
        return self._index[key]

    def hours(self, start_min: int, end_min: int) -> Block:
        """What was, by the hour; the amount of a share or mean is `x * n`."""
        return self._laid(self._read(start_min, end_min, 60))

    def read(self, start_min: int, end_min: int) -> Block:
        """The minutes (or windows) of a stretch; only whole windows are given."""
        rule = self.monitor.rule
        if isinstance(rule, Threshold):
            return self._windows(rule, start_min, end_min)
        return self._laid(self._read(start_min, end_min, 1))

    def _read(self, start_min: int, end_min: int, step_min: int) -> Panel:
        return read_panel(
            self._engine, self._catalogue, self.monitor.project, self.monitor.measure, start_min,
            end_min, self.by, self.monitor.filter, step_min,
            above=self.signal.above if self.signal else None,
        )  # fmt: skip

    def _windows(self, rule: Threshold, start_min: int, end_min: int) -> Block:
        step = self.step_min
        start_min -= start_min % step
        end_min -= end_min % step
        width = rule.window_min // step
        before = start_min - (width - 1) * step
        if end_min <= start_min:
            return Block(start_min, step, *(np.zeros((len(self.keys), 0)),) * 2)
        panel = self._read(before, end_min, step)
        if width > 1:
            sums = (_trailing(a, width) for a in (panel.n, panel.numerator, panel.denominator))
            n, numerator, denominator = sums
            value = np.full(n.shape, np.nan)
            np.divide(numerator, denominator, out=value, where=(n > 0) & (denominator > 0))
        else:
            n, value = panel.n, panel.value
        n = np.where(np.isnan(value), 0.0, n)[:, width - 1 :]
        rows = self._rows(panel)
        kept = rows >= 0
        laid = [np.zeros((len(self.keys), n.shape[1])) for _ in range(2)]
        laid[0][rows[kept]] = np.nan_to_num(value[kept, width - 1 :])
        laid[1][rows[kept]] = n[kept]
        return Block(start_min, step, *laid)

    def _laid(self, panel: Panel) -> Block:
        if self.dimension:
            panel = self._shares(panel)
        rows = self._rows(panel)
        kept = rows >= 0
        if self.signal is None:
            return Block(panel.start_min, panel.step_min, panel.value, panel.n)
        x, n = values_of(panel, self.signal)
        size = (len(self.keys), panel.steps)
        value, weight = np.zeros(size), np.zeros(size)
        value[rows[kept]], weight[rows[kept]] = x[kept], n[kept]
        if self.signal.family is Family.COUNT:
            weight = self._minutes(panel, value)
        return Block(panel.start_min, panel.step_min, value, weight)

    def _minutes(self, panel: Panel, amount: Floats) -> Floats:
        """A count is 0, and not unknown, from the first minute on in which a group was seen."""
        began = np.where(
            (amount > 0).any(axis=1),
            panel.start_min + (amount > 0).argmax(axis=1) * panel.step_min,
            _NEVER,
        )
        self._first = np.minimum(self._first, began)
        times = panel.start_min + np.arange(panel.steps) * panel.step_min
        return np.where(times[None, :] >= self._first[:, None], float(panel.step_min), 0.0)

    def _rows(self, panel: Panel) -> NDArray[np.intp]:
        """The row of each group of a panel, -1 for those beyond the monitor's limit."""
        rows = np.full(len(panel.keys), -1, dtype=np.intp)
        left_out = panel.truncated
        for at, key in enumerate(panel.keys):
            if key in self._index or len(self.keys) < self.monitor.max_groups:
                rows[at] = self.row(key)
            else:
                left_out += 1
        self.left_out = left_out
        return rows

    def _shares(self, panel: Panel) -> Panel:
        """Counts by value as shares of all values of the same group, with a row for 'none yet'.

        That row is what a value looks like that was never seen: its share is 0.
        """
        owners = {key[:-1]: None for key in panel.keys} | {
            key[:-1]: None for key in self.keys if key[-1] == _OTHER
        }
        keys = (*panel.keys, *((*owner, _OTHER) for owner in owners))
        place = {owner: at for at, owner in enumerate(owners)}
        of = np.array([place[key[:-1]] for key in keys], dtype=np.intp)
        total = np.zeros((len(owners), panel.steps))
        np.add.at(total, of[: len(panel.keys)], panel.numerator)
        nothing = np.zeros((len(owners), panel.steps))
        amount = np.concatenate([panel.numerator, nothing])
        whole = total[of]
        unknown = np.full(whole.shape, np.nan)
        return replace(
            panel, keys=keys, n=whole, numerator=amount, denominator=whole, value=unknown,
            squares=unknown, weight_squares=unknown,
        )  # fmt: skip

    def template(self, key: Key) -> int | None:
        """The row that a value of a dimension starts as, when it is seen for the first time."""
        return self._index.get((*key[:-1], _OTHER)) if self.dimension else None

    def is_shown(self, key: Key) -> bool:
        """Whether a row is a group and not the row of what was never seen."""
        return not self.dimension or key[-1] != _OTHER


def _trailing(column: Floats, width: int) -> Floats:
    """Sums of the last `width` steps, exact for whole numbers; running sums would drift."""
    total = column.copy()
    for back in range(1, width):
        total[:, back:] += column[:, :-back]
    return total
