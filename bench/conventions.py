"""The same spans as `traffic.py` makes, said in the words of other conventions."""

from __future__ import annotations

import json

from bench.traffic import Values

_KINDS = {
    "chat": ("LLM", "chat", "generation", "llm", "CHAT_MODEL", "ai.generateText.doGenerate"),
    "embeddings": ("EMBEDDING", "task", "embedding", "embedding", "EMBEDDING", "ai.embed.doEmbed"),
    "retrieval": ("RETRIEVER", "task", "retriever", "retriever", "RETRIEVER", "ai.toolCall"),
    "execute_tool": ("TOOL", "tool", "tool", "tool", "TOOL", "ai.toolCall"),
    "invoke_agent": ("AGENT", "agent", "agent", "chain", "AGENT", "ai.generateText"),
}


def _text(messages: str | float) -> str:
    text: str = json.loads(str(messages))[0]["parts"][0]["content"]
    return text


def _counts(values: Values) -> tuple[int, int, int]:
    usage = "gen_ai.usage."
    return tuple(  # type: ignore[return-value]
        int(values[usage + name])
        for name in ("input_tokens", "output_tokens", "cache_read.input_tokens")
    )


def _shared(values: Values) -> Values:
    return {key: values[key] for key in ("vagus.team", "vagus.feature")}


def old_genai(values: Values) -> Values:
    """OpenTelemetry GenAI as it was before messages were attributes."""
    sent, got, cached = _counts(values)
    kept = {k: v for k, v in values.items() if ".usage." not in k and "messages" not in k}
    return kept | {
        "gen_ai.system": values["gen_ai.provider.name"],
        "gen_ai.usage.prompt_tokens": sent,
        "gen_ai.usage.completion_tokens": got,
        "gen_ai.usage.cache_read_input_tokens": cached,
        "gen_ai.prompt": values["gen_ai.input.messages"],
        "gen_ai.completion": values["gen_ai.output.messages"],
    }


def openinference(values: Values) -> Values:
    """OpenInference."""
    sent, got, cached = _counts(values)
    return _shared(values) | {
        "openinference.span.kind": _KINDS[str(values["gen_ai.operation.name"])][0],
        "llm.provider": values["gen_ai.provider.name"],
        "llm.model_name": values["gen_ai.request.model"],
        "llm.token_count.prompt": sent,
        "llm.token_count.completion": got,
        "llm.token_count.prompt_details.cache_read": cached,
        "llm.invocation_parameters": json.dumps({"temperature": 0.2}),
        "llm.input_messages.0.message.role": "user",
        "llm.input_messages.0.message.content": _text(values["gen_ai.input.messages"]),
        "llm.output_messages.0.message.role": "assistant",
        "llm.output_messages.0.message.content": _text(values["gen_ai.output.messages"]),
        "session.id": values["gen_ai.conversation.id"],
        "user.id": values["user.id"],
    }


def openllmetry(values: Values) -> Values:
    """OpenLLMetry before it followed OpenTelemetry's messages."""
    sent, got, cached = _counts(values)
    return _shared(values) | {
        "traceloop.span.kind": _KINDS[str(values["gen_ai.operation.name"])][1],
        "gen_ai.system": values["gen_ai.provider.name"],
        "gen_ai.request.model": values["gen_ai.request.model"],
        "gen_ai.response.model": values["gen_ai.response.model"],
        "gen_ai.usage.prompt_tokens": sent,
        "gen_ai.usage.completion_tokens": got,
        "gen_ai.usage.cache_read_input_tokens": cached,
        "llm.usage.total_tokens": sent + got,
        "gen_ai.prompt.0.role": "user",
        "gen_ai.prompt.0.content": _text(values["gen_ai.input.messages"]),
        "gen_ai.completion.0.role": "assistant",
        "gen_ai.completion.0.content": _text(values["gen_ai.output.messages"]),
        "traceloop.association.properties.session_id": values["gen_ai.conversation.id"],
        "traceloop.association.properties.user_id": values["user.id"],
    }


def langfuse(values: Values) -> Values:
    """Langfuse's SDK from version 3 on."""
    sent, got, cached = _counts(values)
    usage = {"input": sent - cached, "output": got, "input_cached_tokens": cached}
    return _shared(values) | {
        "langfuse.observation.type": _KINDS[str(values["gen_ai.operation.name"])][2],
        "langfuse.observation.model.name": values["gen_ai.request.model"],
        "langfuse.observation.model.parameters": json.dumps({"temperature": 0.2}),
        "langfuse.observation.usage_details": json.dumps(usage),
        "langfuse.observation.input": values["gen_ai.input.messages"],
        "langfuse.observation.output": values["gen_ai.output.messages"],
        "langfuse.environment": "production",
        "session.id": values["gen_ai.conversation.id"],
        "user.id": values["user.id"],
    }


def langsmith(values: Values) -> Values:
    """LangSmith's OpenTelemetry mode."""
    sent, got, cached = _counts(values)
    return _shared(values) | {
        "langsmith.span.kind": _KINDS[str(values["gen_ai.operation.name"])][3],
        "langsmith.metadata.ls_provider": values["gen_ai.provider.name"],
        "langsmith.metadata.ls_model_name": values["gen_ai.request.model"],
        "gen_ai.usage.input_tokens": sent,
        "gen_ai.usage.output_tokens": got,
        "gen_ai.usage.input_token_details": str({"cache_read": cached}),
        "gen_ai.prompt": values["gen_ai.input.messages"],
        "gen_ai.completion": values["gen_ai.output.messages"],
        "langsmith.metadata.session_id": values["gen_ai.conversation.id"],
        "langsmith.metadata.user_id": values["user.id"],
    }


def mlflow(values: Values) -> Values:
    """MLflow's export over OTLP, where every value is JSON once more."""
    sent, got, cached = _counts(values)
    usage = {"input_tokens": sent, "output_tokens": got, "cache_read_input_tokens": cached}
    return _shared(values) | {
        "mlflow.spanType": json.dumps(_KINDS[str(values["gen_ai.operation.name"])][4]),
        "mlflow.llm.model": json.dumps(values["gen_ai.request.model"]),
        "mlflow.chat.tokenUsage": json.dumps(usage),
        "mlflow.spanInputs": values["gen_ai.input.messages"],
        "mlflow.spanOutputs": values["gen_ai.output.messages"],
        "mlflow.trace.session": json.dumps(values["gen_ai.conversation.id"]),
        "mlflow.trace.user": json.dumps(values["user.id"]),
    }


def vercel(values: Values) -> Values:
    """The Vercel AI SDK."""
    sent, got, cached = _counts(values)
    return _shared(values) | {
        "ai.operationId": _KINDS[str(values["gen_ai.operation.name"])][5],
        "ai.model.id": values["gen_ai.request.model"],
        "ai.model.provider": f"{values['gen_ai.provider.name']}.chat",
        "ai.usage.inputTokens": sent,
        "ai.usage.outputTokens": got,
        "ai.usage.cachedInputTokens": cached,
        "ai.prompt.messages": values["gen_ai.input.messages"],
        "ai.response.text": _text(values["gen_ai.output.messages"]),
        "ai.telemetry.metadata.sessionId": values["gen_ai.conversation.id"],
        "ai.telemetry.metadata.userId": values["user.id"],
    }


_ALL = (dict, old_genai, openinference, openllmetry, langfuse, langsmith, mlflow, vercel)


def mixed(trace: int, values: Values) -> Values:
    """Every convention in turn, trace by trace."""
    return _ALL[trace % len(_ALL)](values)
