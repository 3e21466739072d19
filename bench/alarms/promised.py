"""Is the smallest change that a monitor promises really found within its hour or its day?"""

from __future__ import annotations

from typing import Any

import numpy as np

from bench.alarms.delays import advance, first_alarms, needed
from bench.alarms.projects import START_MIN, monitor_of, watched
from bench.record import save
from vagus.watch.promise import promise

_LEVEL, _SERIES, _BEFORE_D = 0.02, 9, 3
_VOLUMES = (1.0, 10.0, 100.0)
_BAR = "the smallest change that a monitor shows is found in time in at least half of the cases"


def found_in_time(seed: int, cases: int, volume: float, size: float, minutes: int) -> float:
    """The share of steps to a bad share of `size` that raise an alarm within so many minutes."""
    rng = np.random.default_rng(seed)
    lane = watched(monitor_of("error-rate"), np.arange(cases))
    onset = np.zeros(cases, dtype=np.intp)
    for number in range(_BEFORE_D + 1):
        n = rng.poisson(volume, (cases, 1440)).astype(float)
        hits = rng.binomial(n.astype(np.int64), size if number == _BEFORE_D else _LEVEL)
        advance(lane, START_MIN + number * 1440, n, hits.astype(float), needed(_SERIES))
    delay = first_alarms(lane, START_MIN + _BEFORE_D * 1440, onset)
    return float((delay <= minutes).mean())


def main(cases: int, *, is_saved: bool) -> list[dict[str, Any]]:
    """One row for each volume and time: what is promised, and how often that is found in time."""
    rows = []
    for volume in _VOLUMES:
        said = promise(monitor_of("error-rate"), volume, _LEVEL, _SERIES)
        for minutes, size in (
            (60, said.smallest_change_hour),
            (1440, said.smallest_change_day),
        ):
            share = None if size is None else found_in_time(31, cases, volume, size, minutes)
            rows.append(
                {
                    "a_minute": volume,
                    "within_min": minutes,
                    "promised": None if size is None else round(size, 4),
                    "found_in_time": None if share is None else round(share, 4),
                }
            )
    if is_saved:
        met = all(row["found_in_time"] is None or row["found_in_time"] >= 0.5 for row in rows)
        save("alarms_promise", _BAR, {"usual": _LEVEL, "cases": cases, "rows": rows}, met=met)
    return rows
