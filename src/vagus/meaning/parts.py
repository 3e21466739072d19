"""One message or part of any provider, framework or convention as the one content model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vagus.meaning.content import (
    JsonPart,
    Message,
    Part,
    Reasoning,
    Text,
    ToolCall,
    ToolCallResponse,
)
from vagus.meaning.media import MEDIA_KEYS, MEDIA_TYPES, read_media, read_media_text
from vagus.meaning.pyrepr import read_repr
from vagus.meaning.values import MAX_ITEMS, MAX_NESTING, as_text, as_word, first, is_shallow, items
from vagus.meaning.values import loads as load_json
from vagus.meaning.words import FINISH_REASONS

ROLES = {
    "human": "user",
    "ai": "assistant",
    "aimessagechunk": "assistant",
    "model": "assistant",
    "chatbot": "assistant",
    "function": "tool",
    "ipython": "tool",
    "developer": "system",
}
KNOWN_ROLES = frozenset({"system", "user", "assistant", "tool", *ROLES})
_MESSAGE_TYPES = frozenset({"human", "ai", "aimessagechunk", "system", "tool", "function", "chat",
                            "message", "humanmessagechunk"})  # fmt: skip
_SAYS = frozenset({"role", "content", "parts", "tool_calls", "function_call"})
_GENERATIONS = frozenset({"generation", "chatgeneration"})
_DOCUMENT = frozenset({"score", "metadata", "document_id"})
_TEXT = frozenset({"text", "input_text", "output_text", "summary_text", "refusal", "system-prompt",
                   "user-prompt"})  # fmt: skip
_REASONING = frozenset({"reasoning", "thinking", "redacted_thinking", "redacted-reasoning",
                        "reasoning_content"})  # fmt: skip
_CALLS = frozenset({"tool_call", "tool_use", "function_call", "tool-call", "server_tool_call",
                    "function", "builtin-tool-call"})  # fmt: skip
_ANSWERS = frozenset({"tool_call_response", "tool_result", "function_call_output", "tool-result",
                      "server_tool_call_response", "tool-return", "retry-prompt", "tool-error",
                      "builtin-tool-return"})  # fmt: skip
_CALL_KEYS = ("toolUse", "functionCall", "function_call")
_ANSWER_KEYS = ("toolResult", "functionResponse", "function_response")
_THOUGHT_KEYS = ("reasoningContent", "reasoning_content")
_FINISH_KEYS = ("finish_reason", "stop_reason", "finishReason", "stopReason", "done_reason",
                "completionReason")  # fmt: skip
_FINISH_HOLDERS = ("response_metadata", "generation_info", "generationInfo")
_FINISH = frozenset((*_FINISH_KEYS, *_FINISH_HOLDERS))
_SIMPLE = frozenset({"role", "content", "parts", "name", "finish_reason"})
_BODY_KEYS = ("content", "contents", "blocks", "text", "generated_text", "output_text",
             "outputText",
              "message")  # fmt: skip


def loads(value: Any) -> Any:
    """The value behind JSON text or behind Python's `repr`; other text as it is."""
    found = load_json(value)
    if isinstance(found, str) and found.lstrip()[:2] in ("{'", "['", "[{", "[(", "('", "{1"):
        read = read_repr(found.strip())
        return read if read is not None and is_shallow(read, MAX_NESTING) else found
    return found


def is_message(value: Mapping[str, Any]) -> bool:
    """Whether an object is a message rather than a part of one."""
    if names_speaker(value):
        return True
    kind = as_word(value.get("type")).lower()
    if "content" in value and not kind and _DOCUMENT.isdisjoint(value):
        return True
    return isinstance(value.get("blocks"), list)


def names_speaker(value: Mapping[str, Any]) -> bool:
    """Whether an object is a message for certain: it names its role or its class."""
    if "parts" in value or isinstance(value.get("role"), str):
        return True
    if _unwrapped(value) is not value:
        return True
    kind = as_word(value.get("type")).lower()
    return ("content" in value and kind in _MESSAGE_TYPES) or kind in _GENERATIONS


def read_message(raw: Mapping[str, Any], role: str) -> Message:
    """One message from any provider's or convention's object."""
    if _SIMPLE.issuperset(raw) and isinstance(raw.get("role"), str) and raw["role"]:
        return _simple(raw)
    value = _unwrapped(raw)
    spoken = as_word(first(value, "role")) or as_word(value.get("type")) or _class_role(raw)
    spoken = ROLES.get(spoken.lower(), spoken.lower())
    if spoken not in KNOWN_ROLES and "role" not in value:
        spoken = role
    parts = _parts(value, spoken or role)
    reason = finish_reason(value) or finish_reason(raw)
    return Message(spoken or role, parts[:MAX_ITEMS], as_word(value.get("name")), reason)


def _simple(value: Mapping[str, Any]) -> Message:
    """Most messages: a role and a text or parts, read without looking for anything else."""
    role = ROLES.get(value["role"].lower(), value["role"].lower())
    body = loads(value["parts"]) if "parts" in value else value.get("content")
    parts = _body(body, "", role)
    return Message(role, parts, as_word(value.get("name")), finish_reason(value))


def finish_reason(value: Mapping[str, Any]) -> str:
    """Why the model stopped, in the words of the field table; '' when it is not said."""
    if _FINISH.isdisjoint(value):
        return ""
    reason = as_word(first(value, *_FINISH_KEYS))
    for key in _FINISH_HOLDERS:
        held = value.get(key)
        if not reason and isinstance(held, Mapping):
            reason = as_word(first(held, *_FINISH_KEYS))
    return FINISH_REASONS.get(reason.lower(), reason.lower())


def _unwrapped(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """The message inside a choice, a candidate, or LangChain's serialised forms."""
    for key in ("message", "delta", "kwargs", "data", "content"):
        inner = value.get(key)
        if not isinstance(inner, Mapping):
            continue
        if key == "message" and isinstance(inner.get("kwargs"), Mapping):
            # LangChain wraps twice: a generation holds a message, which holds its arguments.
            inner = inner["kwargs"]
        if key == "data" and as_word(value.get("type")).lower() not in _MESSAGE_TYPES:
            continue
        if key == "content" and "parts" not in inner:
            continue
        if not _SAYS.isdisjoint(inner):
            return inner
    return value


def _class_role(value: Mapping[str, Any]) -> str:
    path = value.get("id")
    name = as_word(path[-1]) if isinstance(path, (list, tuple)) and path else ""
    return name.removesuffix("Chunk").removesuffix("Message") if "Message" in name else ""


def _parts(value: Mapping[str, Any], role: str) -> list[Part]:
    extra = value.get("additional_kwargs")
    more: Mapping[str, Any] = extra if isinstance(extra, Mapping) else {}
    parts: list[Part] = []
    thought = first(value, "reasoning_content", "reasoning", "thinking")
    thought = thought if thought is not None else more.get("reasoning_content")
    if isinstance(thought, str) and thought:
        parts.append(Reasoning(thought))
    body = loads(value["parts"]) if "parts" in value else first(value, *_BODY_KEYS)
    parts += _body(body, as_word(first(value, "tool_call_id", "toolCallId")), role)
    if isinstance(value.get("refusal"), str) and value["refusal"]:
        parts.append(Text(value["refusal"]))
    parts += _spoken(value.get("audio"))
    parts += _images(value.get("images"))
    known = {part.id for part in parts if isinstance(part, ToolCall) and part.id}
    for call in _calls(value) or _calls(more):
        if not (isinstance(call, ToolCall) and call.id in known):
            parts.append(call)
    return parts


def _calls(value: Mapping[str, Any]) -> list[Part]:
    calls: list[Part] = []
    for call in items(loads(first(value, "tool_calls", "toolCalls"))):
        found = loads(call)
        calls.append(read_call(found) if isinstance(found, Mapping) else JsonPart(found))
    single = loads(value.get("function_call"))
    if isinstance(single, Mapping):
        calls.append(read_call(single))
    return calls


def _spoken(audio: Any) -> list[Part]:
    """The audio of an answer and its transcript."""
    if not isinstance(audio, Mapping):
        return []
    transcript = audio.get("transcript")
    spoken: list[Part] = [Text(transcript)] if isinstance(transcript, str) and transcript else []
    return [*spoken, read_media(audio, "audio")] if audio.get("data") else spoken


def _images(images: Any) -> list[Part]:
    """Images beside the text, as Ollama and OpenRouter send them."""
    parts: list[Part] = []
    for image in images if isinstance(images, list) else []:
        held = image if isinstance(image, Mapping) else {"data": image}
        parts.append(read_media(held, "image"))
    return parts[:MAX_ITEMS]


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
        return [part for block in body[:MAX_ITEMS] for part in read_parts(block)]
    return read_parts(body)


def _holds_answers(parts: Any) -> bool:
    return any(
        isinstance(p, Mapping) and (_is_answer(_kind(p)) or not p.keys().isdisjoint(_ANSWER_KEYS))
        for p in parts
    )


def _kind(value: Mapping[str, Any]) -> str:
    kind = value.get("type")
    if not isinstance(kind, str) or not kind:
        kind = as_word(first(value, "part_kind", "block_type", "kind"))
    return kind.lower()


def _is_call(kind: str) -> bool:
    return kind in _CALLS or kind.endswith(("tool_use", "_call")) or kind.startswith("tool-input")


def _is_answer(kind: str) -> bool:
    return kind in _ANSWERS or kind.endswith(("_tool_result", "_call_output"))


def part_role(value: Any) -> str:
    """Whose words a part is that came without a message around it; '' when it does not tell."""
    kind = _kind(value) if isinstance(value, Mapping) else ""
    if _is_answer(kind):
        return "tool"
    return "assistant" if kind in _REASONING or _is_call(kind) else ""


def read_parts(value: Any) -> list[Part]:
    """The parts of one object: two when a provider's own tool reports call and answer at once."""
    if isinstance(value, dict) and value.get("type") == "text":
        return [Text(_text(value))]
    part = read_part(value)
    if isinstance(part, ToolCall) and isinstance(value, Mapping):
        answer = first(value, "output", "results", "outputs", "result")
        if answer is not None and _kind(value) != "function":
            return [part, ToolCallResponse(part.id, loads(answer))]
    return [part]


def read_part(value: Any) -> Part:
    """One part; what is not recognised is kept as JSON."""
    if isinstance(value, str):
        return read_media_text(value) or Text(value)
    if not isinstance(value, Mapping):
        return JsonPart(value)
    kind = _kind(value)
    if kind in _TEXT:
        return Text(_text(value))
    if kind in _REASONING:
        return _reasoning(value)
    if kind in MEDIA_TYPES:
        return read_media(value, MEDIA_TYPES[kind])
    if _is_answer(kind):
        return _answer(value)
    if _is_call(kind):
        return read_call(value)
    return _untyped(value) if not kind else JsonPart(value)


def _text(value: Mapping[str, Any]) -> str:
    found = value.get("content") or value.get("text")
    if isinstance(found, str):
        return found
    found = first(value, "content", "text", "thinking", "refusal", "data", "summary")
    if isinstance(found, Mapping):
        found = first(found, "value", "text")
    return as_text(found)


def _reasoning(value: Mapping[str, Any]) -> Reasoning:
    """A thought; of one that the provider encrypted only the signature is kept."""
    found = first(value, "content", "text", "thinking", "reasoning", "summary", "reasoningText")
    signature = ""
    if isinstance(found, Mapping):
        signature = as_word(found.get("signature"))
        found = first(found, "text", "value")
    if isinstance(found, (list, tuple)):
        found = "\n".join(_text(s) if isinstance(s, Mapping) else as_text(s) for s in found)
    sealed = first(value, "signature", "encrypted_content", "data", "redactedContent")
    return Reasoning(as_text(found), as_word(sealed) or signature)


def _untyped(value: Mapping[str, Any]) -> Part:
    """Parts of providers that name the kind by the key: Google and Bedrock."""
    if isinstance(value.get("text"), str):
        return Reasoning(value["text"]) if value.get("thought") is True else Text(value["text"])
    for key in _CALL_KEYS:
        if isinstance(value.get(key), Mapping):
            return read_call(value[key])
    for key in _ANSWER_KEYS:
        if isinstance(value.get(key), Mapping):
            return _answer(value[key])
    for key in _THOUGHT_KEYS:
        if isinstance(value.get(key), Mapping):
            return _reasoning(value[key])
    for key, modality in MEDIA_KEYS.items():
        if isinstance(value.get(key), Mapping):
            return read_media(value[key], modality)
    return JsonPart(value)


def read_call(value: Mapping[str, Any]) -> ToolCall:
    """A tool call in any provider's shape."""
    inner = value.get("tool_call") if isinstance(value.get("tool_call"), Mapping) else value
    if not isinstance(inner, Mapping):
        return ToolCall()
    function = inner.get("function")
    named = function if isinstance(function, Mapping) else inner
    arguments = first(named, "arguments", "input", "args", "parameters", "server_tool_call",
                      "action",
                      "queries", "code", "data")  # fmt: skip
    name = as_word(first(named, "name", "toolName", "tool_name"))
    kind = _kind(value)
    if not name and kind not in _CALLS and kind.endswith("_call"):
        name = kind.removesuffix("_call")
    ids = ("call_id", "tool_call_id", "toolCallId", "toolUseId", "id")
    return ToolCall(as_word(first(inner, *ids)), name, loads(arguments))


def _answer(value: Mapping[str, Any]) -> ToolCallResponse:
    keys = ("tool_use_id", "call_id", "tool_call_id", "toolCallId", "toolUseId", "id", "name",
            "tool_name")  # fmt: skip
    held = ("response", "result", "content", "output", "server_tool_call_response")
    answer = loads(first(value, *held))
    failed = value.get("is_error") is True or value.get("status") == "error"
    if isinstance(answer, Mapping) and "value" in answer and len(answer) <= 3:
        failed = failed or as_word(answer.get("type")).startswith("error")
        answer = answer["value"]
    return ToolCallResponse(as_word(first(value, *keys)), answer, failed)
