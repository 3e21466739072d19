"""Any shape of a message on the wire, read as the one content model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vagus.meaning.content import (
    Blob,
    File,
    JsonPart,
    Message,
    Part,
    Reasoning,
    Text,
    ToolCall,
    ToolCallResponse,
    Uri,
)
from vagus.meaning.values import MAX_ITEMS, as_text, as_word, first, items, loads

_ROLES = {
    "human": "user",
    "ai": "assistant",
    "aimessagechunk": "assistant",
    "model": "assistant",
    "function": "tool",
    "developer": "system",
}
_MESSAGE_TYPES = frozenset({"human", "ai", "aimessagechunk", "system", "tool", "function", "chat"})
_SAYS = frozenset({"role", "content", "parts", "tool_calls", "function_call"})
_TEXT = frozenset({"text", "input_text", "output_text", "summary_text", "refusal"})
_REASONING = frozenset({"reasoning", "thinking", "redacted_thinking"})
_CALLS = frozenset({"tool_call", "tool_use", "function_call", "tool-call", "server_tool_call"})
_ANSWERS = frozenset(
    {
        "tool_call_response",
        "tool_result",
        "function_call_output",
        "tool-result",
        "server_tool_call_response",
    }
)
_MEDIA = frozenset({"image", "image_url", "input_image", "audio", "input_audio", "video"})


def read_messages(value: Any, role: str) -> list[Message]:
    """Messages out of anything: a list, an object that holds one, a bare string.

    `role` is what a message gets that names none.
    """
    return _messages(loads(value), role, depth=4)


def _messages(value: Any, role: str, depth: int) -> list[Message]:
    if value is None or value == "" or depth == 0:
        return []
    if isinstance(value, str):
        return [Message(role, [Text(value)])]
    if isinstance(value, Mapping):
        return _from_mapping(value, role, depth)
    if isinstance(value, (list, tuple)):
        return _from_list(value[:MAX_ITEMS], role, depth)
    return [Message(role, [Text(as_text(value))])]


def _from_mapping(value: Mapping[str, Any], role: str, depth: int) -> list[Message]:
    for key in ("messages", "choices", "generations", "contents"):
        held = loads(value.get(key))
        if isinstance(held, (list, tuple)) and held:
            system = read_messages(value.get("system"), "system") if key == "messages" else []
            return system + _messages(held, role, depth - 1)
    if is_message(value):
        return [read_message(value, role)]
    return [Message(role, [read_part(value)])]


def _from_list(values: list[Any] | tuple[Any, ...], role: str, depth: int) -> list[Message]:
    found: list[Message] = []
    loose: list[Part] = []
    for raw in values:
        value = loads(raw)
        is_nested = isinstance(value, (list, tuple))
        if is_nested or (isinstance(value, Mapping) and is_message(value)):
            if loose:
                found.append(Message(role, loose))
                loose = []
            if isinstance(value, Mapping):
                found.append(read_message(value, role))
            else:
                found += _messages(value, role, depth - 1)
        elif value is not None and value != "":
            loose.append(read_part(value))
    return [*found, Message(role, loose)][:MAX_ITEMS] if loose else found[:MAX_ITEMS]


def is_message(value: Mapping[str, Any]) -> bool:
    """Whether an object is a message rather than a part of one."""
    if isinstance(value.get("role"), str) or "parts" in value:
        return True
    if _unwrapped(value) is not value:
        return True
    kind = as_word(value.get("type")).lower()
    return "content" in value and (kind in _MESSAGE_TYPES or not kind)


def read_message(raw: Mapping[str, Any], role: str) -> Message:
    """One message from any provider's or convention's object."""
    value = _unwrapped(raw)
    spoken = as_word(first(value, "role")) or as_word(value.get("type")) or _class_role(raw)
    spoken = _ROLES.get(spoken.lower(), spoken.lower()) or role
    if spoken in ("message", "chat", "constructor"):
        spoken = role
    parts = _parts(value, spoken)
    return Message(
        spoken,
        parts[:MAX_ITEMS],
        as_word(value.get("name")),
        as_word(first(value, "finish_reason", "stop_reason") or raw.get("finish_reason")),
    )


def _unwrapped(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """The message inside a choice, or inside LangChain's serialised constructor."""
    for key in ("message", "kwargs"):
        inner = value.get(key)
        if isinstance(inner, Mapping) and not _SAYS.isdisjoint(inner):
            return inner
    return value


def _class_role(value: Mapping[str, Any]) -> str:
    path = value.get("id")
    name = as_word(path[-1]) if isinstance(path, (list, tuple)) and path else ""
    return name.removesuffix("Chunk").removesuffix("Message") if "Message" in name else ""


def _parts(value: Mapping[str, Any], role: str) -> list[Part]:
    parts: list[Part] = []
    thought = first(value, "reasoning_content", "reasoning", "thinking")
    if isinstance(thought, str):
        parts.append(Reasoning(thought))
    if "parts" in value:
        body = loads(value["parts"])
    else:
        body = first(value, "content", "contents", "text")
    parts += _body(body, as_word(first(value, "tool_call_id", "toolCallId")), role)
    for call in items(loads(value.get("tool_calls"))):
        found = loads(call)
        parts.append(read_call(found) if isinstance(found, Mapping) else JsonPart(found))
    single = loads(value.get("function_call"))
    if isinstance(single, Mapping):
        parts.append(read_call(single))
    return parts


def _body(body: Any, call_id: str, role: str) -> list[Part]:
    """The parts of a content field; a tool's message is the response to its call."""
    if isinstance(body, str) and body.lstrip().startswith("[{"):
        decoded = loads(body)
        if isinstance(decoded, list) and all(isinstance(p, dict) and "type" in p for p in decoded):
            body = decoded
    if body is None or body == "":
        return []
    is_blocks = isinstance(body, (list, tuple))
    if role == "tool" and not (is_blocks and _holds_answers(body)):
        return [ToolCallResponse(call_id, loads(body))]
    if is_blocks:
        return [read_part(part) for part in body[:MAX_ITEMS]]
    return [read_part(body)]


def _holds_answers(parts: Any) -> bool:
    return any(isinstance(p, Mapping) and as_word(p.get("type")) in _ANSWERS for p in parts)


def read_part(value: Any) -> Part:
    """One part; what is not recognised is kept as JSON."""
    if isinstance(value, str):
        return Text(value)
    if not isinstance(value, Mapping):
        return JsonPart(value)
    kind = as_word(value.get("type")).lower()
    if kind in _TEXT:
        return Text(_text(value))
    if kind in _REASONING:
        return Reasoning(_text(value))
    if kind in _CALLS:
        return read_call(value)
    if kind in _ANSWERS:
        return _answer(value)
    if kind in ("blob", "uri", "file") or kind in _MEDIA:
        return _media(value, kind)
    return _untyped(value) if not kind else JsonPart(value)


def _text(value: Mapping[str, Any]) -> str:
    found = first(value, "content", "text", "thinking", "refusal", "data", "summary")
    if isinstance(found, Mapping):
        found = first(found, "value", "text")
    return as_text(found)


def _untyped(value: Mapping[str, Any]) -> Part:
    """Parts of providers that name the kind by the key: Google and Bedrock."""
    if isinstance(value.get("text"), str):
        return Text(value["text"])
    for key in ("toolUse", "functionCall", "function_call"):
        call = value.get(key)
        if isinstance(call, Mapping):
            return read_call(call)
    for key in ("toolResult", "functionResponse", "function_response"):
        answer = value.get(key)
        if isinstance(answer, Mapping):
            return _answer(answer)
    for key in ("inlineData", "inline_data", "fileData", "file_data"):
        data = value.get(key)
        if isinstance(data, Mapping):
            return _media(data, "blob")
    return JsonPart(value)


def read_call(value: Mapping[str, Any]) -> ToolCall:
    """A tool call in any provider's shape."""
    inner = value.get("tool_call") if isinstance(value.get("tool_call"), Mapping) else value
    function = inner.get("function") if isinstance(inner, Mapping) else None
    if not isinstance(inner, Mapping):
        return ToolCall()
    named = function if isinstance(function, Mapping) else inner
    arguments = first(named, "arguments", "input", "args", "server_tool_call")
    return ToolCall(
        as_word(first(inner, "id", "call_id", "tool_call_id", "toolCallId", "toolUseId")),
        as_word(first(named, "name", "toolName")),
        loads(arguments),
    )


def _answer(value: Mapping[str, Any]) -> ToolCallResponse:
    keys = ("id", "tool_use_id", "call_id", "tool_call_id", "toolCallId", "toolUseId", "name")
    held = ("response", "result", "content", "output", "server_tool_call_response")
    return ToolCallResponse(as_word(first(value, *keys)), loads(first(value, *held)))


def _media(value: Mapping[str, Any], kind: str) -> Part:
    inner: Mapping[str, Any] = value
    for key in ("source", "image_url", "input_audio", kind):
        held = value.get(key)
        if isinstance(held, Mapping):
            inner = held
    modality = as_word(value.get("modality")) or kind.removeprefix("input_").removesuffix("_url")
    modality = "" if modality in ("blob", "uri", "file") else modality
    mime = as_word(first(inner, "mime_type", "media_type", "mimeType", "format"))
    if file_id := as_word(first(inner, "file_id")):
        return File(file_id, mime, modality)
    address = first(inner, "uri", "url", "fileUri", "image_url")
    if isinstance(address, str):
        return _data_uri(address, modality) or Uri(address, mime, modality)
    content = first(inner, "content", "data")
    return Blob(content, mime, modality) if isinstance(content, str) else JsonPart(value)


def _data_uri(address: str, modality: str) -> Blob | None:
    head, comma, data = address.partition(",")
    if not comma or not head.startswith("data:"):
        return None
    return Blob(data, head[5:].partition(";")[0], modality)
