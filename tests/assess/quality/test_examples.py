"""Examples out of raw spans: the last answer, its question, the documents it was given."""

from __future__ import annotations

import json
from typing import Any

import pytest

from vagus.assess.quality.examples import Judged, SpanContent, read_example, wants_json


def span(kind: str, start: int, parent: str = "root", **attributes: Any) -> SpanContent:
    """A span of this kind; double underscores in names stand for dots."""
    return SpanContent(
        span_id=f"{kind}{start}",
        parent_span_id=parent,
        kind=kind,
        start_ns=start,
        finish_reason="",
        attributes={name.replace("__", "."): value for name, value in attributes.items()},
        events=[],
    )


def llm(start: int, answer: str, prompt: str = "prompt") -> SpanContent:
    """A model call with its prompt and answer."""
    return span(
        "llm",
        start,
        gen_ai__input__messages=json.dumps([{"role": "user", "content": prompt}]),
        gen_ai__output__messages=json.dumps([{"role": "assistant", "content": answer}]),
    )


def retrieval(start: int, *contents: str) -> SpanContent:
    """A search that found documents."""
    return span(
        "retrieval",
        start,
        gen_ai__retrieval__documents=json.dumps([{"content": text} for text in contents]),
    )


def rerank(start: int, *contents: str) -> SpanContent:
    """A reranking that kept documents."""
    flat = {f"reranker.output_documents.{n}.document.content": c for n, c in enumerate(contents)}
    return span("rerank", start, **flat)


ROOT = span("chain", 0, "", input__value="How long?", output__value='{"answer": "14 days."}')


def example(*spans: SpanContent) -> Judged:
    """The example of a trace that has one."""
    found = read_example(spans)
    assert found is not None
    return found


def test_the_last_answer_is_judged_with_the_question_of_the_root() -> None:
    found = example(llm(5, "14 days."), ROOT, llm(2, "Searching."))
    assert found.span_id == "llm5"
    assert (found.example.question, found.example.answer) == ("How long?", "14 days.")


def test_without_a_call_the_root_answers() -> None:
    found = example(ROOT)
    assert (found.span_id, found.example.answer) == ("chain0", "14 days.")


def test_reranked_documents_are_what_the_model_saw() -> None:
    found = example(ROOT, retrieval(1, "a", "b", "c"), rerank(2, "c", "a"), llm(3, "x"))
    assert found.example.documents == ["c", "a"]


def test_a_rerank_that_shows_no_contents_leaves_the_retrieved_ones() -> None:
    silent = span("rerank", 2, **{"reranker.output_documents.0.document.id": "1"})
    found = example(ROOT, retrieval(1, "a", "b"), silent, llm(3, "x"))
    assert found.example.documents == ["a", "b"]


def test_results_of_tools_count_as_documents_only_beside_documents() -> None:
    tool = span("tool", 2, gen_ai__tool__call__result='"status: shipped"')
    assert example(ROOT, retrieval(1, "a"), tool, llm(3, "x")).example.documents == [
        "a",
        "status: shipped",
    ]
    assert example(ROOT, tool, llm(3, "x")).example.documents == []


def test_a_trace_without_content_has_no_example() -> None:
    assert read_example([span("chain", 0, ""), span("llm", 1)]) is None
    assert read_example([]) is None


def test_a_recorded_empty_answer_is_an_example() -> None:
    assert (
        example(
            span("llm", 1, gen_ai__output__messages='[{"role":"assistant","parts":[]}]')
        ).example.answer
        == ""
    )


def test_a_call_of_tools_is_no_answer() -> None:
    calls = span(
        "llm",
        9,
        gen_ai__output__messages=json.dumps(
            [{"role": "assistant", "parts": [{"type": "tool_call", "name": "f"}]}]
        ),
    )
    assert example(llm(5, "14 days."), calls).example.answer == "14 days."
    assert example(calls).example.calls_tools


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({"gen_ai.output.type": "json"}, True),
        ({"gen_ai.output.type": "text"}, False),
        ({"gen_ai.openai.request.response_format": "json_object"}, True),
        ({"llm.invocation_parameters": '{"response_format": {"type": "json_schema"}}'}, True),
        ({"llm.invocation_parameters": '{"temperature": 0}'}, False),
        ({"gen_ai.request.structured_output_schema": "{}"}, True),
        ({}, False),
    ],
)
def test_a_wish_for_json_is_seen(attributes: dict[str, str], expected: bool) -> None:
    assert wants_json(attributes) is expected
