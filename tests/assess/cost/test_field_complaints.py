"""What users of other tools reported about wrong costs, replayed: each call comes out right.

Every test is named by the issue. The attributes are those that the SDK of the report sends; they go
through the field table, the fold and the price list to the rows of the ledger. Amounts are computed
by hand from the list: USD for a million tokens of input, cached read, cache write and output.
"""

from __future__ import annotations

from typing import Any

import pytest

from assess.cost.replay import ONE, TWO, M, call, chat, settle, told, usd, used
from vagus.assess.cost.contract import decode_price
from vagus.assess.cost.prices import list_price
from vagus.model.usage import Price, Usage
from vagus.settle.charge import charge_step

# Cached tokens that were charged twice, at the wrong price, or not at all.


def test_langfuse_12306_a_total_that_holds_the_cached_tokens_is_not_added_to_them() -> None:
    row = call(
        chat(
            "anthropic",
            "claude-sonnet-4-6",
            input_tokens=130_213,
            details__cache_read_tokens=128_955,
            details__cache_write_tokens=1_253,
            output_tokens=100,
        )
    )
    assert row.input_tokens == 130_213
    assert row.cost_usd == usd((5, 3.0), (128_955, 0.3), (1_253, 3.75), (100, 15.0))


@pytest.mark.parametrize(
    ("attributes", "plain", "cached"),
    [
        pytest.param(
            {
                "langfuse.observation.type": "generation",
                "langfuse.observation.model.name": "gpt-4o",
                "gen_ai.provider.name": "openai",
                "langfuse.observation.usage_details": (
                    '{"input": 86, "input_cached_tokens": 17817, "output": 10}'
                ),
            },
            86,
            17_817,
            id="langfuse-10592-openrouter-in-typescript",
        ),
        pytest.param(
            {
                "gen_ai.provider.name": "openai",
                "gen_ai.operation.name": "chat",
                "gen_ai.request.model": "gpt-4o",
                "gen_ai.usage.input_tokens": 17_903,
                "gen_ai.usage.cache_read.input_tokens": 17_817,
                "gen_ai.usage.output_tokens": 10,
            },
            86,
            17_817,
            id="langfuse-5568-the-same-by-the-conventions",
        ),
        pytest.param(
            {
                "openinference.span.kind": "LLM",
                "llm.provider": "openai",
                "llm.model_name": "gpt-4o",
                "llm.token_count.prompt": 17_903,
                "llm.token_count.prompt_details.cache_read": 17_817,
                "llm.token_count.completion": 10,
            },
            86,
            17_817,
            id="mlflow-24759-openinference-over-otlp",
        ),
        pytest.param(
            {
                "mlflow.spanType": '"CHAT_MODEL"',
                "mlflow.llm.model": '"gpt-4o"',
                "mlflow.llm.provider": '"openai"',
                "mlflow.chat.tokenUsage": (
                    '{"input_tokens": 17903, "output_tokens": 10, "cache_read_input_tokens": 17817}'
                ),
                "gen_ai.request.model": "gpt-4o",
                "gen_ai.provider.name": "openai",
            },
            86,
            17_817,
            id="mlflow-22606-cached-reads-cost-a-tenth-or-a-half",
        ),
    ],
)
def test_cached_tokens_are_charged_once_and_at_their_own_price(
    attributes: dict[str, Any], plain: int, cached: int
) -> None:
    row = call(attributes)
    assert row.cost_usd == usd((plain, 2.5), (cached, 1.25), (10, 10.0))


def test_langfuse_9034_9305_4590_cached_tokens_have_a_line_of_their_own() -> None:
    row = call(
        chat(
            "openai", "gpt-4o", input_tokens=2_000, output_tokens=100,
            cache_read__input_tokens=1_500,
        )
    )  # fmt: skip
    assert row.cost_input_usd == usd((500, 2.5))
    assert row.cost_cache_read_usd == usd((1_500, 1.25))
    assert row.cost_output_usd == usd((100, 10.0))
    parts = row.cost_input_usd + row.cost_cache_read_usd + row.cost_output_usd
    assert row.cost_usd == pytest.approx(parts, abs=1e-12)


def test_phoenix_10036_openinference_2381_a_bedrock_prompt_is_not_42_times_as_dear() -> None:
    """Raw Bedrock counts leave the cached ones out: 10 plain tokens beside 20,000 cached."""
    row = call(
        {
            "openinference.span.kind": "LLM",
            "llm.provider": "aws.bedrock",
            "llm.model_name": "anthropic.claude-3-5-sonnet-20240620-v1:0",
            "llm.token_count.prompt": 10,
            "llm.token_count.prompt_details.cache_read": 20_000,
            "llm.token_count.completion": 5,
        }
    )
    assert row.input_tokens == 20_010
    assert row.cost_usd == usd((10, 3.0), (20_000, 0.3), (5, 15.0))


def test_phoenix_13379_cached_tokens_do_not_cost_what_output_costs() -> None:
    row = call(
        chat("openai", "gpt-4o", input_tokens=M, cache_read__input_tokens=M, output_tokens=1)
    )
    assert row.cost_cache_read_usd == usd((M, 1.25))
    assert row.cost_output_usd == usd((1, 10.0))


def test_mlflow_24869_a_litellm_call_with_its_breakdown_is_not_6_7_times_as_dear() -> None:
    row = call(
        chat(
            "anthropic", "claude-haiku-4-5", input_tokens=10_500, output_tokens=1,
            cache_read__input_tokens=10_000,
        )
    )  # fmt: skip
    assert row.cost_input_usd + row.cost_cache_usd == pytest.approx(0.0015, abs=1e-9)


def test_mlflow_24867_bedrock_counts_that_leave_out_the_cached_ones_are_added_up() -> None:
    row = call(
        chat(
            "aws.bedrock", "anthropic.claude-3-5-sonnet-20240620-v1:0", input_tokens=100,
            output_tokens=10, cache_read__input_tokens=2_000, cache_creation__input_tokens=300,
        )
    )  # fmt: skip
    assert row.input_tokens == 2_400
    assert row.cost_usd == usd((100, 3.0), (2_000, 0.3), (300, 3.75), (10, 15.0))


def test_opik_6969_cached_tokens_of_the_responses_api_are_cheaper() -> None:
    row = call(
        chat("openai", "gpt-5", input_tokens=1_000, cache_read__input_tokens=900, output_tokens=1)
    )
    assert row.cost_usd == usd((100, 1.25), (900, 0.125), (1, 10.0))


@pytest.mark.parametrize("provider", ["gcp.gemini", "gcp.vertex_ai", "google"])
def test_opik_6976_cached_tokens_of_gemini_are_cheaper(provider: str) -> None:
    row = call(
        chat(
            provider, "gemini-2.5-flash", input_tokens=1_000, output_tokens=1,
            cache_read__input_tokens=900,
        )
    )  # fmt: skip
    assert row.cost_usd == usd((100, 0.3), (900, 0.03), (1, 2.5))


def test_opik_5618_reads_and_writes_of_a_cache_are_not_charged_as_input() -> None:
    row = call(
        chat(
            "anthropic", "claude-opus-4-1", input_tokens=30, output_tokens=10,
            cache_read__input_tokens=50_000, cache_creation__input_tokens=1_000,
        )
    )  # fmt: skip
    assert row.cost_usd == usd((30, 15.0), (50_000, 1.5), (1_000, 18.75), (10, 75.0))


def test_langsmith_2024_2407_base_tokens_beside_a_large_cache_are_not_free() -> None:
    row = call(
        {
            "langsmith.span.kind": "llm",
            "gen_ai.provider.name": "anthropic",
            "gen_ai.request.model": "claude-opus-4-1",
            "gen_ai.usage.input_tokens": 19,
            "gen_ai.usage.output_tokens": 10,
            "gen_ai.usage.input_token_details": '{"cache_read": 38000, "cache_creation": 1000}',
        }
    )
    assert row.cost_input_usd == usd((19, 15.0))
    assert row.cost_usd == usd((19, 15.0), (38_000, 1.5), (1_000, 18.75), (10, 75.0))


def test_langsmith_2150_written_tokens_and_their_age_are_one_and_the_same() -> None:
    row = call(
        chat(
            "anthropic", "claude-opus-4-1", input_tokens=2_000, output_tokens=1,
            cache_creation__input_tokens=1_000, cache_write_5m__input_tokens=1_000,
        )
    )  # fmt: skip
    assert row.cost_cache_write_usd == usd((1_000, 18.75))
    assert row.cost_usd == usd((1_000, 15.0), (1_000, 18.75), (1, 75.0))


# Usage that parents and children both carry.


@pytest.mark.parametrize("kind", ["invoke_agent", "invoke_workflow", "chat"])
def test_mlflow_22679_opik_6019_a_wrapper_that_repeats_its_calls_is_not_charged(kind: str) -> None:
    wrapper = chat("openai", "gpt-4o", input_tokens=2_000, output_tokens=200)
    settled = settle(
        told(0, wrapper | {"gen_ai.operation.name": kind}),
        told(1, used(), 0),
        told(2, used(), 0),
    )
    assert settled.trace.cost_usd == TWO
    assert settled.trace.billable_calls == 2
    assert "repeated_usage" in settled.trace.flags


def test_mlflow_22304_the_order_in_which_spans_arrive_changes_nothing() -> None:
    spans = [told(0, used()), told(1, used(), 0), told(2, used(), 1)]
    costs = {settle(*order).trace.cost_usd for order in (spans, spans[::-1], spans[1:] + spans[:1])}
    assert costs == {settle(*spans).trace.cost_usd}
    assert settle(*spans).trace.cost_usd == ONE


def test_litellm_26919_written_tokens_in_the_input_and_beside_it_are_charged_once() -> None:
    row = call(
        {
            "langfuse.observation.type": "generation",
            "langfuse.observation.model.name": "claude-opus-4-1",
            "gen_ai.provider.name": "anthropic",
            "gen_ai.usage.input_tokens": 5_000,
            "gen_ai.usage.cache_creation.input_tokens": 4_000,
            "gen_ai.usage.output_tokens": 10,
            "vagus.cache_accounting": "inclusive",
        }
    )
    assert row.cost_usd == usd((1_000, 15.0), (4_000, 18.75), (10, 75.0))


def test_openinference_3227_500_tokens_do_not_cost_500_dollars() -> None:
    agent = {
        "openinference.span.kind": "AGENT",
        "llm.model_name": "gpt-4o",
        "llm.token_count.prompt": 400,
        "llm.token_count.completion": 100,
    }
    model = {
        "openinference.span.kind": "LLM",
        "llm.provider": "openai",
        "llm.model_name": "gpt-4o",
        "llm.token_count.prompt": 400,
        "llm.token_count.completion": 100,
    }
    settled = settle(
        told(0, agent | {"openinference.span.kind": "CHAIN"}), told(1, agent, 0), told(2, model, 1)
    )
    assert settled.trace.cost_usd == usd((400, 2.5), (100, 10.0))


def test_langsmith_1173_a_deep_chain_of_wrappers_does_not_multiply_tokens() -> None:
    spans = [told(0, used())] + [told(n, used(), n - 1) for n in range(1, 40)]
    settled = settle(*spans)
    assert (settled.trace.input_tokens, settled.trace.output_tokens) == (1_000, 100)
    assert settled.trace.cost_usd == ONE


# Answers of the application's own cache.


@pytest.mark.parametrize("key", ["litellm.cache_hit", "vagus.local_cache", "metadata.cache_hit"])
def test_langfuse_2112_opik_4508_a_hit_of_the_own_cache_costs_nothing_and_counts(key: str) -> None:
    row = call(used(**{key: "hit" if key.startswith("vagus") else "true"}))
    assert (row.cost_usd, row.cost_source, row.is_local_cache) == (0.0, "computed", 1)
    assert (row.is_billable, row.input_tokens, row.output_tokens) == (1, 0, 0)


def test_langfuse_2112_a_hit_that_repeats_a_response_id_does_not_take_its_charge() -> None:
    same = {"gen_ai.response.id": "chatcmpl-9f8e7d6c5b4a3210"}
    settled = settle(
        told(0, {"gen_ai.operation.name": "invoke_workflow"}),
        told(1, used(**same, **{"vagus.local_cache": "hit"}), 0),
        told(2, used(**same), 0),
    )
    assert settled.trace.cost_usd == ONE
    assert settled.trace.billable_calls == 2


# Prices that are wrong, missing or for another tier.


def test_langfuse_12184_langfuse_docs_2018_a_corrected_price_reaches_what_is_priced_again() -> None:
    wrong = decode_price({"model": {"equals": "gpt-4o"}, "per_million": {"input": 99.0}})
    right = decode_price({"model": {"equals": "gpt-4o"}, "per_million": {"input": 2.5}})

    def by(own: Any) -> Any:
        def price(usage: Usage) -> Price | None:
            return own.price(usage, "own/x", list_price)

        return price

    call_of = chat("openai", "gpt-4o", input_tokens=M, output_tokens=0)
    (row,) = settle(told(0, call_of), price=by(wrong)).steps
    assert row.cost_usd == usd((M, 99.0))
    charge_step(row, by(right))
    assert row.cost_usd == usd((M, 2.5))


@pytest.mark.parametrize(
    ("provider", "model", "plain", "output"),
    [
        ("openai", "gpt-4o", 1.25, 5.0),
        ("anthropic", "claude-opus-4-1", 7.5, 37.5),
        ("gcp.gemini", "gemini-2.5-flash", 0.15, 1.25),
        ("aws.bedrock", "amazon.nova-pro-v1:0", 0.4, 1.6),
    ],
)
def test_dust_23702_a_batch_costs_half(
    provider: str, model: str, plain: float, output: float
) -> None:
    tokens = {"input_tokens": 1_000, "output_tokens": 100}
    row = call(chat(provider, model, **tokens) | {"vagus.service_tier": "batch"})
    assert row.service_tier == "batch"
    assert row.cost_usd == usd((1_000, plain), (100, output))


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        pytest.param("anthropic", "claude-from-next-year", id="opik-1446"),
        pytest.param("openai", "our-finetune", id="mlflow-18711"),
        pytest.param("our-gateway", "gpt-4o", id="langsmith-1772"),
        pytest.param("azure.ai.openai", "my-deployment", id="langsmith-1933"),
    ],
)
def test_a_model_that_nobody_can_price_is_unknown_and_not_free(provider: str, model: str) -> None:
    settled = settle(told(0, chat(provider, model, input_tokens=1_000, output_tokens=10)))
    (row,) = settled.steps
    assert (row.cost_usd, row.cost_source, row.price_source) == (None, "unknown", "")
    assert settled.trace.unknown_cost_calls == 1
    assert row.input_tokens == 1_000


def test_langsmith_1933_the_model_that_answered_is_priced_behind_a_deployment_name() -> None:
    attributes = chat("azure.ai.openai", "my-deployment", input_tokens=1_000, output_tokens=100)
    row = call(attributes | {"gen_ai.response.model": "gpt-4o-2024-08-06"})
    assert row.cost_usd == ONE
