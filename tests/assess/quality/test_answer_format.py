"""Refusals and faults of form, and what must not be taken for one."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vagus.assess.quality.evaluators.answer_format import AnswerFormat
from vagus.assess.quality.evaluators.base import Example
from vagus.assess.quality.evaluators.refusal import find_refusal
from vagus.meaning.content import Message, Text

QUESTION = "How long does it take until my refund is paid to my account?"
ANSWER = "Refunds are paid within 14 days of receiving the item."


def labels(example: Example) -> dict[str, str]:
    """The label of each verdict, by its name."""
    return {verdict.name: verdict.label for verdict in AnswerFormat().evaluate(example)}


@pytest.mark.parametrize(
    "answer",
    [
        "I'm sorry, but I can't help with that.",
        "I’m sorry, I cannot assist with this request.",
        "I cannot provide medical advice.",
        "I am unable to help with that.",
        "As an AI language model, I cannot do this.",
        "Ich kann Ihnen dabei leider nicht helfen.",
        "Je ne peux pas vous aider avec cette demande.",
        "Lo siento, no puedo ayudar con eso.",
        "抱歉，我无法提供帮助。",
        "申し訳ございませんが、お答えできません。",
    ],
)
def test_refusals_are_recognised(answer: str) -> None:
    assert find_refusal(answer) == "refused"


@pytest.mark.parametrize(
    "answer",
    [
        "I don't know.",
        "The provided documents do not contain this information.",
        "I couldn't find anything about that.",
        "There is no information about refunds in the context.",
    ],
)
def test_answers_that_do_not_know_are_told_apart(answer: str) -> None:
    assert find_refusal(answer) == "no_answer"


@pytest.mark.parametrize(
    "answer",
    [
        ANSWER,
        "I can't recommend this restaurant enough: the food was great.",
        "You cannot return opened software. Everything else can be sent back within 30 days.",
        "Sorry for the delay! Your parcel arrives tomorrow.",
        "Customers who are unable to come may send a friend.",
        "",
    ],
)
def test_answers_are_not_taken_for_refusals(answer: str) -> None:
    assert find_refusal(answer) == ""


def test_a_refusal_fails_and_an_answer_passes() -> None:
    refused = {
        v.name: v for v in AnswerFormat().evaluate(Example(answer="I can't help with that."))
    }
    assert (refused["refusal"].passed, refused["refusal"].value) == (False, 0.0)
    answered = {v.name: v for v in AnswerFormat().evaluate(Example(answer=ANSWER))}
    assert (answered["refusal"].passed, answered["refusal"].value) == (True, 1.0)


@pytest.mark.parametrize(
    ("example", "label"),
    [
        (Example(answer=ANSWER), "ok"),
        (Example(answer="  "), "empty"),
        (Example(answer="Refunds are", finish_reason="length"), "truncated"),
        (Example(answer='{"days": 14}', wants_json=True), "ok"),
        (Example(answer='{"days": 14', wants_json=True), "invalid_json"),
        (Example(answer='```json\n{"days": 14}\n```', wants_json=True), "invalid_json"),
        (Example(answer='{"days": 14'), "ok"),
        (Example(answer="we will check that for you " * 30), "repetitive"),
        (Example(question=QUESTION, answer=ANSWER), "ok"),
        (
            Example(
                question=QUESTION,
                answer="Ihre Rückerstattung wird innerhalb von vierzehn Tagen überwiesen.",
            ),
            "wrong_language",
        ),
        (
            Example(
                question="Please translate this sentence for me: the refund is paid in two weeks.",
                answer="Ihre Rückerstattung wird innerhalb von vierzehn Tagen überwiesen.",
            ),
            "ok",
        ),
        (
            Example(
                question=QUESTION,
                answer="Ihre Rückerstattung wird innerhalb von vierzehn Tagen überwiesen.",
                messages=[Message("system", [Text("Always answer in German.")])],
            ),
            "ok",
        ),
    ],
)
def test_faults_of_form_are_named(example: Example, label: str) -> None:
    assert labels(example)["format"] == label


def test_a_message_that_only_calls_tools_is_not_judged() -> None:
    assert labels(Example(answer="", calls_tools=True)) == {}


def test_a_filtered_answer_is_a_refusal_and_no_empty_answer() -> None:
    found = labels(Example(answer="", finish_reason="content_filter"))
    assert found == {"format": "ok", "refusal": "refused"}


@given(st.text(max_size=500), st.text(max_size=500), st.booleans(), st.booleans())
@settings(max_examples=200, deadline=None)
def test_any_text_gets_a_verdict(question: str, answer: str, wants_json: bool, calls: bool) -> None:
    example = Example(question=question, answer=answer, wants_json=wants_json, calls_tools=calls)
    assert set(labels(example)) <= {"format", "refusal"}


def test_long_hostile_text_is_judged_quickly() -> None:
    # Patterns that backtrack would take minutes here.
    for text in ("i am sorry " * 50_000, "the the information " * 50_000, "a" * 1_000_000):
        labels(Example(question=text, answer=text))
