"""Prices of one's own: a contract, a discount on the list, or machines paid by the hour."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

import msgspec

from vagus.assess.cost.rates import Rates, price_at
from vagus.errors import BadInput
from vagus.model.usage import Price, Usage

ListPrice = Callable[[Usage], Price | None]

CLASSES = (
    "input", "output", "cache_read", "cache_write", "cache_write_1h", "reasoning", "audio_input",
    "audio_output", "audio_cache_read", "image_input", "image_output",
)  # fmt: skip
FEES = ("web_search", "request")
TIERS = ("batch", "flex", "priority", "fast", "us", "batch_us")
_USUAL = frozenset(("", "default", "standard", "auto", "on_demand"))
_MILLION = 1_000_000
_LONGEST = 200
#: No price of today comes near; a slip of the keyboard does.
_MOST_USD = 1_000_000.0
_MAX_STEPS = 20
_HOUR_S = 3600.0


class Match(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which models a price is for, by exactly one of these; letters count in any case."""

    equals: str | None = None
    starts_with: str | None = None
    ends_with: str | None = None
    contains: str | None = None
    regex: str | None = None

    @property
    def said(self) -> tuple[str, str]:
        """The way that is used and its text."""
        ways = [(way, text) for way in self.__struct_fields__ if (text := getattr(self, way))]
        if len(ways) != 1:
            known = ", ".join(self.__struct_fields__)
            raise BadInput(f"a model is matched in exactly one way of: {known}", field="model")
        return ways[0]

    @property
    def rank(self) -> tuple[int, int]:
        """How narrow it is, for choosing among several."""
        way, text = self.said
        return ("regex", "contains", "ends_with", "starts_with", "equals").index(way), len(text)

    def fits(self, model: str) -> bool:
        """Whether a model is meant."""
        way, text = self.said
        name, wanted = model.lower(), text.lower()
        if way == "regex":
            return re.search(text, model, re.IGNORECASE) is not None
        if way == "contains":
            return wanted in name
        if way == "equals":
            return name == wanted
        return name.startswith(wanted) if way == "starts_with" else name.endswith(wanted)


class Above(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The prices of all tokens of a call with more input tokens than this."""

    input_tokens: int
    per_million: dict[str, float]


class Gpu(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Machines of one's own, paid by the hour whether they are used or not.

    With the measured tokens a second of the whole deployment under load, a call costs the time that
    its tokens take. Without them it costs its own duration, shared among `concurrency` calls that
    run side by side.
    """

    usd_per_hour: float
    gpus: float = 1.0
    concurrency: float = 1.0
    input_tokens_per_s: float | None = None
    output_tokens_per_s: float | None = None


class OwnPrice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A price of one's own; exactly one of `per_million`, `list_factor` and `gpu` says how much.

    Amounts are USD for a million tokens of a class, and for one web search or request. `tiers` are
    factors on the prices of tokens. It holds for calls from `valid_from_ms` until before
    `valid_to_ms`, by the time of the call.
    """

    model: Match
    name: str = ""
    provider: str = ""
    per_million: dict[str, float] = {}
    each: dict[str, float] = {}
    above: list[Above] = []
    tiers: dict[str, float] = {}
    list_factor: float | None = None
    gpu: Gpu | None = None
    valid_from_ms: int = 0
    valid_to_ms: int | None = None

    def holds(self, usage: Usage) -> bool:
        """Whether the price is for a call."""
        time_ms = usage.time_s * 1000
        if time_ms < self.valid_from_ms or (self.valid_to_ms or math.inf) <= time_ms:
            return False
        return self.provider in ("", usage.provider) and self.model.fits(usage.model)

    def price(self, usage: Usage, price_id: str, list_price: ListPrice) -> Price | None:
        """What a call costs by this price; None when it does not say enough."""
        if self.gpu is not None:
            return _by_hour(self.gpu, usage, price_id)
        if not usage.is_said:
            return None
        if self.list_factor is not None:
            listed = list_price(usage)
            return _times(listed, self.list_factor, price_id) if listed else None
        rates = self._rates(usage)
        return None if rates is None else price_at(usage, rates, "contract", price_id)

    def _rates(self, usage: Usage) -> Rates | None:
        factor = 1.0 if usage.service_tier in _USUAL else self.tiers.get(usage.service_tier)
        if factor is None:
            return None
        per_million = self.per_million
        for step in sorted(self.above, key=lambda step: step.input_tokens):
            if usage.input_tokens > step.input_tokens:
                per_million = {**self.per_million, **step.per_million}
        amounts: dict[str, Any] = {name: usd / _MILLION for name, usd in per_million.items()}
        fees: dict[str, Any] = self.each
        rates = Rates(**amounts, **fees, audio_as_text=True)
        return rates.scaled(factor)


def decode_price(spec: Any) -> OwnPrice:
    """The price that a specification says; raises `BadInput` with what is wrong."""
    try:
        price = msgspec.convert(spec, OwnPrice)
    except msgspec.ValidationError as e:
        raise BadInput(f"this is not a price: {e}", field="price") from e
    _check(price)
    return price


def _check(price: OwnPrice) -> None:
    way, text = price.model.said
    if len(text) > _LONGEST:
        raise BadInput("the model's name is too long", field="model", limit=f"{_LONGEST}")
    if way == "regex":
        try:
            re.compile(text)
        except re.error as e:
            raise BadInput(f"{text[:80]!r} is not a regular expression: {e}", field="model") from e
    kinds = (bool(price.per_million or price.each), price.list_factor is not None, price.gpu)
    if sum(map(bool, kinds)) != 1:
        raise BadInput("a price says one of per_million, list_factor and gpu", field="price")
    if len(price.above) > _MAX_STEPS:
        raise BadInput("there are too many steps", field="above", limit=f"{_MAX_STEPS}")
    _check_amounts("per_million", price.per_million, CLASSES)
    for step in price.above:
        _check_amounts("above", step.per_million, CLASSES)
    _check_amounts("each", price.each, FEES)
    _check_amounts("tiers", price.tiers, TIERS)
    if price.list_factor is not None:
        _check_amounts("list_factor", {"factor": price.list_factor}, ("factor",))
    if price.gpu is not None:
        _check_gpu(price.gpu)
    if price.valid_to_ms is not None and price.valid_to_ms <= price.valid_from_ms:
        raise BadInput("the price ends before it begins", field="valid_to_ms")


def _check_amounts(field: str, amounts: dict[str, float], known: tuple[str, ...]) -> None:
    for name, usd in amounts.items():
        if name not in known:
            raise BadInput(f"there is no {name[:80]!r}; known: {', '.join(known)}", field=field)
        if not 0 <= usd <= _MOST_USD:
            raise BadInput(f"{name} is {usd}", field=field, limit=f"0 to {_MOST_USD:g}")


def _check_gpu(gpu: Gpu) -> None:
    _check_amounts("gpu", {"usd_per_hour": gpu.usd_per_hour}, ("usd_per_hour",))
    for name in ("gpus", "concurrency", "input_tokens_per_s", "output_tokens_per_s"):
        value = getattr(gpu, name)
        if value is not None and not (math.isfinite(value) and value > 0):
            raise BadInput(f"{name} is {value}", field="gpu", limit="more than 0")


def _times(price: Price, factor: float, price_id: str) -> Price:
    return Price(
        input_usd=price.input_usd * factor,
        output_usd=price.output_usd * factor,
        cache_read_usd=price.cache_read_usd * factor,
        cache_write_usd=price.cache_write_usd * factor,
        audio_usd=price.audio_usd * factor,
        image_usd=price.image_usd * factor,
        request_usd=price.request_usd * factor,
        source="contract",
        price_id=price_id,
    )


def _by_hour(gpu: Gpu, usage: Usage, price_id: str) -> Price | None:
    usd_per_s = gpu.usd_per_hour * gpu.gpus / _HOUR_S
    if gpu.input_tokens_per_s is None and gpu.output_tokens_per_s is None:
        shared = usage.duration_s * usd_per_s / gpu.concurrency
        return Price(request_usd=shared, source="gpu_hour", price_id=price_id)
    if not usage.is_said:
        return None
    taken_s = usage.input_tokens / gpu.input_tokens_per_s if gpu.input_tokens_per_s else 0.0
    given_s = usage.output_tokens / gpu.output_tokens_per_s if gpu.output_tokens_per_s else 0.0
    return Price(
        input_usd=taken_s * usd_per_s,
        output_usd=given_s * usd_per_s,
        source="gpu_hour",
        price_id=price_id,
    )
