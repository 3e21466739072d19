"""Examples for the evaluators out of the raw spans of a trace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from vagus.assess.quality.evaluators.base import Example
from vagus.meaning.content import Conversation, Event, Message, Text, ToolCall
from vagus.meaning.documents import read_documents
from vagus.meaning.messages import message_text, plain_input, read_conversation
from vagus.meaning.values import as_mapping, as_text

MAX_ANSWER = 20_000
MAX_QUESTION = 4_000
MAX_DOCUMENTS = 50

_FORMATS = ("gen_ai.openai.request.response_format", "gen_ai.request.response_format")


class SpanContent(msgspec.Struct, kw_only=True):
    """What the evaluators may need of one span."""

    span_id: str
    parent_span_id: str
    kind: str
    start_ns: int
    finish_reason: str
    attributes: dict[str, Any]
    events: list[Event]


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """An example and the span that gave its answer."""

    span_id: str
    example: Example


def read_example(spans: Sequence[SpanContent]) -> Judged | None:
    """The last answer of a trace with its question and documents; None when none was recorded.

    The answer is that of the last model call that said something, or that of the root.
    """
    ordered = sorted(spans, key=lambda span: span.start_ns)
    root = next((span for span in ordered if not span.parent_span_id), None)
    found = _last_answer(ordered)
    if found is None and root is not None:
        conversation = read_conversation(root.attributes, root.events)
        found = (root, conversation) if conversation.output else None
    if found is None:
        return None
    span, conversation = found
    answer = _answer_text(conversation.output)
    documents = _documents(ordered)
    return Judged(
        span_id=span.span_id,
        example=Example(
            question=_question(root, span)[:MAX_QUESTION],
            answer=answer[:MAX_ANSWER],
            documents=documents[:MAX_DOCUMENTS],
            messages=conversation.input,
            tools=conversation.tools,
            wants_json=wants_json(span.attributes),
            finish_reason=span.finish_reason or _finish_reason(conversation.output),
            calls_tools=any(isinstance(p, ToolCall) for m in conversation.output for p in m.parts),
        ),
    )


def wants_json(attributes: Mapping[str, Any]) -> bool:
    """Whether the call asked the model for JSON."""
    if as_text(attributes.get("gen_ai.output.type")).lower() == "json":
        return True
    if attributes.get("gen_ai.request.structured_output_schema"):
        return True
    told = as_mapping(attributes.get("llm.invocation_parameters")).get("response_format")
    for value in (*(attributes.get(key) for key in _FORMATS), told):
        kind = as_mapping(value).get("type") or value
        if isinstance(kind, str) and kind.startswith("json"):
            return True
    return False


def _last_answer(ordered: Sequence[SpanContent]) -> tuple[SpanContent, Conversation] | None:
    silent = None
    for span in reversed(ordered):
        if span.kind != "llm":
            continue
        conversation = read_conversation(span.attributes, span.events)
        if _answer_text(conversation.output).strip():
            return span, conversation
        if conversation.output and silent is None:
            silent = span, conversation
    return silent


def _answer_text(messages: Sequence[Message]) -> str:
    """The text that was said; a message that only calls tools says nothing."""
    for message in reversed(messages):
        if not any(isinstance(part, ToolCall) for part in message.parts):
            return message_text(message)
        said = "\n".join(part.content for part in message.parts if isinstance(part, Text))
        if said.strip():
            return said
    return ""


def _question(root: SpanContent | None, answering: SpanContent) -> str:
    """What the user asked: at the root, since the call's prompt holds the documents too."""
    for span in (root, answering):
        if span is not None:
            text = plain_input(span.attributes, span.events, limit=MAX_QUESTION)
            if text:
                return text
    return ""


def _documents(ordered: Sequence[SpanContent]) -> list[str]:
    """What the model was given: the reranked documents if any, else those retrieved.

    With documents come the results of tools, which the same answer may rest on.
    """
    reranked = _contents(ordered, "rerank")
    documents = reranked or _contents(ordered, "retrieval")
    if not documents:
        return []
    results = []
    for span in ordered:
        if span.kind == "tool":
            output = read_conversation(span.attributes, span.events).output
            results += [text for text in map(message_text, output) if text]
    return list(dict.fromkeys([*documents, *results]))


def _contents(ordered: Sequence[SpanContent], kind: str) -> list[str]:
    return [
        document.content
        for span in ordered
        if span.kind == kind
        for document in read_documents(span.attributes, kind, span.events).documents
        if document.content.strip()
    ]


def _finish_reason(messages: Sequence[Message]) -> str:
    return next((m.finish_reason for m in reversed(messages) if m.finish_reason), "")
