"""Tokens and cost of a Langfuse generation, in every shape its clients have used."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vagus.receive.dialects.langsmith.usage import from_provider
from vagus.receive.dialects.shared import count, first, mapping, number
from vagus.receive.providers.usage import Usage

_TOKENS = ("", "TOKENS")
_CLASSES = {
    "cache_read": ("cache_read_input_tokens", "input_cached_tokens", "input_cache_read"),
    "cache_write": (
        "cache_creation_input_tokens",
        "input_cache_creation",
        "input_cache_write",
        "cache_write_input_tokens",
    ),
    "cache_write_5m": ("input_cache_creation_5m", "ephemeral_5m_input_tokens"),
    "cache_write_1h": ("input_cache_creation_1h", "ephemeral_1h_input_tokens"),
    "audio_input": ("input_audio_tokens", "input_audio"),
    "image_input": ("input_image_tokens", "input_image"),
    "reasoning": ("output_reasoning_tokens", "output_reasoning", "reasoning_tokens"),
    "audio_output": ("output_audio_tokens", "output_audio"),
    "image_output": ("output_image_tokens", "output_image"),
}
_INPUT = ("cache_read", "cache_write", "cache_write_5m", "cache_write_1h")
_OUTPUT = ("reasoning",)
_READ = frozenset(key for keys in _CLASSES.values() for key in keys)


def read_usage(body: Mapping[str, Any]) -> dict[str, Any]:
    """The usage and the reported cost of an observation as span attributes."""
    details, usage = mapping(body.get("usageDetails")), mapping(body.get("usage"))
    found = _details(details) or _usage(usage)
    costs = mapping(body.get("costDetails"))
    total = number(costs.get("total"))
    if total is None:
        parts = [number(value) for value in costs.values()]
        total = sum(p for p in parts if p is not None) if any(parts) else _old_cost(usage)
    return found | ({} if total is None else {"gen_ai.usage.cost": total})


def _usage(usage: Mapping[str, Any]) -> dict[str, Any]:
    """The older `usage` object; one that counts characters or seconds says nothing of tokens."""
    unit = usage.get("unit") or ""
    if not isinstance(unit, str) or unit.upper() not in _TOKENS:
        return {}
    tokens = count(first(usage, "input", "promptTokens", "prompt_tokens"))
    output = count(first(usage, "output", "completionTokens", "completion_tokens"))
    if "prompt_tokens" in usage:
        return from_provider(usage)
    return Usage(input_tokens=tokens, output_tokens=output).attributes()


def _old_cost(usage: Mapping[str, Any]) -> float | None:
    total = number(usage.get("totalCost"))
    parts = [number(usage.get("inputCost")), number(usage.get("outputCost"))]
    known = [part for part in parts if part is not None]
    return sum(known) if total is None and known else total


def _details(details: Mapping[str, Any]) -> dict[str, Any]:
    """The map of usage details: every `input*` and `output*` class stands beside the others.

    Programs also pass the details as parts of `input`; then `total` gives it away.
    """
    if "prompt_tokens" in details or "input_tokens" in details:
        return from_provider(details)
    tokens, output = count(details.get("input")), count(details.get("output"))
    classes = {name: count(first(details, *keys)) for name, keys in _CLASSES.items()}
    total = count(details.get("total"))
    is_apart = total is None or total != (tokens or 0) + (output or 0)
    if is_apart:
        tokens = _sum([tokens, *_beside(details, classes, "input", _INPUT)])
        output = _sum([output, *_beside(details, classes, "output", _OUTPUT)])
    return Usage(input_tokens=tokens, output_tokens=output, **classes).attributes()


def _beside(
    details: Mapping[str, Any], classes: Mapping[str, int | None], side: str, own: tuple[str, ...]
) -> list[int | None]:
    """The counts that belong to a side of the call beside its plain tokens, each once."""
    named = [n for name, n in classes.items() if name in own or name.endswith(f"_{side}")]
    others = [
        count(value)
        for key, value in details.items()
        if key.startswith(f"{side}_") and key not in _READ
    ]
    return named + others


def _sum(counts: list[int | None]) -> int | None:
    known = [n for n in counts if n is not None]
    return sum(known) if known else None
