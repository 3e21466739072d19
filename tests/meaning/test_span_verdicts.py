"""Evaluations among a span's attributes, and the prompt it was made with."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vagus.meaning.content import PromptUse, Verdict
from vagus.meaning.prompt import read_prompt
from vagus.meaning.verdicts import read_verdicts

OPENINFERENCE = {
    "evaluations.0.evaluation.name": "relevance",
    "evaluations.0.evaluation.score": "0.75",
    "evaluations.0.evaluation.label": "relevant",
    "evaluations.0.evaluation.explanation": "It answers.",
    "evaluations.0.evaluation.annotator_kind": "LLM",
    "evaluations.0.evaluation.metadata": '{"model": "m"}',
    "evaluations.7.evaluation.name": "no result",
    "annotations.0.annotation.name": "thumbs",
    "annotations.0.annotation.label": "up",
    "annotations.0.annotation.annotator_kind": "HUMAN",
    "annotations.0.annotation.identifier": "u1",
    "session.evaluations.0.evaluation.name": "solved",
    "session.evaluations.0.evaluation.score": "1",
    "session.evaluations.0.evaluation.annotator_kind": "CODE",
    "trace.annotations.0.annotation.name": "tone",
    "trace.annotations.0.annotation.score": "0",
}
TRULENS = {
    "ai.observability.span_type": "eval_root",
    "ai.observability.eval_root.metric_name": "groundedness",
    "ai.observability.eval_root.score": "0.5",
    "ai.observability.eval_root.explanation": "Half of it.",
    "ai.observability.eval_root.higher_is_better": "true",
    "ai.observability.eval_root.args_metadata.span_id.source": "123",
    "ai.observability.eval_root.args_metadata.span_id.statement": "00f067aa0ba902b7",
    "ai.observability.record_id": "rec_1",
}


def test_openinference_evaluations_and_annotations_are_verdicts() -> None:
    assert read_verdicts(OPENINFERENCE) == [
        Verdict("relevance", 0.75, "relevant", None, "It answers.", "model", "openinference",
                metadata={"model": "m"}),
        Verdict("thumbs", None, "up", source="human", evaluator="openinference", id="u1"),
        Verdict("tone", 0.0, evaluator="openinference", scope="trace"),
        Verdict("solved", 1.0, source="code", evaluator="openinference", scope="session"),
    ]  # fmt: skip


def test_a_trulens_evaluation_names_the_spans_it_judged() -> None:
    assert read_verdicts(TRULENS) == [
        Verdict(
            "groundedness",
            0.5,
            explanation="Half of it.",
            source="model",
            evaluator="trulens",
            target_span_ids=["000000000000007b", "00f067aa0ba902b7"],
            target_record="rec_1",
            metadata={"higher_is_better": "true"},
        )
    ]


def test_a_guardrail_passes_or_not() -> None:
    held = {
        "ai.observability.span_type": "guardrail",
        "ai.observability.guardrail.name": "toxicity",
        "ai.observability.guardrail.score": "0.1",
        "ai.observability.guardrail.passed": "true",
        "ai.observability.guardrail.threshold": "0.5",
    }
    assert read_verdicts(held) == [
        Verdict("toxicity", 0.1, "passed", True, source="code", evaluator="trulens",
                metadata={"threshold": "0.5"})
    ]  # fmt: skip


def test_steps_of_an_evaluation_are_no_verdicts() -> None:
    assert read_verdicts(TRULENS | {"ai.observability.span_type": "eval"}) == []


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        (
            {
                "llm.prompt_template.template": "Hi {name}",
                "llm.prompt_template.variables": '{"name": "Ada"}',
                "llm.prompt_template.version": "v2",
                "prompt.id": "p1",
            },
            PromptUse("", "v2", "p1", "Hi {name}", {"name": "Ada"}),
        ),
        (
            {
                "gen_ai.prompt.name": "greet",
                "gen_ai.prompt.version": "3",
                "gen_ai.prompt.variable.user.name": "Ada",
            },
            PromptUse("greet", "3", variables={"user.name": "Ada"}),
        ),
        (
            {"langfuse.observation.prompt.name": "greet", "langfuse.observation.prompt.version": 3},
            PromptUse("greet", "3"),
        ),
        (
            {
                "traceloop.prompt.key": "greet",
                "traceloop.prompt.version": "3",
                "traceloop.prompt.template_variables": '{"name": "Ada"}',
            },
            PromptUse("greet", "3", variables={"name": "Ada"}),
        ),
        (
            {"mlflow.linkedPrompts": json.dumps('[{"name": "greet", "version": "3"}]')},
            PromptUse("greet", "3"),
        ),
        ({"gen_ai.prompt": "hi", "gen_ai.prompt.0.content": "hi"}, None),
    ],
)
def test_a_call_says_which_prompt_it_was_made_with(
    attributes: dict[str, Any], expected: PromptUse | None
) -> None:
    assert read_prompt(attributes) == expected


VALUES = (
    st.none()
    | st.integers()
    | st.floats()
    | st.text(max_size=9)
    | st.lists(st.text())
    | st.just("{}")
)
KEYS = st.sampled_from([*OPENINFERENCE, *TRULENS, "evaluations", "evaluations.0",
                        "evaluations.0.evaluation", "ai.observability.eval_root.args_metadata",
                        "ai.observability.guardrail", "mlflow.linkedPrompts",
                            "gen_ai.prompt.variable"])  # fmt: skip


@given(st.dictionaries(KEYS, VALUES, max_size=8))
@settings(max_examples=300, deadline=None)
def test_any_attributes_give_verdicts_and_a_prompt(attributes: dict[str, Any]) -> None:
    assert all(v.name and (v.value is not None or v.label) for v in read_verdicts(attributes))
    read_prompt(attributes)
