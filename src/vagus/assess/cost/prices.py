"""List prices from the `genai-prices` package, behind one adapter.

A model that is not in the list has no price: the answer is None, which is shown as unknown and
counted, and never as zero.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import genai_prices
from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import ModelPrice, TieredPrices

from vagus.model.usage import Price, Usage

#: OpenTelemetry's names of providers, where the price list uses another.
_PROVIDERS = {
    "aws.bedrock": "aws",
    "azure.ai.openai": "azure",
    "azure.ai.inference": "azure",
    "gcp.gemini": "google",
    "gcp.gen_ai": "google",
    "gcp.vertex_ai": "google",
    "x_ai": "x-ai",
    "mistral_ai": "mistral",
    "moonshot_ai": "moonshotai",
}
_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class _Rates:
    """USD per token, for calls whose input is of one size class."""

    input: float
    output: float
    cache_read: float
    cache_write: float


def list_price(usage: Usage) -> Price | None:
    """The list price of a call; None when its model is not in the list."""
    if not usage.model:
        return None
    provider = _PROVIDERS.get(usage.provider, usage.provider) or None
    sizes = _size_classes(provider, usage.model)
    if sizes is None:
        return _exact(usage, provider)
    return _linear(usage, _rates(provider, usage.model, _size_class(sizes, usage.input_tokens)))


def _linear(usage: Usage, rates: _Rates) -> Price:
    cached = usage.cache_read_tokens + usage.cache_write_tokens
    input_usd = max(0, usage.input_tokens - cached) * rates.input
    return Price(
        input_usd=input_usd,
        output_usd=usage.output_tokens * rates.output,
        cache_read_usd=usage.cache_read_tokens * rates.cache_read,
        cache_write_usd=usage.cache_write_tokens * rates.cache_write,
    )


@functools.lru_cache(maxsize=4096)
def _size_classes(provider: str | None, model: str) -> tuple[int, ...] | None:
    """The input sizes above which another price holds; None when the price is not of this form.

    That is a model that is not in the list, has no prices, or whose price depends on the time.
    """
    try:
        _, info = get_snapshot().find_provider_model(model, None, provider, None)
    except LookupError:
        return None
    if not isinstance(info.prices, ModelPrice):
        return None
    prices = [value for value in vars(info.prices).values() if value is not None]
    starts = {
        tier.start for value in prices if isinstance(value, TieredPrices) for tier in value.tiers
    }
    return tuple(sorted(starts)) if prices else None


def _size_class(starts: tuple[int, ...], tokens: int) -> int:
    """An input size that is priced like `tokens`, the same for all sizes of its class."""
    reached = [start for start in starts if tokens > start]
    return reached[-1] + _MILLION if reached else (starts[0] if starts else _MILLION)


@functools.lru_cache(maxsize=4096)
def _rates(provider: str | None, model: str, size: int) -> _Rates:
    """The rates of calls of one size class, out of the price list's own arithmetic."""

    def cost(**tokens: int) -> float:
        return float(_calculate(provider, model, tokens, None).total_price)

    plain = cost(input_tokens=size)
    return _Rates(
        input=plain / size,
        output=(cost(input_tokens=size, output_tokens=_MILLION) - plain) / _MILLION,
        cache_read=cost(input_tokens=size, cache_read_tokens=size) / size,
        cache_write=cost(input_tokens=size, cache_write_tokens=size) / size,
    )


def _calculate(
    provider: str | None, model: str, tokens: dict[str, int], time: datetime | None
) -> Any:
    return genai_prices.calc_price(
        genai_prices.Usage(**tokens),
        model,
        provider_id=provider,
        genai_request_timestamp=time,
    )


def _exact(usage: Usage, provider: str | None) -> Price | None:
    tokens = {
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "cache_read_tokens": usage.cache_read_tokens,
        "cache_write_tokens": usage.cache_write_tokens,
    }
    time = datetime.fromtimestamp(usage.time_s, UTC)
    try:
        whole = _calculate(provider, usage.model, tokens, time)
        plain = dict(tokens, cache_read_tokens=0, cache_write_tokens=0)
        plain["input_tokens"] -= usage.cache_read_tokens + usage.cache_write_tokens
        uncached = _calculate(provider, usage.model, plain, time)
    except LookupError:
        return None
    input_usd = float(uncached.input_price)
    return Price(
        input_usd=input_usd,
        output_usd=float(whole.output_price),
        cache_read_usd=float(whole.input_price) - input_usd,
    )
