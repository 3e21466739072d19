"""A step in the words of a convention: OTel GenAI, OpenInference, or OpenLLMetry's older ones."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from vagus.demo.knowledge import Hit
from vagus.demo.step import Call, Message, Step
from vagus.demo.story import Visit

Attributes = dict[str, Any]
#: Gives the name of the span and its attributes.
Dialect = Callable[[Step, Visit], tuple[str, Attributes]]


def who(visit: Visit) -> Attributes:
    """Whose request it is, as `vagus.context` says it."""
    return {
        "vagus.team": visit.feature.team,
        "vagus.feature": visit.feature.name,
        "user.id": visit.user,
        "session.id": visit.session,
    }


def genai(step: Step, visit: Visit) -> tuple[str, Attributes]:
    """OpenTelemetry's GenAI conventions."""
    operation = {
        "llm": "chat",
        "embedding": "embeddings",
        "retrieval": "retrieval",
        "rerank": "rerank",
        "tool": "execute_tool",
        "agent": "invoke_agent",
    }.get(step.kind, "")
    said: Attributes = {}
    if operation:
        said["gen_ai.operation.name"] = operation
    else:
        said["openinference.span.kind"] = step.kind.upper()
    if step.call is not None:
        return f"{operation} {step.name}", said | _genai_call(step.call, visit)
    if step.search is not None:
        return f"{operation} {step.name}", said | _genai_search(step)
    if step.kind == "tool":
        said |= {
            "gen_ai.tool.name": step.name,
            "gen_ai.tool.type": "function",
            "gen_ai.tool.call.id": step.call_id,
            "gen_ai.tool.call.arguments": step.input,
            "gen_ai.tool.call.result": step.output,
        }
        return f"execute_tool {step.name}", _said(said)
    if step.kind == "agent":
        said["gen_ai.agent.name"] = step.name
    said |= {"input.value": step.input, "output.value": step.output}
    return f"{operation} {step.name}".strip(), _said(said)


def _genai_call(call: Call, visit: Visit) -> Attributes:
    said: Attributes = {
        "gen_ai.provider.name": call.model.provider,
        "gen_ai.request.model": call.model.name,
        "gen_ai.request.attempt": call.attempt if call.attempt > 1 else None,
        "gen_ai.tool.definitions": call.tools,
    }
    if call.messages:
        said |= {
            "gen_ai.request.temperature": 0.2,
            "gen_ai.prompt.name": visit.feature.prompt,
            "gen_ai.prompt.version": visit.prompt_version,
            "gen_ai.input.messages": json.dumps([_genai_message(m) for m in call.messages]),
        }
    if call.response_id:
        said |= {
            "gen_ai.response.model": call.model.answers_as,
            "gen_ai.response.id": call.response_id,
            "openai.response.system_fingerprint": call.model.fingerprint,
            "gen_ai.usage.input_tokens": call.input_tokens,
        }
    if call.answer is not None and call.first_token_ms is not None:
        answer = _genai_message(call.answer) | {"finish_reason": call.finish_reason}
        said |= {
            "gen_ai.request.stream": True,
            "gen_ai.response.finish_reasons": [call.finish_reason],
            "gen_ai.response.time_to_first_chunk": call.first_token_ms / 1000,
            "gen_ai.usage.output_tokens": call.output_tokens,
            "gen_ai.usage.cache_read.input_tokens": call.cached_tokens,
            "gen_ai.output.messages": json.dumps([answer]),
        }
    return _said(said)


def _genai_message(message: Message) -> dict[str, Any]:
    if message.role == "tool":
        part = {"type": "tool_call_response", "id": message.call_id, "response": message.text}
    elif message.tool:
        part = {
            "type": "tool_call",
            "id": message.call_id,
            "name": message.tool,
            "arguments": message.arguments,
        }
    else:
        part = {"type": "text", "content": message.text}
    return {"role": message.role, "parts": [part]}


def _genai_search(step: Step) -> Attributes:
    search = step.search
    if search is None:
        return {}
    if step.kind == "rerank":
        return {
            "reranker.query": search.query,
            **_flattened("reranker.input_documents", search.before),
            **_flattened("reranker.output_documents", search.hits),
        }
    return {
        "gen_ai.data_source.id": search.index,
        "vagus.retrieval.index_version": search.version,
        "gen_ai.retrieval.query.text": search.query,
        "gen_ai.retrieval.top_k": len(search.hits),
        "gen_ai.retrieval.documents": json.dumps([_document(hit) for hit in search.hits]),
    }


def openinference(step: Step, visit: Visit) -> tuple[str, Attributes]:
    """OpenInference's conventions."""
    words = {"retrieval": "RETRIEVER", "rerank": "RERANKER"}
    said: Attributes = {
        "openinference.span.kind": words.get(step.kind, step.kind.upper()),
        "input.value": step.input,
        "output.value": step.output,
    }
    if step.kind == "llm" and step.call is not None:
        said |= _openinference_llm(step.call, visit)
    elif step.kind == "embedding" and step.call is not None:
        said |= {
            "embedding.model_name": step.call.model.name,
            "llm.provider": step.call.model.provider,
            "embedding.embeddings.0.embedding.text": step.input,
            "llm.token_count.prompt": step.call.input_tokens,
        }
    elif step.search is not None:
        said |= _openinference_search(step)
    elif step.kind == "tool":
        said |= {"tool.name": step.name, "tool.id": step.call_id}
    elif step.kind == "agent":
        said["agent.name"] = step.name
    return step.name, _said(said)


def _openinference_llm(call: Call, visit: Visit) -> Attributes:
    said: Attributes = {
        "llm.provider": call.model.provider,
        "llm.request.model_name": call.model.name,
        "llm.invocation_parameters": '{"temperature": 0.2}',
        "llm.prompt_template.version": visit.prompt_version,
        "prompt.id": visit.feature.prompt,
        "llm.tools.0.tool.json_schema": call.tools,
        **_openinference_messages("llm.input_messages", call.messages),
    }
    if call.answer is not None:
        said |= {
            "llm.model_name": call.model.answers_as,
            "llm.finish_reason": call.finish_reason,
            "llm.token_count.prompt": call.input_tokens,
            "llm.token_count.completion": call.output_tokens,
            "llm.token_count.total": call.input_tokens + call.output_tokens,
            "llm.token_count.prompt_details.cache_read": call.cached_tokens,
            **_openinference_messages("llm.output_messages", (call.answer,)),
        }
    return said


def _openinference_messages(prefix: str, messages: Sequence[Message]) -> Attributes:
    said: Attributes = {}
    for n, message in enumerate(messages):
        place = f"{prefix}.{n}.message"
        said[f"{place}.role"] = message.role
        said[f"{place}.content"] = message.text
        if message.role == "tool":
            said[f"{place}.tool_call_id"] = message.call_id
        elif message.tool:
            call = f"{place}.tool_calls.0.tool_call"
            said[f"{call}.id"] = message.call_id
            said[f"{call}.function.name"] = message.tool
            said[f"{call}.function.arguments"] = message.arguments
    return said


def _openinference_search(step: Step) -> Attributes:
    search = step.search
    if search is None:
        return {}
    if step.kind == "rerank":
        return {
            "reranker.query": search.query,
            **_flattened("reranker.input_documents", search.before),
            **_flattened("reranker.output_documents", search.hits),
        }
    return {
        "input.value": search.query,
        "gen_ai.data_source.id": search.index,
        "vagus.retrieval.index_version": search.version,
        **_flattened("retrieval.documents", search.hits),
    }


def openllmetry(step: Step, visit: Visit) -> tuple[str, Attributes]:
    """OpenLLMetry's conventions as they were before they followed OpenTelemetry's."""
    entity = {
        "traceloop.workflow.name": visit.feature.name,
        "traceloop.entity.name": step.name,
        "traceloop.association.properties.user_id": visit.user,
    }
    if step.call is None:
        return f"{step.name}.workflow", _said(
            {
                **entity,
                "traceloop.span.kind": "workflow",
                "traceloop.entity.input": json.dumps({"args": [step.input], "kwargs": {}}),
                "traceloop.entity.output": json.dumps(step.output) if step.output else None,
            }
        )
    call = step.call
    said: Attributes = {
        **entity,
        "llm.request.type": "chat",
        "gen_ai.system": call.model.provider.capitalize(),
        "gen_ai.request.model": call.model.name,
        "traceloop.prompt.key": visit.feature.prompt,
        "traceloop.prompt.version": visit.prompt_version,
    }
    for n, message in enumerate(call.messages):
        said[f"gen_ai.prompt.{n}.role"] = message.role
        said[f"gen_ai.prompt.{n}.content"] = message.text
    if call.answer is not None:
        said |= {
            "gen_ai.response.model": call.model.answers_as,
            "gen_ai.completion.0.role": "assistant",
            "gen_ai.completion.0.content": call.answer.text,
            "gen_ai.completion.0.finish_reason": call.finish_reason,
            "gen_ai.usage.prompt_tokens": call.input_tokens,
            "gen_ai.usage.completion_tokens": call.output_tokens,
            "llm.usage.total_tokens": call.input_tokens + call.output_tokens,
            "gen_ai.usage.cache_read_input_tokens": call.cached_tokens,
        }
    return f"{call.model.provider}.chat", _said(said)


def _document(hit: Hit) -> dict[str, Any]:
    updated = datetime.fromtimestamp(hit.passage.updated_s, UTC).isoformat()
    return {
        "id": hit.passage.id,
        "score": hit.score,
        "content": hit.passage.text,
        "metadata": {"topic": hit.passage.topic, "updated_at": updated},
    }


def _flattened(prefix: str, hits: Sequence[Hit]) -> Attributes:
    said: Attributes = {}
    for n, hit in enumerate(hits):
        for key, value in _document(hit).items():
            said[f"{prefix}.{n}.document.{key}"] = (
                json.dumps(value) if isinstance(value, dict) else value
            )
    return said


def _said(attributes: Attributes) -> Attributes:
    return {key: value for key, value in attributes.items() if value not in (None, "")}


DIALECTS: dict[str, Dialect] = {
    "genai": genai,
    "openinference": openinference,
    "openllmetry": openllmetry,
}
