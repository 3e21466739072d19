"""Spans that run a tool: what it was called with and what it answered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vagus.meaning.content import Attributes, Message, Part, ToolCall, ToolCallResponse, Uri
from vagus.meaning.conversation.source import Said, Source, numbered
from vagus.meaning.parts import loads
from vagus.meaning.values import as_word, first

ARGUMENTS = ("gen_ai.tool.call.arguments", "ai.toolCall.args", "tool_arguments", "tool.arguments",
              "gcp.vertex.agent.tool_call_args", "lk.function_tool.arguments",
              "ai.observability.mcp.input_arguments")  # fmt: skip
_RESULTS = ("gen_ai.tool.call.result", "ai.toolCall.result", "tool_response", "tool.result",
            "gcp.vertex.agent.tool_response", "lk.function_tool.output",
            "ai.observability.mcp.output_content")  # fmt: skip
# Where frameworks put both for every kind of span, so the span must say that it is a tool.
PLAIN_INPUTS = ("input.value", "langfuse.observation.input", "mlflow.spanInputs",
                 "lmnr.span.input", "traceloop.entity.input", "gen_ai.task.input",
                 "agentops.tool.input", "agentops.entity.input", "gen_ai.prompt",
                 "genkit:input")  # fmt: skip
_PLAIN_OUTPUTS = ("output.value", "langfuse.observation.output", "mlflow.spanOutputs",
                  "lmnr.span.output", "traceloop.entity.output", "gen_ai.task.output",
                  "agentops.tool.output", "agentops.entity.output", "gen_ai.completion",
                  "genkit:output", "ai.observability.call.return")  # fmt: skip
_KINDS = ("openinference.span.kind", "langfuse.observation.type", "langsmith.span.kind",
          "mlflow.spanType", "lmnr.span.type", "traceloop.span.kind", "agentops.span.kind",
          "ai.observability.span_type")  # fmt: skip
NAMES = ("gen_ai.tool.name", "tool.name", "ai.toolCall.name", "lk.function_tool.name",
          "ai.observability.mcp.tool_name", "traceloop.entity.name")  # fmt: skip
_IDS = ("gen_ai.tool.call.id", "tool.id", "ai.toolCall.id", "lk.function_tool.id")
_ERRORS = ("lk.function_tool.is_error", "ai.observability.mcp.output_is_error")


def _asked(said: Said) -> list[Message]:
    held = said.attributes
    value = _value(held, ARGUMENTS, PLAIN_INPUTS)
    if value is None:
        value = numbered(held, "ai.observability.call.kwargs") if is_tool(held) else None
    if value is None and is_tool(held):
        value = _parameters(held)
    if value is not None and value != {}:
        call = ToolCall(as_word(first(held, *_IDS)), as_word(first(held, *NAMES)), value)
        return [Message("assistant", [call])]
    uri = as_word(held.get("mcp.resource.uri"))
    resource: list[Part] = [Uri(uri)] if uri else []
    return [Message("user", resource)] if resource else []


def _answered(said: Said) -> list[Message]:
    held = said.attributes
    value = _value(held, _RESULTS, _PLAIN_OUTPUTS)
    if value is None:
        return []
    call_id = as_word(first(held, *_IDS))
    failed = any(str(held.get(key)).lower() == "true" for key in _ERRORS)
    return [Message("tool", [ToolCallResponse(call_id, value, failed)])]


def is_tool(attributes: Attributes) -> bool:
    """Whether the span says, in any convention's word for it, that it runs a tool."""
    for key in _KINDS:
        word = attributes.get(key)
        if isinstance(word, str) and word.strip('"').lower() in ("tool", "mcp"):
            return True
    return attributes.get("gen_ai.operation.name") == "execute_tool"


def _value(attributes: Attributes, named: tuple[str, ...], plain: tuple[str, ...]) -> Any:
    value = first(attributes, *named)
    if value is None and is_tool(attributes):
        value = first(attributes, *plain)
    return loads(value)


def _parameters(attributes: Attributes) -> Any:
    """`tool.parameters` is the call's arguments with some senders, the tool's schema with most."""
    found = loads(attributes.get("tool.parameters"))
    is_schema = isinstance(found, Mapping) and not {"properties", "$schema"}.isdisjoint(found)
    return None if is_schema else found


_SAYS_KIND = (*_KINDS, "gen_ai.operation.name")

#: The call: what the tool was given; for a resource of MCP, which one it was.
ASKED = Source(_asked, (*ARGUMENTS, *_SAYS_KIND, "mcp.resource.uri"))

#: The tool's answer.
ANSWERED = Source(_answered, (*_RESULTS, *_SAYS_KIND))
