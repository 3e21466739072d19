"""Any provider's exchange, recognised by its shape and read as OTel GenAI.

The shape of the answer decides who reads it: a gateway speaks one provider's language and calls
another, and the address is only what the sender says. The address and the model decide the name.
"""

from __future__ import annotations

import urllib.parse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vagus.receive.providers import (
    anthropic,
    bedrock,
    cohere,
    gemini,
    openai_chat,
    openai_responses,
)
from vagus.receive.providers.exchange import Exchange, Reading
from vagus.receive.providers.probe import at, count, mapping, text
from vagus.receive.providers.request import asked_by, asked_model, offered_tools, parameters
from vagus.receive.providers.stream import Body, read_body
from vagus.receive.providers.usage import Usage
from vagus.receive.providers.vendors import provider_at, provider_named, provider_of_model

Chunk = Mapping[str, Any]
Assembled = tuple[Any, bool]


@dataclass(frozen=True, slots=True)
class Family:
    """One language of requests and answers; `provider` is whose it is when nobody says more."""

    name: str
    provider: str
    read: Callable[[Chunk, Reading], None]
    assemble: Callable[[Sequence[Chunk]], Assembled]
    read_asked: Callable[[Any, Reading], None]


def _assemble_last(chunks: Sequence[Chunk]) -> Assembled:
    return chunks[-1], True


def _assemble_chat(chunks: Sequence[Chunk]) -> Assembled:
    return openai_chat.assemble_chat(chunks, is_done=False, asks_usage=False)


def _read_asked_embedding(request: Any, reading: Reading) -> None:
    openai_responses.read_asked_response({"input": at(request, "input")}, reading)


CHAT = Family("chat", "", openai_chat.read_chat, _assemble_chat, openai_chat.read_asked)
RESPONSES = Family(
    "responses",
    "openai",
    openai_responses.read_response,
    openai_responses.assemble_response,
    openai_responses.read_asked_response,
)
EMBEDDINGS = Family(
    "embeddings", "", openai_responses.read_embeddings, _assemble_last, _read_asked_embedding
)
IMAGES = Family("images", "", openai_responses.read_images, _assemble_last, openai_chat.read_asked)
ANTHROPIC = Family(
    "anthropic",
    "anthropic",
    anthropic.read_message,
    anthropic.assemble_message,
    anthropic.read_asked_message,
)
GEMINI = Family(
    "gemini",
    "gcp.gemini",
    gemini.read_generated,
    gemini.assemble_generated,
    gemini.read_asked_generation,
)
CONVERSE = Family(
    "converse",
    "aws.bedrock",
    bedrock.read_converse,
    bedrock.assemble_converse,
    bedrock.read_asked_converse,
)
INVOKED = Family(
    "invoked",
    "aws.bedrock",
    bedrock.read_invoked,
    bedrock.assemble_invoked,
    bedrock.read_asked_invocation,
)
COHERE = Family(
    "cohere",
    "cohere",
    cohere.read_cohere,
    cohere.assemble_cohere,
    cohere.read_asked_cohere,
)

_CONVERSE_EVENTS = ("messageStart", "contentBlockStart", "contentBlockDelta", "metadata")
_ANTHROPIC_EVENTS = (
    "message",
    "message_start",
    "message_delta",
    "content_block_start",
    "completion",
)
_INVOKED_KEYS = ("generation", "inputTextTokenCount", "outputText", "outputs", "generations")
#: Chunks of a stream that are looked at to learn whose it is.
_SAMPLES = 8
_GEMINI_KEYS = ("candidates", "usageMetadata", "promptFeedback", "predictions")


def read_exchange(exchange: Exchange) -> Reading:
    """What an exchange says; whatever cannot be understood is left out, never guessed."""
    request, response, is_batch = _unbatched(exchange)
    body = read_body(response)
    url = urllib.parse.unquote(exchange.url)
    hint = provider_named(exchange.provider) or provider_at(url)
    asked = exchange.model or asked_model(request, url)
    family = _family(body, request, url, hint)
    reading = Reading(
        request_model=asked,
        parameters=parameters(request),
        tools=offered_tools(request),
        user=asked_by(request),
        is_streaming=body.is_stream or at(request, "stream") is True,
        provider=hint or family.provider,
    )
    whole, is_ended = _whole(family, body, request)
    reading.is_cut_off = not is_ended
    family.read_asked(request, reading)
    family.read(whole, reading)
    _complete(exchange, reading, whole, body, is_batch=is_batch)
    return reading


def _unbatched(exchange: Exchange) -> tuple[Any, Any, bool]:
    """The request and response inside a line of a batch's result file."""
    response = exchange.response
    body = at(response, "response", "body")
    if isinstance(body, Mapping) and "custom_id" in response:
        return exchange.request, body, True
    held = at(response, "result", "message")
    if isinstance(held, Mapping) and "custom_id" in response:
        return exchange.request, held, True
    if isinstance(at(response, "modelOutput"), Mapping):
        return at(response, "modelInput") or exchange.request, response["modelOutput"], True
    return exchange.request, response, exchange.is_batch


def _family(body: Body, request: Any, url: str, hint: str) -> Family:
    """Whose language an answer speaks; when it shows none, that of the request.

    A stream may begin with pings and other events that tell nothing.
    """
    samples = body.chunks[:_SAMPLES] or [body.whole]
    found = (family for sample in samples if (family := family_of(sample, hint)))
    return next(found, None) or _family_asked(request, url, hint)


def family_of(sample: Chunk, hint: str) -> Family | None:
    """Whose language one object of an answer speaks, or None."""
    kind = text(sample, "type")
    if at(sample, "object") == "list" and "data" in sample:
        return EMBEDDINGS
    if text(sample, "object") in ("response", "realtime.response") or kind.startswith("response."):
        return RESPONSES
    if "choices" in sample:
        return CHAT
    if any(key in sample for key in _GEMINI_KEYS) or (isinstance(sample.get("embedding"), Mapping)):
        return GEMINI
    if any(key in sample for key in _CONVERSE_EVENTS) or "message" in mapping(sample, "output"):
        return CONVERSE
    if hint == "cohere" or _is_cohere(sample, kind):
        return COHERE
    if kind in _ANTHROPIC_EVENTS or ("stop_reason" in sample and "content" in sample):
        return ANTHROPIC
    if any(key in sample for key in _INVOKED_KEYS) or bedrock.METRICS in sample:
        return INVOKED
    if "data" in sample and "created" in sample:
        return IMAGES
    return None


def _is_cohere(sample: Chunk, kind: str) -> bool:
    return (
        "billed_units" in mapping(sample, "meta")
        or "billed_units" in mapping(sample, "usage")
        or kind in ("message-start", "message-end", "content-start")
        or text(sample, "event_type") in ("stream-start", "text-generation")
    )


def _family_asked(request: Any, url: str, hint: str) -> Family:
    if "contents" in mapping(request) or "enerateContent" in url:
        return GEMINI
    if "/converse" in url or "inferenceConfig" in mapping(request):
        return CONVERSE
    is_anthropic = hint == "anthropic" or "anthropic_version" in mapping(request)
    if (
        is_anthropic
        or "/v1/messages" in url
        or provider_of_model(text(request, "model")) == "anthropic"
    ):
        return ANTHROPIC
    if "input" in mapping(request):
        return EMBEDDINGS if "/embeddings" in url else RESPONSES
    if hint == "aws.bedrock":
        return INVOKED
    return CHAT


def _whole(family: Family, body: Body, request: Any) -> Assembled:
    if not body.is_stream:
        # A stream of which nothing came is one that was cut off.
        is_empty = not body.whole and at(request, "stream") is True
        return body.whole, not is_empty
    if family is CHAT:
        asks = at(request, "stream_options", "include_usage") is True
        return openai_chat.assemble_chat(body.chunks, is_done=body.is_done, asks_usage=asks)
    return family.assemble(body.chunks)


def _complete(
    exchange: Exchange, reading: Reading, whole: Chunk, body: Body, *, is_batch: bool
) -> None:
    """What is the same for every family: who answered, the tier, the error, counts from outside."""
    model = reading.response_model or reading.request_model
    reading.provider = reading.provider or provider_of_model(model) or "openai"
    if reading.provider == "openai" and reading.operation == "chat" and "choices" in whole:
        reading.api_type = "chat_completions"
    if is_batch and not reading.service_tier.startswith("batch"):
        is_usual = reading.service_tier in ("", "standard", "default", "on_demand")
        reading.service_tier = "batch" if is_usual else f"batch_{reading.service_tier}"
    metrics = next(
        (m for c in (*body.chunks[::-1], whole) if (m := mapping(c, bedrock.METRICS))), {}
    )
    for metered in (bedrock.metered_usage(metrics), exchange.metered):
        if metered is not None and metered.is_known:
            _fill(reading, metered)
    _include_cached(reading.usage)
    if reading.operation == "embeddings":
        reading.is_cut_off = False
    _read_error(whole, reading)


def _fill(reading: Reading, metered: Usage) -> None:
    """Counts from outside the body, where the body gives none."""
    usage = reading.usage
    if usage.input_tokens is None:
        usage.input_tokens = metered.input_tokens
        usage.cache_read = usage.cache_read if usage.cache_read is not None else metered.cache_read
        usage.cache_write = (
            usage.cache_write if usage.cache_write is not None else metered.cache_write
        )
    if usage.output_tokens is None:
        usage.output_tokens = metered.output_tokens


def _include_cached(usage: Usage) -> None:
    """More cached tokens than input can only be counted beside it, as some gateways do."""
    cached = (usage.cache_read or 0) + (usage.cache_write or 0)
    if usage.input_tokens is not None and cached > usage.input_tokens:
        usage.input_tokens += cached


def _read_error(whole: Chunk, reading: Reading) -> None:
    held = whole.get("error")
    if isinstance(held, str) and held:
        reading.error, reading.error_type = held, "error"
    elif isinstance(held, Mapping) and held:
        code = text(held, "code") or text(held, "type") or text(held, "status")
        number = count(held, "code")
        reading.error = text(held, "message") or code
        reading.error_type = code or (str(number) if number is not None else "error")
    elif text(whole, "type") == "error" or ("__type" in whole and "message" in whole):
        reading.error = text(whole, "message")
        reading.error_type = text(whole, "__type") or "error"
