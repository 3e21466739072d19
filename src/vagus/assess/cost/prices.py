"""List prices from the `genai-prices` package, behind one adapter.

A model that is not in the list has no price: the answer is None, which is shown as unknown and
counted, and never as zero. The same holds for a tier, a fee or a kind of token that the list does
not price. Looking up a model is slow and the arithmetic is not, so the rates of a model are kept.
"""

from __future__ import annotations

import datetime
import functools
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import (
    ModelInfo,
    ModelPrice,
    Provider,
    StartDateConstraint,
    TieredPrices,
)

from vagus.assess.cost.rates import Rates, price_at
from vagus.assess.cost.supplement import supplement
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
#: How the list names what a tier is chosen by.
_TIERS = {
    "batch": {"processing": "batch"},
    "flex": {"service_tier": "flex"},
    "priority": {"service_tier": "priority"},
    # Anthropic's word for it is another than OpenAI's.
    "fast": {"service_tier": "fast", "speed": "fast"},
}
_USUAL = frozenset(("", "default", "standard", "auto", "on_demand"))
_LONGEST = 200
_MILLION = 1_000_000
_DAY_S = 86_400
_MAX_REMEMBERED = 2_000
_NOT_READ = Rates()
#: Rates, with the names of the list.
_PER_MILLION = {
    "input": "input_mtok",
    "output": "output_mtok",
    "cache_read": "cache_read_mtok",
    "cache_write": "cache_write_mtok",
    "cache_write_1h": "cache_write_1h_mtok",
    "reasoning": "output_reasoning_mtok",
    "audio_input": "input_audio_mtok",
    "audio_output": "output_audio_mtok",
    "audio_cache_read": "cache_audio_read_mtok",
    "image_input": "input_image_mtok",
    "image_output": "output_image_mtok",
}


def list_price(usage: Usage) -> Price | None:
    """The list price of a call; None when nobody can say it."""
    if not usage.is_said or not usage.model or len(usage.model) > _LONGEST:
        return None
    listed = _listed(_PROVIDERS.get(usage.provider, usage.provider).lower(), usage.model)
    if listed is None:
        return None
    rates = listed.rates(usage.service_tier, usage.input_tokens, usage.time_s)
    return None if rates is None else price_at(usage, rates, "list", listed.id)


@dataclass(slots=True)
class _Listed:
    """A model of the list with the rates that were looked at so far."""

    provider: Provider
    info: ModelInfo
    asked: str
    starts: tuple[int, ...]
    is_daily: bool
    id: str
    known: dict[tuple[str, int, int], Rates | None] = field(default_factory=dict)

    def rates(self, tier: str, input_tokens: int, time_s: float) -> Rates | None:
        """The rates of a tier at a size of the input and a moment."""
        size = sum(input_tokens > start for start in self.starts) if self.starts else 0
        # Prices change from one day to the next, except those that depend on the time of day.
        moment = int(time_s // _DAY_S) if self.is_daily else int(time_s)
        key = (tier, size, moment)
        rates = self.known.get(key, _NOT_READ)
        if rates is _NOT_READ:
            if len(self.known) >= _MAX_REMEMBERED:
                self.known.clear()
            tokens = self.starts[size - 1] + 1 if size else 0
            when = datetime.datetime.fromtimestamp(time_s, datetime.UTC)
            rates = self.known[key] = self._read(tier, tokens, when)
        return rates

    def _read(self, tier: str, tokens: int, when: datetime.datetime) -> Rates | None:
        plain = self.info.get_prices(when)
        if not _is_by_token(plain):
            return None
        rates = _rates(plain, tokens)
        if tier not in _USUAL:
            context = _TIERS.get(tier)
            # The tiers of a model are those of its own provider, not of one that resells it.
            is_own = any(self.info is model for model in self.provider.models)
            special = self.info.get_prices(when, context) if context and is_own else plain
            if special != plain:
                rates = _rates(special, tokens)
            else:
                factor = supplement().tier_factor(self.provider.id, tier, when.date())
                if factor is None:
                    return None
                rates = rates.scaled(factor)
        name = self.info.id if self.info.id in self.asked else self.asked
        return supplement().completed(rates, self.provider.id, name, when.date())


def _is_by_token(prices: ModelPrice) -> bool:
    """Whether a price is for tokens that are counted; some are for hours, pages or citations."""
    named = {name for name, value in vars(prices).items() if value is not None}
    return "output_citation_mtok" not in named and bool(named & {"input_mtok", "output_mtok"})


def _rates(prices: ModelPrice, tokens: int) -> Rates:
    found: dict[str, Any] = {
        name: float(value) / _MILLION
        for name, key in _PER_MILLION.items()
        if (value := _at_size(getattr(prices, key), tokens)) is not None
    }
    fees: dict[str, Any] = {
        name: float(value) / 1000
        for name, key in (("web_search", "web_searches_kcount"), ("request", "requests_kcount"))
        if (value := _at_size(getattr(prices, key), tokens)) is not None
    }
    return Rates(**found, **fees)


def _at_size(price: Decimal | TieredPrices | None, tokens: int) -> Decimal | None:
    if not isinstance(price, TieredPrices):
        return price
    reached = [tier.price for tier in price.tiers if tokens > tier.start]
    return reached[-1] if reached else price.base


@functools.lru_cache(maxsize=4096)
def _listed(provider: str, model: str) -> _Listed | None:
    """The entry of the list for a model; the name may carry a path or its provider in front."""
    name = model.lower()
    for provider_id, ref in _ways(provider, name):
        try:
            found, info = get_snapshot().find_provider_model(ref, None, provider_id or None, None)
        except LookupError:
            continue
        return _Listed(found, info, ref, _starts(info), _is_daily(info), f"{found.id}/{info.id}")
    return None


def _ways(provider: str, name: str) -> list[tuple[str, str]]:
    """Provider and model to look for, in order."""
    ways = [(provider, name)]
    head, _, tail = name.partition("/")
    if head in ("models", "publishers"):
        ways.append((provider, name.rpartition("/")[2]))
    if tail and provider in ("", head):
        ways.append((_PROVIDERS.get(head, head), tail))
    return ways


def _is_daily(info: ModelInfo) -> bool:
    """Whether the prices of a model change with the day at most."""
    usual = [] if isinstance(info.prices, ModelPrice) else info.prices
    conditions = (entry.constraint for entry in (*usual, *(info.price_variants or ())))
    return all(c is None or isinstance(c, StartDateConstraint) for c in conditions)


def _starts(info: ModelInfo) -> tuple[int, ...]:
    """The input sizes above which another price holds."""
    prices = [info.prices] if isinstance(info.prices, ModelPrice) else []
    prices += [] if isinstance(info.prices, ModelPrice) else [c.prices for c in info.prices]
    prices += [variant.prices for variant in info.price_variants or ()]
    tiered = (v for p in prices for v in vars(p).values() if isinstance(v, TieredPrices))
    return tuple(sorted({tier.start for price in tiered for tier in price.tiers}))
