"""The tokens of a call by class, whichever way its telemetry counts them."""

from __future__ import annotations

from typing import TypedDict

from vagus.settle.span import Span


class Tokens(TypedDict):
    """What a call used; every class is a part of the input or of the output, which hold it all.

    Read, written, audio and image tokens are parts of the input, reasoning, audio and image tokens
    of the output; the 5 minute and 1 hour writes are parts of those written.
    """

    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    reasoning_tokens: int
    cache_write_5m_tokens: int
    cache_write_1h_tokens: int
    audio_input_tokens: int
    audio_output_tokens: int
    audio_cache_read_tokens: int
    image_input_tokens: int
    image_output_tokens: int
    web_search_requests: int


#: A step whose usage is charged elsewhere, or by nobody.
NO_TOKENS = Tokens(
    input_tokens=0,
    output_tokens=0,
    cache_read_tokens=0,
    cache_write_tokens=0,
    reasoning_tokens=0,
    cache_write_5m_tokens=0,
    cache_write_1h_tokens=0,
    audio_input_tokens=0,
    audio_output_tokens=0,
    audio_cache_read_tokens=0,
    image_input_tokens=0,
    image_output_tokens=0,
    web_search_requests=0,
)


def tokens_of(span: Span) -> Tokens:
    """The tokens that a span says it used, every part within its whole."""
    read, heard = span.cache_read_tokens or 0, span.audio_input_tokens or 0
    return Tokens(
        input_tokens=input_total(span),
        output_tokens=output_total(span),
        cache_read_tokens=read,
        cache_write_tokens=_written(span),
        reasoning_tokens=span.reasoning_tokens or 0,
        cache_write_5m_tokens=span.cache_write_5m_tokens or 0,
        cache_write_1h_tokens=span.cache_write_1h_tokens or 0,
        audio_input_tokens=heard,
        audio_output_tokens=span.audio_output_tokens or 0,
        audio_cache_read_tokens=min(span.audio_cache_read_tokens or 0, read, heard),
        image_input_tokens=span.image_input_tokens or 0,
        image_output_tokens=span.image_output_tokens or 0,
        web_search_requests=span.web_search_requests or 0,
    )


def input_total(span: Span) -> int:
    """Input tokens with the cached ones included, whichever way the emitter counts.

    OpenTelemetry counts cached tokens inside the input; raw Anthropic and Bedrock figures leave
    them out. The span may say which; where it does not, or says what cannot be, more cached tokens
    than input tokens can only be the second way.
    """
    said = span.input_tokens or 0
    cached = (span.cache_read_tokens or 0) + _written(span)
    is_apart = span.cache_accounting == "exclusive" or cached > said
    total = said + cached if is_apart else said
    return max(total, (span.audio_input_tokens or 0) + (span.image_input_tokens or 0))


def output_total(span: Span) -> int:
    """Output tokens with the reasoning included; more reasoning than output was counted apart."""
    said, reasoning = span.output_tokens or 0, span.reasoning_tokens or 0
    total = said + reasoning if reasoning > said else said
    return max(total, (span.audio_output_tokens or 0) + (span.image_output_tokens or 0))


def _written(span: Span) -> int:
    by_age = (span.cache_write_5m_tokens or 0) + (span.cache_write_1h_tokens or 0)
    return max(span.cache_write_tokens or 0, by_age)
