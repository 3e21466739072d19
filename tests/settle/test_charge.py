"""The three promises about money: parts within wholes, one charge a response, unknown is not 0."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.spans import make_span
from vagus.assess.cost.prices import list_price
from vagus.settle.billing import billable_spans
from vagus.settle.charge import charge_step
from vagus.settle.fold import Settled, fold_trace
from vagus.settle.rows import StepRow
from vagus.settle.span import Span
from vagus.settle.tokens import tokens_of
from vagus.settle.tree import build_tree

MANY = settings(max_examples=10_000, deadline=None)
COUNTS = st.none() | st.integers(0, 2_000_000)
NOW_NS = 1_795_000_000 * 10**9
M = 1_000_000
TOKENS = (
    "input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens",
    "cache_write_5m_tokens", "cache_write_1h_tokens", "reasoning_tokens", "audio_input_tokens",
    "audio_output_tokens", "audio_cache_read_tokens", "image_input_tokens", "image_output_tokens",
)  # fmt: skip
PARTS = (
    "cost_input_usd", "cost_output_usd", "cost_cache_usd", "cost_audio_usd", "cost_image_usd",
    "cost_request_usd",
)  # fmt: skip
MODELS = st.sampled_from(
    [
        ("openai", "gpt-4o"), ("openai", "gpt-realtime"), ("openai", "gpt-image-1"),
        ("anthropic", "claude-sonnet-4-5"), ("gcp.gemini", "gemini-2.5-pro"),
        ("gcp.gemini", "gemini-2.5-flash"), ("aws.bedrock", "amazon.nova-pro-v1:0"),
        ("perplexity", "sonar-pro"), ("openai", "unheard-of"), ("", ""),
    ]
)  # fmt: skip


def fold(*spans: Span) -> Settled:
    return fold_trace("p", spans, version=1, price=list_price, log_events={})


def row_of(**said: Any) -> StepRow:
    """The row of a lone model call."""
    told = {"kind": "llm", "start_ns": NOW_NS, "received_ms": NOW_NS // 10**6}
    (row,) = fold(make_span(0, **(told | said))).steps
    return row


@st.composite
def usages(draw: st.DrawFn) -> dict[str, Any]:
    """What a call may say of its usage, true or not."""
    said: dict[str, Any] = {name: draw(COUNTS) for name in TOKENS}
    said["web_search_requests"] = draw(st.none() | st.integers(0, 20))
    said["cache_accounting"] = draw(st.sampled_from(["", "inclusive", "exclusive"]))
    said["service_tier"] = draw(st.sampled_from(["", "default", "batch", "flex", "priority"]))
    return said


@MANY
@given(usages())
def test_cached_tokens_never_exceed_the_input_they_are_part_of(said: dict[str, Any]) -> None:
    tokens = tokens_of(make_span(0, **said))
    cached = tokens["cache_read_tokens"] + tokens["cache_write_tokens"]
    by_age = tokens["cache_write_5m_tokens"] + tokens["cache_write_1h_tokens"]
    assert cached <= tokens["input_tokens"]
    assert by_age <= tokens["cache_write_tokens"]
    assert tokens["audio_cache_read_tokens"] <= tokens["cache_read_tokens"]
    assert tokens["audio_input_tokens"] + tokens["image_input_tokens"] <= tokens["input_tokens"]
    assert tokens["reasoning_tokens"] <= tokens["output_tokens"]
    if said["cache_accounting"] == "inclusive" and cached <= (said["input_tokens"] or 0):
        heard = tokens["audio_input_tokens"] + tokens["image_input_tokens"]
        assert tokens["input_tokens"] == max(said["input_tokens"] or 0, heard)


@MANY
@given(usages(), MODELS, st.booleans(), st.sampled_from(["unset", "ok", "error"]))
def test_a_cost_is_known_or_said_to_be_unknown_and_its_parts_add_up(
    said: dict[str, Any], model: tuple[str, str], is_reported: bool, status: str
) -> None:
    row = row_of(
        **said,
        provider=model[0],
        request_model=model[1],
        status=status,
        reported_cost_usd=0.25 if is_reported else None,
    )
    parts = sum(getattr(row, name) for name in PARTS)
    assert row.cost_cache_usd == pytest.approx(row.cost_cache_read_usd + row.cost_cache_write_usd)
    assert all(getattr(row, name) >= 0 for name in PARTS)
    if row.cost_source == "unknown":
        assert row.cost_usd is None
        assert parts == 0
    elif row.cost_source == "reported":
        assert row.cost_usd == 0.25
        assert parts == 0
    elif row.cost_source == "computed":
        assert row.cost_usd == pytest.approx(parts, abs=1e-9)
        assert row.cost_usd == row.computed_cost_usd
    else:
        # Only a call that failed without using anything, or a span that is no call, has no cost.
        assert not row.is_billable or (status == "error" and not row.has_usage)
    if row.is_billable and row.has_usage:
        assert row.cost_source != "none"


RESPONSES = st.lists(
    st.tuples(
        st.none() | st.integers(0, 9),
        st.sampled_from(["llm", "agent", "chain", "embedding", "tool"]),
        st.sampled_from([None, 5, 7]),
        st.sampled_from(["", "response-of-a-provider-1", "response-of-a-provider-2", "cmpl-1"]),
        st.booleans(),
    ),
    min_size=1,
    max_size=10,
)


@MANY
@given(RESPONSES)
def test_a_response_of_a_provider_is_charged_once(
    shape: list[tuple[int | None, str, int | None, str, bool]],
) -> None:
    tree = build_tree(
        [
            make_span(
                n, parent, kind=kind, request_model="m", input_tokens=used, output_tokens=used,
                response_id=response, local_cache="hit" if hit else "", start_ns=n,
            )
            for n, (parent, kind, used, response, hit) in enumerate(shape)
        ]
    )  # fmt: skip
    charged = [tree.spans[n] for n in billable_spans(tree)]
    named = [
        span.response_id
        for span in charged
        if len(span.response_id) >= 16 and not span.is_local_hit
    ]
    assert len(named) == len(set(named))
    positions = billable_spans(tree)
    for n in positions:
        above = tree.parents[n]
        while above >= 0:
            assert above not in positions
            above = tree.parents[above]


@settings(max_examples=500, deadline=None)
@given(usages(), MODELS, st.none() | st.just(0.5))
def test_charging_a_row_again_changes_nothing(
    said: dict[str, Any], model: tuple[str, str], reported: float | None
) -> None:
    row = row_of(**said, provider=model[0], request_model=model[1], reported_cost_usd=reported)
    again = StepRow(**{name: getattr(row, name) for name in row.__struct_fields__})
    charge_step(again, list_price)
    assert again == row


@pytest.mark.parametrize(
    ("said", "source"),
    [
        ({"status": "error", "http_status": 429}, "none"),
        ({"status": "error", "http_status": 400}, "none"),
        ({"status": "error", "error_type": "APITimeoutError"}, "unknown"),
        ({"status": "error", "error_type": "CancelledError"}, "unknown"),
        ({"status": "error", "error_type": "APIConnectionError"}, "none"),
        (
            {"status": "error", "error_type": "APIConnectionError", "is_streaming": "true"},
            "unknown",
        ),
        ({"is_streaming": "true"}, "unknown"),
        ({}, "unknown"),
    ],
)
def test_a_call_without_usage_is_free_only_where_it_was_refused(
    said: dict[str, Any], source: str
) -> None:
    row = row_of(provider="openai", request_model="gpt-4o", **said)
    assert row.cost_source == source
    assert (row.cost_usd is None) == (source == "unknown")


@pytest.mark.parametrize(
    ("said", "is_cut_off"),
    [
        ({"is_streaming": "true", "finish_reason": "stop"}, 0),
        ({"is_streaming": "true", "output_tokens": 5, "input_tokens": 5}, 0),
        ({"is_streaming": "true"}, 1),
        ({"finish_reason": "abort"}, 1),
        ({"status": "error", "error_type": "CancelledError", "ttft_ms": 80.0}, 1),
        ({"status": "error", "error_type": "CancelledError"}, 0),
        ({"status": "error", "http_status": 429, "is_streaming": "true"}, 0),
    ],
)
def test_a_stream_that_ended_early_is_marked(said: dict[str, Any], is_cut_off: int) -> None:
    assert row_of(provider="openai", request_model="gpt-4o", **said).is_cut_off == is_cut_off


def test_a_repeated_call_is_charged_and_marked_as_a_retry() -> None:
    said = {"kind": "llm", "provider": "openai", "request_model": "gpt-4o"}
    used = {"input_tokens": M, "output_tokens": 0}
    settled = fold(
        make_span(0, kind="chain", start_ns=NOW_NS),
        make_span(1, 0, **said, status="error", http_status=503, start_ns=NOW_NS, end_ns=NOW_NS),
        make_span(2, 0, **said, **used, start_ns=NOW_NS + 5),
    )
    retry = settled.steps[2]
    assert (retry.is_retry, retry.cost_usd) == (1, 2.5)
    assert settled.trace.retry_calls == 1


def test_both_amounts_are_kept_where_both_exist() -> None:
    row = row_of(
        provider="openai", request_model="gpt-4o", input_tokens=M, output_tokens=0,
        reported_cost_usd=2.0,
    )  # fmt: skip
    assert (row.cost_usd, row.reported_cost_usd, row.computed_cost_usd) == (2.0, 2.0, 2.5)
    assert (row.cost_source, row.price_source) == ("reported", "reported")


def test_a_cost_alone_is_charged_where_it_is_reported() -> None:
    settled = fold(
        make_span(0, kind="agent", reported_cost_usd=0.4, start_ns=NOW_NS),
        make_span(1, 0, kind="tool", start_ns=NOW_NS),
    )
    assert settled.trace.cost_usd == 0.4
    assert settled.trace.billable_calls == 1


def test_responses_of_a_server_that_numbers_few_are_told_apart_by_their_usage() -> None:
    said = {"kind": "llm", "request_model": "llama", "response_id": "chatcmpl-123"}
    settled = fold(
        make_span(0, kind="chain", start_ns=1),
        make_span(1, 0, **said, input_tokens=5, output_tokens=1, start_ns=2),
        make_span(2, 0, **said, input_tokens=6, output_tokens=1, start_ns=3),
        make_span(3, 0, **said, input_tokens=6, output_tokens=1, start_ns=4),
    )
    assert settled.trace.billable_calls == 2
