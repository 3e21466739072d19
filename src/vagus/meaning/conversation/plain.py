"""The input and output of spans that are no model call, in every family's keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vagus.meaning.content import Message, Text
from vagus.meaning.conversation.source import Said, Source, numbered
from vagus.meaning.payload import read_messages
from vagus.meaning.values import MAX_ITEMS, as_word, first

_AGENTOPS = ("session", "workflow", "agent", "operation", "task", "tool", "llm", "chain",
             "guardrail", "team", "text", "http")  # fmt: skip


def agentops(side: str) -> tuple[str, ...]:
    """The keys of AgentOps: one for each kind, and one for all."""
    return (f"agentops.entity.{side}", *(f"agentops.{kind}.{side}" for kind in _AGENTOPS))


def value(side: str, role: str) -> Source:
    """OpenInference's `input.value`; one that says it is plain text is not looked into."""

    def read(said: Said) -> list[Message]:
        held = first(said.attributes, f"{side}.value")
        is_text = "text" in as_word(said.attributes.get(f"{side}.mime_type"))
        if is_text and isinstance(held, str):
            return [Message(role, [Text(held)])]
        return read_messages(held, role)

    return Source(read, (f"{side}.value",))


def _arguments(said: Said) -> list[Message]:
    return read_messages(_flat(said.attributes, "ai.observability.call.kwargs"), "user")


def _flat(attributes: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    found = numbered(attributes, prefix)
    kept = {key: held for key, held in found.items() if key not in ("self", "cls")}
    return dict(list(kept.items())[:MAX_ITEMS])


#: TruLens: the arguments of a function, each under its own key.
ARGUMENTS = Source(_arguments, ("ai.observability.",))
