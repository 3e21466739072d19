"""The past judged again: what each rule finds, how soon, and how often it is wrong."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from vagus.watch.objectives.rejudge import Alert, Past, alarms, rejudge
from vagus.watch.objectives.tally import Tally
from vagus.watch.slo import decode_slo

HOUR = 12
DAY = 24 * HOUR
MONTH = 30 * DAY


def slo(target: float = 0.95, **more: object):  # type: ignore[no-untyped-def]
    base = {"id": "s", "name": "S", "project": "p", "measure": "error_rate", "target": target}
    return decode_slo({**base, **more})


def past(rng: np.random.Generator, an_hour: float, rates: NDArray[np.float64]) -> Past:
    n = rng.poisson(an_hour / HOUR, rates.size).astype(np.float64)
    bad = rng.binomial(n.astype(np.int64), rates).astype(np.float64)
    return Past(Tally(0, 300, n, n, bad, n), "not_judged")


def found(of: Past, rule: str, target: float = 0.95) -> list[Alert]:
    (judged,) = rejudge(slo(target), of, [target], of.events.end_s)
    return [alert for alert in judged.alerts if alert.rule.startswith(rule)]


def delays(an_hour: float, worse: float, rule: str, runs: int = 30) -> list[float]:
    """Minutes from a change after a healthy day to the first alert; inf within three days."""
    rng = np.random.default_rng(20_261_124)
    rates = np.concatenate([np.full(DAY, 0.03), np.full(3 * DAY, worse)])
    seen = []
    for _ in range(runs):
        fired = [a.fired_s for a in found(past(rng, an_hour, rates), rule) if a.severity == "page"]
        later = [at_s / 60 - 24 * 60 for at_s in fired if at_s > DAY * 300]
        seen.append(min(later, default=float("inf")))
    return seen


@pytest.mark.parametrize(
    ("an_hour", "worse", "at_most_min"),
    [(12, 0.3, 300), (60, 0.15, 180), (60, 0.3, 60), (240, 0.15, 60), (240, 0.3, 20)],
)
def test_the_sequential_page_is_sooner_than_the_classic_pair(
    an_hour: float, worse: float, at_most_min: float
) -> None:
    sequential = float(np.median(delays(an_hour, worse, "sequential")))
    classic = float(np.median(delays(an_hour, worse, "burn")))

    assert sequential <= at_most_min
    assert sequential < classic


def test_a_healthy_month_stays_quiet() -> None:
    rng = np.random.default_rng(5)
    months = [past(rng, an_hour, np.full(MONTH, 0.03)) for an_hour in (12, 60, 240) * 10]

    assert sum(len(found(month, "sequential")) for month in months) == 0


def test_a_month_exactly_on_budget_pages_at_most_now_and_then() -> None:
    rng = np.random.default_rng(6)
    months = [past(rng, 60, np.full(MONTH, 0.05)) for _ in range(30)]

    assert sum(len(found(month, "sequential")) for month in months) <= 9
    # The classic ticket flaps on the same months.
    assert sum(len(found(month, "burn 3d")) for month in months) > 300


def test_dependent_events_are_worth_less() -> None:
    rng = np.random.default_rng(8)
    n = np.full(MONTH, 20.0)
    bad = np.where(rng.random(MONTH) < 0.03, 20.0, 0.0)
    together = Past(Tally(0, 300, n, n, bad, n), "not_judged")

    assert len(found(together, "sequential")) <= 1


def test_an_alarm_ends_by_evidence_that_has_held() -> None:
    bad, good = [2.0] * 5, [-2.0] * 10

    assert alarms([*good, *bad, *good], 9.0, 6.0, 3) == [(10, 14, 18)]
    assert alarms([*good, *bad], 9.0, 6.0, 3) == [(10, 14, None)]
    assert alarms(good, 9.0, 6.0, 3) == []


def test_a_harder_target_leaves_less_and_a_weaker_one_can_fall_silent() -> None:
    rng = np.random.default_rng(9)
    rates = np.full(MONTH, 0.03)
    rates[20 * DAY : 21 * DAY] = 0.5
    judged = rejudge(slo(), past(rng, 60, rates), [0.8, 0.9, 0.95, 0.99], MONTH * 300)

    spent = [each.budget.spent for each in judged]
    assert spent == sorted(spent)  # type: ignore[type-var]
    assert len(judged[0].problems) == 2
    assert [bool(each.alerts) for each in judged] == [True] * 4


def test_slices_are_judged_as_slices() -> None:
    rng = np.random.default_rng(10)
    rates = np.full(7 * DAY, 0.01)
    rates[3 * DAY : 3 * DAY + HOUR] = 0.9
    objective = slo(0.99, slice_target=0.9, slice_min=5)
    of = past(rng, 1200, rates)
    (judged,) = rejudge(objective, of, [0.99], of.events.end_s)

    assert judged.budget.judged == 7 * DAY
    assert judged.budget.spent == pytest.approx(HOUR / (7 * DAY) / 0.01, rel=0.1)
    assert {alert.rule for alert in judged.alerts} >= {"sequential", "burn 1h/5m"}
