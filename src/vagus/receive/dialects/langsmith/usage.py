"""Tokens and cost out of a LangSmith run, wherever its framework put them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vagus.receive.dialects.shared import count, first, listed, mapping, number
from vagus.receive.providers.usage import Usage

_TIERS = ("priority", "flex")


def read_usage(metadata: Mapping[str, Any], outputs: Mapping[str, Any]) -> dict[str, Any]:
    """The usage as span attributes; nothing when the run says none."""
    held = _langchain_usage(metadata, outputs)
    if held:
        return _from_langchain(held)
    raw = (
        mapping(mapping(outputs.get("llm_output")).get("token_usage"))
        or mapping(mapping(outputs.get("llm_output")).get("usage"))
        or mapping(outputs.get("usage"))
    )
    return from_provider(raw)


def messages_of(outputs: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The messages inside `generations`, without LangChain's wrapping."""
    found = []
    for group in listed(outputs.get("generations")):
        for generation in group if isinstance(group, list) else [group]:
            message = mapping(mapping(generation).get("message"))
            if message:
                found.append(mapping(message.get("kwargs")) or message)
    return found


def _langchain_usage(metadata: Mapping[str, Any], outputs: Mapping[str, Any]) -> dict[str, Any]:
    for holder in (metadata, outputs, mapping(outputs.get("output"))):
        if found := mapping(holder.get("usage_metadata")):
            return found
    for message in messages_of(outputs):
        if found := mapping(message.get("usage_metadata")):
            return found
    return {}


def _from_langchain(usage: Mapping[str, Any]) -> dict[str, Any]:
    """LangChain's usage_metadata: its input and output include what the details list."""
    into = mapping(usage.get("input_token_details"))
    out = mapping(usage.get("output_token_details"))
    short, long = (
        count(into.get("ephemeral_5m_input_tokens")),
        count(into.get("ephemeral_1h_input_tokens")),
    )
    written = _most(count(into.get("cache_creation")), _total(short, long))
    total_cost = number(usage.get("total_cost"))
    tokens = count(usage.get("input_tokens"))
    found = Usage(
        input_tokens=tokens,
        output_tokens=count(usage.get("output_tokens")),
        cache_read=_tiered(into, "cache_read"),
        cache_write=written,
        cache_write_5m=short,
        cache_write_1h=long,
        reasoning=_tiered(out, "reasoning"),
        audio_input=count(into.get("audio")),
        audio_output=count(out.get("audio")),
        image_input=count(into.get("image")),
        image_output=count(out.get("image")),
        cost_usd=total_cost,
    ).attributes()
    if tier := _tier(into) or _tier(out):
        found["vagus.service_tier"] = tier
    if total_cost == 0 and tokens:
        # LangChain says that an answer out of its own cache cost nothing, and nothing else.
        found["vagus.local_cache"] = "hit"
    return found


def from_provider(usage: Mapping[str, Any]) -> dict[str, Any]:
    """The usage block of a provider's own answer: OpenAI's, or Anthropic's beside its cache."""
    tokens = count(first(usage, "prompt_tokens", "input_tokens"))
    output = count(first(usage, "completion_tokens", "output_tokens"))
    if tokens is None and output is None:
        return {}
    into = mapping(first(usage, "prompt_tokens_details", "input_tokens_details"))
    out = mapping(first(usage, "completion_tokens_details", "output_tokens_details"))
    read = count(usage.get("cache_read_input_tokens"))
    written = count(usage.get("cache_creation_input_tokens"))
    lives = mapping(usage.get("cache_creation"))
    if tokens is not None and (read is not None or written is not None):
        # Anthropic counts what it read from and wrote to its cache beside the input.
        tokens += (read or 0) + (written or 0)
    return Usage(
        input_tokens=tokens,
        output_tokens=output,
        cache_read=count(into.get("cached_tokens")) if read is None else read,
        cache_write=written,
        cache_write_5m=count(lives.get("ephemeral_5m_input_tokens")),
        cache_write_1h=count(lives.get("ephemeral_1h_input_tokens")),
        audio_input=count(into.get("audio_tokens")),
        reasoning=count(out.get("reasoning_tokens")),
        audio_output=count(out.get("audio_tokens")),
    ).attributes()


def _tiered(details: Mapping[str, Any], name: str) -> int | None:
    """A class of tokens, which carries the tier's name before it when the tier is no default."""
    found = None
    for key in (name, *(f"{tier}_{name}" for tier in _TIERS)):
        found = _total(found, count(details.get(key)))
    return found


def _tier(details: Mapping[str, Any]) -> str | None:
    return next((tier for tier in _TIERS if tier in details), None)


def _total(a: int | None, b: int | None) -> int | None:
    return b if a is None else a if b is None else a + b


def _most(a: int | None, b: int | None) -> int | None:
    return b if a is None else a if b is None else max(a, b)
