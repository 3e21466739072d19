"""What settling tells beside errors, time and money: waiting, repetition, sources, settings."""

from __future__ import annotations

import json
from typing import Any

import pytest

from support.spans import make_span
from vagus.meaning.content import Document
from vagus.settle.failure import is_argument_error
from vagus.settle.fold import Settled, fold_trace
from vagus.settle.retrieval import document_source, read_found
from vagus.settle.rows import StepRow
from vagus.settle.span import Span
from vagus.settle.tree import build_tree, waiting_ms

MS = 1_000_000


def at(number: int, parent: int | None, start: int, end: int, **said: Any) -> Span:
    """A span from `start` to `end`, in ms."""
    return make_span(number, parent, start_ns=start * MS, end_ns=end * MS, **said)


def folded(*spans: Span) -> Settled:
    return fold_trace("p", spans, version=1, price=lambda usage: None, log_events={})


def step(settled: Settled, number: int) -> StepRow:
    return next(row for row in settled.steps if row.span_id == f"s{number}")


def retrieval(*documents: dict[str, Any]) -> Span:
    said = {"gen_ai.retrieval.documents": json.dumps(documents)}
    return make_span(1, kind="retrieval", attributes=said)


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        # Two calls that overlap: 10 before, 20 between, 30 after.
        ([at(2, 1, 10, 30, kind="llm"), at(3, 1, 20, 40, kind="tool"),
          at(4, 1, 60, 70, kind="llm")], 60.0),
        ([at(2, 1, 0, 100, kind="chain"), at(3, 2, 40, 100, kind="llm")], 40.0),
        ([at(2, 1, 0, 50, kind="other", name="queue.wait"), at(3, 1, 50, 100, kind="llm")], 50.0),
        ([at(2, 1, 0, 50, kind="other", name="read file"), at(3, 1, 50, 100, kind="llm")], 0.0),
        ([at(2, 1, 0, 50, kind="tool", name="wait_for_parcel"), at(3, 1, 50, 99)], 1.0),
        # What runs on after the answer, or before the question, holds nothing up.
        ([at(2, 1, -50, 20, kind="llm"), at(3, 1, 90, 300, kind="llm")], 70.0),
        ([], None),
    ],
)  # fmt: skip
def test_waiting_is_the_time_in_which_nothing_ran(
    spans: list[Span], expected: float | None
) -> None:
    tree = build_tree([at(1, None, 0, 100), *spans])
    assert waiting_ms(tree) == expected


def test_waiting_is_not_known_without_the_root() -> None:
    assert waiting_ms(build_tree([at(2, 1, 0, 50), at(3, 2, 10, 20, kind="llm")])) is None


def test_a_tool_that_is_called_again_with_the_same_arguments_is_repeated() -> None:
    settled = folded(
        at(1, None, 0, 100, kind="agent"),
        at(2, 1, 1, 2, kind="tool", tool="search", tool_arguments="aa"),
        at(3, 1, 3, 4, kind="tool", tool="search", tool_arguments="aa"),
        at(4, 1, 5, 6, kind="tool", tool="search", tool_arguments="bb"),
        at(5, 1, 7, 8, kind="tool", tool="delete", tool_arguments="aa"),
        at(6, 1, 9, 10, kind="tool", tool="search"),
        at(7, 4, 5, 6, kind="mcp", tool="search", tool_arguments="bb"),
    )
    said = {n: step(settled, n).is_repeated for n in range(1, 8)}
    assert said == {1: None, 2: 0, 3: 1, 4: 0, 5: 0, 6: None, 7: None}


@pytest.mark.parametrize(
    ("error_type", "http_status", "message", "expected"),
    [
        ("ValidationError", None, "", True),
        ("", None, "missing 1 required positional argument: 'q'", True),
        ("TypeError", None, "got an unexpected keyword argument 'qq'", True),
        ("JSONDecodeError", None, "Expecting value", True),
        ("", None, "MCP error -32602: Invalid params", True),
        ("", 422, "", True),
        ("", 500, "invalid argument", False),
        ("TimeoutError", None, "deadline exceeded", False),
        ("", None, "connection refused", False),
        ("", None, "", False),
    ],
)
def test_an_error_about_arguments_is_told_from_others(
    error_type: str, http_status: int | None, message: str, expected: bool
) -> None:
    said = {"error_type": error_type, "http_status": http_status, "status_message": message}
    assert is_argument_error(make_span(1, kind="tool", status="error", **said)) is expected


def test_documents_say_how_many_repeat_and_where_they_are_from() -> None:
    found = read_found(
        retrieval(
            {"id": "a", "content": "one two", "metadata": {"source": "wiki"}},
            {"id": "b", "content": "one two", "metadata": {"source": "wiki"}},
            {"id": "c", "content": "four", "metadata": {"source": "orders"}},
        ),
        0.0,
    )
    assert (found.retrieved, found.duplicate_documents, found.distinct_sources) == (3, 1, 2)
    assert (found.sources, found.source_documents) == (("wiki", "orders"), (2, 1))
    assert found.document_chars == pytest.approx((7 + 7 + 4) / 3)


def test_documents_that_say_nothing_leave_it_unknown() -> None:
    found = read_found(retrieval({"score": 0.5}, {"score": 0.4}), 0.0)
    assert (found.retrieved, found.duplicate_documents, found.distinct_sources) == (2, None, None)
    assert (found.document_chars, found.sources) == (None, ())


def test_the_sources_of_a_retrieval_are_bounded() -> None:
    documents = [{"id": str(n), "metadata": {"source": f"{n:02}-" * 999}} for n in range(50)]
    found = read_found(retrieval(*documents), 0.0)
    assert (found.distinct_sources, len(found.sources)) == (50, 20)
    assert {len(source) for source in found.sources} == {80}


@pytest.mark.parametrize(
    ("id", "metadata", "expected"),
    [
        ("", {"source": "wiki"}, "wiki"),
        ("orders-17", {}, "orders"),
        ("faq/003", {}, "faq"),
        ("0af76519-16cd-43dd-8448-eb211c80319c", {}, ""),
        ("", {"source": "https://docs.shop.example/returns?id=3"}, "docs.shop.example"),
        ("", {"source": "s3://kb-eu/returns/3.md"}, "kb-eu"),
        ("", {"source": "/kb/returns/3.md"}, "kb/returns"),
        ("orders-17", {"Dataset": "shop"}, "shop"),
        ("", {"source": "http://[broken"}, ""),
        ("", {}, ""),
    ],
)
def test_a_source_is_a_word_that_many_documents_share(
    id: str, metadata: dict[str, Any], expected: str
) -> None:
    assert document_source(Document(0, id=id, metadata=metadata)) == expected


def test_a_step_keeps_what_was_asked_for_and_where_it_ran() -> None:
    row = step(
        folded(
            at(1, None, 0, 9, kind="llm", temperature=0.699999988, top_p=1.0, max_tokens=64,
               host="pod-1", api_key="ab12", sdk_version="1.2", prompt_hash="cd34"),
        ),
        1,
    )  # fmt: skip
    assert (row.temperature, row.top_p, row.max_tokens) == ("0.7", "1", 64)
    assert (row.host, row.api_key, row.sdk_version, row.prompt_hash) == (
        "pod-1", "ab12", "1.2", "cd34",
    )  # fmt: skip


def test_a_reranker_is_a_dimension_of_its_own() -> None:
    settled = folded(
        at(1, None, 0, 9, kind="chain"),
        at(2, 1, 1, 2, kind="rerank", request_model="bge"),
        at(3, 1, 3, 4, kind="llm", request_model="gpt"),
    )
    assert [step(settled, n).rerank_model for n in (2, 3)] == ["bge", ""]


@pytest.mark.parametrize(("start", "is_skewed"), [(-100, True), (-3, False), (1, False)])
def test_a_step_that_begins_before_its_caller_shows_a_skewed_clock(
    start: int, is_skewed: bool
) -> None:
    now_ms = 1_790_000_000_000
    root = at(1, None, now_ms, now_ms + 50, received_ms=now_ms)
    child = at(2, 1, now_ms + start, now_ms + 20, kind="llm", received_ms=now_ms)
    assert ("clock_skew" in folded(root, child).trace.flags) is is_skewed


def test_a_trace_of_an_offline_run_names_its_data_set() -> None:
    settled = folded(at(1, None, 0, 9), at(2, 1, 1, 2, dataset="golden"))
    assert settled.trace.dataset == "golden"
