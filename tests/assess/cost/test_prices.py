"""List prices: the fast way gives what the price list itself calculates, or nothing."""

from __future__ import annotations

from datetime import UTC, datetime

import genai_prices
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vagus.assess.cost.prices import list_price
from vagus.model.usage import Usage

MODELS = [
    ("openai", "gpt-4.1-mini", "openai"),
    ("anthropic", "claude-sonnet-4-5", "anthropic"),
    ("gcp.gemini", "gemini-2.5-pro", "google"),
    ("aws.bedrock", "anthropic.claude-sonnet-4-5-20250929-v1:0", "aws"),
    ("openai", "text-embedding-3-small", "openai"),
    ("deepseek", "deepseek-chat", "deepseek"),
]


@settings(deadline=None, max_examples=200)
@given(
    model=st.sampled_from(MODELS),
    plain=st.integers(0, 1_200_000),
    read=st.integers(0, 300_000),
    written=st.integers(0, 300_000),
    output=st.integers(0, 60_000),
)
def test_the_price_is_that_of_the_list(
    model: tuple[str, str, str], plain: int, read: int, written: int, output: int
) -> None:
    provider, name, listed = model
    tokens = {
        "input_tokens": plain + read + written,
        "cache_read_tokens": read,
        "cache_write_tokens": written,
        "output_tokens": 0 if "embedding" in name else output,
    }
    price = list_price(Usage(provider=provider, model=name, time_s=1_763_900_000, **tokens))
    expected = genai_prices.calc_price(
        genai_prices.Usage(**tokens),
        name,
        provider_id=listed,
        genai_request_timestamp=datetime.fromtimestamp(1_763_900_000, UTC),
    )
    assert price is not None
    assert price.total_usd == pytest.approx(float(expected.total_price), abs=1e-9)
    assert price.input_usd + price.cache_usd + price.output_usd == pytest.approx(price.total_usd)


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("openai", "our-own-model"),
        ("our-gateway", "gpt-4.1"),
        ("openai", ""),
        ("", "no-such-model"),
    ],
)
def test_an_unlisted_model_has_no_price(provider: str, model: str) -> None:
    assert list_price(Usage(provider=provider, model=model, time_s=0, input_tokens=5)) is None


def test_a_model_named_without_its_provider_is_found() -> None:
    price = list_price(Usage(provider="", model="gpt-4.1", time_s=0, input_tokens=1_000_000))
    assert price is not None
    assert price.total_usd == pytest.approx(2.0)
