"""Conversations out of raw span attributes, read when somebody looks, in every convention."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from vagus.meaning.content import (
    Attributes,
    Conversation,
    Event,
    Message,
    Text,
    ToolCall,
    ToolCallResponse,
)
from vagus.meaning.conversation.offered import read_tools
from vagus.meaning.conversation.otel import log_event, read_events
from vagus.meaning.conversation.source import Said
from vagus.meaning.conversation.table import INPUT, OUTPUT, SYSTEM
from vagus.meaning.parts import loads
from vagus.meaning.values import MAX_ITEMS, as_text

__all__ = [
    "log_event",
    "message_text",
    "plain_input",
    "plain_output",
    "read_conversation",
    "read_events",
    "telling_text",
]

PREVIEW_CHARACTERS = 2_000

# The keys under which frameworks put the one thing that matters, most telling first.
_ASKED = ("question", "query", "input", "prompt", "text", "message", "content", "user_input", "q")
_ANSWERED = ("answer", "output", "result", "response", "text", "content", "completion", "message")
_WRAPPERS = ("inputs", "outputs", "kwargs", "args", "data")


def read_conversation(attributes: Attributes, events: Sequence[Event] = ()) -> Conversation:
    """What went in, what came out and which tools were offered; [] where nothing was said."""
    said = Said(attributes, events)
    asked = INPUT.read(said)
    system = [] if any(m.role == "system" for m in asked) else SYSTEM.read(said)
    return Conversation(
        (system + asked)[:MAX_ITEMS], OUTPUT.read(said)[:MAX_ITEMS], read_tools(said)
    )


def plain_input(
    attributes: Attributes,
    events: Sequence[Event] = (),
    *,
    limit: int = PREVIEW_CHARACTERS,
) -> str:
    """The question in one text: the last thing the user said, or the plain input of the span."""
    asked = [m for m in INPUT.read(Said(attributes, events)) if m.role != "system"]
    users = [m for m in asked if m.role == "user" and not _only_answers(m)]
    for message in reversed(users or asked):
        text = message_text(message, _ASKED)
        if text:
            return text[:limit]
    for message in reversed(asked):
        for part in message.parts:
            if isinstance(part, ToolCall) and part.arguments is not None:
                return as_text(part.arguments)[:limit]
    return ""


def plain_output(
    attributes: Attributes,
    events: Sequence[Event] = (),
    *,
    limit: int = PREVIEW_CHARACTERS,
) -> str:
    """The answer in one text: the last text that came out."""
    for message in reversed(OUTPUT.read(Said(attributes, events))):
        text = message_text(message, _ANSWERED)
        if text:
            return text[:limit]
    return ""


def _only_answers(message: Message) -> bool:
    """Whether a message only brings a tool's answer, which some providers send as the user's."""
    return all(isinstance(part, ToolCallResponse) for part in message.parts)


def message_text(message: Message, keys: Sequence[str] = _ANSWERED) -> str:
    """The text of a message; of a JSON part the field that holds the text; '' for tool calls."""
    texts = []
    for part in message.parts:
        if isinstance(part, Text):
            texts.append(part.content)
        elif not isinstance(part, ToolCall):
            value = getattr(part, "value", None)
            value = part.response if isinstance(part, ToolCallResponse) else value
            if value is not None:
                texts.append(telling_text(value, keys))
    return "\n".join(text for text in texts if text)


def telling_text(value: Any, keys: Sequence[str] = _ANSWERED, depth: int = 5) -> str:
    """The text inside a framework's JSON, by the usual names of the field; else the JSON."""
    found = loads(value)
    for _ in range(depth):
        if isinstance(found, (list, tuple)) and len(found) == 1:
            found = loads(found[0])
        elif isinstance(found, Mapping):
            held = (loads(found.get(key)) for key in (*keys, *_WRAPPERS))
            inner = next((v for v in held if v not in (None, "", {}, [])), None)
            if inner is None:
                break
            found = inner
        else:
            break
    return as_text(found)
