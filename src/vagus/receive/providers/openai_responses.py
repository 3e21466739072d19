"""The OpenAI Responses API, realtime responses, images and embeddings.

`usage.input_tokens` includes `input_tokens_details.cached_tokens`, `output_tokens` includes
`output_tokens_details.reasoning_tokens` (OpenAI API reference, "The response object"). A stream
says its usage once, in `response.completed`, `response.incomplete` or `response.failed`. A
background response that is `queued` or `in_progress` has used nothing that is known yet.

A web search is charged for each `web_search_call` whose action is `search`; opening a page or
finding in it is not charged ("Web search", output and citations).

Realtime writes `input_token_details` and splits cached tokens by modality. The image API counts
every output token as a token of the image unless it gives details.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from vagus.receive.providers.content import instructions, messages
from vagus.receive.providers.exchange import Reading
from vagus.receive.providers.probe import at, count, mapping, objects, text
from vagus.receive.providers.usage import Usage

_ENDS = ("response.completed", "response.incomplete", "response.failed", "response.done")
_UNFINISHED = ("queued", "in_progress")
Chunk = Mapping[str, Any]


def read_response(whole: Chunk, reading: Reading) -> None:
    """Read a response object into `reading`."""
    reading.api_type = "responses" if reading.provider == "openai" else ""
    reading.response_model = text(whole, "model")
    reading.response_id = text(whole, "id")
    reading.response_status = text(whole, "status")
    reading.service_tier = text(whole, "service_tier")
    items = objects(whole, "output")
    reading.output = messages(items, "assistant")
    reading.usage = response_usage(mapping(whole, "usage"))
    searches = sum(_is_charged_search(item) for item in items)
    if searches:
        reading.usage.web_search_requests = searches
    reading.finish_reasons = _finish_reasons(whole, items)
    if message := text(whole, "error", "message"):
        reading.error = message
        reading.error_type = text(whole, "error", "code") or "error"


def _is_charged_search(item: Chunk) -> bool:
    if text(item, "type") != "web_search_call" or text(item, "status") == "failed":
        return False
    return text(item, "action", "type") in ("", "search")


def _finish_reasons(whole: Chunk, items: Sequence[Chunk]) -> list[str]:
    status = text(whole, "status")
    if status == "incomplete":
        return [text(whole, "incomplete_details", "reason") or "length"]
    if status in ("failed", "cancelled"):
        return ["error"]
    if status in _UNFINISHED:
        return []
    asks = any(text(i, "type") in ("function_call", "custom_tool_call") for i in items)
    return ["tool_call" if asks else "stop"] if status or items else []


def response_usage(usage: Chunk) -> Usage:
    """The usage of a response in the one accounting."""
    into = mapping(usage, "input_tokens_details") or mapping(usage, "input_token_details")
    out = mapping(usage, "output_tokens_details") or mapping(usage, "output_token_details")
    return Usage(
        input_tokens=count(usage, "input_tokens"),
        output_tokens=count(usage, "output_tokens"),
        cache_read=count(into, "cached_tokens"),
        cache_write=count(into, "cache_write_tokens"),
        reasoning=count(out, "reasoning_tokens"),
        audio_input=count(into, "audio_tokens"),
        audio_output=count(out, "audio_tokens"),
        audio_cache_read=count(into, "cached_tokens_details", "audio_tokens"),
        image_input=count(into, "image_tokens"),
        image_output=count(out, "image_tokens"),
    )


def assemble_response(chunks: Sequence[Chunk]) -> tuple[Any, bool]:
    """The response that the events of a stream end with, and whether it came to its end."""
    started: Chunk = {}
    items: list[Any] = []
    pieces: list[str] = []
    for chunk in chunks:
        kind = text(chunk, "type")
        if kind in _ENDS:
            return mapping(chunk, "response"), True
        if kind == "response.output_item.done":
            items.append(chunk.get("item"))
            pieces = []
        elif kind == "response.output_text.delta":
            pieces.append(text(chunk, "delta"))
        elif kind == "error":
            return {**started, "error": chunk.get("error", chunk)}, True
        elif mapping(chunk, "response"):
            started = mapping(chunk, "response")
    if pieces:
        items.append({"role": "assistant", "content": "".join(pieces)})
    # What was known before the end: not the usage, and not that it completed.
    return {**started, "output": items, "usage": None}, False


def read_asked_response(request: Any, reading: Reading) -> None:
    """Read the instructions and the input of a request into `reading`."""
    reading.system = instructions(at(request, "instructions"))
    reading.input = messages(at(request, "input"), "user")


def read_embeddings(whole: Chunk, reading: Reading) -> None:
    """Read the answer of an embeddings endpoint of OpenAI's shape into `reading`."""
    reading.operation = "embeddings"
    reading.response_model = text(whole, "model")
    reading.response_id = text(whole, "id")
    used = count(whole, "usage", "prompt_tokens")
    reading.usage = Usage(input_tokens=used, output_tokens=0 if used is not None else None)
    first = next(iter(objects(whole, "data")), {})
    if isinstance(vector := first.get("embedding"), list):
        reading.extra["gen_ai.embeddings.dimension.count"] = len(vector)


def read_images(whole: Chunk, reading: Reading) -> None:
    """Read the answer of the image API into `reading`."""
    reading.operation = "generate_content"
    reading.extra["gen_ai.output.type"] = "image"
    reading.response_model = text(whole, "model")
    reading.usage = response_usage(mapping(whole, "usage"))
    if reading.usage.image_output is None:
        reading.usage.image_output = reading.usage.output_tokens
