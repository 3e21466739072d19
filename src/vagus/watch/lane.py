"""A monitor on its way through time, and the march of all monitors of a project in step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vagus.measures.catalogue import Catalogue
from vagus.stats.ebh import log_threshold
from vagus.store.engine import Engine
from vagus.watch.detector import Detector, Known
from vagus.watch.feed import Block, Feed
from vagus.watch.monitor import MONTH_MIN, Monitor, Threshold
from vagus.watch.settings import Settings, settings_of
from vagus.watch.signal import signal_of
from vagus.watch.thresholds import ThresholdDetector

Floats = NDArray[np.float64]

# False pages that are accepted in 30 days of a project; and again so many false tickets.
FALSE_ALARMS = 1.0


@dataclass(slots=True)
class Lane:
    """A monitor, its series and its detector, settled up to a minute (not included)."""

    monitor: Monitor
    feed: Feed
    detector: Detector | ThresholdDetector
    until_min: int
    block: Block | None = None

    def load(self, end_min: int) -> None:
        """Read what comes next, and make room for groups that are new."""
        self.block = self.feed.read(self.until_min, end_min)
        _grow(self.feed, self.detector)

    def ended(self) -> None:
        """Forget which alarms were met on the way: they have been told."""
        self.detector.opened.clear()
        self.detector.closed.clear()

    def clone(self) -> Lane:
        """The same lane with a detector that may be advanced for a trial."""
        detector = self.detector.clone()
        detector.opened = list(detector.opened)
        detector.closed = list(detector.closed)
        return Lane(self.monitor, self.feed, detector, self.until_min, self.block)

    def column(self, minute: int) -> int | None:
        """The column of the step that is complete after a minute; None when none is."""
        block = self.block
        # A monitor without any group has nothing to step through.
        if block is None or not self.feed.keys or minute < self.until_min:
            return None
        if (minute + 1) % block.step_min:
            return None
        at = (minute + 1 - block.step_min - block.start_min) // block.step_min
        return at if 0 <= at < block.x.shape[1] else None

    def tell(self, key: tuple[str, ...], known: Known) -> None:
        """Let the detector know an episode of the store."""
        row = self.feed.row(key)
        _grow(self.feed, self.detector)
        now = self.until_min
        self.detector.tell(row, known, now - now % self.feed.step_min)


def open_lane(engine: Engine, catalogue: Catalogue, monitor: Monitor, start_min: int) -> Lane:
    """A monitor as it is before it has seen the minute `start_min`, which starts an hour."""
    feed = Feed(engine, catalogue, monitor)
    if isinstance(monitor.rule, Threshold):
        return Lane(monitor, feed, ThresholdDetector(monitor.rule, feed.step_min), start_min)
    settings = settings_of(monitor.rule)
    detector = Detector(settings, signal_of(monitor, feed.measure))
    if settings.target is None:
        _teach(feed, detector, settings, start_min)
    detector.begin(start_min)
    return Lane(monitor, feed, detector, start_min)


def _teach(feed: Feed, detector: Detector, settings: Settings, start_min: int) -> None:
    """Let the past weeks, or the pinned days, teach the reference by the hour."""
    begin, end = start_min - settings.weeks * 7 * 1440, start_min
    if settings.pinned is not None:
        begin, end = (day * 1440 for day in settings.pinned)
    begin = max(0, begin)
    if end <= begin:
        return
    block = feed.hours(begin, end)
    detector.grow(len(feed.keys))
    reference = detector.reference
    reference.holiday_days = settings.holiday_days
    reference.teach_hours(begin, block.x if reference.is_count else block.x * block.n, block.n)
    reference.is_pinned = settings.pinned is not None


def _grow(feed: Feed, detector: Detector | ThresholdDetector) -> None:
    before = detector.fired.size
    if len(feed.keys) == before:
        return
    detector.grow(len(feed.keys))
    if isinstance(detector, Detector):
        for row in range(before, len(feed.keys)):
            model = feed.template(feed.keys[row])
            if model is not None and model < before:
                detector.copy_row(model, row)


def march(lanes: Sequence[Lane], end_min: int, false_alarms: float = FALSE_ALARMS) -> None:
    """Take all lanes through their blocks up to a minute, deciding each minute for all at once.

    An alarm needs its monitor's own evidence, and enough to be a discovery among all series of the
    project of the same severity (e-BH). Thresholds have no evidence and are not asked.
    """
    alpha = false_alarms / MONTH_MIN
    for minute in range(min((lane.until_min for lane in lanes), default=end_min), end_min):
        due = [(lane, at) for lane in lanes if (at := lane.column(minute)) is not None]
        for lane, at in due:
            _weigh(lane, at, minute)
        needed = _needed(lanes, [lane for lane, _ in due], alpha)
        for lane, at in due:
            _settle(lane, at, minute, needed.get(lane.monitor.severity, 0.0))
    for lane in lanes:
        lane.until_min = max(lane.until_min, end_min)


def _weigh(lane: Lane, at: int, minute: int) -> None:
    block = lane.block
    if block is not None:
        began = minute + 1 - block.step_min
        size = lane.detector.fired.size
        lane.detector.weigh(began, _filled(block.x[:, at], size), _filled(block.n[:, at], size))


def _settle(lane: Lane, at: int, minute: int, needed: float) -> None:
    block, detector = lane.block, lane.detector
    if block is None:
        return
    if isinstance(detector, ThresholdDetector):
        detector.settle(minute + 1 - block.step_min)
    else:
        size = detector.fired.size
        x, n = _filled(block.x[:, at], size), _filled(block.n[:, at], size)
        detector.settle(minute, x, n, needed)


def _filled(column: Floats, size: int) -> Floats:
    """A column for all rows: those that came after the block was read have nothing in it."""
    if column.size == size:
        return column
    return np.concatenate([column, np.zeros(size - column.size)])


def _needed(lanes: Sequence[Lane], due: Sequence[Lane], alpha: float) -> dict[str, float]:
    """The log e-value that an alarm of each severity needs in this minute."""
    found: dict[str, float] = {}
    for severity in ("page", "ticket"):
        asked = [lane.detector for lane in due if lane.monitor.severity == severity]
        if not any(isinstance(d, Detector) and d.suspects for d in asked):
            continue
        family = [lane.detector for lane in lanes if lane.monitor.severity == severity]
        detectors = [d for d in family if isinstance(d, Detector)]
        evidence = np.concatenate([d.evidence for d in detectors])
        found[severity] = log_threshold(
            evidence[evidence > 0], alpha, max(1, sum(d.series for d in detectors))
        )
    return found
