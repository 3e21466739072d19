"""What a request asked for: the model, the settings, the tools and the user, in any shape."""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Mapping
from typing import Any

from vagus.receive.providers.probe import at, mapping, objects, text

# The names of one setting in OpenAI's, Anthropic's, Google's, Bedrock's and Cohere's requests.
_SETTINGS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("gen_ai.request.temperature", ("temperature",)),
    ("gen_ai.request.top_p", ("top_p", "topP", "p")),
    ("gen_ai.request.top_k", ("top_k", "topK", "k")),
    (
        "gen_ai.request.max_tokens",
        (
            "max_tokens",
            "max_completion_tokens",
            "max_output_tokens",
            "maxOutputTokens",
            "maxTokens",
            "maxTokenCount",
            "max_new_tokens",
            "max_gen_len",
        ),
    ),
    ("gen_ai.request.seed", ("seed", "random_seed")),
    ("gen_ai.request.frequency_penalty", ("frequency_penalty", "frequencyPenalty")),
    ("gen_ai.request.presence_penalty", ("presence_penalty", "presencePenalty")),
    ("gen_ai.request.choice.count", ("n", "candidateCount")),
)
_STOPS = ("stop", "stop_sequences", "stopSequences")
_HOLDERS = ("generationConfig", "generation_config", "inferenceConfig", "textGenerationConfig")
_ADDRESS_MODEL = re.compile(r"/(?:models|model|deployments|engines)/([^/?]+)")
_VERB = re.compile(
    r":(?:generateContent|streamGenerateContent|rawPredict|streamRawPredict|"
    r"predict|embedContent|batchEmbedContents|countTokens)$"
)


def parameters(request: Any) -> dict[str, Any]:
    """The sampling settings of a request as span attributes."""
    holders = [mapping(request), *(held for key in _HOLDERS if (held := mapping(request, key)))]
    found: dict[str, Any] = {}
    for name, keys in _SETTINGS:
        for holder in holders:
            value = next((holder[key] for key in keys if key in holder), None)
            if isinstance(value, int | float) and not isinstance(value, bool):
                found.setdefault(name, value)
    for holder in holders:
        stops = next((holder[key] for key in _STOPS if key in holder), None)
        stops = [stops] if isinstance(stops, str) else stops
        if isinstance(stops, list) and stops and all(isinstance(s, str) for s in stops):
            found.setdefault("gen_ai.request.stop_sequences", stops)
    effort = text(request, "reasoning_effort") or text(request, "reasoning", "effort")
    if effort:
        found["gen_ai.request.reasoning.level"] = effort
    if session := text(request, "previous_response_id"):
        found["gen_ai.request.previous_response.id"] = session
    return found


def asked_model(request: Any, url: str) -> str:
    """The model that was asked for: the request's own word, else the one in the address."""
    own = text(request, "model") or text(request, "modelId")
    return own.removeprefix("models/") or _model_in(url)


def _model_in(url: str) -> str:
    found = _ADDRESS_MODEL.search(urllib.parse.unquote(url))
    return _VERB.sub("", found.group(1)) if found else ""


def asked_by(request: Any) -> str:
    """The end user that the request names to the provider."""
    return (
        text(request, "user")
        or text(request, "safety_identifier")
        or text(request, "metadata", "user_id")
    )


def offered_tools(request: Any) -> list[dict[str, Any]]:
    """The tools that were offered, in the shape of OTel GenAI."""
    listed = objects(request, "tools") or objects(request, "toolConfig", "tools")
    return [tool for item in listed for tool in _tools(item)]


def _tools(item: Mapping[str, Any]) -> list[dict[str, Any]]:
    for key in ("functionDeclarations", "function_declarations"):
        if declared := objects(item, key):
            return [_tool(one) for one in declared]
    held = mapping(item, "function") or mapping(item, "toolSpec") or item
    if not text(held, "name"):
        # A tool of the provider's own: its type, or with Google its one key, is its name.
        kind = text(held, "type") or next(iter(held), "")
        return [{"type": kind, "name": kind}] if kind else []
    return [_tool(held)]


def _tool(held: Mapping[str, Any]) -> dict[str, Any]:
    schema = next(
        (held[key] for key in ("parameters", "input_schema", "inputSchema") if key in held), None
    )
    schema = at(schema, "json") if at(schema, "json") is not None else schema
    found = {"type": "function", "name": text(held, "name")}
    if description := text(held, "description"):
        found["description"] = description
    return found | ({"parameters": schema} if schema is not None else {})
