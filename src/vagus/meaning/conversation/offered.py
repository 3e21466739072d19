"""The tools that were offered to the model, from their own keys or from the request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vagus.meaning.content import Tool
from vagus.meaning.conversation.otel import DETAILS
from vagus.meaning.conversation.source import Said, numbered
from vagus.meaning.parts import loads
from vagus.meaning.values import MAX_ITEMS, as_mapping, as_text, as_word, first, items

KEYS = ("gen_ai.tool.definitions", "gen_ai.request.functions", "ai.prompt.tools",
         "mlflow.chat.tools", "model_request_parameters", "lk.function_tools")  # fmt: skip
# Requests that may hold tools; read only when the text names one of `_NAMED`.
_REQUESTS = ("langfuse.observation.input", "request_data", "gcp.vertex.agent.llm_request",
             "llm.invocation_parameters", "langfuse.observation.model.parameters",
             "langsmith.metadata.invocation_params", "gen_ai.prompt", "mlflow.spanInputs",
             "lmnr.span.input", "input.value")  # fmt: skip
_NAMED = ("tools", "functions", "function_tools", "functionDeclarations", "function_declarations",
          "toolConfig", "tool_config")  # fmt: skip
_HOLDERS = ("config", "kwargs", "model_parameters", "invocation_params", "inputs", "request",
            "generation_config", "generationConfig", "optional_params")  # fmt: skip
_SCHEMAS = ("parameters", "input_schema", "inputSchema", "parameters_json_schema", "args_schema",
            "parametersJsonSchema", "json_schema", "schema")  # fmt: skip


def read_tools(said: Said) -> list[Tool]:
    """The tools on offer, each once; [] where none is named."""
    held = said.attributes
    found: list[Any] = []
    for key in KEYS[:1]:
        found = found or _listed(held.get(key))
    found = found or _of_details(said)
    found = found or [_openinference(item) for item in items(numbered(held, "llm.tools"))]
    found = found or items(numbered(held, "llm.request.functions"))
    for key in KEYS[1:]:
        found = found or _listed(held.get(key))
    for key in _REQUESTS:
        found = found or _of_request(held.get(key))
    tools: dict[str, Tool] = {}
    for item in found[:MAX_ITEMS]:
        tool = _tool(item)
        if tool.name:
            tools.setdefault(tool.name, tool)
    return list(tools.values())


def _of_details(said: Said) -> list[Any]:
    for event in said.events:
        if event.name == DETAILS and "gen_ai.tool.definitions" in event.attributes:
            return _listed(event.attributes["gen_ai.tool.definitions"])
    return []


def _of_request(value: Any) -> list[Any]:
    """The tools inside a request; text that names none is not decoded."""
    if value is None or not _may_name(value):
        return []
    found = loads(value)
    if not isinstance(found, Mapping):
        return []
    for key in ("", *_HOLDERS):
        inner = loads(found.get(key)) if key else found
        if isinstance(inner, Mapping) and not inner.keys().isdisjoint(_NAMED):
            tools = _listed(inner)
            if tools:
                return tools
    return []


def _may_name(value: Any) -> bool:
    return not isinstance(value, str) or any(f'{name}"' in value for name in _NAMED)


def _listed(value: Any, depth: int = 4) -> list[Any]:
    """One flat list of definitions, also when providers group them."""
    found = loads(value)
    if isinstance(found, Mapping):
        groups = [found[key] for key in _NAMED if found.get(key)]
        if "output_tools" in found and groups:
            groups.append(found["output_tools"])
        if not groups or depth == 0:
            return [found] if first(found, "name", "function", "toolSpec", "type") else []
        return [item for group in groups for item in _listed(group, depth - 1)]
    if not isinstance(found, (list, tuple)):
        return []
    flat: list[Any] = []
    for raw in found[:MAX_ITEMS]:
        item = loads(raw)
        is_group = isinstance(item, Mapping) and not item.keys().isdisjoint(_NAMED)
        flat += _listed(item, depth - 1) if is_group and depth else [item]
    return flat


def _openinference(item: Any) -> Any:
    held = item.get("tool") if isinstance(item, Mapping) else None
    if not isinstance(held, Mapping):
        return item
    return as_mapping(held.get("json_schema")) or held


def _tool(item: Any) -> Tool:
    if isinstance(item, str):
        return Tool(item)
    value = as_mapping(item)
    held = as_mapping(value.get("function")) or as_mapping(value.get("toolSpec")) or value
    schema = loads(first(held, *_SCHEMAS))
    if isinstance(schema, Mapping) and set(schema) == {"json"}:
        schema = schema["json"]
    name = as_word(first(held, "name", "tool_name") or held.get("type"))
    return Tool(name, as_text(held.get("description")), schema)
