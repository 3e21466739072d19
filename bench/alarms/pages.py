"""False pages of fault-free service-months: the three default monitors that wake somebody.

Each project is one service of four features: its errors and its groundedness by feature, and its
traffic, from the first minute on. Nothing is ever wrong, so every page is a false one.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from bench.alarms.baselines import Scores
from bench.alarms.months import PERSISTENCES, Rates, Traffic, volumes
from bench.alarms.projects import START_MIN, Watched, march, monitor_of, watched
from bench.record import save
from vagus.stats.interval import poisson_interval

BUDGET = 1.0
_FEATURES, _MONTH_D = 4, 30
_BAR = (
    "false pages on fault-free simulated months (>= 300 service-months, autocorrelated, seasonal): "
    "within the stated budget of 1 per 30 days and project"
)


class Months:
    """Projects without a fault, and what watches them."""

    def __init__(self, rng: np.random.Generator, projects: int) -> None:
        owner = np.repeat(np.arange(projects), _FEATURES)
        size = owner.size
        self.projects = projects
        self.phi = rng.choice(PERSISTENCES, projects)
        requests = volumes(rng, projects)
        self._requests = Traffic(rng, requests[owner] / _FEATURES)
        self._errors = Rates(rng, np.exp(rng.uniform(-6.2, -3.0, size)), self.phi[owner])
        judged = volumes(rng, projects, 0.1, 20.0)
        self._judged = Traffic(rng, judged[owner] / _FEATURES)
        self._ungrounded = Rates(rng, rng.uniform(0.02, 0.15, size), self.phi[owner])
        self.errors = watched(monitor_of("error-rate"), owner)
        self.grounded = watched(monitor_of("groundedness"), owner)
        self.stopped = watched(monitor_of("telemetry-stopped"), np.arange(projects))
        self.scores = Scores(size)

    @property
    def lanes(self) -> tuple[Watched, ...]:
        """All that pages."""
        return self.errors, self.grounded, self.stopped

    def day(self, number: int) -> None:
        """Simulate a day and let everything watch it."""
        n = self._requests.day(number)
        hits = self._errors.hits(n, self._errors.day())
        self.errors.n, self.errors.x = n, hits / np.maximum(n, 1)
        judged = self._judged.day(number)
        bad = self._ungrounded.hits(judged, self._ungrounded.day())
        self.grounded.n, self.grounded.x = judged, (judged - bad) / np.maximum(judged, 1)
        whole = n.reshape(self.projects, _FEATURES, -1).sum(axis=1)
        self.stopped.x, self.stopped.n = whole, np.ones_like(whole)
        march(self.lanes, START_MIN + number * 1440, 1440, self.projects)
        self.scores.day(n, hits, self._errors.level)


def simulate(seed: int, projects: int, days: int) -> Months:
    """Fault-free projects, watched for so many days."""
    months = Months(np.random.default_rng(seed), projects)
    for number in range(days):
        months.day(number)
    return months


def figures(months: Months, days: int) -> dict[str, Any]:
    """False pages per 30 days and project, whole and by kind, by persistence and by age."""
    spent = months.projects * days / _MONTH_D
    found = [
        (lane.monitor.id, int(lane.owner[o.row]), (o.fired_min - START_MIN) // 1440)
        for lane in months.lanes
        for o in lane.detector.opened
    ]
    by_kind = Counter(kind for kind, _, _ in found)
    return {
        "service_months": round(spent, 1),
        "stated_budget": BUDGET,
        "all": rate(len(found), spent),
        "by_monitor": {lane.monitor.id: rate(by_kind[lane.monitor.id], spent)
                       for lane in months.lanes},
        "in_the_first_two_days": sum(day < 2 for _, _, day in found),
        "by_memory_of_a_minute": {
            str(phi): rate(sum(months.phi[p] == phi for _, p, _ in found),
                           float((months.phi == phi).sum()) * days / _MONTH_D)
            for phi in PERSISTENCES
        },
        "most_of_one_project": max(Counter(p for _, p, _ in found).values(), default=0),
    }  # fmt: skip


def rate(count: int, spent: float) -> dict[str, Any]:
    """A number of pages as a rate per 30 days and project, with its exact interval of 95 %."""
    low, high = poisson_interval(count)
    return {
        "pages": int(count),
        "per_30d": round(float(count / spent), 4),
        "low": round(float(low / spent), 4),
        "high": round(float(high / spent), 4),
    }


def main(projects: int, days: int, *, is_saved: bool) -> Months:
    """Run, and keep the figures of a full run."""
    months = simulate(11, projects, days)
    found = figures(months, days)
    if is_saved:
        save("alarms", _BAR, found, met=found["service_months"] >= 300
             and found["all"]["high"] <= BUDGET)  # fmt: skip
    return months
