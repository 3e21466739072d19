"""Amazon Bedrock: Converse, and the bodies of InvokeModel that are the models' own.

Converse: `usage.inputTokens` leaves out `cacheReadInputTokens` and `cacheWriteInputTokens`,
`totalTokens` includes them; `cacheDetails` splits the writes by how long they live (Bedrock API
reference, TokenUsage). Nova's own body says the same with `cacheReadInputTokenCount`.

Llama counts in `prompt_token_count` and `generation_token_count`; Titan in `inputTextTokenCount`
and `results[].tokenCount`. Cohere's and Mistral's bodies count nothing. The last chunk of every
stream of InvokeModel carries `amazon-bedrock-invocationMetrics`, whose `inputTokenCount` leaves
cached tokens out as well (Bedrock user guide, "Inference request parameters").
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from vagus.receive.providers.content import instructions, messages
from vagus.receive.providers.exchange import Reading
from vagus.receive.providers.probe import at, count, mapping, objects, said, text
from vagus.receive.providers.usage import Usage

METRICS = "amazon-bedrock-invocationMetrics"
_MOST_BLOCKS = 10_000
Chunk = Mapping[str, Any]


def read_converse(whole: Chunk, reading: Reading) -> None:
    """Read the answer of Converse, or of Nova's own body, into `reading`."""
    reading.usage = converse_usage(mapping(whole, "usage"))
    reading.output = messages([at(whole, "output", "message")], "assistant")
    if reason := text(whole, "stopReason"):
        reading.finish_reasons = [reason]
    tier = whole.get("serviceTier")
    reading.service_tier = tier if isinstance(tier, str) else text(tier, "type")


def converse_usage(usage: Chunk) -> Usage:
    """The usage of Converse in the one accounting."""
    plain = count(usage, "inputTokens")
    read = _either(usage, "cacheReadInputTokens", "cacheReadInputTokenCount")
    written = _either(usage, "cacheWriteInputTokens", "cacheWriteInputTokenCount")
    return Usage(
        input_tokens=said(plain, read, written) if plain is not None else None,
        output_tokens=count(usage, "outputTokens"),
        cache_read=read,
        cache_write=written,
        cache_write_5m=_written(usage, "5m"),
        cache_write_1h=_written(usage, "1h"),
    )


def _either(usage: Chunk, *keys: str) -> int | None:
    return next((n for key in keys if (n := count(usage, key)) is not None), None)


def _written(usage: Chunk, ttl: str) -> int | None:
    details = objects(usage, "cacheDetails")
    return said(*(count(item, "inputTokens") for item in details if text(item, "ttl") == ttl))


def metered_usage(metrics: Chunk) -> Usage:
    """The counts that Bedrock itself keeps of an invocation, in the one accounting."""
    plain = count(metrics, "inputTokenCount")
    read = count(metrics, "cacheReadInputTokenCount")
    written = count(metrics, "cacheWriteInputTokenCount")
    return Usage(
        input_tokens=said(plain, read, written) if plain is not None else None,
        output_tokens=count(metrics, "outputTokenCount"),
        cache_read=read,
        cache_write=written,
    )


def assemble_converse(chunks: Sequence[Chunk]) -> tuple[Any, bool]:
    """The answer that the events of ConverseStream add up to, and whether it came to its end."""
    whole: dict[str, Any] = {}
    blocks: dict[int, dict[str, Any]] = {}
    role, is_ended = "assistant", False
    for chunk in chunks:
        if started := text(chunk, "messageStart", "role"):
            role = started
        elif "contentBlockStart" in chunk:
            held = mapping(chunk, "contentBlockStart")
            _add_block(blocks, held, mapping(held, "start"))
        elif "contentBlockDelta" in chunk:
            held = mapping(chunk, "contentBlockDelta")
            _add_block(blocks, held, mapping(held, "delta"))
        elif "messageStop" in chunk:
            whole["stopReason"], is_ended = text(chunk, "messageStop", "stopReason"), True
        elif "metadata" in chunk:
            whole |= mapping(chunk, "metadata")
    content = [_finished(blocks[index]) for index in sorted(blocks)]
    whole["output"] = {"message": {"role": role, "content": content}}
    return whole, is_ended


def _add_block(blocks: dict[int, dict[str, Any]], held: Chunk, piece: Chunk) -> None:
    index = count(held, "contentBlockIndex") or 0
    if index >= _MOST_BLOCKS:
        return
    block = blocks.setdefault(index, {"text": [], "thought": [], "call": {}, "input": []})
    block["text"].append(text(piece, "text"))
    block["thought"].append(text(piece, "reasoningContent", "text"))
    if call := mapping(piece, "toolUse"):
        block["call"] |= {k: v for k, v in call.items() if k != "input"}
        block["input"].append(text(call, "input"))


def _finished(block: dict[str, Any]) -> dict[str, Any]:
    if block["call"]:
        return {"toolUse": block["call"] | {"input": "".join(block["input"])}}
    if thought := "".join(block["thought"]):
        return {"reasoningContent": {"reasoningText": {"text": thought}}}
    return {"text": "".join(block["text"])}


def read_invoked(whole: Chunk, reading: Reading) -> None:
    """Read an answer of Llama, Titan, Mistral, Cohere or AI21 on Bedrock into `reading`."""
    reading.operation = "text_completion"
    results = (
        objects(whole, "results") or objects(whole, "outputs") or objects(whole, "generations")
    )
    if results:
        for result in results:
            spoken = text(result, "outputText") or text(result, "text")
            _add_text(reading, spoken, _reason(result))
    else:
        spoken = text(whole, "generation") or text(whole, "outputText") or text(whole, "text")
        _add_text(reading, spoken, _reason(whole))
    written = said(*(count(result, "tokenCount") for result in results))
    reading.usage = Usage(
        input_tokens=_either(whole, "prompt_token_count", "inputTextTokenCount"),
        output_tokens=_either(whole, "generation_token_count", "totalOutputTextTokenCount")
        if written is None
        else written,
    )
    if "embedding" in whole or "embeddings" in whole or "embeddingsByType" in whole:
        _read_embedding(whole, reading)


def _reason(value: Chunk) -> str:
    return (
        text(value, "stop_reason")
        or text(value, "completionReason")
        or text(value, "finish_reason")
    )


def _add_text(reading: Reading, spoken: str, reason: str) -> None:
    if spoken:
        reading.output += messages([spoken], "assistant")
    if reason:
        reading.finish_reasons.append(reason)


def _read_embedding(whole: Chunk, reading: Reading) -> None:
    reading.operation = "embeddings"
    if reading.usage.input_tokens is not None:
        reading.usage.output_tokens = 0
    vector = whole.get("embedding")
    if isinstance(vector, list):
        reading.extra["gen_ai.embeddings.dimension.count"] = len(vector)


def assemble_invoked(chunks: Sequence[Chunk]) -> tuple[Any, bool]:
    """The answer that the chunks of InvokeModelWithResponseStream add up to, and whether it ended.

    Counts in chunks are totals so far, so the last of each holds.
    """
    whole: dict[str, Any] = {}
    pieces: list[str] = []
    reason = ""
    for chunk in chunks:
        held = next(iter(objects(chunk, "outputs") or objects(chunk, "generations")), chunk)
        pieces.append(text(held, "generation") or text(held, "outputText") or text(held, "text"))
        reason = _reason(held) or reason
        whole |= {
            key: value
            for key, value in chunk.items()
            if value is not None and isinstance(value, int | Mapping) and key != "index"
        }
    whole |= {"generation": "".join(pieces), "stop_reason": reason}
    return whole, bool(reason) or METRICS in whole


def read_asked_converse(request: Any, reading: Reading) -> None:
    """Read the system prompt and the messages of Converse into `reading`."""
    reading.system = instructions(at(request, "system"))
    reading.input = messages(at(request, "messages"), "user")


def read_asked_invocation(request: Any, reading: Reading) -> None:
    """Read the prompt of a model's own body into `reading`."""
    for key in ("prompt", "inputText", "message", "texts", "messages"):
        if reading.input:
            return
        reading.input = messages(at(request, key), "user")
