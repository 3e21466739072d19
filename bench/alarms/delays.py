"""How soon a fault is found: Vagus beside three rules tuned to as many false alarms.

Every case is one feature of a project whose four features' errors and groundedness are paged on,
and its traffic: nine series share the budget. The fault begins two days after the project did.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.alarms.baselines import NAMES, Scores
from bench.alarms.months import PERSISTENCES, Rates, Traffic
from bench.alarms.projects import START_MIN, Watched, monitor_of, watched
from bench.record import save
from vagus.stats.interval import wilson
from vagus.watch.monitor import MONTH_MIN

Floats = NDArray[np.float64]

_BEFORE_D, _SERIES = 2, 9
_VOLUMES = (5.0, 50.0, 500.0)
#: What the bad share becomes, as a multiple of the usual one, or as itself in an outage.
FAULTS = (
    ("step", 2.0), ("step", 3.0), ("step", 6.0), ("ramp", 3.0), ("ramp", 6.0),
    ("outage", 0.3), ("outage", 0.6), ("outage", 1.0),
)  # fmt: skip
_RAMP_MIN = 120
_BAR = (
    "detection never later than the best of threshold, 3-sigma and multi-window burn rate at equal "
    "false alarms, in >= 90 % of faults"
)


def needed(series: int) -> float:
    """The log e-value of one alarm among so many series of a project."""
    return math.log(series * MONTH_MIN)


def faulty(kind: str, size: float, rate: Floats, level: Floats, onset: NDArray[np.intp]) -> Floats:
    """A day's rates with a fault in them from its onset on."""
    since = np.arange(rate.shape[1])[None, :] - onset[:, None]
    if kind == "outage":
        return np.where(since >= 0, np.maximum(size, rate), rate)
    grown = np.clip(since / _RAMP_MIN, 0.0, 1.0) if kind == "ramp" else (since >= 0).astype(float)
    return np.minimum(0.95, rate * (1 + (size - 1) * grown))


def advance(lane: Watched, minute: int, n: Floats, hits: Floats, limit: float) -> None:
    """Let a monitor of bad shares watch a day."""
    x = hits / np.maximum(n, 1)
    if lane.detector.signal.is_flipped:
        x = np.where(n > 0, 1 - x, 0.0)
    for at in range(n.shape[1]):
        lane.detector.weigh(minute + at, x[:, at], n[:, at])
        lane.detector.settle(minute + at, x[:, at], n[:, at], limit)


def first_alarms(lane: Watched, day_min: int, onset: NDArray[np.intp]) -> Floats:
    """Minutes from the onset to the first alarm that follows; infinity where none does."""
    delay = np.full(onset.size, np.inf)
    for opened in lane.detector.opened:
        late = opened.fired_min - day_min - int(onset[opened.row])
        if late >= 0:
            delay[opened.row] = min(delay[opened.row], late + 1)
    return delay


def simulate(seed: int, seeds: int, limits: dict[str, float]) -> list[dict[str, Any]]:
    """One row for each case: what broke, and after how many minutes each rule said so."""
    rng = np.random.default_rng(seed)
    plan = [(v, k, s) for v in _VOLUMES for k, s in FAULTS for _ in range(seeds)]
    size = len(plan)
    volume = np.array([v for v, _, _ in plan])
    traffic = Traffic(rng, volume)
    rates = Rates(rng, np.exp(rng.uniform(-6.2, -3.0, size)), rng.choice(PERSISTENCES, size))
    onset = rng.integers(0, 720, size)
    lane, past = watched(monitor_of("error-rate"), np.arange(size)), Scores(size)
    found: dict[str, Floats] = {}
    for number in range(_BEFORE_D + 1):
        n, rate = traffic.day(number), rates.day()
        if number == _BEFORE_D:
            for at in range(0, size, seeds):
                rows = slice(at, at + seeds)
                rate[rows] = faulty(*plan[at][1:], rate[rows], rates.level[rows], onset[rows])
        hits = rates.hits(n, rate)
        advance(lane, START_MIN + number * 1440, n, hits, needed(_SERIES))
        found = past.day(n, hits, rates.level)
    day_min = START_MIN + _BEFORE_D * 1440
    delays = {"vagus": first_alarms(lane, day_min, onset)}
    for name in NAMES:
        delays[name] = _passed(found[name] > limits[name], onset)
    # Who was already alarmed when the fault came says nothing about delays.
    free = ~np.array([any(o.row == r and o.fired_min < day_min + onset[r]
                          for o in lane.detector.opened) for r in range(size)])  # fmt: skip
    return [
        {"volume": v, "fault": f"{k} {s:g}", **{name: float(d[at]) for name, d in delays.items()}}
        for at, (v, k, s) in enumerate(plan)
        if free[at]
    ]


def _passed(alarmed: NDArray[np.bool_], onset: NDArray[np.intp]) -> Floats:
    after = alarmed & (np.arange(alarmed.shape[1])[None, :] >= onset[:, None])
    return np.where(after.any(axis=1), after.argmax(axis=1) - onset + 1.0, np.inf)


def figures(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """In how many faults Vagus is not later than the best of the others; who finds how much."""
    whole: dict[str, Any] = {"not_later_than_the_best": _not_later(rows)}
    for name in NAMES:
        whole[f"not_later_than_{name}"] = _not_later(rows, (name,))
    whole["within_5_min_of_the_best"] = _not_later(rows, NAMES, 5.0)
    for name in ("vagus", *NAMES):
        values = np.array([row[name] for row in rows])
        middle = float(np.median(values))
        whole[name] = {
            "found": round(float(np.isfinite(values).mean()), 4),
            "median_min": middle if np.isfinite(middle) else None,
        }
    for key in ("fault", "volume"):
        whole[f"by_{key}"] = {
            str(value): _not_later([r for r in rows if r[key] == value])["share"]
            for value in sorted({r[key] for r in rows})
        }
    return whole


def _not_later(rows: list[dict[str, Any]], names: tuple[str, ...] = NAMES,
               grace: float = 0.0) -> dict[str, Any]:  # fmt: skip
    hits = sum(row["vagus"] <= min(row[name] for name in names) + grace for row in rows)
    low, high = wilson(hits, len(rows))
    share = hits / max(1, len(rows))
    return {"share": round(share, 4), "low": round(low, 4), "high": round(high, 4), "n": len(rows)}


def quality(seed: int, cases: int, series: int) -> dict[str, Any]:
    """Minutes until a fall from 97 to 85 % is found at 60 judged answers an hour."""
    rng = np.random.default_rng(seed)
    lane = watched(monitor_of("groundedness"), np.arange(cases))
    onset = np.full(cases, 720)
    for number in range(_BEFORE_D + 1):
        n = rng.poisson(1.0, (cases, 1440)).astype(float)
        bad = np.where((number == _BEFORE_D) & (np.arange(1440) >= 720), 0.15, 0.03)
        hits = rng.binomial(n.astype(np.int64), bad[None, :]).astype(float)
        advance(lane, START_MIN + number * 1440, n, hits, needed(series))
    delay = first_alarms(lane, START_MIN + _BEFORE_D * 1440, onset)
    return {
        "series": series,
        "median_min": float(np.median(delay)),
        "p90_min": float(np.quantile(delay, 0.9, method="higher")),
        "found_in_12_h": round(float(np.isfinite(delay).mean()), 4),
    }


def main(seeds: int, cases: int, limits: dict[str, float], *, is_saved: bool) -> dict[str, Any]:
    """Run, and keep the figures of a full run."""
    found = figures(simulate(23, seeds, limits))
    found["limits"] = {name: round(limit, 3) for name, limit in limits.items()}
    found["quality_97_to_85_at_60_an_hour"] = [quality(29, cases, k) for k in (1, 4, _SERIES)]
    if is_saved:
        save("alarms_delays", _BAR, found, met=found["not_later_than_the_best"]["share"] >= 0.9)
    return found
