"""Messages of every provider in the message schema of OTel GenAI."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from vagus.receive.providers.probe import at, decoded, mapping, objects, text

Part = dict[str, Any]
Message = dict[str, Any]

MAX_MESSAGES = 4_096
_ROLES = {"developer": "system", "model": "assistant", "function": "tool", "chatbot": "assistant"}
_TEXT = frozenset({"text", "input_text", "output_text", "summary_text"})
_MODALITIES = {
    "image": "image",
    "image_url": "image",
    "input_image": "image",
    "input_audio": "audio",
    "audio": "audio",
    "video": "video",
    "document": "document",
    "file": "document",
    "input_file": "document",
}
#: Formats that Bedrock names by their ending.
_MIME_KINDS = {"image": "image", "video": "video", "audio": "audio", "document": "application"}


def messages(values: Any, role: str = "user") -> list[Message]:
    """A conversation in any provider's shape; a bare text is one message."""
    if isinstance(values, str):
        return [message(role, [text_part(values)])] if values else []
    if not isinstance(values, list):
        return []
    found = (_message(item, role) for item in values[:MAX_MESSAGES])
    return [item for item in found if item["parts"] or item["role"] != role]


def message(role: str, parts: Iterable[Part], finish_reason: str = "") -> Message:
    """One message of the schema."""
    spoken = _ROLES.get(role.lower(), role.lower()) or "user"
    found: Message = {"role": spoken, "parts": list(parts)}
    if finish_reason:
        found["finish_reason"] = finish_reason
    return found


def text_part(content: str) -> Part:
    """A part of text."""
    return {"type": "text", "content": content}


def tool_call(call_id: Any, name: Any, arguments: Any) -> Part:
    """A part that asks for a tool; arguments that are JSON text are decoded."""
    return {
        "type": "tool_call",
        "id": call_id if isinstance(call_id, str) else None,
        "name": name if isinstance(name, str) else "",
        "arguments": decoded(arguments),
    }


def instructions(value: Any) -> list[Part]:
    """A system prompt in any shape, as parts."""
    if isinstance(value, Mapping):
        value = value.get("parts", value.get("content", [value]))
    return [part for part in parts_of(value) if part]


def parts_of(content: Any) -> list[Part]:
    """The parts of a content field: a text, or a list of any provider's blocks."""
    if isinstance(content, str):
        return [text_part(content)] if content else []
    if isinstance(content, Mapping):
        content = [content]
    if not isinstance(content, list):
        return []
    return [part for item in content[:MAX_MESSAGES] if (part := _part(item)) is not None]


def _message(item: Any, role: str) -> Message:
    if isinstance(item, str):
        return message(role, [text_part(item)])
    if not isinstance(item, Mapping):
        return message(role, [])
    kind = text(item, "type")
    if "role" not in item and kind and kind != "message":
        return message(_item_role(kind, role), [p for p in [_part(item)] if p])
    spoken = text(item, "role") or role
    content = item.get("parts", item.get("content", item.get("message")))
    if spoken in ("tool", "function"):
        call_id = text(item, "tool_call_id") or text(item, "name")
        return message("tool", [_tool_answer(call_id, content)])
    parts = _thoughts(item) + parts_of(content)
    if refusal := text(item, "refusal"):
        parts.append(text_part(refusal))
    if transcript := text(item, "audio", "transcript"):
        parts.append(text_part(transcript))
    for call in objects(item, "tool_calls"):
        parts.append(_call(call))
    if isinstance(item.get("function_call"), Mapping):
        parts.append(_call(item["function_call"]))
    return message(_spoken(spoken, parts), parts)


def _spoken(role: str, parts: list[Part]) -> str:
    """Anthropic, Google and Bedrock put the answers of tools into a user's message."""
    is_answer = bool(parts) and all(p["type"] == "tool_call_response" for p in parts)
    return "tool" if is_answer and role in ("user", "function") else role


def _item_role(kind: str, role: str) -> str:
    if kind.endswith("_output"):
        return "tool"
    return "assistant" if kind.endswith("_call") or kind == "reasoning" else role


def _thoughts(item: Mapping[str, Any]) -> list[Part]:
    thought = text(item, "reasoning_content") or text(item, "reasoning")
    return [{"type": "reasoning", "content": thought}] if thought else []


def _call(call: Mapping[str, Any]) -> Part:
    held = call.get("function")
    named = held if isinstance(held, Mapping) else call
    arguments = named.get("arguments", named.get("parameters", named.get("input")))
    return tool_call(call.get("id"), named.get("name"), arguments)


def _tool_answer(call_id: Any, response: Any) -> Part:
    return {
        "type": "tool_call_response",
        "id": call_id if isinstance(call_id, str) else None,
        "response": decoded(response),
    }


def _part(item: Any) -> Part | None:
    if isinstance(item, str):
        return text_part(item)
    if not isinstance(item, Mapping):
        return None
    kind = text(item, "type")
    if not kind:
        return _keyed_part(item)
    if kind in _TEXT:
        return text_part(text(item, "text"))
    if kind == "refusal":
        return text_part(text(item, "refusal"))
    if kind in ("thinking", "reasoning"):
        return {"type": "reasoning", "content": _reasoning(item)}
    if kind in ("tool_use", "function_call", "custom_tool_call"):
        arguments = item.get("input", item.get("arguments"))
        return tool_call(item.get("call_id", item.get("id")), item.get("name"), arguments)
    if kind in ("tool_result", "function_call_output", "custom_tool_call_output"):
        answer = item.get("content", item.get("output"))
        return _tool_answer(item.get("tool_use_id", item.get("call_id")), answer)
    if kind in _MODALITIES:
        return _media(item, _MODALITIES[kind])
    if kind == "server_tool_use" or kind.endswith("_call"):
        name = text(item, "name") or kind.removesuffix("_call")
        held = {key: value for key, value in item.items() if key not in ("id", "name")}
        return {
            "type": "server_tool_call",
            "id": item.get("id"),
            "name": name,
            "server_tool_call": held,
        }
    return {**item, "type": "generic", "generic_type": kind}


def _reasoning(item: Mapping[str, Any]) -> str:
    said = text(item, "thinking") or text(item, "text") or text(item, "content")
    blocks = objects(item, "summary") + objects(item, "content") + objects(item, "thinking")
    return said or "\n".join(text(block, "text") for block in blocks)


def _keyed_part(item: Mapping[str, Any]) -> Part:
    """A part of Google or Bedrock, whose kind is its key."""
    if isinstance(item.get("text"), str):
        kind = "reasoning" if item.get("thought") is True else "text"
        return {"type": kind, "content": item["text"]}
    for key in ("functionCall", "toolUse"):
        if isinstance(call := item.get(key), Mapping):
            arguments = call.get("args", call.get("input"))
            return tool_call(call.get("id", call.get("toolUseId")), call.get("name"), arguments)
    for key in ("functionResponse", "toolResult"):
        if isinstance(answer := item.get(key), Mapping):
            response = answer.get("response", answer.get("content"))
            named = answer.get("id", answer.get("toolUseId", answer.get("name")))
            return _tool_answer(named, response)
    if isinstance(item.get("reasoningContent"), Mapping):
        said = text(item, "reasoningContent", "reasoningText", "text")
        return {"type": "reasoning", "content": said}
    for key in ("inlineData", "inline_data", "fileData", "file_data"):
        if isinstance(item.get(key), Mapping):
            return _media(item[key], "")
    for key, kind in _MIME_KINDS.items():
        if isinstance(item.get(key), Mapping):
            return _bedrock_media(item[key], key, kind)
    return {"type": "generic", "generic_type": next(iter(item), ""), **item}


def _media(item: Mapping[str, Any], modality: str) -> Part:
    held = next(
        (h for key in ("source", "image_url", "input_audio", "file") if (h := mapping(item, key))),
        item,
    )
    mime = text(held, "media_type") or text(held, "mimeType") or text(held, "mime_type")
    mime = mime or (f"{modality}/{text(held, 'format')}" if text(held, "format") else "")
    modality = modality or mime.partition("/")[0]
    address = text(held, "url") or text(held, "fileUri") or text(item, "image_url")
    if address.startswith("data:"):
        head, _, content = address.partition(",")
        return _blob(content, head[5:].partition(";")[0], modality)
    if address:
        return {"type": "uri", "uri": address, "mime_type": mime, "modality": modality}
    if file_id := text(held, "file_id") or text(item, "file_id"):
        return {"type": "file", "file_id": file_id, "mime_type": mime, "modality": modality}
    return _blob(text(held, "data") or text(held, "file_data"), mime, modality)


def _bedrock_media(item: Mapping[str, Any], modality: str, kind: str) -> Part:
    ending = text(item, "format")
    mime = f"{kind}/{ending}" if ending else ""
    if address := text(item, "source", "s3Location", "uri"):
        return {"type": "uri", "uri": address, "mime_type": mime, "modality": modality}
    content = at(item, "source", "bytes")
    return _blob(content if isinstance(content, str) else "", mime, modality)


def _blob(content: str, mime: str, modality: str) -> Part:
    return {"type": "blob", "content": content, "mime_type": mime, "modality": modality}
