"""What users of other tools reported about streams: counts missing, repeated, added up or lost.

Every test is named by the issue; see `test_field_complaints.py` for how they are replayed.
"""

from __future__ import annotations

from typing import Any

import pytest

from assess.cost.replay import ONE, call, chat, settle, told, usd, used

GENAI = "opentelemetry.instrumentation.google_genai"

#: What the span of each report says beside its model: nothing of its usage.
STREAMS: dict[str, dict[str, Any]] = {
    "langfuse-8625": {"langfuse.observation.type": "generation"},
    "langfuse-2521": {"langfuse.observation.usage_details": "{}"},
    "langfuse-3265": {"langfuse.observation.usage_details": '{"input": 0, "output": 0}'},
    "openllmetry-627": {"llm.request.type": "chat", "llm.is_streaming": "true"},
    "openllmetry-2898": {"llm.request.type": "chat", "gen_ai.is_streaming": "true"},
    "openllmetry-165": {"llm.request.type": "chat"},
    "mlflow-23026": {"mlflow.spanType": '"CHAT_MODEL"', "mlflow.chat.tokenUsage": "null"},
    "openinference-637": {
        "openinference.span.kind": "LLM",
        "llm.invocation_parameters": '{"stream": true}',
    },
    "langsmith-1249": {"langsmith.span.kind": "llm"},
}


@pytest.mark.parametrize("issue", STREAMS)
def test_a_stream_that_says_no_usage_is_unknown_and_not_zero(issue: str) -> None:
    row = call(chat("openai", "gpt-4o") | STREAMS[issue])
    assert (row.cost_usd, row.cost_source, row.has_usage) == (None, "unknown", 0)


def test_a_stream_whose_exporter_writes_zeros_is_unknown_too() -> None:
    row = call(chat("openai", "gpt-4o", input_tokens=0, output_tokens=0))
    assert (row.cost_usd, row.cost_source) == (None, "unknown")


def test_a_reported_cost_of_zero_is_not_believed_beside_tokens() -> None:
    row = call(used(**{"gen_ai.usage.cost": 0.0}))
    assert (row.cost_usd, row.cost_source) == (ONE, "computed")


def test_langfuse_13811_17696_the_span_and_its_update_are_one_call() -> None:
    begun = told(0, chat("openai", "gpt-4o") | {"gen_ai.request.stream": "true"}, end_ns=0)
    ended = told(0, used(), segment=2)
    settled = settle(begun, ended)
    assert settled.trace.billable_calls == 1
    assert settled.trace.cost_usd == ONE


def test_langfuse_8808_one_response_told_ten_times_is_charged_once() -> None:
    same = used(**{"gen_ai.response.id": "msg_01XFDUDYJgAACzvnptvVoYEL"})
    chain = told(0, {"gen_ai.operation.name": "invoke_workflow"})
    settled = settle(chain, *(told(n, same, 0) for n in range(1, 11)))
    assert settled.trace.billable_calls == 1
    assert settled.trace.cost_usd == ONE


def test_mlflow_25707_of_two_reports_of_one_response_the_one_with_usage_counts() -> None:
    same = {"gen_ai.response.id": "msg_01XFDUDYJgAACzvnptvVoYEL"}
    chain = told(0, {"gen_ai.operation.name": "invoke_workflow"})
    settled = settle(chain, told(1, chat("openai", "gpt-4o") | same, 0), told(2, used(**same), 0))
    assert settled.trace.unknown_cost_calls == 0
    assert settled.trace.cost_usd == ONE


@pytest.mark.parametrize(
    ("version", "source"), [("0.5b0", "unknown"), ("0.6b0", "unknown"), ("0.7b0", "computed")]
)
def test_opentelemetry_contrib_4120_counts_added_up_over_chunks_are_not_believed(
    version: str, source: str
) -> None:
    sent = chat("gcp.gemini", "gemini-2.5-flash", input_tokens=522, output_tokens=30_000)
    row = call(sent, scope=(GENAI, version))
    assert row.cost_source == source
    assert row.input_tokens == (522 if source == "computed" else 0)


def test_posthog_js_4664_an_interrupted_stream_without_usage_is_unknown() -> None:
    row = call(
        chat("openai", "gpt-4o") | {"gen_ai.request.stream": "true"},
        status="error",
        error_type="AbortError",
    )
    assert (row.cost_usd, row.cost_source, row.is_cut_off) == (None, "unknown", 1)


def test_posthog_js_4664_an_interrupted_stream_costs_what_it_is_known_to_have_used() -> None:
    row = call(
        chat("anthropic", "claude-opus-4-1", input_tokens=1_000)
        | {"gen_ai.request.stream": "true"},
        status="error",
        error_type="CancelledError",
    )
    assert (row.cost_source, row.is_cut_off, row.is_usage_partial) == ("computed", 1, 1)
    assert row.cost_usd == usd((1_000, 15.0))


def test_a_call_that_says_only_its_input_is_unknown() -> None:
    row = call(chat("openai", "gpt-4o", input_tokens=1_000))
    assert (row.cost_usd, row.cost_source, row.is_usage_partial) == (None, "unknown", 1)
