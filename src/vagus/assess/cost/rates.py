"""What one unit of each class costs, and what a call costs at such rates: pure arithmetic."""

from __future__ import annotations

import msgspec

from vagus.model.usage import Price, Usage


class Rates(msgspec.Struct, frozen=True, kw_only=True):
    """USD for one token of each class, for one web search, and for the call itself.

    A class without a rate of its own costs what the class costs that it is a part of: cached and
    written tokens and images in the input, reasoning and images in the output. That is not so for
    sound, which costs many times the text where it is sold; without a rate it has no price, unless
    `audio_as_text` says that it costs the same.
    """

    input: float | None = None
    output: float | None = None
    cache_read: float | None = None
    cache_write: float | None = None
    cache_write_1h: float | None = None
    reasoning: float | None = None
    audio_input: float | None = None
    audio_output: float | None = None
    audio_cache_read: float | None = None
    image_input: float | None = None
    image_output: float | None = None
    web_search: float | None = None
    request: float = 0.0
    audio_as_text: bool = False

    def scaled(self, factor: float) -> Rates:
        """The same with every price of a token multiplied; fees stay."""
        return msgspec.structs.replace(
            self,
            **{
                name: rate * factor for name in _SCALED if (rate := getattr(self, name)) is not None
            },
        )


_SCALED = (
    "input", "output", "cache_read", "cache_write", "cache_write_1h", "reasoning", "audio_input",
    "audio_output", "audio_cache_read", "image_input", "image_output",
)  # fmt: skip


def price_at(usage: Usage, rates: Rates, source: str, price_id: str) -> Price | None:
    """The cost of a call; None when something it used has no rate."""
    if _is_text(usage, rates):
        return _text_price(usage, rates, source, price_id)
    took = _input(usage, rates)
    gave = _output(usage, rates)
    searches = usage.web_search_requests
    if took is None or gave is None or (searches and rates.web_search is None):
        return None
    input_usd, read_usd, write_usd, audio_in_usd, image_in_usd = took
    output_usd, audio_out_usd, image_out_usd = gave
    return Price(
        input_usd=input_usd,
        output_usd=output_usd,
        cache_read_usd=read_usd,
        cache_write_usd=write_usd,
        audio_usd=audio_in_usd + audio_out_usd,
        image_usd=image_in_usd + image_out_usd,
        request_usd=rates.request + searches * (rates.web_search or 0.0),
        source=source,
        price_id=price_id,
    )


def _is_text(usage: Usage, rates: Rates) -> bool:
    """Whether a call is of the usual kind, text in and out, which has a short way."""
    return (
        rates.input is not None
        and rates.output is not None
        and rates.reasoning is None
        and not usage.cache_write_tokens
        and not usage.audio_input_tokens
        and not usage.audio_output_tokens
        and not usage.image_input_tokens
        and not usage.image_output_tokens
        and not usage.web_search_requests
    )


def _text_price(usage: Usage, rates: Rates, source: str, price_id: str) -> Price:
    base = rates.input or 0.0
    read = usage.cache_read_tokens
    return Price(
        input_usd=max(0, usage.input_tokens - read) * base,
        output_usd=usage.output_tokens * (rates.output or 0.0),
        cache_read_usd=read * (base if rates.cache_read is None else rates.cache_read),
        request_usd=rates.request,
        source=source,
        price_id=price_id,
    )


def _input(usage: Usage, rates: Rates) -> tuple[float, ...] | None:
    """USD of plain, read, written, audio and image tokens; None when one has no rate."""
    read, written = usage.cache_read_tokens, usage.cache_write_tokens
    # Cached tokens that cannot all be text are sound.
    heard = usage.audio_input_tokens
    heard_again = max(usage.audio_cache_read_tokens, read + heard - usage.input_tokens)
    heard_again = min(max(0, heard_again), heard, read)
    left = max(0, usage.input_tokens - read - written)
    fresh_audio = min(heard - heard_again, left)
    images = (
        min(usage.image_input_tokens, left - fresh_audio) if rates.image_input is not None else 0
    )
    if images and read and rates.image_input != rates.input:
        # Nobody says how many of the cached tokens were images, which cost another rate.
        return None
    plain = left - fresh_audio - images
    base = rates.input
    audio = base if rates.audio_input is None and rates.audio_as_text else rates.audio_input
    cached = _or(rates.cache_read, base)
    cached_audio = _or(rates.audio_cache_read, cached if rates.audio_as_text else audio)
    late = min(usage.cache_write_1h_tokens, written)
    late_rate = rates.cache_write_1h
    if late_rate is None and rates.cache_write is None:
        late_rate = base
    return _sums(
        ((plain, base),),
        ((read - heard_again, cached), (heard_again, cached_audio)),
        ((written - late, _or(rates.cache_write, base)), (late, late_rate)),
        ((fresh_audio, audio),),
        ((images, rates.image_input),),
    )


def _output(usage: Usage, rates: Rates) -> tuple[float, ...] | None:
    """USD of plain, audio and image tokens that were given back."""
    total, base = usage.output_tokens, rates.output
    spoken = min(usage.audio_output_tokens, total)
    drawn = min(usage.image_output_tokens, total - spoken) if rates.image_output is not None else 0
    rest = total - spoken - drawn
    thought = min(usage.reasoning_tokens, rest) if rates.reasoning is not None else 0
    audio = base if rates.audio_output is None and rates.audio_as_text else rates.audio_output
    return _sums(
        ((rest - thought, base), (thought, rates.reasoning)),
        ((spoken, audio),),
        ((drawn, rates.image_output),),
    )


def _or(rate: float | None, whole: float | None) -> float | None:
    return whole if rate is None else rate


def _sums(*parts: tuple[tuple[int, float | None], ...]) -> tuple[float, ...] | None:
    """The cost of each part; None when tokens of any have no rate."""
    totals = []
    for part in parts:
        total = 0.0
        for tokens, rate in part:
            if tokens and rate is None:
                return None
            total += tokens * (rate or 0.0)
        totals.append(total)
    return tuple(totals)
