"""OpenTelemetry GenAI: messages in attributes, in events and in log records, new and old."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from vagus.meaning.content import Attributes, Event, Message
from vagus.meaning.conversation.source import Said, Source
from vagus.meaning.parts import loads
from vagus.meaning.payload import read_messages
from vagus.meaning.values import MAX_ITEMS, any_value, as_mapping, key_values

DETAILS = "gen_ai.client.inference.operation.details"

_OLD_EVENTS = {
    "gen_ai.system.message": "system",
    "gen_ai.user.message": "user",
    "gen_ai.assistant.message": "assistant",
    "gen_ai.tool.message": "tool",
}


def read_events(names: Iterable[str], texts: Iterable[Any]) -> list[Event]:
    """Events from the columns of the spans table; attributes are JSON objects or OTLP pairs."""
    return [Event(name, _event_attributes(text)) for name, text in zip(names, texts, strict=False)]


def log_event(name: str, attributes: Attributes, body: Any) -> Event:
    """An event that came as a log record: a structured body is read as attributes."""
    inner = any_value(loads(body))
    merged = dict(attributes)
    if isinstance(inner, Mapping):
        merged |= {str(key): any_value(value) for key, value in inner.items()}
    elif inner is not None and inner != "":
        merged["content"] = inner
    # Older log records name their event in an attribute.
    return Event(name or str(merged.get("event.name", "")), merged)


def listed_events(value: Any) -> list[Event]:
    """Events that were written into one attribute as a JSON list."""
    found = loads(value)
    listed = found if isinstance(found, list) else []
    return [
        Event(str(item.get("event.name", "")), dict(item))
        for item in listed[:MAX_ITEMS]
        if isinstance(item, Mapping)
    ]


def details(key: str, role: str) -> Source:
    """The messages of the event that repeats the attributes of an inference."""

    def read(said: Said) -> list[Message]:
        found: list[Message] = []
        for event in said.events:
            if event.name == DETAILS:
                if role == "user":
                    instructions = event.attributes.get("gen_ai.system_instructions")
                    found += read_messages(instructions, "system")
                found += read_messages(event.attributes.get(key), role)
        return found[:MAX_ITEMS]

    return Source(read, from_events=True)


def content(name: str, key: str, role: str) -> Source:
    """The oldest form: one event with all messages as JSON."""

    def read(said: Said) -> list[Message]:
        for event in said.events:
            if event.name == name:
                return read_messages(event.attributes.get(key), role)
        return []

    return Source(read, from_events=True)


def spoken_events(events: Sequence[Event]) -> list[Message]:
    """The messages of message events, each in the role its event names."""
    found: list[Message] = []
    for event in events:
        role = _OLD_EVENTS.get(event.name)
        if role:
            value = {key: held for key, held in event.attributes.items() if key != "name"}
            value.setdefault("role", role)
            if role == "tool" and "id" in value:
                value.setdefault("tool_call_id", value["id"])
            value["content"] = _blocks(value.get("content"))
            found += read_messages(value, role)
    return [message for message in found if message.parts][:MAX_ITEMS]


def choice_events(events: Sequence[Event]) -> list[Message]:
    """The messages of choice events."""
    found: list[Message] = []
    for event in events:
        if event.name == "gen_ai.choice":
            value = dict(event.attributes)
            message = loads(value.get("message"))
            if isinstance(message, Mapping):
                value["message"] = message
            elif message is not None:
                value = {"content": message, "finish_reason": value.get("finish_reason")}
            value.setdefault("content", None)
            value.pop("id", None)
            value.pop("name", None)
            found += read_messages({"choices": [value]}, "assistant")
    return found[:MAX_ITEMS]


#: One event for each message that went in, and one for each choice that came out.
ASKED_EVENTS = Source(lambda said: spoken_events(said.events), from_events=True)
ANSWERED_EVENTS = Source(lambda said: choice_events(said.events), from_events=True)


def _blocks(value: Any) -> Any:
    """Blocks that were written as JSON text; any other text stays a text."""
    found = loads(value) if isinstance(value, str) and value.lstrip().startswith("[{") else value
    is_blocks = isinstance(found, list) and all(isinstance(item, Mapping) for item in found)
    return found if is_blocks else value


def _event_attributes(text: Any) -> dict[str, Any]:
    value = loads(text)
    if isinstance(value, list):
        return key_values(value[:MAX_ITEMS])
    return {key: any_value(item) for key, item in as_mapping(value).items()}
