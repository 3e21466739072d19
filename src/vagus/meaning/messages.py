"""Conversations out of raw span attributes, read when somebody looks, in every convention."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from vagus.meaning.content import (
    Attributes,
    Conversation,
    Event,
    Message,
    Text,
    Tool,
    ToolCall,
    ToolCallResponse,
)
from vagus.meaning.parts import read_messages
from vagus.meaning.values import (
    MAX_ITEMS,
    any_value,
    as_mapping,
    as_text,
    as_word,
    branch,
    first,
    items,
    key_values,
    loads,
)

PREVIEW_CHARACTERS = 2_000

_DETAILS = "gen_ai.client.inference.operation.details"
_OLD_EVENTS = {
    "gen_ai.system.message": "system",
    "gen_ai.user.message": "user",
    "gen_ai.assistant.message": "assistant",
    "gen_ai.tool.message": "tool",
}
# The keys under which frameworks put the one thing that matters, most telling first.
_ASKED = ("question", "query", "input", "prompt", "text", "message", "content", "user_input")
_ANSWERED = ("answer", "output", "result", "response", "text", "content", "completion", "message")
_WRAPPERS = ("inputs", "outputs", "kwargs", "args", "data")


def read_conversation(attributes: Attributes, events: Sequence[Event] = ()) -> Conversation:
    """What went in, what came out and which tools were offered; [] where nothing was said."""
    system = read_messages(attributes.get("gen_ai.system_instructions"), "system")
    asked = _input(attributes, events)
    return Conversation(
        (system + asked)[:MAX_ITEMS], _output(attributes, events), _tools(attributes)
    )


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
    return Event(name, merged)


def plain_input(
    attributes: Attributes,
    events: Sequence[Event] = (),
    *,
    limit: int = PREVIEW_CHARACTERS,
) -> str:
    """The question in one text: the last thing the user said, or the plain input of the span."""
    asked = [m for m in _input(attributes, events) if m.role != "system"]
    users = [m for m in asked if m.role == "user"]
    for message in reversed(users or asked):
        text = message_text(message, _ASKED)
        if text:
            return text[:limit]
    asked_for = first(
        attributes, "gen_ai.retrieval.query.text", "reranker.query", "gen_ai.tool.call.arguments"
    )
    return as_text(asked_for)[:limit]


def plain_output(
    attributes: Attributes,
    events: Sequence[Event] = (),
    *,
    limit: int = PREVIEW_CHARACTERS,
) -> str:
    """The answer in one text: the last text that came out."""
    for message in reversed(_output(attributes, events)):
        text = message_text(message, _ANSWERED)
        if text:
            return text[:limit]
    return ""


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


def _input(attributes: Attributes, events: Sequence[Event]) -> list[Message]:
    return (
        read_messages(attributes.get("gen_ai.input.messages"), "user")
        or _from_details(events, "gen_ai.input.messages", "user")
        or _from_old_events(events)
        or _from_event(events, "gen_ai.content.prompt", "gen_ai.prompt", "user")
        or _openinference(attributes, "llm.input_messages", "user")
        or _openllmetry(attributes, "gen_ai.prompt", "user")
        or read_messages(attributes.get("gen_ai.prompt"), "user")
        or _completions(attributes, "llm.prompts", "prompt", "user")
        or _tool_call(attributes)
        or _plain(attributes, "input", "user")
    )


def _output(attributes: Attributes, events: Sequence[Event]) -> list[Message]:
    return (
        read_messages(attributes.get("gen_ai.output.messages"), "assistant")
        or _from_details(events, "gen_ai.output.messages", "assistant")
        or _from_choices(events)
        or _from_event(events, "gen_ai.content.completion", "gen_ai.completion", "assistant")
        or _openinference(attributes, "llm.output_messages", "assistant")
        or _openllmetry(attributes, "gen_ai.completion", "assistant")
        or read_messages(attributes.get("gen_ai.completion"), "assistant")
        or _completions(attributes, "llm.choices", "completion", "assistant")
        or _tool_answer(attributes)
        or _plain(attributes, "output", "assistant")
    )


def _event_attributes(text: Any) -> dict[str, Any]:
    value = loads(text)
    if isinstance(value, list):
        return key_values(value[:MAX_ITEMS])
    return {key: any_value(item) for key, item in as_mapping(value).items()}


def _from_details(events: Sequence[Event], key: str, role: str) -> list[Message]:
    found: list[Message] = []
    for event in events:
        if event.name == _DETAILS:
            if key == "gen_ai.input.messages":
                instructions = event.attributes.get("gen_ai.system_instructions")
                found += read_messages(instructions, "system")
            found += read_messages(event.attributes.get(key), role)
    return found[:MAX_ITEMS]


def _from_old_events(events: Sequence[Event]) -> list[Message]:
    found: list[Message] = []
    for event in events:
        role = _OLD_EVENTS.get(event.name)
        if role:
            value = dict(event.attributes)
            value.setdefault("role", role)
            if role == "tool" and "id" in value:
                value.setdefault("tool_call_id", value["id"])
            found += read_messages(value, role)
    return found[:MAX_ITEMS]


def _from_choices(events: Sequence[Event]) -> list[Message]:
    found: list[Message] = []
    for event in events:
        if event.name == "gen_ai.choice":
            value = dict(event.attributes)
            if "message" in value:
                value["message"] = loads(value["message"])
            if isinstance(value.get("message"), str):
                value = {"content": value["message"], "finish_reason": value.get("finish_reason")}
            value.setdefault("content", None)
            found += read_messages(value, "assistant")
    return found[:MAX_ITEMS]


def _from_event(events: Sequence[Event], name: str, key: str, role: str) -> list[Message]:
    for event in events:
        if event.name == name:
            return read_messages(event.attributes.get(key), role)
    return []


def _openinference(attributes: Attributes, prefix: str, role: str) -> list[Message]:
    found = []
    for item in items(branch(attributes, prefix)):
        held = item.get("message") if isinstance(item, Mapping) else None
        if isinstance(held, Mapping):
            found.append(_openinference_message(held))
    return read_messages(found, role)


def _openinference_message(held: Mapping[str, Any]) -> dict[str, Any]:
    """One flattened message in the shape of a chat completion's."""
    blocks = [
        _openinference_block(block["message_content"])
        for block in items(held.get("contents"))
        if isinstance(block, Mapping) and isinstance(block.get("message_content"), Mapping)
    ]
    value: dict[str, Any] = {
        "role": as_word(held.get("role")),
        "name": held.get("name"),
        "content": blocks or held.get("content"),
        "tool_call_id": held.get("tool_call_id"),
        "tool_calls": items(held.get("tool_calls")),
        "finish_reason": held.get("finish_reason"),
    }
    if held.get("function_call_name"):
        value["function_call"] = {
            "name": held["function_call_name"],
            "arguments": held.get("function_call_arguments_json"),
        }
    return value


def _openinference_block(block: Mapping[str, Any]) -> dict[str, Any]:
    kind = as_word(block.get("type")) or "text"
    held = block.get(kind)
    inner = held.get(kind) if isinstance(held, Mapping) else None
    if isinstance(inner, Mapping):
        return {"type": kind, **inner}
    if kind == "document" and isinstance(held, Mapping):
        return {"type": "text", "text": as_text(held)}
    if kind == "tool_use":
        return {"type": kind, "id": block.get("id"), "input": block.get("data")}
    return {"type": kind, "text": first(block, "text", "data", "encrypted_content")}


def _openllmetry(attributes: Attributes, prefix: str, role: str) -> list[Message]:
    found = []
    for item in items(branch(attributes, prefix)):
        if isinstance(item, Mapping):
            value = dict(item)
            value["tool_calls"] = items(item.get("tool_calls"))
            value.setdefault("role", role)
            found.append(value)
    return read_messages(found, role)


def _completions(attributes: Attributes, prefix: str, noun: str, role: str) -> list[Message]:
    texts = [
        held[noun].get("text")
        for held in items(branch(attributes, prefix))
        if isinstance(held, Mapping) and isinstance(held.get(noun), Mapping)
    ]
    return read_messages(texts or attributes.get(prefix), role)


def _tool_call(attributes: Attributes) -> list[Message]:
    arguments = first(attributes, "gen_ai.tool.call.arguments")
    if arguments is None:
        return []
    name = as_word(first(attributes, "gen_ai.tool.name", "tool.name"))
    call_id = as_word(first(attributes, "gen_ai.tool.call.id", "tool.id"))
    return [Message("assistant", [ToolCall(call_id, name, loads(arguments))])]


def _tool_answer(attributes: Attributes) -> list[Message]:
    result = first(attributes, "gen_ai.tool.call.result")
    if result is None:
        return []
    call_id = as_word(first(attributes, "gen_ai.tool.call.id", "tool.id"))
    return [Message("tool", [ToolCallResponse(call_id, loads(result))])]


def _plain(attributes: Attributes, side: str, role: str) -> list[Message]:
    """The input or output of a span that is no model call."""
    value = first(attributes, f"{side}.value")
    if value is not None:
        is_text = "text" in as_word(attributes.get(f"{side}.mime_type"))
        if is_text and isinstance(value, str):
            return [Message(role, [Text(value)])]
        return read_messages(value, role)
    value = first(attributes, f"traceloop.entity.{side}", f"gen_ai.task.{side}")
    return read_messages(value, role)


def _tools(attributes: Attributes) -> list[Tool]:
    listed = loads(attributes.get("gen_ai.tool.definitions"))
    found = items(listed) if not isinstance(listed, Mapping) else [listed]
    if not found:
        found = [_openinference_tool(t) for t in items(branch(attributes, "llm.tools"))]
    if not found:
        found = items(branch(attributes, "llm.request.functions"))
    if not found:
        found = items(loads(attributes.get("gen_ai.request.functions")))
    return [tool for tool in (_tool(item) for item in found[:MAX_ITEMS]) if tool.name]


def _openinference_tool(item: Any) -> Any:
    held = item.get("tool") if isinstance(item, Mapping) else None
    if not isinstance(held, Mapping):
        return item
    return as_mapping(held.get("json_schema")) or held


def _tool(item: Any) -> Tool:
    value = as_mapping(item)
    function = as_mapping(value.get("function"))
    held = function or value
    schema = first(held, "parameters", "input_schema", "inputSchema", "json_schema")
    name = as_word(first(held, "name", "tool_name") or held.get("type"))
    return Tool(name, as_text(held.get("description")), loads(schema))
