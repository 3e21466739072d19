"""Every cause has a runbook, and every step in it can be taken."""

from __future__ import annotations

import re

import pytest

from vagus.measures.catalogue import load_catalogue
from vagus.respond.runbook import SECTIONS, causes, runbook, title
from vagus.respond.steps import parse_script

_CAUSES = [
    "provider_rate_limit",
    "provider_outage",
    "provider_slow",
    "region_failover",
    "silent_model_change",
    "model_removed",
    "routing_misconfiguration",
    "prompt_regression",
    "sampling_changed",
    "context_truncation",
    "output_truncation",
    "chunking_change",
    "stale_index",
    "embedding_mismatch",
    "reranker_bypassed",
    "retrieval_empty",
    "schema_break",
    "tool_failure",
    "tool_loop",
    "agent_runaway",
    "retry_cost",
    "cache_miss_regression",
    "traffic_mix_shift",
    "language_mix_shift",
    "new_topic",
    "prompt_injection",
    "key_abuse",
    "pii_leak",
    "unsafe_output",
    "over_refusal",
    "hallucination_rise",
    "source_outage",
    "context_conflict",
    "evaluator_drift",
    "golden_set_stale",
    "telemetry_loss",
    "clock_skew",
    "price_table_wrong",
    "streaming_stall",
    "pool_exhaustion",
    "none",
    "not_identifiable",
]


def _section(text: str, name: str) -> str:
    return text.partition(f"\n## {name}\n")[2].partition("\n## ")[0]


def test_every_cause_has_a_runbook_and_no_other_has() -> None:
    assert list(causes()) == sorted(_CAUSES)


@pytest.mark.parametrize("cause", _CAUSES)
def test_runbook_has_its_four_sections_in_order_with_something_to_do(cause: str) -> None:
    text = runbook(cause)

    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == list(SECTIONS)
    for name in ("Confirm", "Scope", "Prove recovery"):
        assert len(_section(text, name).split("```")[0].split()) >= 10, name
        assert any(step.section == name for step in parse_script(text).steps), name
    assert len(re.findall(r"^\d+\. ", _section(text, "Stop the bleeding"), re.MULTILINE)) >= 3


@pytest.mark.parametrize("cause", _CAUSES)
def test_every_step_of_a_runbook_can_be_taken(cause: str) -> None:
    script = parse_script(runbook(cause), load_catalogue())

    assert script.title == title(cause)
    assert [step.section for step in script.steps if step.kind == "approve"] == [SECTIONS[2]]
    assert script.parameters == frozenset()


def test_most_causes_are_confirmed_and_proven_over_by_numbers() -> None:
    scripts = [parse_script(runbook(cause)) for cause in _CAUSES]
    kinds = [[step.kind for step in script.steps] for script in scripts]

    assert sum("check" in one for one in kinds) >= 30
    assert sum("wait-until" in one for one in kinds) >= 40


def test_runbooks_are_all_different() -> None:
    for name in SECTIONS:
        assert len({_section(runbook(cause), name) for cause in _CAUSES}) == len(_CAUSES), name


def test_unknown_cause_gets_the_runbook_for_unknown_causes() -> None:
    assert runbook("../../etc/passwd") == runbook("not_identifiable")
    assert runbook("") == runbook("not_identifiable")
    assert title("stale_index") == "The retrieval index has stopped following its sources"
