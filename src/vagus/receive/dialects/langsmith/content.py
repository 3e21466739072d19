"""What went into a LangSmith run and what came out, under the names of OpenTelemetry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vagus.receive.dialects.build import json_text
from vagus.receive.dialects.shared import first, listed, mapping, text

_SPEAKERS = ("role", "type", "lc")


def content_of(kind: str, run: Mapping[str, Any], extra: Mapping[str, Any]) -> dict[str, Any]:
    """The span attributes of inputs and outputs; an empty side is left out."""
    inputs, outputs = run.get("inputs"), run.get("outputs")
    if kind == "tool":
        return _tool(run, inputs, outputs, extra)
    if kind == "retriever":
        return _retrieval(inputs, outputs)
    if kind == "llm":
        return _model_call(mapping(inputs), mapping(outputs), mapping(extra))
    return {"input.value": _json(inputs), "output.value": _json(outputs)}


def _model_call(
    inputs: Mapping[str, Any], outputs: Mapping[str, Any], extra: Mapping[str, Any]
) -> dict[str, Any]:
    asked = mapping(extra.get("invocation_params"))
    said = {
        "gen_ai.tool.definitions": _json(first(asked, "tools", "functions") or inputs.get("tools")),
        "gen_ai.system_instructions": _json(first(inputs, "system", "instructions")),
    }
    went_in, came_out = _asked(inputs), _answered(outputs)
    if went_in is None:
        said["gen_ai.prompt"] = _json(inputs)
    else:
        said["gen_ai.input.messages"] = json_text(went_in)
    if came_out is None:
        said["gen_ai.completion"] = _json(outputs)
    else:
        said["gen_ai.output.messages"] = json_text(came_out)
    return said


def _asked(inputs: Mapping[str, Any]) -> Any:
    """The messages of a call, or None when they cannot be told from the rest."""
    messages = inputs.get("messages")
    if isinstance(messages, list) and messages:
        only = messages[0]
        return only if len(messages) == 1 and isinstance(only, list) else messages
    prompts = inputs.get("prompts")
    if isinstance(prompts, list) and prompts and all(isinstance(p, str) for p in prompts):
        return [{"role": "user", "content": prompt} for prompt in prompts]
    for key in ("input", "contents", "message", "prompt"):
        held = inputs.get(key)
        if isinstance(held, str) and held:
            return [{"role": "user", "content": held}]
        if _are_messages(held):
            return held
    return None


def _answered(outputs: Mapping[str, Any]) -> Any:
    """The messages of an answer: LangChain's, OpenAI's, Anthropic's, or a message as it is."""
    generations = outputs.get("generations")
    if isinstance(generations, list) and generations:
        return [g for group in generations for g in (group if isinstance(group, list) else [group])]
    for key in ("choices", "messages", "output", "message"):
        held = outputs.get(key)
        if _are_messages(held):
            return held
        if isinstance(held, dict) and _speaks(held):
            return [held]
        if isinstance(held, str) and held:
            return [{"role": "assistant", "content": held}]
    return [outputs] if "role" in outputs and "content" in outputs else None


def _are_messages(value: Any) -> bool:
    return bool(listed(value)) and all(isinstance(v, dict) and _speaks(v) for v in value)


def _speaks(value: Mapping[str, Any]) -> bool:
    return any(key in value for key in _SPEAKERS) or isinstance(value.get("message"), dict)


def _tool(
    run: Mapping[str, Any], inputs: Any, outputs: Any, extra: Mapping[str, Any]
) -> dict[str, Any]:
    result = mapping(outputs).get("output", outputs)
    call_id = extra.get("tool_call_id") or mapping(result).get("tool_call_id")
    return {
        "gen_ai.tool.name": text(run.get("name")) or None,
        "gen_ai.tool.call.id": text(call_id) or None,
        "gen_ai.tool.call.arguments": _json(inputs),
        "gen_ai.tool.call.result": _json(result),
    }


def _retrieval(inputs: Any, outputs: Any) -> dict[str, Any]:
    asked = mapping(inputs)
    query = first(asked, "query", "question", "input", "q")
    if query is None and len(asked) == 1:
        query = next(iter(asked.values()))
    given = mapping(outputs)
    documents = first(given, "documents", "output", "docs", "results")
    return {
        "gen_ai.retrieval.query.text": text(query) or _json(query),
        "gen_ai.retrieval.documents": json_text(documents) if listed(documents) else None,
        "input.value": _json(inputs) if query is None else None,
        "output.value": _json(outputs) if not listed(documents) else None,
    }


def _json(value: Any) -> str | None:
    if value is None or value == "" or value == {} or value == []:
        return None
    return value if isinstance(value, str) else json_text(value)
