"""OpenLLMetry before 0.53: prompts and completions flattened into numbered keys."""

from __future__ import annotations

from collections.abc import Mapping

from vagus.meaning.content import Message
from vagus.meaning.conversation.source import Said, Source, numbered
from vagus.meaning.payload import read_messages
from vagus.meaning.values import items


def messages(prefix: str, role: str) -> Source:
    """Messages under `prefix.N.{role,content,tool_calls.M.…}`."""

    def read(said: Said) -> list[Message]:
        found = []
        for item in items(numbered(said.attributes, prefix)):
            if isinstance(item, Mapping):
                value = dict(item)
                if "tool_calls" in item:
                    value["tool_calls"] = items(item["tool_calls"])
                value.setdefault("role", role)
                found.append(value)
        return read_messages(found, role)

    return Source(read, (f"{prefix}.",))
