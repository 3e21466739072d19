"""One span of ours: starting it, writing on it and ending it, without ever failing the host."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from opentelemetry import trace
from opentelemetry.context import get_current
from opentelemetry.context.context import Context
from opentelemetry.trace import Span, SpanKind, Status, StatusCode

from vagus.sdk._content import json_of, text_of
from vagus.sdk._guard import guard

SCOPE = "vagus"

# How the kinds of `observe` read in the conventions: OpenInference's kind, and OpenTelemetry's
# operation where it has one.
KINDS: Mapping[str, tuple[str, str]] = {
    "chain": ("CHAIN", ""),
    "workflow": ("", "invoke_workflow"),
    "agent": ("AGENT", "invoke_agent"),
    "tool": ("TOOL", "execute_tool"),
    "retrieval": ("RETRIEVER", "retrieval"),
    "rerank": ("RERANKER", "rerank"),
    "embedding": ("EMBEDDING", "embeddings"),
    "llm": ("LLM", "chat"),
    "guardrail": ("GUARDRAIL", ""),
    "evaluator": ("EVALUATOR", ""),
}


class Capture:
    """Whether content is recorded at all; set by `init(capture_content=…)`."""

    content = True


class Step:
    """A started span, the context in which it is current, and when it began."""

    __slots__ = ("context", "span", "start_s")

    def __init__(self, span: Span, context: Context) -> None:
        self.span = span
        self.context = context
        self.start_s = time.perf_counter()

    @guard(default=None)
    def write(self, attributes: Mapping[str, Any]) -> None:
        """Set attributes; None and '' mean 'not said' and are left out."""
        for key, value in attributes.items():
            if value is not None and value != "":
                self.span.set_attribute(key, value)

    @guard(default=None)
    def write_content(self, key: str, value: Any) -> None:
        """Set one attribute that holds content, as bounded text, if content is recorded."""
        if Capture.content and self.span.is_recording():
            self.span.set_attribute(key, text_of(value))

    @guard(default=None)
    def write_json(self, key: str, value: Any) -> None:
        """Set one attribute that holds structured content, as bounded JSON."""
        if Capture.content and self.span.is_recording():
            self.span.set_attribute(key, json_of(value))

    @guard(default=None)
    def fail(self, error: BaseException) -> None:
        """Record what was raised: type, message and stack."""
        if self.span.is_recording():
            kind = f"{type(error).__module__}.{type(error).__qualname__}"
            self.span.set_attribute("error.type", kind.removeprefix("builtins."))
            self.span.set_status(Status(StatusCode.ERROR, text_of(_message_of(error), 1000)))
            self.span.record_exception(error)

    @guard(default=None)
    def end(self) -> None:
        """End the span; a second call does nothing."""
        if self.span.is_recording():
            self.span.end()


def _message_of(error: BaseException) -> str:
    # A broken __str__ belongs to the host; its exception must pass through unchanged all the same.
    try:
        return str(error) or type(error).__name__
    except Exception:  # noqa: BLE001 - hostile __str__
        return type(error).__name__


@guard(default=None)
def start(
    name: str,
    attributes: Mapping[str, Any],
    *,
    is_client: bool = False,
    parent: Context | None = None,
) -> Step | None:
    """Start a span under the parent (default: the current context); None only if that failed."""
    context = get_current() if parent is None else parent
    span = trace.get_tracer(SCOPE).start_span(
        name,
        context=context,
        kind=SpanKind.CLIENT if is_client else SpanKind.INTERNAL,
        attributes={key: value for key, value in attributes.items() if value not in (None, "")},
    )
    return Step(span, trace.set_span_in_context(span, context))


def kind_attributes(kind: str) -> dict[str, Any]:
    """The attributes that say a kind in OpenInference's and OpenTelemetry's words."""
    said, operation = KINDS.get(kind, ("CHAIN", ""))
    return {"openinference.span.kind": said, "gen_ai.operation.name": operation}
