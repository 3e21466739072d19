"""Rules say who a row belongs to, where its telemetry does not."""

from __future__ import annotations

from typing import Any

import pytest

from support.spans import make_span
from vagus.assess.cost.prices import list_price
from vagus.errors import BadInput
from vagus.settle.attribution import MAX_RULES, Rule, Rules, restore
from vagus.settle.fold import Settled, fold_trace


def settle(*rules: Rule, **said: Any) -> Settled:
    """A request to `shop` with a model call in it, under these rules."""
    spans = [
        make_span(0, kind="chain", service="shop", **said),
        make_span(1, 0, kind="llm", service="shop", provider="openai", request_model="GPT-4o-mini"),
    ]
    return fold_trace("p", spans, version=1, price=list_price, log_events={}, rules=Rules(rules))


def test_a_row_that_fits_gets_the_value() -> None:
    settled = settle(Rule("service:shop", {"team": "payments", "feature": "cart"}))
    assert [(row.team, row.feature) for row in (settled.trace, *settled.steps)] == [
        ("payments", "cart")
    ] * 3


def test_a_rule_about_the_model_is_for_the_calls_and_the_requests_that_used_it() -> None:
    settled = settle(Rule("model~gpt-4*mini", {"team": "small"}))
    assert settled.trace.team == "small"
    assert [step.team for step in settled.steps] == ["", "small"]


def test_what_the_telemetry_says_stays_unless_the_rule_overrides() -> None:
    gentle = settle(Rule("service:shop", {"team": "payments"}), team="growth")
    assert gentle.trace.team == "growth"
    assert gentle.trace.before_rules == {}
    strict = settle(Rule("service:shop", {"team": "payments"}, override=True), team="growth")
    assert strict.trace.team == "payments"
    assert strict.trace.before_rules == {"team": "growth"}


def test_the_first_rule_that_sets_a_dimension_decides_it() -> None:
    settled = settle(
        Rule("service:mail", {"team": "mail"}),
        Rule("service:shop", {"team": "first"}),
        Rule("service:shop", {"team": "second", "env": "prod"}),
    )
    assert (settled.trace.team, settled.trace.env) == ("first", "prod")


def test_rules_ask_what_was_said_and_not_what_rules_have_set() -> None:
    settled = settle(
        Rule("service:shop", {"team": "payments"}), Rule("team:payments", {"feature": "cart"})
    )
    assert (settled.trace.team, settled.trace.feature) == ("payments", "")


def test_other_rules_start_from_what_was_said() -> None:
    trace = settle(Rule("service:shop", {"team": "a", "env": "x"}), env="prod").trace
    Rules([Rule("env:prod", {"team": "b"})]).apply(trace)
    assert (trace.team, trace.env) == ("b", "prod")
    restore(trace)
    assert (trace.team, trace.before_rules) == ("", {})


@pytest.mark.parametrize("when", ['team:""', "service!=mail", "service:mail,shop kind:chain"])
def test_rules_use_the_language_of_filters(when: str) -> None:
    assert settle(Rule(when, {"team": "payments"})).trace.team == "payments"


@pytest.mark.parametrize(
    ("rule", "field"),
    [
        (Rule("service:shop", {}), "rules[0].set"),
        (Rule("service:shop", {"model": "x"}), "rules[0].set"),
        (Rule("service:shop", {"team": ""}), "rules[0].set"),
        (Rule("service:shop", {"team": "x" * 201}), "rules[0].set"),
        (Rule("cost_usd>1", {"team": "x"}), "rules[0].when"),
        (Rule("word", {"team": "x"}), "rules[0].when"),
        (Rule("nothing:x", {"team": "x"}), "rules[0].when"),
    ],
)
def test_what_is_no_rule_is_refused(rule: Rule, field: str) -> None:
    with pytest.raises(BadInput) as refusal:
        Rules([rule])
    assert refusal.value.field == field


def test_too_many_rules_are_refused() -> None:
    with pytest.raises(BadInput, match="501 rules"):
        Rules([Rule("service:a", {"team": "t"})] * (MAX_RULES + 1))
