"""A fault is named, no fault is not, and what cannot be told is said to be so."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from sqlalchemy import insert

from diagnose.conftest import Episode
from diagnose.faults import FAULTS, ONSET_S, PRICES, App
from vagus.diagnose.diagnose import diagnose
from vagus.measures.catalogue import load_catalogue
from vagus.measures.slice import Request, slice_measure
from vagus.model.change import Change
from vagus.model.finding import Finding
from vagus.store.engine import Engine
from vagus.store.meta.db import Meta
from vagus.store.meta.tables import changes

SEEDS = (1, 2, 3)
#: The causes that are tried with every seed; the others with one.
OFTEN = (
    "stale_index", "provider_rate_limit", "provider_outage", "provider_slow",
    "silent_model_change", "model_removed", "prompt_regression", "embedding_mismatch",
    "retrieval_empty", "tool_failure", "cache_miss_regression", "traffic_mix_shift",
)  # fmt: skip
TRIED = [(cause, seed) for cause in FAULTS for seed in (SEEDS if cause in OFTEN else SEEDS[:1])]


def app(**values: Any) -> App:
    """The application with some of its behaviour changed."""
    return dataclasses.replace(App(), **values)


def top(finding: Finding) -> str:
    """The likeliest answer."""
    return finding.hypotheses[0].cause


@pytest.mark.parametrize(("cause", "seed"), TRIED)
def test_a_fault_is_named(episode: Episode, cause: str, seed: int) -> None:
    measure, fault = FAULTS[cause]
    finding = episode(fault(App()), measure, seed)
    assert (top(finding), finding.verdict) == (cause, "identified"), finding.hypotheses[:3]


@pytest.mark.parametrize("seed", SEEDS)
def test_no_fault_is_none(episode: Episode, seed: int) -> None:
    for measure in ("error_rate", "latency_p95", "groundedness", "cost", "requests"):
        assert top(episode(App(), measure, seed)) == "none", measure


def test_a_deploy_without_effect_is_not_blamed(episode: Episode) -> None:
    after = app(service_version="1.5.0", prompt_version="v8", server_error=0.25, retry=0.4)
    finding = episode(after, "error_rate", 1)
    assert top(finding) == "provider_outage"
    assert {c["kind"] for c in finding.changes} == {"service_version", "prompt_version"}


def test_a_prompt_that_comes_with_a_stale_index_is_not_blamed(episode: Episode) -> None:
    _, stale = FAULTS["stale_index"]
    after = dataclasses.replace(stale(App()), prompt_version="v8")
    assert top(episode(after, "groundedness", 1)) == "stale_index"


def test_a_change_that_reached_half_is_blamed_for_its_half(episode: Episode) -> None:
    after = app(prompt_version="v8", prompt_share=0.4, bad_format=0.3)
    finding = episode(after, "format_error_share", 1)
    assert top(finding) == "prompt_regression"
    isolated = [e.statement for e in finding.hypotheses[0].evidence]
    assert any("is worse with prompt version v8 than without it" in s for s in isolated)


def test_a_change_that_reached_half_while_all_is_bad_is_not_blamed(episode: Episode) -> None:
    after = app(prompt_version="v8", prompt_share=0.4, bad_format=0.2, is_prompt_harmless=True)
    finding = episode(after, "format_error_share", 1)
    blamed = {h.cause: h for h in finding.hypotheses}.get("prompt_regression")
    assert top(finding) != "prompt_regression"
    assert blamed is None or "is no worse with prompt version v8" in blamed.against[0].statement


def test_two_changes_at_once_are_not_identifiable(episode: Episode) -> None:
    after = app(
        prompt_version="v8", answering={m: f"{m}-b" for m in PRICES}, grounded=0.6,
        output_tokens=240.0, refused=0.1,
    )  # fmt: skip
    finding = episode(after, "groundedness", 1)
    assert finding.verdict == "not_identifiable"
    assert "not identifiable" in finding.summary


def test_a_move_that_no_telemetry_explains_is_not_identifiable(episode: Episode) -> None:
    finding = episode(app(negative=0.45), "feedback_negative_share", 1)
    assert (top(finding), finding.verdict) == ("not_identifiable", "not_identifiable")


def test_a_group_is_diagnosed_within_its_own_traffic(episode: Episode) -> None:
    _, fault = FAULTS["stale_index"]
    finding = episode(
        fault(App()), "evaluation_pass_rate", 1, filter="name:groundedness",
        group={"feature": "support-chat"},
    )  # fmt: skip
    assert top(finding) == "stale_index"
    assert "within name groundedness and feature support-chat" in finding.summary
    # The monitor's score name means nothing for a retrieval; the feature does.
    (age,) = [e for e in finding.hypotheses[0].evidence if "Document age" in e.statement]
    assert age.query["filter"] == 'feature:"support-chat"'


def test_a_told_change_is_evidence(episode: Episode, meta: Meta, project: str) -> None:
    told = Change(
        project=project, time_ms=ONSET_S * 1000, kind="temperature", title="temperature 0.2 to 1.1"
    )
    data = {
        "project": project, "time_ms": told.time_ms, "kind": told.kind, "title": told.title,
        "source": "api",
    }  # fmt: skip
    with meta.begin() as connection:
        connection.execute(
            insert(changes).values(id=project, project=project, time_ms=told.time_ms, data=data)
        )
    finding = episode(app(output_tokens=260.0, bad_format=0.15), "format_error_share", 1)
    assert finding.changes[0]["title"] == "temperature 0.2 to 1.1"
    assert top(finding) == "sampling_changed"


def test_a_finding_is_whole(episode: Episode, engine: Engine, project: str) -> None:
    measure, fault = FAULTS["stale_index"]
    finding = episode(fault(App()), measure, 1)
    assert sum(h.probability for h in finding.hypotheses) == pytest.approx(1)
    assert "not_identifiable" in {h.cause for h in finding.hypotheses}
    assert abs(finding.onset_ms - ONSET_S * 1000) <= 120_000
    first = finding.hypotheses[0]
    assert first.runbook == "stale_index"
    (age,) = [e for e in first.evidence if e.statement.startswith("Document age rose")]
    assert (age.value or 0) > 150 > (age.baseline or 0)
    assert finding.stages[0].stage == "retrieval"
    assert finding.changes[0]["after"] == "2025-11-02"
    assert len(finding.examples) == 5
    for row in finding.decomposition:
        assert row.mix + row.rate == pytest.approx(row.after - row.before)


def test_every_sentence_but_the_last_words_carries_a_query_that_runs(
    episode: Episode, engine: Engine, project: str
) -> None:
    measure, fault = FAULTS["provider_outage"]
    finding = episode(fault(App()), measure, 1)
    assert len(finding.narrative) >= 4
    assert all(s.query and s.text.endswith((".", "”")) for s in finding.narrative)
    queries = [s.query for s in finding.narrative]
    queries += [e.query for h in finding.hypotheses for e in (*h.evidence, *h.against) if e.query]
    queries += [s.query for s in finding.stages]
    for body in queries:
        request = Request(
            measure=str(body["measure"]),
            start_s=int(str(body["from"])),
            end_s=int(str(body["to"])),
            by=tuple(body["by"]),  # type: ignore[arg-type]
            filter=str(body["filter"]),
            step_s=body.get("step"),  # type: ignore[arg-type]
        )
        assert slice_measure(engine, project, request, load_catalogue()).series


def test_the_same_data_reads_the_same(episode: Episode) -> None:
    measure, fault = FAULTS["retrieval_empty"]
    first, second = (episode(fault(App()), measure, 1) for _ in range(2))
    assert first == second
    assert first.narrative[1].text.startswith("The retrieval stage moved first, around ")


def test_an_empty_project_is_not_identifiable_and_has_no_examples(
    engine: Engine, meta: Meta, project: str
) -> None:
    finding = diagnose(
        engine, meta, load_catalogue(), project=project, measure="error_rate",
        onset_ms=ONSET_S * 1000, now_ms=(ONSET_S + 600) * 1000,
    )  # fmt: skip
    assert finding.verdict == "not_identifiable"
    assert finding.examples == []
