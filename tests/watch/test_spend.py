"""Budget alerts: each once a period, as an episode that ends with it."""

from __future__ import annotations

import pytest

from vagus.assess.cost.budget import decode_budget, stretch_of
from vagus.assess.cost.standing import Forecast, Standing
from vagus.watch.spend import judge

NOON_S = 1_795_003_200
DAY_S = 86_400


class Ledger:
    """A budget whose spend is told, and the episodes it leaves."""

    def __init__(self, **values):
        spec = {"id": "b", "name": "B", "project": "p", "amount_usd": 100.0, **values}
        self.budget = decode_budget(spec)
        self.open = {}

    def look(self, spent, now_s=NOON_S, chance=None):
        """The transitions of one look, as `kind alert`."""
        forecast = None if chance is None else Forecast(120.0, 90.0, 150.0, chance)
        period = stretch_of(self.budget, now_s)
        standing = Standing(self.budget, period, now_s, spent, 3, 1.0, forecast)
        found = judge([standing], list(self.open.values()), now_s // 60)
        for transition in found:
            episode = transition.episode
            self.open[episode.episode_id] = episode
            if episode.resolved_ms is not None:
                del self.open[episode.episode_id]
        return [f"{t.kind} {t.episode.group['alert']}" for t in found]


def test_each_share_is_told_once():
    ledger = Ledger(period="month")

    told = [ledger.look(spent) for spent in (10.0, 55.0, 55.0, 85.0, 130.0)]

    assert told[:3] == [[], ["opened 0.5"], []]
    assert told[3] == ["updated 0.5", "opened 0.8"]
    assert told[4] == ["updated 0.5", "updated 0.8", "opened 1"]
    severities = {e.group["alert"]: e.severity for e in ledger.open.values()}
    assert severities == {"0.5": "ticket", "0.8": "ticket", "1": "page"}


def test_the_evidence_says_the_amounts_and_what_is_missing():
    ledger = Ledger()
    ledger.look(85.0)

    (evidence,) = {episode.evidence for episode in ledger.open.values()}
    assert evidence == "$85.00 of $100.00 spent, without 3 calls of unknown cost"


def test_a_new_period_ends_the_alerts_and_may_raise_them_again():
    ledger = Ledger(period="day", alerts=[0.5])
    ledger.look(60.0)

    assert ledger.look(0.0, NOON_S + DAY_S) == ["resolved 0.5"]
    assert ledger.look(70.0, NOON_S + DAY_S + 60) == ["opened 0.5"]
    assert ledger.look(90.0, NOON_S + 2 * DAY_S) == ["resolved 0.5", "opened 0.5"]


def test_a_forecast_is_told_when_it_is_sure_and_ends_when_it_is_even():
    ledger = Ledger()

    assert ledger.look(40.0, chance=0.8) == []
    assert ledger.look(41.0, chance=0.95) == ["opened forecast"]
    assert ledger.look(42.0, chance=0.7) == ["updated forecast"]
    assert ledger.look(42.0, chance=0.4) == ["resolved forecast"]


def test_the_forecast_ends_when_the_amount_is_reached():
    ledger = Ledger(alerts=[1.0])
    ledger.look(95.0, chance=0.99)

    assert sorted(ledger.look(101.0, chance=1.0)) == ["opened 1", "resolved forecast"]


def test_spend_that_is_not_known_changes_nothing():
    ledger = Ledger(alerts=[0.5])
    ledger.look(60.0)

    assert [t for t in ledger.look(None) if not t.startswith("updated")] == []
    assert Ledger(alerts=[0.5]).look(None) == []


def test_a_rolling_budget_does_not_flap():
    ledger = Ledger(period="rolling", days=7, alerts=[0.5])

    told = [ledger.look(spent, NOON_S + n * 60) for n, spent in enumerate((51.0, 49.0, 51.0, 40.0))]

    assert told == [["opened 0.5"], ["updated 0.5"], ["updated 0.5"], ["resolved 0.5"]]


def test_a_budget_that_is_gone_takes_its_alerts_with_it():
    ledger = Ledger(alerts=[0.5])
    ledger.look(60.0)

    (gone,) = judge([], list(ledger.open.values()), NOON_S // 60)

    assert (gone.kind, gone.episode.evidence) == ("resolved", "the budget is gone")


@pytest.mark.parametrize("amount", [100.0, 200.0])
def test_raising_the_amount_ends_an_alert(amount):
    ledger = Ledger(alerts=[0.5])
    ledger.look(60.0)
    ledger.budget = decode_budget(
        {"id": "b", "name": "B", "project": "p", "amount_usd": amount, "alerts": [0.5]}
    )

    assert ledger.look(60.0) == ([] if amount == 100.0 else ["resolved 0.5"])
