"""The gate: from memory, and it says so when it does not know."""

from __future__ import annotations

import pytest

from vagus.assess.cost.budget import decode_budget, stretch_of
from vagus.assess.cost.gate import MAX_AGE_MS, Gate, Snapshot
from vagus.assess.cost.standing import Standing

NOW_MS = 1_795_000_000_000


def standing(spent, **values):
    budget = decode_budget(
        {"id": "b", "name": "B", "project": "p", "amount_usd": 100.0, "action": "block", **values}
    )
    return Standing(budget, stretch_of(budget, NOW_MS // 1000), NOW_MS // 1000, spent, 0, 1.0, None)


def ask(standing, call=None, estimate_usd=0.0, age_ms=0):
    gate = Gate()
    gate.put(Snapshot(NOW_MS - age_ms, {"p": (standing,)}))
    return gate.check("p", call or {}, estimate_usd, NOW_MS)


@pytest.mark.parametrize(
    ("spent", "estimate", "allowed"),
    [(99.0, 0.0, True), (99.0, 1.0, True), (99.0, 1.01, False), (100.0, 0.0, False)],
)
def test_what_a_call_may_cost_is_counted(spent, estimate, allowed):
    verdict = ask(standing(spent), estimate_usd=estimate)

    assert verdict.is_allowed == allowed
    assert verdict.is_known
    assert ("$99.00 of $100.00" in verdict.reason) == (estimate > 1)


def test_a_budget_that_only_alerts_never_refuses():
    verdict = ask(standing(500.0, action="alert"))

    assert verdict.is_allowed
    assert verdict.budgets[0].is_over


def test_a_budget_of_another_team_does_not_apply():
    full = standing(100.0, filter="team:a")

    assert ask(full, {"team": "b"}).is_allowed
    assert ask(full, {"team": "b"}).budgets == ()
    assert not ask(full, {"team": "a"}).is_allowed
    assert ask(standing(100.0, filter="team!=a"), {"team": "a"}).is_allowed


@pytest.mark.parametrize(("on_unknown", "allowed"), [("allow", True), ("refuse", False)])
def test_a_call_that_does_not_say_its_team_follows_on_unknown(on_unknown, allowed):
    verdict = ask(standing(100.0, filter="team:a", on_unknown=on_unknown))

    assert (verdict.is_allowed, verdict.is_known) == (allowed, False)


def test_a_call_that_does_not_say_its_team_goes_on_where_the_budget_has_room_anyway():
    assert ask(standing(1.0, filter="team:a", on_unknown="refuse")).is_allowed


@pytest.mark.parametrize(("on_unknown", "allowed"), [("allow", True), ("refuse", False)])
@pytest.mark.parametrize(("spent", "age_ms"), [(None, 0), (1.0, MAX_AGE_MS + 1)])
def test_unknown_and_stale_spend_follow_on_unknown(spent, age_ms, on_unknown, allowed):
    verdict = ask(standing(spent, on_unknown=on_unknown), age_ms=age_ms)

    assert (verdict.is_allowed, verdict.is_known) == (allowed, False)
    assert verdict.age_ms == age_ms


def test_before_the_first_look_nothing_is_known():
    verdict = Gate().check("p", {}, 1.0, NOW_MS)

    assert (verdict.is_allowed, verdict.is_known, verdict.age_ms) == (True, False, None)
