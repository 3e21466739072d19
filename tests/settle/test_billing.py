"""Every call is charged once, wherever its usage was reported."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.spans import make_span
from vagus.settle.billing import billable_spans, retried_spans
from vagus.settle.tokens import input_total
from vagus.settle.tree import build_tree

USED = {"input_tokens": 10, "output_tokens": 2, "request_model": "m"}


def billed(*spans: Any) -> set[int]:
    return set(billable_spans(build_tree(spans)))


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        pytest.param([make_span(0, kind="llm", **USED)], {0}, id="a lone call"),
        pytest.param(
            [make_span(0, kind="agent", **USED), make_span(1, 0, kind="llm", **USED)],
            {1},
            id="an agent that repeats its calls",
        ),
        pytest.param(
            [make_span(0, kind="llm", **USED), make_span(1, 0, kind="llm", **USED)],
            {1},
            id="two instrumentations of one call",
        ),
        pytest.param(
            [make_span(0, kind="llm", **USED), make_span(1, 0, kind="llm", request_model="m")],
            {0},
            id="a wrapper that has the usage its inner call lost",
        ),
        pytest.param(
            [make_span(0, kind="agent", **USED), make_span(1, 0, kind="tool")],
            {0},
            id="an agent that is the only one to report",
        ),
        pytest.param(
            [make_span(0, kind="chain"), make_span(1, 0, kind="llm", request_model="m")],
            {1},
            id="a call that does not say what it used",
        ),
        pytest.param([make_span(0, kind="llm")], set(), id="nothing known at all"),
        pytest.param([make_span(0, kind="tool", **USED)], set(), id="a tool that reports tokens"),
        pytest.param(
            [
                make_span(0, kind="chain"),
                make_span(1, 0, kind="llm", provider="p", response_id="r", start_ns=1, **USED),
                make_span(2, 0, kind="llm", provider="p", response_id="r", start_ns=2, **USED),
            ],
            {1},
            id="one response reported by two spans",
        ),
    ],
)
def test_who_is_charged(spans: list[Any], expected: set[int]) -> None:
    assert billed(*spans) == expected


@given(
    st.lists(
        st.tuples(
            st.none() | st.integers(0, 9),
            st.sampled_from(["llm", "agent", "chain", "embedding", "tool"]),
            st.booleans(),
        ),
        min_size=1,
        max_size=10,
    )
)
def test_no_charged_span_lies_under_another(
    shape: list[tuple[int | None, str, bool]],
) -> None:
    tree = build_tree(
        [
            make_span(n, parent, kind=kind, request_model="m", input_tokens=5 if used else None)
            for n, (parent, kind, used) in enumerate(shape)
        ]
    )
    charged = billable_spans(tree)
    for n in charged:
        above = tree.parents[n]
        while above >= 0:
            assert above not in charged
            above = tree.parents[above]


@pytest.mark.parametrize(
    ("said", "read", "written", "expected"),
    [(100, 40, 0, 100), (10, 40, 0, 50), (10, 5, 20, 35), (None, None, None, 0), (0, 0, 0, 0)],
)
def test_cached_tokens_are_part_of_the_input_whichever_way_they_are_counted(
    said: int | None, read: int | None, written: int | None, expected: int
) -> None:
    span = make_span(0, input_tokens=said, cache_read_tokens=read, cache_write_tokens=written)
    assert input_total(span) == expected


@given(*(st.integers(0, 10**9) for _ in range(3)))
def test_cached_never_exceeds_input(said: int, read: int, written: int) -> None:
    span = make_span(0, input_tokens=said, cache_read_tokens=read, cache_write_tokens=written)
    assert read + written <= input_total(span)


def test_a_call_after_a_failed_one_of_the_same_kind_is_a_retry() -> None:
    tree = build_tree(
        [
            make_span(0, kind="chain"),
            make_span(1, 0, kind="llm", request_model="m", end_ns=5),
            make_span(2, 0, kind="llm", start_ns=6, **USED),
            make_span(3, 0, kind="llm", start_ns=7, **USED),
        ]
    )
    assert retried_spans(tree, billable_spans(tree), {1: "rate_limit"}) == {2}


def test_a_call_after_a_failure_that_cannot_pass_is_no_retry() -> None:
    tree = build_tree(
        [
            make_span(0, kind="chain"),
            make_span(1, 0, kind="llm", request_model="m", end_ns=5),
            make_span(2, 0, kind="llm", start_ns=6, **USED),
        ]
    )
    assert retried_spans(tree, billable_spans(tree), {1: "invalid_request"}) == set()
