"""OpenInference: messages flattened into numbered keys, with contents of several kinds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vagus.meaning.content import Message, Part, Text
from vagus.meaning.conversation.source import Said, Source, mappings, numbered
from vagus.meaning.media import read_media
from vagus.meaning.payload import read_messages
from vagus.meaning.values import as_text, as_word, first, items


def messages(prefix: str, role: str) -> Source:
    """Messages under `prefix.N.message.…`."""

    def read(said: Said) -> list[Message]:
        tree = numbered(said.attributes, prefix)
        found = [_message(held) for held in mappings(items(tree), "message")] if tree else []
        return read_messages(found, role)

    return Source(read, (f"{prefix}.",))


def completions(prefix: str, noun: str, role: str) -> Source:
    """The completions API: texts under `prefix.N.<noun>.text`, or listed under the prefix."""

    def read(said: Said) -> list[Message]:
        tree = numbered(said.attributes, prefix)
        texts = [held.get("text") for held in mappings(items(tree), noun)]
        return read_messages(texts or said.attributes.get(prefix), role)

    return Source(read, (prefix, f"{prefix}."))


def _embedded(said: Said) -> list[Message]:
    tree = numbered(said.attributes, "embedding.embeddings")
    texts = (held.get("text") for held in mappings(items(tree), "embedding"))
    parts: list[Part] = [Text(text) for text in texts if isinstance(text, str) and text]
    return [Message("user", parts)] if parts else []


#: The texts that an embedding was made of; never the vectors.
EMBEDDED = Source(_embedded, ("embedding.embeddings.",))


def attached(side: str, role: str) -> Source:
    """Images that stand beside the plain input or output of a span."""

    def read(said: Said) -> list[Message]:
        tree = numbered(said.attributes, f"{side}.images")
        parts: list[Part] = [read_media(held, "image") for held in mappings(items(tree), "image")]
        return [Message(role, parts)] if parts else []

    return Source(read, (f"{side}.images.",))


def _message(held: Mapping[str, Any]) -> dict[str, Any]:
    """One flattened message in the shape of a chat completion's."""
    blocks = [
        block
        for item in items(held.get("contents"))
        if isinstance(item, Mapping)
        for block in _blocks(item)
    ]
    value: dict[str, Any] = {"role": as_word(held.get("role"))}
    value["content"] = blocks or held.get("content")
    for key in ("name", "tool_call_id", "finish_reason"):
        if key in held:
            value[key] = held[key]
    if calls := items(held.get("tool_calls")):
        value["tool_calls"] = calls
    if held.get("function_call_name"):
        value["function_call"] = {
            "name": held["function_call_name"],
            "arguments": held.get("function_call_arguments_json"),
        }
    return value


def _blocks(item: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A content block; calls inside a message stand beside their block."""
    blocks = []
    block = item.get("message_content")
    call = item.get("tool_call")
    if isinstance(block, Mapping) and not isinstance(call, Mapping):
        blocks.append(_block(block))
    if isinstance(call, Mapping):
        blocks.append({"type": "tool_call", "tool_call": call})
    return blocks


def _block(block: Mapping[str, Any]) -> dict[str, Any]:
    kind = as_word(block.get("type")) or "text"
    held = block.get(kind)
    inner = held.get(kind) if isinstance(held, Mapping) else None
    if kind == "document":
        return _document(inner if isinstance(inner, Mapping) else held)
    if isinstance(inner, Mapping):
        return {"type": kind, **inner}
    if kind == "tool_use":
        return {"type": kind, "id": block.get("id"), "input": block.get("data")}
    return {
        "type": kind,
        "text": first(block, "text", "data"),
        "signature": first(block, "signature", "encrypted_content"),
    }


def _document(held: Any) -> dict[str, Any]:
    if not isinstance(held, Mapping):
        return {"type": "text", "text": as_text(held)}
    if first(held, "url", "data") is not None:
        return {"type": "document", **held}
    return {"type": "text", "text": as_text(first(held, "content", "text") or held)}
