"""OpenAI chat completions, and everybody who speaks them.

`usage.prompt_tokens` includes `prompt_tokens_details.cached_tokens`, `cache_write_tokens` and
`audio_tokens`; `completion_tokens` includes `reasoning_tokens`, `audio_tokens` and rejected
predictions (OpenAI API reference, "The chat completion object"). The rest differ so:

- DeepSeek: `prompt_tokens` = `prompt_cache_hit_tokens` + `prompt_cache_miss_tokens`
  (api-docs.deepseek.com, "Create Chat Completion").
- xAI: `reasoning_tokens` stand outside `completion_tokens` and inside `total_tokens`
  (docs.x.ai, "Consumption and rate limits"), on some models inside both; the total decides. It
  names its charge in `cost_in_usd_ticks`, 10^10 to the dollar.
- Perplexity: `reasoning_tokens` and `citation_tokens` stand outside, `cost.total_cost` is the
  charge, `num_search_queries` the searches (docs.perplexity.ai, "Pricing").
- OpenRouter: `cost` is what the account was charged; with one's own key that is the fee alone and
  `cost_details.upstream_inference_cost` comes on top (openrouter.ai/docs, "Usage accounting").
- Moonshot: `cached_tokens` beside `prompt_tokens`. Groq: the usage of a stream is in `x_groq`.
- Mistral: `prompt_tokens_details.cached_tokens` or `num_cached_tokens`.
- LiteLLM and gateways: Anthropic's `cache_creation_input_tokens` inside `prompt_tokens`.
- OpenAI's search models search once a request and say so nowhere ("Web search").
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from vagus.receive.providers.content import message, messages
from vagus.receive.providers.exchange import Reading
from vagus.receive.providers.probe import at, count, mapping, number, objects, said, text
from vagus.receive.providers.usage import Usage

_TICKS = 1e10
_SEARCHES = re.compile(r"gpt-.*-search-(preview|api)")
Chunk = Mapping[str, Any]


def read_chat(whole: Chunk, reading: Reading) -> None:
    """Read a chat completion, or a legacy text completion, into `reading`."""
    reading.api_type = "chat_completions" if reading.provider == "openai" else ""
    reading.response_model = text(whole, "model")
    reading.response_id = text(whole, "id")
    reading.system_fingerprint = text(whole, "system_fingerprint")
    reading.service_tier = text(whole, "service_tier") or text(whole, "usage", "service_tier")
    for choice in objects(whole, "choices"):
        _read_choice(choice, reading)
    reading.usage = chat_usage(mapping(whole, "usage") or mapping(whole, "x_groq", "usage"))
    model = reading.response_model or reading.request_model
    if reading.usage.is_known and _SEARCHES.match(model):
        reading.usage.web_search_requests = 1


def _read_choice(choice: Chunk, reading: Reading) -> None:
    reason = text(choice, "finish_reason")
    if reason:
        reading.finish_reasons.append(reason)
    if isinstance(choice.get("text"), str):
        reading.operation = "text_completion"
        reading.output += messages([choice["text"]], "assistant")
        return
    held = mapping(choice, "message")
    if held:
        reading.output += messages([{"role": "assistant", **held}], "assistant")


def chat_usage(usage: Chunk) -> Usage:
    """The usage of a chat completion in the one accounting."""
    prompt, completion = count(usage, "prompt_tokens"), count(usage, "completion_tokens")
    details = mapping(usage, "prompt_tokens_details")
    outside = mapping(usage, "completion_tokens_details")
    hit, miss = count(usage, "prompt_cache_hit_tokens"), count(usage, "prompt_cache_miss_tokens")
    thought = count(outside, "reasoning_tokens")
    total = count(usage, "total_tokens")
    found = Usage(
        input_tokens=prompt if prompt is not None else said(hit, miss),
        output_tokens=completion,
        cache_read=_first(
            count(details, "cached_tokens"),
            hit,
            count(usage, "cached_tokens"),
            count(usage, "num_cached_tokens"),
            count(usage, "cache_read_input_tokens"),
        ),
        cache_write=_first(
            count(details, "cache_write_tokens"),
            count(details, "cache_creation_tokens"),
            count(usage, "cache_creation_input_tokens"),
        ),
        reasoning=thought,
        audio_input=count(details, "audio_tokens"),
        audio_output=count(outside, "audio_tokens"),
        image_input=count(details, "image_tokens"),
        image_output=count(outside, "image_tokens"),
        cost_usd=_charge(usage),
    )
    if thought and None not in (prompt, completion, total):
        is_apart = said(prompt, completion, thought) == total
        found.output_tokens = said(completion, thought) if is_apart else completion
    if "citation_tokens" in usage or "num_search_queries" in usage:
        own = count(usage, "reasoning_tokens")
        found.output_tokens = said(completion, own, count(usage, "citation_tokens"))
        found.reasoning = own
        found.web_search_requests = count(usage, "num_search_queries")
    return found


def _first(*counts: int | None) -> int | None:
    """The first count that is not 0; 0 when only zeros were said."""
    known = [n for n in counts if n is not None]
    return next((n for n in known if n), 0 if known else None)


def _charge(usage: Chunk) -> float | None:
    ticks = number(usage, "cost_in_usd_ticks")
    if ticks is not None:
        return ticks / _TICKS
    if isinstance(usage.get("cost"), Mapping):
        return number(usage, "cost", "total_cost")
    fee = number(usage, "cost")
    if fee is not None and usage.get("is_byok") is True:
        return fee + (number(usage, "cost_details", "upstream_inference_cost") or 0.0)
    return fee


def assemble_chat(chunks: Sequence[Chunk], *, is_done: bool, asks_usage: bool) -> tuple[Any, bool]:
    """The completion that the chunks of a stream add up to, and whether it came to its end.

    A stream that was asked for its usage (`asks_usage`) and brought none was cut off too, unless
    its end mark came. Usage that comes in every chunk is a running total: the last one counts.
    """
    whole: dict[str, Any] = {}
    choices: dict[int, dict[str, Any]] = {}
    for chunk in chunks:
        for key in ("id", "model", "service_tier", "system_fingerprint", "error"):
            if chunk.get(key):
                whole[key] = chunk[key]
        usage = mapping(chunk, "usage") or mapping(chunk, "x_groq", "usage")
        if usage:
            whole["usage"] = usage
        for choice in objects(chunk, "choices"):
            _add_choice(choices, choice)
    ordered = [choices[index] for index in sorted(choices)]
    whole["choices"] = [_finished(choice) for choice in ordered]
    is_finished = bool(ordered) and all(choice["finish_reason"] for choice in ordered)
    misses_usage = asks_usage and "usage" not in whole
    return whole, is_done or (is_finished and not misses_usage) or "error" in whole


def _add_choice(choices: dict[int, dict[str, Any]], piece: Chunk) -> None:
    index = count(piece, "index") or 0
    if index > 1_000:
        return
    choice = choices.setdefault(
        index, {"finish_reason": "", "text": [], "content": [], "thought": [], "calls": {}}
    )
    choice["finish_reason"] = text(piece, "finish_reason") or choice["finish_reason"]
    if isinstance(piece.get("text"), str):
        choice["text"].append(piece["text"])
    delta = mapping(piece, "delta") or mapping(piece, "message")
    content = delta.get("content")
    if isinstance(content, str):
        choice["content"].append(content)
    elif isinstance(content, list):
        # Mistral's reasoning models send blocks.
        choice.setdefault("blocks", []).extend(content)
    choice["thought"].append(text(delta, "reasoning_content") or text(delta, "reasoning"))
    choice["content"].append(text(delta, "refusal") or text(delta, "audio", "transcript"))
    for call in objects(delta, "tool_calls"):
        _add_call(choice["calls"], call)
    if isinstance(delta.get("function_call"), Mapping):
        _add_call(choice["calls"], {"index": 0, "function": delta["function_call"]})


def _add_call(calls: dict[int, dict[str, Any]], piece: Chunk) -> None:
    index = count(piece, "index")
    index = len(calls) if index is None else index
    if index > 1_000:
        return
    call = calls.setdefault(index, {"id": None, "name": "", "arguments": []})
    call["id"] = call["id"] or text(piece, "id") or None
    call["name"] = call["name"] or text(piece, "function", "name")
    call["arguments"].append(text(piece, "function", "arguments"))


def _finished(choice: dict[str, Any]) -> dict[str, Any]:
    if choice["text"]:
        return {"finish_reason": choice["finish_reason"], "text": "".join(choice["text"])}
    calls = [
        {"id": c["id"], "function": {"name": c["name"], "arguments": "".join(c["arguments"])}}
        for _, c in sorted(choice["calls"].items())
    ]
    said_text = "".join(choice["content"])
    content: Any = said_text
    if "blocks" in choice:
        content = [*choice["blocks"], *([{"type": "text", "text": said_text}] if said_text else [])]
    held = {
        "role": "assistant",
        "content": content,
        "reasoning_content": "".join(choice["thought"]),
        "tool_calls": calls,
    }
    return {"finish_reason": choice["finish_reason"], "message": held}


def read_asked(request: Any, reading: Reading) -> None:
    """Read the messages or the prompt of a request into `reading`."""
    listed = at(request, "messages")
    prompt = at(request, "prompt")
    if listed is None and isinstance(prompt, str | list):
        reading.operation = "text_completion"
        reading.input = messages(prompt, "user")
        return
    if system := text(request, "preamble"):
        reading.system = message("system", [{"type": "text", "content": system}])["parts"]
    reading.input = messages(listed, "user")
