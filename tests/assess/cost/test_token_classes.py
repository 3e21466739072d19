"""Every class of tokens, fee and tier has its own price, from the list or its dated supplement."""

from __future__ import annotations

import datetime
from typing import Any

import genai_prices
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vagus.assess.cost.prices import list_price
from vagus.assess.cost.supplement import supplement
from vagus.model.usage import Usage

M = 1_000_000
AT = datetime.datetime(2026, 11, 20, 12, tzinfo=datetime.UTC)
#: Model, its provider here and in the list, whether it hears and speaks, and its tiers.
MODELS = [
    ("openai", "openai", "gpt-realtime", True, ("",)),
    ("openai", "openai", "gpt-5", False, ("", "batch", "flex", "priority")),
    ("openai", "openai", "gpt-4o", False, ("", "batch", "priority")),
    ("gcp.gemini", "google", "gemini-2.5-flash", True, ("", "batch")),
    ("anthropic", "anthropic", "claude-sonnet-4-5", False, ("", "batch")),
    ("anthropic", "anthropic", "claude-opus-4-1", False, ("",)),
]
CONTEXT = {
    "": None,
    "batch": {"processing": "batch"},
    "flex": {"service_tier": "flex"},
    "priority": {"service_tier": "priority"},
}


def cost(provider: str, model: str, **said: Any) -> float | None:
    """The list price of a call; None when it is not known."""
    told = {"time_s": AT.timestamp(), **said}
    price = list_price(Usage(provider=provider, model=model, **told))
    return None if price is None else price.total_usd


@settings(deadline=None, max_examples=400)
@given(st.data())
def test_the_arithmetic_is_that_of_the_list_for_every_class_and_tier(data: st.DataObject) -> None:
    provider, listed, model, is_heard, tiers = data.draw(st.sampled_from(MODELS))
    tier = data.draw(st.sampled_from(tiers))
    tokens = st.integers(0, 200_000)
    text, read, heard, heard_again, output, spoken = (data.draw(tokens) for _ in range(6))
    late, soon = data.draw(tokens), data.draw(tokens)
    if not is_heard:
        heard = heard_again = spoken = 0
    if provider != "anthropic":
        late = soon = 0
    if provider == "gcp.gemini":
        spoken = 0
    searches = 0 if model == "gpt-realtime" else data.draw(st.integers(0, 5))
    used = {
        "input_tokens": text + read + heard + heard_again + late + soon,
        "output_tokens": output + spoken,
        "cache_read_tokens": read + heard_again,
        "cache_write_tokens": late + soon,
        "cache_write_1h_tokens": late,
    }
    ours = cost(
        provider, model, **used, audio_input_tokens=heard + heard_again,
        audio_cache_read_tokens=heard_again, audio_output_tokens=spoken,
        web_search_requests=searches, service_tier=tier,
    )  # fmt: skip
    theirs = genai_prices.calc_price(
        genai_prices.Usage(
            **used, input_audio_tokens=heard + heard_again, cache_audio_read_tokens=heard_again,
            output_audio_tokens=spoken, web_searches=searches,
        ),
        model,
        provider_id=listed,
        genai_request_timestamp=AT,
        price_context=CONTEXT[tier],
    )  # fmt: skip
    assert ours == pytest.approx(float(theirs.total_price), abs=1e-9)


@pytest.mark.parametrize(
    ("provider", "model", "said", "expected"),
    [
        ("anthropic", "claude-opus-4-1", {"cache_write_tokens": M}, 18.75),
        (
            "anthropic", "claude-opus-4-1",
            {"cache_write_tokens": M, "cache_write_1h_tokens": M}, 30.0,
        ),
        (
            "aws.bedrock", "anthropic.claude-3-5-sonnet-20240620-v1:0",
            {"cache_write_tokens": M, "cache_write_1h_tokens": M}, 6.0,
        ),
        ("openai", "gpt-realtime", {"audio_input_tokens": M}, 32.0),
        ("openai", "gpt-4o-audio-preview", {"audio_input_tokens": M}, 40.0),
        ("gcp.gemini", "gemini-2.5-pro", {"audio_input_tokens": M}, 2.5),
        ("openai", "gpt-image-1", {"image_input_tokens": M}, 10.0),
        ("openai", "gpt-4o", {"image_input_tokens": M}, 2.5),
        ("anthropic", "claude-opus-4-1", {"web_search_requests": 3}, 15.03),
        ("perplexity", "sonar-pro", {}, 3.014),
        ("anthropic", "claude-sonnet-4-5", {"input_tokens": 200_000}, 0.6),
        ("anthropic", "claude-sonnet-4-5", {"input_tokens": 200_001}, 1.200006),
        ("anthropic", "claude-opus-4-1", {"service_tier": "batch"}, 7.5),
        ("aws.bedrock", "amazon.nova-pro-v1:0", {"service_tier": "flex"}, 0.4),
        ("aws.bedrock", "amazon.nova-pro-v1:0", {"service_tier": "priority"}, 1.4),
        ("azure.ai.openai", "gpt-4o", {"service_tier": "batch"}, 1.25),
        ("openai", "gpt-4o", {"service_tier": "default"}, 2.5),
    ],
)  # fmt: skip
def test_a_million_tokens_cost(
    provider: str, model: str, said: dict[str, Any], expected: float
) -> None:
    used = {"input_tokens": M, **said}
    assert cost(provider, model, **used) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    ("provider", "model", "said"),
    [
        ("openai", "gpt-4o", {"audio_input_tokens": M}),
        ("openai", "gpt-4o", {"output_tokens": M, "audio_output_tokens": M}),
        ("x_ai", "grok-4", {"web_search_requests": 1}),
        ("openai", "gpt-4.1", {"service_tier": "scale"}),
        ("cohere", "command-a-03-2025", {"service_tier": "batch"}),
        ("openai", "whisper-1", {}),
        ("perplexity", "sonar-deep-research", {}),
        ("openai", "gpt-image-1", {"image_input_tokens": M // 2, "cache_read_tokens": M // 2}),
        ("openai", "g" * 300, {}),
        ("openai", "gpt-4o", {"is_said": False}),
    ],
)
def test_what_has_no_price_is_unknown(provider: str, model: str, said: dict[str, Any]) -> None:
    assert cost(provider, model, **{"input_tokens": M, **said}) is None


def test_a_discount_holds_from_its_day_on() -> None:
    """The list knows batches since 2026; before that the supplement does, from their first day."""
    before, after = (
        datetime.datetime(*day, tzinfo=datetime.UTC).timestamp()
        for day in ((2024, 4, 14), (2024, 4, 16))
    )
    used = {"input_tokens": M, "service_tier": "batch"}
    assert cost("openai", "gpt-4o", **used, time_s=before) is None
    assert cost("openai", "gpt-4o", **used, time_s=after) == 1.25
    assert cost("openai", "gpt-4o", **used) == 1.25


def test_every_entry_of_the_supplement_has_its_source() -> None:
    file = supplement()
    entries = (*file.tiers, *file.hour_writes, *file.audio, *file.audio_as_text)
    assert [entry for entry in entries if not entry.source.startswith("https://")] == []
    assert [e for e in (*file.tiers, *file.hour_writes, *file.audio) if e.since.year < 2023] == []


@pytest.mark.parametrize(
    "model",
    ["models/gemini-2.5-flash", "publishers/google/models/gemini-2.5-flash", "gemini-2.5-flash"],
)
def test_a_model_is_found_behind_its_path(model: str) -> None:
    assert cost("gcp.vertex_ai", model, input_tokens=M) == pytest.approx(0.3)


def test_a_model_named_with_its_provider_is_found() -> None:
    assert cost("", "openai/gpt-4o", input_tokens=M) == 2.5
    assert cost("anthropic", "anthropic/claude-opus-4-1", input_tokens=M) == 15.0
