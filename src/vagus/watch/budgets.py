"""The budget of an objective, asked of the measures."""

from __future__ import annotations

import math

from vagus.measures.catalogue import Catalogue
from vagus.measures.slice import Point, Request, slice_measure
from vagus.store.engine import Engine
from vagus.watch.monitor import Monitor
from vagus.watch.series import check_measure
from vagus.watch.slo import Budget, Slo, budget, monitor_of

_DAY_S = 86_400
_HOUR_S = 3_600


def budget_of(engine: Engine, catalogue: Catalogue, slo: Slo, now_s: float) -> Budget:
    """What the objective's window has spent of its budget so far, and how fast it is spent now."""
    monitor = monitor_of(slo)
    check_measure(monitor, catalogue)
    end_s = math.floor(now_s / 60) * 60 + 60
    is_up_bad = catalogue.get(slo.measure).direction == "up_is_bad"
    window = _total(engine, catalogue, monitor, end_s - slo.window_days * _DAY_S, end_s)
    recent = _total(engine, catalogue, monitor, end_s - _HOUR_S, end_s)
    return budget(slo, *_bad(window, is_up_bad), *_bad(recent, is_up_bad))


def _total(
    engine: Engine, catalogue: Catalogue, monitor: Monitor, start_s: int, end_s: int
) -> Point:
    request = Request(monitor.measure, max(0, start_s), end_s, filter=monitor.filter)
    (series,) = slice_measure(engine, monitor.project, request, catalogue).series
    return series.total


def _bad(point: Point, is_up_bad: bool) -> tuple[float, float]:
    """Sample size and bad ones among it."""
    if point.value is None:
        return 0.0, 0.0
    return point.n, point.n * (point.value if is_up_bad else 1.0 - point.value)
