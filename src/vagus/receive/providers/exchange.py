"""One call to a provider: what was handed in, and what was read out of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from vagus.receive.dialects.build import json_text
from vagus.receive.providers.usage import Usage

#: The reason of a stream that ended before it had one.
INTERRUPTED = "interrupted"

#: Every provider's word for why it stopped, in the words of OpenTelemetry.
_FINISH_REASONS = {
    "stop": "stop",
    "end_turn": "stop",
    "stop_sequence": "stop",
    "complete": "stop",
    "completed": "stop",
    "finish": "stop",
    "finished": "stop",
    "eos": "stop",
    "length": "length",
    "max_tokens": "length",
    "max_output_tokens": "length",
    "model_length": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_call",
    "tool_call": "tool_call",
    "tool_calls": "tool_call",
    "function_call": "tool_call",
    "content_filter": "content_filter",
    "content_filtered": "content_filter",
    "guardrail_intervened": "content_filter",
    "safety": "content_filter",
    "prohibited_content": "content_filter",
    "blocklist": "content_filter",
    "spii": "content_filter",
    "recitation": "content_filter",
    "refusal": "content_filter",
    "error": "error",
    "error_toxic": "content_filter",
    "error_limit": "length",
}


@dataclass(frozen=True, slots=True)
class Exchange:
    """A raw request and what came back, as a logger saw them.

    `response` is the decoded JSON, a list of stream chunks, or text: JSON, server-sent events, or
    one JSON object a line. `provider` is the sender's word for who answered, and may be empty.
    `metered` is a count from outside the body, used where the body counts nothing.
    """

    request: Any = None
    response: Any = None
    url: str = ""
    provider: str = ""
    model: str = ""
    is_batch: bool = False
    metered: Usage | None = None


@dataclass(slots=True)
class Reading:
    """What an exchange says, in the words of OTel GenAI."""

    provider: str = ""
    operation: str = "chat"
    api_type: str = ""
    request_model: str = ""
    response_model: str = ""
    response_id: str = ""
    response_status: str = ""
    system_fingerprint: str = ""
    finish_reasons: list[str] = field(default_factory=list)
    system: list[dict[str, Any]] = field(default_factory=list)
    input: list[dict[str, Any]] = field(default_factory=list)
    output: list[dict[str, Any]] = field(default_factory=list)
    tools: Sequence[Any] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict)
    extra: dict[str, Any] = field(default_factory=dict)
    user: str = ""
    usage: Usage = field(default_factory=Usage)
    service_tier: str = ""
    is_streaming: bool = False
    is_cut_off: bool = False
    error: str | None = None
    error_type: str = ""

    def attributes(self) -> dict[str, Any]:
        """The reading as span attributes; what nobody said is left out."""
        named: dict[str, Any] = {
            "gen_ai.operation.name": self.operation,
            "gen_ai.provider.name": self.provider,
            "openai.api.type": self.api_type,
            "gen_ai.request.model": self.request_model,
            "gen_ai.response.model": self.response_model,
            "gen_ai.response.id": self.response_id,
            "gen_ai.response.status": self.response_status,
            "openai.response.system_fingerprint": self.system_fingerprint,
            "gen_ai.response.finish_reasons": [finish_reason(r) for r in self.finish_reasons],
            "gen_ai.system_instructions": json_text(self.system) if self.system else None,
            "gen_ai.input.messages": json_text(self.input) if self.input else None,
            "gen_ai.output.messages": json_text(self.output) if self.output else None,
            "gen_ai.tool.definitions": json_text(self.tools) if self.tools else None,
            "user.id": self.user,
            "vagus.service_tier": self.service_tier,
            "error.type": self.error_type,
            **self.parameters,
            **self.extra,
        }
        found = {key: value for key, value in named.items() if value not in (None, "", [])}
        found["gen_ai.request.stream"] = self.is_streaming
        if self.is_cut_off:
            found["vagus.stream.cut_off"] = True
            found.setdefault("gen_ai.response.finish_reasons", [INTERRUPTED])
        return found | self.usage.attributes()


def finish_reason(raw: str) -> str:
    """A provider's reason in the words of OpenTelemetry; an unknown one in lower case."""
    return _FINISH_REASONS.get(raw.lower(), raw.lower())
