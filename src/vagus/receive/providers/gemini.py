"""Google's generateContent, from the Gemini API and Vertex.

`promptTokenCount` includes `cachedContentTokenCount`; `toolUsePromptTokenCount` and
`thoughtsTokenCount` stand outside `promptTokenCount` and `candidatesTokenCount`, and
`totalTokenCount` is the sum of the four (googleapis.github.io/js-genai,
GenerateContentResponseUsageMetadata). Where the total leaves the thoughts no room, they are inside
the candidates. In a stream each chunk carries the totals so far: the last of each counts.

A search with Google is charged by the prompt up to Gemini 2.5, by the query from Gemini 3
(ai.google.dev, "Pricing", grounding with Google Search).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from vagus.receive.providers.content import instructions, messages
from vagus.receive.providers.exchange import Reading
from vagus.receive.providers.probe import at, count, mapping, number, objects, said, text
from vagus.receive.providers.usage import Usage

#: Pages of documents are charged as pictures.
_PICTURES = ("IMAGE", "DOCUMENT")
_BY_PROMPT = re.compile(r"gemini-(1|2)[.\-]")
_TIERS = {
    "on_demand": "default",
    "on_demand_priority": "priority",
    "on_demand_flex": "flex",
}
Chunk = Mapping[str, Any]


def read_generated(whole: Chunk, reading: Reading) -> None:
    """Read a GenerateContentResponse, or an embedding of Google's, into `reading`."""
    reading.operation = "generate_content"
    reading.response_model = text(whole, "modelVersion")
    reading.response_id = text(whole, "responseId")
    usage = mapping(whole, "usageMetadata")
    reading.usage = generated_usage(usage)
    tier = (text(usage, "serviceTier") or text(usage, "trafficType")).lower()
    reading.service_tier = _TIERS.get(tier, tier)
    for candidate in objects(whole, "candidates"):
        reading.output += messages([candidate.get("content")], "assistant")
        if reason := text(candidate, "finishReason"):
            reading.finish_reasons.append(reason)
    if blocked := text(whole, "promptFeedback", "blockReason"):
        reading.finish_reasons.append("content_filter")
        reading.extra["gcp.prompt_feedback.block_reason"] = blocked
    if any(m["role"] == "assistant" and _calls(m) for m in reading.output):
        reading.finish_reasons = ["tool_call" if r == "STOP" else r for r in reading.finish_reasons]
    if reading.finish_reasons and reading.usage.input_tokens is not None:
        # A prompt that was blocked, or answered with nothing, has no count of candidates.
        reading.usage.output_tokens = reading.usage.output_tokens or 0
    reading.usage.web_search_requests = _searches(whole, reading)
    if "embedding" in whole or "embeddings" in whole or "predictions" in whole:
        _read_embedding(whole, reading)


def _calls(item: Mapping[str, Any]) -> bool:
    return any(part["type"] == "tool_call" for part in item["parts"])


def _searches(whole: Chunk, reading: Reading) -> int | None:
    queries = [
        query
        for candidate in objects(whole, "candidates")
        for query in at(candidate, "groundingMetadata", "webSearchQueries") or []
        if isinstance(query, str) and query
    ]
    if not queries:
        return None
    model = reading.response_model or reading.request_model
    return 1 if _BY_PROMPT.search(model) else len(set(queries))


def generated_usage(usage: Chunk) -> Usage:
    """The usage of a generated content in the one accounting."""
    prompt, candidates = count(usage, "promptTokenCount"), count(usage, "candidatesTokenCount")
    if candidates is None:
        candidates = count(usage, "responseTokenCount")
    thoughts, tools = count(usage, "thoughtsTokenCount"), count(usage, "toolUsePromptTokenCount")
    total = count(usage, "totalTokenCount")
    is_inside = bool(thoughts) and total is not None and total == said(prompt, tools, candidates)
    return Usage(
        input_tokens=said(prompt, tools) if prompt is not None else None,
        output_tokens=candidates if is_inside else said(candidates, thoughts),
        cache_read=count(usage, "cachedContentTokenCount"),
        reasoning=thoughts,
        audio_input=said(
            _modality(usage, "promptTokensDetails", "AUDIO"),
            _modality(usage, "toolUsePromptTokensDetails", "AUDIO"),
        ),
        audio_output=_modality(usage, "candidatesTokensDetails", "AUDIO"),
        audio_cache_read=_modality(usage, "cacheTokensDetails", "AUDIO"),
        image_input=said(
            _modality(usage, "promptTokensDetails", *_PICTURES),
            _modality(usage, "toolUsePromptTokensDetails", *_PICTURES),
        ),
        image_output=_modality(usage, "candidatesTokensDetails", "IMAGE"),
    )


def _modality(usage: Chunk, details: str, *modalities: str) -> int | None:
    return said(
        *(
            count(item, "tokenCount")
            for item in objects(usage, details)
            if text(item, "modality").upper() in modalities
        )
    )


def _read_embedding(whole: Chunk, reading: Reading) -> None:
    reading.operation = "embeddings"
    counts = [
        number(item, "embeddings", "statistics", "token_count")
        for item in objects(whole, "predictions")
    ]
    known = [int(n) for n in counts if n is not None]
    if known and len(known) == len(counts):
        reading.usage = Usage(input_tokens=sum(known), output_tokens=0)
    elif reading.usage.input_tokens is not None:
        reading.usage.output_tokens = 0
    vector = at(whole, "embedding", "values")
    if isinstance(vector, list):
        reading.extra["gen_ai.embeddings.dimension.count"] = len(vector)


def assemble_generated(chunks: Sequence[Chunk]) -> tuple[Any, bool]:
    """The response that the chunks of a stream add up to, and whether it came to its end."""
    whole: dict[str, Any] = {}
    usage: dict[str, Any] = {}
    candidates: dict[int, dict[str, Any]] = {}
    for chunk in chunks:
        for key in ("modelVersion", "responseId", "promptFeedback", "error"):
            if chunk.get(key):
                whole[key] = chunk[key]
        usage |= {k: v for k, v in mapping(chunk, "usageMetadata").items() if v is not None}
        for piece in objects(chunk, "candidates"):
            _add_candidate(candidates, piece)
    whole["usageMetadata"] = usage
    whole["candidates"] = [_joined(candidates[index]) for index in sorted(candidates)]
    ended = bool(candidates) and all(c.get("finishReason") for c in candidates.values())
    return whole, ended or "promptFeedback" in whole or "error" in whole


def _add_candidate(candidates: dict[int, dict[str, Any]], piece: Chunk) -> None:
    index = count(piece, "index") or 0
    if index > 1_000:
        return
    known = candidates.setdefault(index, {"content": {"role": "model", "parts": []}})
    known["content"]["parts"] += objects(piece, "content", "parts")
    for key in ("finishReason", "groundingMetadata"):
        if piece.get(key):
            known[key] = piece[key]


def _joined(candidate: dict[str, Any]) -> dict[str, Any]:
    """The candidate with the texts of neighbouring parts of one kind put together."""
    runs: list[tuple[Chunk, list[str]]] = []
    for part in candidate["content"]["parts"]:
        piece = text(part, "text")
        is_text = bool(piece) and set(part) <= {"text", "thought"}
        if is_text and runs and runs[-1][1] and runs[-1][0].get("thought") == part.get("thought"):
            runs[-1][1].append(piece)
        else:
            runs.append((part, [piece] if is_text else []))
    parts = [{**part, "text": "".join(pieces)} if pieces else part for part, pieces in runs]
    return {**candidate, "content": {"role": "model", "parts": parts}}


def read_asked_generation(request: Any, reading: Reading) -> None:
    """Read the system instruction and the contents of a request into `reading`."""
    held = at(request, "systemInstruction")
    reading.system = instructions(held if held is not None else at(request, "system_instruction"))
    contents = at(request, "contents")
    if contents is None:
        contents = at(request, "content")
    if isinstance(contents, Mapping):
        contents = [contents]
    reading.input = messages(contents, "user")
