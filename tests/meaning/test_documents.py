"""Retrieved documents of every convention, their age, and what a reranker moved."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vagus.meaning.content import Document, Event, Retrieval
from vagus.meaning.documents import (
    document_time_ms,
    read_documents,
    read_time_ms,
    rerank_moved,
)

FOUND = [
    Document(0, "a", 0.9, "first", {"page": 1}),
    Document(1, "b", 0.5, "second", {}),
]
OPENINFERENCE = {
    "retrieval.documents.0.document.id": "a",
    "retrieval.documents.0.document.score": "0.9",
    "retrieval.documents.0.document.content": "first",
    "retrieval.documents.0.document.metadata": '{"page": 1}',
    "retrieval.documents.1.document.id": "b",
    "retrieval.documents.1.document.score": "0.5",
    "retrieval.documents.1.document.content": "second",
    "input.value": "what?",
    "gen_ai.retrieval.top_k": "5",
}
GEN_AI = {
    "gen_ai.retrieval.documents": json.dumps(
        [
            {"id": "a", "score": 0.9, "content": "first", "metadata": {"page": 1}},
            {"id": "b", "score": 0.5, "text": "second"},
        ]
    ),
    "gen_ai.retrieval.query.text": "what?",
    "gen_ai.retrieval.top_k": "5",
}
OPENLLMETRY = {
    "traceloop.entity.output": json.dumps(
        {
            "output": [
                {"page_content": "first", "metadata": {"page": 1}, "id": "a", "score": 0.9},
                {"page_content": "second", "id": "b", "score": 0.5},
            ]
        }
    ),
    "traceloop.entity.input": '{"inputs": "what?"}',
    "db.vector.query.top_k": "5",
}
OUTPUT = {
    "output.value": json.dumps({"documents": json.loads(GEN_AI["gen_ai.retrieval.documents"])}),
    "input.value": '{"query": "what?"}',
    "gen_ai.request.top_k": "5",
}

LISTED = json.loads(GEN_AI["gen_ai.retrieval.documents"])
PAGES = [
    {"page_content": "first", "metadata": {"page": 1}, "id": "a", "score": 0.9},
    {"page_content": "second", "metadata": {}, "id": "b", "score": 0.5},
]
TOP_K = {"gen_ai.retrieval.top_k": "5"}
LANGSMITH = TOP_K | {
    "gen_ai.prompt": '{"query":"what?"}',
    "gen_ai.completion": json.dumps({"documents": PAGES}),
}
LANGFUSE = TOP_K | {
    "langfuse.observation.input": "what?",
    "langfuse.observation.output": json.dumps(LISTED),
}
MLFLOW = TOP_K | {
    "mlflow.spanInputs": '{"query": "what?"}',
    "mlflow.spanOutputs": json.dumps(json.dumps(PAGES)),
}
LAMINAR = TOP_K | {"lmnr.span.input": '"what?"', "lmnr.span.output": json.dumps(PAGES)}


@pytest.mark.parametrize(
    "attributes",
    [
        pytest.param(LANGSMITH, id="langsmith"),
        pytest.param(LANGFUSE, id="langfuse"),
        pytest.param(MLFLOW, id="mlflow, encoded twice"),
        pytest.param(LAMINAR, id="laminar"),
        pytest.param(OPENINFERENCE, id="openinference"),
        pytest.param(GEN_AI, id="gen_ai"),
        pytest.param(OPENLLMETRY, id="openllmetry"),
        pytest.param(OUTPUT, id="output.value"),
    ],
)
def test_every_convention_gives_the_same_documents(attributes: dict[str, str]) -> None:
    assert read_documents(attributes) == Retrieval("what?", 5, FOUND, [])


def test_a_list_that_a_model_gave_is_no_list_of_documents() -> None:
    sent = {"output.value": '[{"id": "msg_1", "content": "Paris is sunny."}]'}

    assert [d.id for d in read_documents(sent, "retrieval").documents] == ["msg_1"]
    assert read_documents(sent, "llm").documents == []


def test_documents_may_be_bare_texts() -> None:
    sent = {"gen_ai.retrieval.documents": '["one", "two"]'}
    assert [d.content for d in read_documents(sent).documents] == ["one", "two"]


def test_trulens_contexts_are_texts() -> None:
    sent = {
        "ai.observability.retrieval.query_text": "what?",
        "ai.observability.retrieval.retrieved_contexts": '["one", "two"]',
        "ai.observability.retrieval.num_contexts": "2",
    }
    assert read_documents(sent) == Retrieval(
        "what?", 2, [Document(0, content="one"), Document(1, content="two")], []
    )


def test_a_langchain_document_has_its_id_in_the_output_only() -> None:
    page = {"id": "d1", "metadata": {"source": "d1", "score": 0.8}, "page_content": "doc text"}
    sent = {
        "input.value": "hi",
        "output.value": json.dumps({"documents": [page | {"type": "Document"}]}),
        "retrieval.documents.0.document.content": "doc text",
        "retrieval.documents.0.document.metadata": '{"source": "d1", "score": 0.8}',
    }
    assert read_documents(sent).documents == [
        Document(0, "d1", 0.8, "doc text", {"source": "d1", "score": 0.8})
    ]


def test_a_ranking_names_places_among_the_inputs() -> None:
    sent = {
        "ai.documents": json.dumps(['"one"', '"two"']),
        "ai.ranking": json.dumps(
            ['{"originalIndex":1,"relevanceScore":0.9}', '{"originalIndex":0,"score":0.2}',
             '{"originalIndex":7,"score":0.1}']
        ),
    }  # fmt: skip
    found = read_documents(sent, "rerank")
    assert [d.content for d in found.inputs] == ["one", "two"]
    assert [(d.rank, d.content, d.score) for d in found.documents] == [
        (0, "two", 0.9),
        (1, "one", 0.2),
    ]
    assert rerank_moved(found) == 1.0


def test_trulens_reranks_are_read() -> None:
    prefix = "ai.observability.reranking"
    sent = {
        f"{prefix}.query_text": "what?",
        f"{prefix}.top_n": "1",
        f"{prefix}.input_context_texts": '["one", "two"]',
        f"{prefix}.input_context_scores": "[0.1, 0.2]",
        f"{prefix}.output_context_texts": '["two"]',
        f"{prefix}.output_context_scores": "[0.9]",
    }
    assert read_documents(sent, "rerank") == Retrieval(
        "what?",
        1,
        [Document(0, score=0.9, content="two")],
        [Document(0, score=0.1, content="one"), Document(1, score=0.2, content="two")],
    )


def test_vector_store_events_are_documents() -> None:
    events = [
        Event("db.query.result", {"db.query.result.id": "a", "db.query.result.document": "first"})
    ]
    assert read_documents({}, "retrieval", events).documents == [
        Document(0, "a", None, "first", {})
    ]


def test_id_and_score_are_taken_from_metadata_when_missing() -> None:
    sent = {
        "retrieval.documents.0.document.content": "x",
        "retrieval.documents.0.document.metadata": '{"doc_id": "m", "relevance_score": 0.25}',
    }
    (document,) = read_documents(sent).documents
    assert (document.id, document.score) == ("m", 0.25)


def test_a_rerank_has_inputs_and_outputs() -> None:
    sent = {"reranker.query": "what?", "reranker.top_k": "2"}
    for rank, name in enumerate("abc"):
        sent[f"reranker.input_documents.{rank}.document.id"] = name
    for rank, name in enumerate("ba"):
        sent[f"reranker.output_documents.{rank}.document.id"] = name
    found = read_documents(sent, "rerank")
    assert (found.query, found.top_k) == ("what?", 2)
    assert [d.id for d in found.inputs] == ["a", "b", "c"]
    assert [d.id for d in found.documents] == ["b", "a"]


@pytest.mark.parametrize(
    ("before", "after", "moved"),
    [
        ("abc", "abc", 0.0),
        ("abc", "ab", 0.0),
        ("abc", "bac", 2 / 3),
        ("abcd", "dcba", 1.0),
        ("aab", "aab", 0.0),
        ("abc", "", None),
        ("", "abc", None),
    ],
)
def test_moved_is_the_share_that_changed_place(
    before: str, after: str, moved: float | None
) -> None:
    retrieval = Retrieval(
        inputs=[Document(rank, name) for rank, name in enumerate(before)],
        documents=[Document(rank, name) for rank, name in enumerate(after)],
    )
    assert rerank_moved(retrieval) == moved


def test_documents_without_ids_are_matched_by_content() -> None:
    retrieval = Retrieval(
        inputs=[Document(0, content="x"), Document(1, content="y")],
        documents=[Document(0, content="y"), Document(1, content="x")],
    )
    assert rerank_moved(retrieval) == 1.0


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-01-02T03:04:05Z", 1_767_323_045_000),
        ("2026-01-02T03:04:05+00:00", 1_767_323_045_000),
        ("2026-01-02 03:04:05", 1_767_323_045_000),
        ("2026-01-02", 1_767_312_000_000),
        (1_767_323_045, 1_767_323_045_000),
        ("1767323045.0", 1_767_323_045_000),
        (1_767_323_045_000, 1_767_323_045_000),
        (1_767_323_045_000_000_000, 1_767_323_045_000),
        ("yesterday", None),
        (17, None),
        (float("nan"), None),
        (None, None),
        ({"a": 1}, None),
    ],
)
def test_times_are_read_in_every_usual_form(value: Any, expected: int | None) -> None:
    assert read_time_ms(value) == expected


def test_the_last_change_beats_the_creation() -> None:
    document = Document(0, metadata={"created_at": "2020-01-01", "Updated-At": "2026-01-02"})
    assert document_time_ms(document) == 1_767_312_000_000


WORDS = st.sampled_from(
    ["documents", "id", "score", "content", "metadata", "document", "node", "date", "kwargs"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=5),
    max_leaves=15,
)
PARTIAL = ["retrieval.documents.0", "retrieval.documents.0.document"]
OTHERS = ["ai.documents", "ai.ranking", "ai.observability.retrieval.retrieved_contexts",
          "ai.observability.reranking.input_context_texts",
          "ai.observability.reranking.input_context_scores",
          "ai.observability.reranking.output_context_texts"]  # fmt: skip
KEYS = st.sampled_from(
    [*OPENINFERENCE, *GEN_AI, *OPENLLMETRY, *OUTPUT, *PARTIAL, *OTHERS, *LANGSMITH, *LANGFUSE,
     *MLFLOW, *LAMINAR]
)  # fmt: skip


@given(
    st.dictionaries(KEYS, JSON | JSON.map(json.dumps) | st.text(), max_size=6),
    st.sampled_from(["retrieval", "rerank", ""]),
)
@settings(max_examples=300, deadline=None)
def test_any_attributes_give_a_retrieval(attributes: dict[str, Any], kind: str) -> None:
    found = read_documents(attributes, kind)
    assert [d.rank for d in found.documents] == list(range(len(found.documents)))
    assert all(isinstance(document_time_ms(d), int | None) for d in found.documents)
    moved = rerank_moved(found)
    assert moved is None or 0 <= moved <= 1
