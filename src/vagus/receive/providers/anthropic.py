"""Anthropic messages, from Anthropic itself, Bedrock and Vertex.

`usage.input_tokens` leaves out `cache_read_input_tokens` and `cache_creation_input_tokens`; all
input is the sum of the three (platform.claude.com, "Prompt caching", tracking performance).
`cache_creation` splits the writes by how long they live. `output_tokens` includes thinking.
`server_tool_use.web_search_requests` is charged by the request. `service_tier` is standard,
priority or batch, the tier that answered; `speed` is fast in fast mode, and `inference_geo` says
where it ran if that was restricted ("Data residency"): both have their own prices.

In a stream the usage of `message_start` and of each `message_delta` is a running total ("Streaming
messages"): adding them up counts twice. The count of `message_start` says nothing about the output
of a stream that was cut off.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from vagus.receive.providers.content import instructions, messages
from vagus.receive.providers.exchange import Reading
from vagus.receive.providers.probe import at, count, mapping, said, text
from vagus.receive.providers.usage import Usage

_MOST_BLOCKS = 10_000
_ANYWHERE = ("global", "not_available")
Chunk = Mapping[str, Any]


def read_message(whole: Chunk, reading: Reading) -> None:
    """Read a message, or an answer of the old completion API, into `reading`."""
    reading.response_model = text(whole, "model")
    reading.response_id = text(whole, "id")
    usage = mapping(whole, "usage")
    reading.usage = message_usage(usage)
    reading.service_tier = text(usage, "service_tier")
    if text(usage, "speed") not in ("", "standard"):
        reading.service_tier = text(usage, "speed")
    _read_place(text(usage, "inference_geo"), reading)
    if reason := text(whole, "stop_reason"):
        reading.finish_reasons = [reason]
    if isinstance(whole.get("completion"), str):
        reading.operation = "text_completion"
        reading.output = messages([whole["completion"]], "assistant")
        return
    reading.output = messages([{"role": "assistant", "content": whole.get("content")}], "assistant")


def _read_place(place: str, reading: Reading) -> None:
    """Being kept inside one country has a price, so it is a tier of its own."""
    if not place:
        return
    reading.extra["anthropic.inference_geo"] = place
    if place not in _ANYWHERE:
        tier = "" if reading.service_tier == "standard" else reading.service_tier
        reading.service_tier = "_".join(part for part in (tier, place) if part)


def message_usage(usage: Chunk) -> Usage:
    """The usage of a message in the one accounting."""
    read = count(usage, "cache_read_input_tokens")
    short = count(usage, "cache_creation", "ephemeral_5m_input_tokens")
    long = count(usage, "cache_creation", "ephemeral_1h_input_tokens")
    written = count(usage, "cache_creation_input_tokens")
    if not written and said(short, long):
        written = said(short, long)
    plain = count(usage, "input_tokens")
    return Usage(
        input_tokens=said(plain, read, written) if plain is not None else None,
        output_tokens=count(usage, "output_tokens"),
        cache_read=read,
        cache_write=written,
        cache_write_5m=short,
        cache_write_1h=long,
        reasoning=count(usage, "output_tokens_details", "thinking_tokens"),
        web_search_requests=count(usage, "server_tool_use", "web_search_requests"),
    )


def assemble_message(chunks: Sequence[Chunk]) -> tuple[Any, bool]:
    """The message that the events of a stream add up to, and whether it came to its end."""
    whole: dict[str, Any] = {}
    usage: dict[str, Any] = {}
    blocks: dict[int, dict[str, Any]] = {}
    completion: list[str] = []
    is_ended = is_counted = False
    for chunk in chunks:
        kind = text(chunk, "type")
        if kind == "message_start":
            whole |= mapping(chunk, "message")
            usage = merge_totals(usage, mapping(chunk, "message", "usage"))
        elif kind == "content_block_start":
            index = count(chunk, "index") or 0
            if index < _MOST_BLOCKS:
                blocks[index] = dict(mapping(chunk, "content_block"))
        elif kind == "content_block_delta":
            _add_delta(blocks, count(chunk, "index") or 0, mapping(chunk, "delta"))
        elif kind == "message_delta":
            whole |= {k: v for k, v in mapping(chunk, "delta").items() if v is not None}
            usage = merge_totals(usage, mapping(chunk, "usage"))
            is_counted = is_counted or count(chunk, "usage", "output_tokens") is not None
            is_ended = is_ended or bool(text(chunk, "delta", "stop_reason"))
        elif kind == "message_stop":
            is_ended = True
        elif kind == "error":
            whole["error"] = chunk.get("error")
        elif isinstance(chunk.get("completion"), str):
            completion.append(chunk["completion"])
            whole["stop_reason"] = chunk.get("stop_reason")
            is_ended = bool(chunk.get("stop_reason"))
    if not is_ended and not is_counted:
        usage.pop("output_tokens", None)
    if completion:
        whole["completion"] = "".join(completion)
    whole["usage"] = usage
    whole["content"] = [_finished(blocks[index]) for index in sorted(blocks)]
    return whole, is_ended


def merge_totals(before: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
    """Two states of running totals as one: a total never falls, whatever a later event leaves out.

    Some servers that imitate the protocol send zeros in the later event.
    """
    found = dict(before)
    for key, value in now.items():
        known = found.get(key)
        if isinstance(value, Mapping):
            found[key] = merge_totals(known if isinstance(known, Mapping) else {}, value)
        elif isinstance(value, int) and isinstance(known, int):
            found[key] = max(known, value)
        elif value is not None:
            found[key] = value
    return found


def _add_delta(blocks: dict[int, dict[str, Any]], index: int, delta: Chunk) -> None:
    if index >= _MOST_BLOCKS:
        return
    block = blocks.setdefault(index, {"type": "text"})
    for key in ("text", "thinking", "partial_json"):
        if isinstance(piece := delta.get(key), str):
            block.setdefault(f"_{key}", []).append(piece)


def _finished(block: dict[str, Any]) -> dict[str, Any]:
    for key in ("text", "thinking"):
        if f"_{key}" in block:
            block[key] = text(block, key) + "".join(block.pop(f"_{key}"))
    if "_partial_json" in block:
        block["input"] = "".join(block.pop("_partial_json"))
    return block


def read_asked_message(request: Any, reading: Reading) -> None:
    """Read the system prompt and the messages of a request into `reading`."""
    reading.system = instructions(at(request, "system"))
    reading.input = messages(at(request, "messages"), "user")
    if not reading.input:
        reading.input = messages(at(request, "prompt"), "user")
