"""Cohere: chat in both versions, embed and rerank.

`billed_units` is what is charged and `tokens` what the model read, with Cohere's own preamble; the
billed ones are kept (docs.cohere.com, "Chat", usage). `cached_tokens` is a part of `tokens`, and
is kept where it is also no more than what was billed. A rerank is charged in `search_units`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from vagus.receive.providers.content import messages
from vagus.receive.providers.exchange import Reading
from vagus.receive.providers.probe import at, count, mapping, objects, text
from vagus.receive.providers.usage import Usage

_MOST_CALLS = 1_000
Chunk = Mapping[str, Any]


def read_cohere(whole: Chunk, reading: Reading) -> None:
    """Read any answer of Cohere's own API into `reading`."""
    reading.response_id = text(whole, "id") or text(whole, "generation_id")
    reading.response_model = text(whole, "model")
    usage = mapping(whole, "usage") or mapping(whole, "meta")
    reading.usage = cohere_usage(usage)
    if units := count(usage, "billed_units", "search_units"):
        reading.extra["cohere.usage.search_units"] = units
    if "results" in whole:
        reading.operation = "rerank"
        if units is not None:
            reading.usage = Usage()
        return
    if "embeddings" in whole:
        reading.operation = "embeddings"
        if reading.usage.input_tokens is not None:
            reading.usage.output_tokens = 0
        return
    if reason := text(whole, "finish_reason"):
        reading.finish_reasons = [reason]
    held = whole.get("message")
    if not isinstance(held, Mapping):
        held = {"content": text(whole, "text"), "tool_calls": whole.get("tool_calls")}
    reading.output = messages([{**held, "role": "assistant"}], "assistant")


def cohere_usage(usage: Chunk) -> Usage:
    """The usage of Cohere in the one accounting: billed units, else tokens."""
    billed = mapping(usage, "billed_units")
    is_billed = "input_tokens" in billed or "output_tokens" in billed
    held = billed if is_billed else mapping(usage, "tokens")
    found = Usage(
        input_tokens=count(held, "input_tokens"), output_tokens=count(held, "output_tokens")
    )
    cached = count(usage, "cached_tokens")
    if cached is not None and cached <= (found.input_tokens or 0):
        found.cache_read = cached
    return found


def assemble_cohere(chunks: Sequence[Chunk]) -> tuple[Any, bool]:
    """The answer that the events of a stream add up to, and whether it came to its end."""
    whole: dict[str, Any] = {}
    pieces: list[str] = []
    calls: dict[int, dict[str, Any]] = {}
    is_ended = False
    for chunk in chunks:
        kind = text(chunk, "type") or text(chunk, "event_type")
        if kind == "message-start":
            whole["id"] = text(chunk, "id")
        elif kind == "content-delta":
            pieces.append(text(chunk, "delta", "message", "content", "text"))
        elif kind == "text-generation":
            pieces.append(text(chunk, "text"))
        elif kind in ("tool-call-start", "tool-call-delta"):
            _add_call(calls, chunk)
        elif kind == "message-end":
            whole |= mapping(chunk, "delta")
            is_ended = True
        elif kind == "stream-end":
            return {**mapping(chunk, "response"), "finish_reason": chunk.get("finish_reason")}, True
    made = [{**call, "arguments": "".join(call["arguments"])} for _, call in sorted(calls.items())]
    whole["message"] = {"content": "".join(pieces), "tool_calls": made}
    return whole, is_ended


def _add_call(calls: dict[int, dict[str, Any]], chunk: Chunk) -> None:
    index = count(chunk, "index") or 0
    if index >= _MOST_CALLS:
        return
    call = calls.setdefault(index, {"id": None, "name": "", "arguments": []})
    held = mapping(chunk, "delta", "message", "tool_calls")
    call["id"] = call["id"] or held.get("id")
    call["name"] = call["name"] or text(held, "function", "name")
    call["arguments"].append(text(held, "function", "arguments"))


def read_asked_cohere(request: Any, reading: Reading) -> None:
    """Read the messages of either version, or what was to be embedded, into `reading`."""
    reading.input = messages(at(request, "messages"), "user")
    if not reading.input:
        earlier = messages(
            [
                {"role": text(item, "role"), "content": item.get("message")}
                for item in objects(request, "chat_history")
            ]
        )
        reading.input = [*earlier, *messages(at(request, "message"), "user")]
    if not reading.input:
        reading.input = messages(at(request, "texts") or at(request, "query"), "user")
