"""What a provider says a call used, in one accounting: every class is a part of its total."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

_NAMES = {
    "input_tokens": "gen_ai.usage.input_tokens",
    "output_tokens": "gen_ai.usage.output_tokens",
    "cache_read": "gen_ai.usage.cache_read.input_tokens",
    "cache_write": "gen_ai.usage.cache_write.input_tokens",
    "cache_write_5m": "gen_ai.usage.cache_write_5m.input_tokens",
    "cache_write_1h": "gen_ai.usage.cache_write_1h.input_tokens",
    "reasoning": "gen_ai.usage.reasoning.output_tokens",
    "audio_input": "gen_ai.usage.audio.input_tokens",
    "audio_output": "gen_ai.usage.audio.output_tokens",
    "audio_cache_read": "gen_ai.usage.audio.cache_read.input_tokens",
    "image_input": "gen_ai.usage.image.input_tokens",
    "image_output": "gen_ai.usage.image.output_tokens",
    "web_search_requests": "gen_ai.usage.web_search_requests",
    "cost_usd": "gen_ai.usage.cost",
}


@dataclass(slots=True)
class Usage:
    """Tokens by class; None is what nobody said.

    `input_tokens` includes cached and written tokens and the tokens of every modality,
    `output_tokens` includes reasoning; a parser of a provider that counts apart adds them up.
    `cost_usd` is what the provider itself says it charged.
    """

    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read: int | None = None
    cache_write: int | None = None
    cache_write_5m: int | None = None
    cache_write_1h: int | None = None
    reasoning: int | None = None
    audio_input: int | None = None
    audio_output: int | None = None
    audio_cache_read: int | None = None
    image_input: int | None = None
    image_output: int | None = None
    web_search_requests: int | None = None
    cost_usd: float | None = None

    @property
    def is_known(self) -> bool:
        """Whether tokens were reported at all."""
        return self.input_tokens is not None or self.output_tokens is not None

    def attributes(self) -> dict[str, Any]:
        """The usage as span attributes; a class that nobody said is left out."""
        found = {
            name: value
            for field, name in _NAMES.items()
            if (value := getattr(self, field)) is not None
        }
        return found | ({"vagus.cache_accounting": "inclusive"} if self.is_known else {})
