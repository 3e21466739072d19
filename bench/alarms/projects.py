"""Many projects through the shipped detectors at once; each project has its own budget."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from vagus.measures.catalogue import load_catalogue
from vagus.stats.ebh import log_threshold
from vagus.watch.defaults import default_monitors
from vagus.watch.detector import Detector
from vagus.watch.lane import FALSE_ALARMS
from vagus.watch.monitor import MONTH_MIN, Monitor, Threshold
from vagus.watch.settings import settings_of
from vagus.watch.signal import signal_of

Floats = NDArray[np.float64]

START_MIN = 29_000_160 - 29_000_160 % 10_080


@dataclass(slots=True)
class Watched:
    """One default monitor over the groups of all projects; `owner` is each row's project."""

    monitor: Monitor
    detector: Detector
    owner: NDArray[np.intp]
    x: Floats = field(default_factory=lambda: np.zeros((0, 0)))
    n: Floats = field(default_factory=lambda: np.zeros((0, 0)))


def monitor_of(monitor_id: str) -> Monitor:
    """A default monitor by its id."""
    return next(m for m in default_monitors("bench") if m.id == monitor_id)


def watched(monitor: Monitor, owner: NDArray[np.intp]) -> Watched:
    """A monitor that has seen nothing yet, as in a new project."""
    rule = monitor.rule
    if isinstance(rule, Threshold):
        raise TypeError("a threshold states no false alarms")
    signal = signal_of(monitor, load_catalogue().get(monitor.measure))
    detector = Detector(settings_of(rule), signal)
    detector.grow(owner.size)
    detector.begin(START_MIN)
    return Watched(monitor, detector, owner)


def march(lanes: Sequence[Watched], start_min: int, minutes: int, projects: int) -> None:
    """Take all projects through their minutes, as `vagus.watch.lane.march` takes one."""
    alpha = FALSE_ALARMS / MONTH_MIN
    for at in range(minutes):
        minute = start_min + at
        for lane in lanes:
            lane.detector.weigh(minute, lane.x[:, at], lane.n[:, at])
        needed = _needed(lanes, alpha, projects)
        for lane in lanes:
            limits = needed.get(lane.monitor.severity)
            limit: Floats | float = 0.0 if limits is None else limits[lane.owner]
            lane.detector.settle(minute, lane.x[:, at], lane.n[:, at], limit)


def _needed(lanes: Sequence[Watched], alpha: float, projects: int) -> dict[str, Floats]:
    """The log e-value that an alarm of each severity needs in each project."""
    found: dict[str, Floats] = {}
    for severity in ("page", "ticket"):
        family = [lane for lane in lanes if lane.monitor.severity == severity]
        asking = {int(lane.owner[row]) for lane in family for row in lane.detector.suspects}
        if asking:
            found[severity] = np.full(projects, np.inf)
        for project in asking:
            found[severity][project] = _threshold(family, project, alpha)
    return found


def _threshold(family: Sequence[Watched], project: int, alpha: float) -> float:
    evidence, series = [], 0
    for lane in family:
        rows = lane.owner == project
        detector = lane.detector
        evidence.append(detector.evidence[rows])
        series += int((detector.judged[rows] >= detector.settings.min_n).sum())
    values = np.concatenate(evidence)
    return log_threshold(values[values > 0], alpha, max(1, series))
