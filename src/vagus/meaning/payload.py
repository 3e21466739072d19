"""Whole requests and answers of any provider or framework as messages, told by their shape."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from vagus.meaning.content import Message, Part, Text, ToolCallResponse
from vagus.meaning.parts import (
    KNOWN_ROLES,
    ROLES,
    finish_reason,
    is_message,
    loads,
    names_speaker,
    part_role,
    read_message,
    read_part,
    read_parts,
)
from vagus.meaning.values import MAX_ITEMS, as_text, as_word, first

_DEPTH = 7
# Lists that hold the conversation, and whether all their objects are messages whatever they look
# like: a choice of the completions API has only a text.
_BODIES = {
    "messages": False,
    "contents": False,
    "choices": True,
    "candidates": True,
    "generations": True,
    "chat_history": False,
    "items": False,
    "output": False,
    "input": False,
}
_SYSTEM = ("system", "system_instruction", "systemInstruction", "instructions", "preamble",
           "system_prompt", "systemPrompt")  # fmt: skip
# What frameworks wrap a message in; only looked into when a message lies there.
_WRAPPERS = ("input", "inputs", "output", "outputs", "result", "results", "return", "response",
             "message", "data", "body", "request", "kwargs", "args", "value", "payload", "update",
             "generation_outputs")  # fmt: skip
_TEXT_ANSWERS = ("completion", "generation", "outputText", "output_text", "generated_text",
                 "combined_chunk_content")  # fmt: skip
_LONELY = frozenset({"input", "output", "text", "result", "response", "return", "value"})


def read_messages(value: Any, role: str) -> list[Message]:
    """Messages out of anything: a list, an object that holds one, a bare string.

    `role` is what a message gets that names none.
    """
    return _messages(loads(value), role, _DEPTH)[:MAX_ITEMS]


def has_messages(value: Any) -> bool:
    """Whether a value is a conversation rather than something that was said in one."""
    return _is_talk(loads(value), _DEPTH)


def _messages(value: Any, role: str, depth: int, *, is_certain: bool = False) -> list[Message]:
    if value is None or value == "" or depth == 0:
        return []
    if isinstance(value, str):
        return [Message(role, list(read_parts(value)))]
    if isinstance(value, Mapping):
        return _from_mapping(value, role, depth)
    if isinstance(value, (list, tuple)):
        return _from_list(value[:MAX_ITEMS], role, depth, is_certain)
    return [Message(role, [Text(as_text(value))])]


def _from_mapping(value: Mapping[str, Any], role: str, depth: int) -> list[Message]:
    found = _conversation(value, role, depth)
    if not found and _holds_turns(value):
        found = _turns(value, role)
    if not found and is_message(value):
        return [read_message(value, role)]
    return found or _asked(value, role, depth) or _wrapped(value, role, depth) or _rest(value, role)


def _conversation(value: Mapping[str, Any], role: str, depth: int) -> list[Message]:
    """A request or an answer with its list of messages, and the instructions beside it."""
    for key, is_certain in _BODIES.items():
        held = loads(value.get(key))
        if key == "contents" and isinstance(held, (str, Mapping)) and held:
            held = [held]
        if not isinstance(held, (list, tuple)) or not held:
            continue
        if not is_certain and key not in ("messages", "contents") and not _is_talk(held, depth):
            continue
        found = _messages(held, role, depth - 1, is_certain=is_certain)
        if key == "chat_history":
            last = first(value, "input", "message", "question")
            found += [Message(role, [Text(last)])] if isinstance(last, str) else []
        return _finished(_system(value) + found, value)
    return []


def _system(value: Mapping[str, Any]) -> list[Message]:
    said = first(value, *_SYSTEM)
    config = value.get("config")
    if said is None and isinstance(config, Mapping):
        said = first(config, *_SYSTEM)
    if isinstance(said, Mapping) and "parts" in said:
        said = said["parts"]
    return [
        msgspec.structs.replace(message, role="system") for message in read_messages(said, "system")
    ]


def _finished(found: list[Message], value: Mapping[str, Any]) -> list[Message]:
    """The answer with the reason to stop that stands outside of it."""
    reason = finish_reason(value)
    if reason and found and not found[-1].finish_reason and found[-1].role == "assistant":
        found[-1] = msgspec.structs.replace(found[-1], finish_reason=reason)
    return found


def _asked(value: Mapping[str, Any], role: str, depth: int) -> list[Message]:
    """A request whose question is one text: Responses, completions, embeddings."""
    is_request = first(value, "model", *_SYSTEM) is not None
    question = first(value, "input", "prompt") if is_request else None
    if question is None:
        question = first(value, "prompts", *_TEXT_ANSWERS)
    if question is None and "done" in value:
        question = value.get("response")
    if not isinstance(question, (str, list, tuple)) or not question:
        return []
    return _finished(_system(value) + _messages(loads(question), role, depth - 1), value)


def _wrapped(value: Mapping[str, Any], role: str, depth: int) -> list[Message]:
    for key in _WRAPPERS:
        held = loads(value.get(key))
        if key == "args" and isinstance(held, (list, tuple)) and len(held) == 1:
            held = loads(held[0])
        if _is_talk(held, depth - 1):
            return _finished(_messages(held, role, depth - 1), value)
    return []


def _rest(value: Mapping[str, Any], role: str) -> list[Message]:
    """What is no conversation: one object as it came; nothing where nothing is said."""
    said = [key for key, held in value.items() if held is not None and held not in ("", {}, [])]
    if not said:
        return []
    if len(value) == 1 and said[0] in _LONELY and isinstance(value[said[0]], str):
        return [Message(role, list(read_parts(value[said[0]])))]
    return [Message(role, list(read_parts(value)))]


def _is_talk(value: Any, depth: int) -> bool:
    """Whether a message lies in the value: itself, or first in its lists."""
    if depth <= 0:
        return False
    if isinstance(value, Mapping):
        bodies = (value.get(key) for key in _BODIES)
        return names_speaker(value) or any(_is_talk(held, depth - 1) for held in bodies)
    if isinstance(value, (list, tuple)) and value:
        if _is_pair(value):
            return True
        head = loads(value[0])
        if isinstance(head, Mapping):
            return names_speaker(head) or bool(part_role(head))
        return isinstance(head, (list, tuple)) and _is_talk(head, depth - 1)
    return False


def _is_pair(value: Any) -> bool:
    """A message as frameworks let people write it: ("user", "hi")."""
    if len(value) != 2 or not all(isinstance(item, str) for item in value):
        return False
    return value[0].lower() in KNOWN_ROLES


def _from_list(
    values: list[Any] | tuple[Any, ...], role: str, depth: int, is_certain: bool
) -> list[Message]:
    if _is_pair(values):
        spoken = values[0].lower()
        return [Message(ROLES.get(spoken, spoken), list(read_parts(values[1])))]
    found: list[Message] = []
    loose = _Loose(role)
    for raw in values:
        value = loads(raw)
        if isinstance(value, (list, tuple)):
            found += loose.taken()
            found += _messages(value, role, depth - 1, is_certain=is_certain)
        elif isinstance(value, Mapping) and _holds_turns(value):
            found += loose.taken() + _turns(value, role)
        elif isinstance(value, Mapping) and (is_certain or is_message(value)):
            found += [*loose.taken(), read_message(value, role)]
        elif value is not None and value != "":
            found += loose.add(value)
    return (found + loose.taken())[:MAX_ITEMS]


class _Loose:
    """Parts that came without a message around them, gathered into one for each speaker."""

    def __init__(self, role: str) -> None:
        self._role = role
        self._speaker = role
        self._parts: list[Part] = []

    def add(self, value: Any) -> list[Message]:
        """Keep a part; the message before it comes back when somebody else speaks."""
        speaker = part_role(value) or self._role
        done = self.taken() if speaker != self._speaker else []
        self._speaker = speaker
        parts = [read_part(value)] if speaker == "tool" else read_parts(value)
        if len(parts) == 2 and isinstance(parts[1], ToolCallResponse):
            self._parts.append(parts[0])
            done += [*self.taken(), Message("tool", [parts[1]])]
            return done
        self._parts += parts
        return done

    def taken(self) -> list[Message]:
        """The message of the parts so far, if there are any."""
        parts, self._parts = self._parts, []
        return [Message(self._speaker, parts)] if parts else []


_TURN_ROLES = {"system-prompt": "system", "tool-return": "tool", "retry-prompt": "tool"}


def _holds_turns(value: Mapping[str, Any]) -> bool:
    """PydanticAI's own dump: a request or response whose parts are turns of several speakers."""
    kind = as_word(value.get("kind"))
    return kind in ("request", "response") and isinstance(value.get("parts"), (list, tuple))


def _turns(value: Mapping[str, Any], role: str) -> list[Message]:
    is_request = value.get("kind") == "request"
    found: list[Message] = []
    for part in value["parts"][:MAX_ITEMS]:
        kind = as_word(part.get("part_kind")) if isinstance(part, Mapping) else ""
        speaker = _TURN_ROLES.get(kind, "user") if is_request else "assistant"
        body = part.get("content") if kind in ("user-prompt", "system-prompt") else part
        parts = [p for m in read_messages(body, speaker) for p in m.parts]
        if found and found[-1].role == speaker:
            parts = found.pop().parts + parts
        found.append(Message(speaker, parts))
    return found or [Message(role, [])][:0]
