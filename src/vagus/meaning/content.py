"""The one content model: messages, parts, tools and documents, whatever convention they came in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import msgspec

Json: TypeAlias = Any
Attributes: TypeAlias = Mapping[str, Any]


class Text(msgspec.Struct, frozen=True, tag_field="type", tag="text"):
    """Plain text."""

    content: str


class Reasoning(msgspec.Struct, frozen=True, tag_field="type", tag="reasoning"):
    """What the model thought before it answered; '' when the provider sent it encrypted."""

    content: str
    signature: str = ""


class ToolCall(msgspec.Struct, frozen=True, tag_field="type", tag="tool_call"):
    """A tool the model asks to be called; `arguments` is any JSON."""

    id: str = ""
    name: str = ""
    arguments: Json = None


class ToolCallResponse(msgspec.Struct, frozen=True, tag_field="type", tag="tool_call_response"):
    """What a tool answered; `response` is any JSON."""

    id: str = ""
    response: Json = None
    is_error: bool = False


class Blob(msgspec.Struct, frozen=True, tag_field="type", tag="blob"):
    """Bytes inside the message: base64 in `content`, or in blob storage under `sha256`."""

    content: str
    mime_type: str = ""
    modality: str = ""
    size_bytes: int | None = None
    sha256: str = ""
    name: str = ""


class Uri(msgspec.Struct, frozen=True, tag_field="type", tag="uri"):
    """Content that lies elsewhere; never fetched by Vagus."""

    uri: str
    mime_type: str = ""
    modality: str = ""
    name: str = ""


class File(msgspec.Struct, frozen=True, tag_field="type", tag="file"):
    """A file that the provider, or the tool that sent the telemetry, keeps under an id."""

    file_id: str
    mime_type: str = ""
    modality: str = ""
    name: str = ""


class JsonPart(msgspec.Struct, frozen=True, tag_field="type", tag="json"):
    """Anything that has no better place, as it came."""

    value: Json


Part: TypeAlias = Text | Reasoning | ToolCall | ToolCallResponse | Blob | Uri | File | JsonPart


class Message(msgspec.Struct, frozen=True):
    """One message; `role` is system, user, assistant, tool or whatever the sender said."""

    role: str
    parts: list[Part]
    name: str = ""
    finish_reason: str = ""


class Tool(msgspec.Struct, frozen=True):
    """A tool offered to the model; `parameters` is its JSON schema."""

    name: str
    description: str = ""
    parameters: Json = None


class Conversation(msgspec.Struct, frozen=True):
    """What went into a call, what came out and which tools were offered."""

    input: list[Message]
    output: list[Message]
    tools: list[Tool]


class PromptUse(msgspec.Struct, frozen=True):
    """The managed prompt that a call was made with, as far as the telemetry says."""

    name: str = ""
    version: str = ""
    id: str = ""
    template: Json = None
    variables: dict[str, Json] = {}


class Verdict(msgspec.Struct, frozen=True):
    """An evaluation that a span carries among its attributes.

    `source` is code, model, human, user or external; `scope` is span, trace or session.
    `target_span_ids` and `target_record` say what was judged when it is not the span itself.
    """

    name: str
    value: float | None = None
    label: str = ""
    passed: bool | None = None
    explanation: str = ""
    source: str = "external"
    evaluator: str = ""
    scope: str = "span"
    id: str = ""
    target_span_ids: list[str] = []
    target_record: str = ""
    metadata: dict[str, Json] = {}


class Document(msgspec.Struct, frozen=True):
    """A retrieved document; `rank` counts from 0 in the order it was given."""

    rank: int
    id: str = ""
    score: float | None = None
    content: str = ""
    metadata: dict[str, Json] = {}


class Retrieval(msgspec.Struct, frozen=True):
    """A search or a reranking: the query, the documents that came out, those that went in."""

    query: str = ""
    top_k: int | None = None
    documents: list[Document] = []
    inputs: list[Document] = []


class Event(msgspec.Struct, frozen=True):
    """A span event, or a log record that belongs to the span."""

    name: str
    attributes: dict[str, Json]
