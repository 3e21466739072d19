"""How the kind of a span is found: the sources that say it, and what attributes hint at."""

from __future__ import annotations

from collections.abc import Mapping

_OPENINFERENCE = {
    "llm": "llm",
    "embedding": "embedding",
    "retriever": "retrieval",
    "reranker": "rerank",
    "tool": "tool",
    "agent": "agent",
    "chain": "chain",
    "guardrail": "guardrail",
    "evaluator": "evaluator",
    "prompt": "prompt",
    "decision": "decision",
}

_OPERATIONS = {
    "chat": "llm",
    "generate_content": "llm",
    "text_completion": "llm",
    "completion": "llm",
    "generate": "llm",
    "responses": "llm",
    "ai.generatespeech": "llm",
    "ai.transcribe": "llm",
    "fetch_response": "other",
    "embeddings": "embedding",
    "embedding": "embedding",
    "retrieval": "retrieval",
    "vector_db_retrieve": "retrieval",
    "rerank": "rerank",
    "execute_tool": "tool",
    "tool": "tool",
    "invoke_agent": "agent",
    "create_agent": "agent",
    "agent_step": "chain",
    "task": "chain",
    "plan": "agent",
    "invoke_workflow": "workflow",
    "workflow": "workflow",
    "chain": "chain",
    "decide": "decision",
    "create_memory_store": "memory",
    "delete_memory_store": "memory",
    "create_memory": "memory",
    "update_memory": "memory",
    "upsert_memory": "memory",
    "search_memory": "memory",
    "delete_memory": "memory",
}

#: A vendor's own kind is tried before the operation name, because frameworks put the wrong
#: operation on their roots (a chain says invoke_agent). What a source does not map says nothing.
KIND_SOURCES: tuple[tuple[str, Mapping[str, str]], ...] = (
    ("vagus.span.kind", {
        word: word
        for word in (
            "llm", "embedding", "retrieval", "rerank", "tool", "mcp", "agent", "workflow", "chain",
            "guardrail", "evaluator", "memory", "prompt", "decision",
        )
    }),
    ("langfuse.observation.type", {
        "generation": "llm",
        "embedding": "embedding",
        "retriever": "retrieval",
        "agent": "agent",
        "tool": "tool",
        "chain": "chain",
        "guardrail": "guardrail",
        "evaluator": "evaluator",
    }),
    ("openinference.span.kind", _OPENINFERENCE),
    ("lmnr.span.type", {
        "llm": "llm",
        "cached": "llm",
        "tool": "tool",
        "evaluation": "evaluator",
        "evaluator": "evaluator",
        "human_evaluator": "evaluator",
        "executor": "chain",
    }),
    ("mlflow.spanType", {
        "llm": "llm",
        "chat_model": "llm",
        "agent": "agent",
        "tool": "tool",
        "chain": "chain",
        "retriever": "retrieval",
        "embedding": "embedding",
        "reranker": "rerank",
        "parser": "chain",
        "memory": "memory",
        "workflow": "workflow",
        "task": "chain",
        "guardrail": "guardrail",
        "evaluator": "evaluator",
    }),
    ("langsmith.span.kind", {
        "llm": "llm",
        "chain": "chain",
        "tool": "tool",
        "retriever": "retrieval",
        "embedding": "embedding",
        "prompt": "prompt",
        "parser": "chain",
    }),
    ("ai.observability.span_type", {
        "record_root": "chain",
        "nested_record_root": "chain",
        "eval_root": "evaluator",
        "eval": "evaluator",
        "eval_decision": "evaluator",
        "retrieval": "retrieval",
        "reranking": "rerank",
        "generation": "llm",
        "graph_node": "chain",
        "graph_task": "chain",
        "workflow_step": "chain",
        "agent": "agent",
        "tool": "tool",
        "mcp": "mcp",
        "guardrail": "guardrail",
    }),
    # A task is anything, so that its operation is asked first, and the hints know it at last.
    ("traceloop.span.kind", {
        "workflow": "workflow",
        "agent": "agent",
        "tool": "tool",
    }),
    ("agentops.span.kind", {
        "session": "workflow",
        "workflow": "workflow",
        "agent": "agent",
        "operation": "chain",
        "task": "chain",
        "chain": "chain",
        "tool": "tool",
        "llm": "llm",
        "embedding": "embedding",
        "guardrail": "guardrail",
    }),
    ("meta.span.kind", {
        "llm": "llm",
        "embedding": "embedding",
        "retrieval": "retrieval",
        "tool": "tool",
        "task": "chain",
        "step": "chain",
        "workflow": "workflow",
        "agent": "agent",
        "experiment": "evaluator",
    }),
    ("opik.span.type", {
        "llm": "llm",
        "tool": "tool",
        "guardrail": "guardrail",
        "general": "chain",
    }),
    ("ai.operationId", {
        "ai.generatetext": "agent",
        "ai.streamtext": "agent",
        "ai.generateobject": "agent",
        "ai.streamobject": "agent",
        "ai.generatetext.dogenerate": "llm",
        "ai.streamtext.dostream": "llm",
        "ai.generateobject.dogenerate": "llm",
        "ai.streamobject.dostream": "llm",
        "ai.embed": "chain",
        "ai.embed.doembed": "embedding",
        "ai.embedmany": "chain",
        "ai.embedmany.doembed": "embedding",
        "ai.rerank": "chain",
        "ai.rerank.dorerank": "rerank",
        "ai.toolcall": "tool",
    }),
    ("gen_ai.operation.name", _OPERATIONS),
    ("llm.request.type", {
        "chat": "llm",
        "completion": "llm",
        "embedding": "embedding",
        "rerank": "rerank",
    }),
)  # fmt: skip

#: When no source says the kind: the first of these keys that is present decides it.
KIND_HINTS: tuple[tuple[str, str], ...] = (
    ("mcp.method.name", "mcp"),
    ("gen_ai.tool.name", "tool"),
    ("db.vector.query.top_k", "retrieval"),
    ("gen_ai.request.model", "llm"),
    ("llm.model_name", "llm"),
    ("gen_ai.usage.input_tokens", "llm"),
    ("gen_ai.usage.prompt_tokens", "llm"),
    ("llm.token_count.prompt", "llm"),
    ("mlflow.llm.model", "llm"),
    ("ai.model.id", "llm"),
    ("agent_name", "agent"),
    ("http.request.method", "http"),
    ("http.method", "http"),
    ("db.system", "db"),
    ("db.system.name", "db"),
    ("input.value", "chain"),
    ("langfuse.observation.input", "chain"),
    ("langfuse.observation.type", "chain"),
    ("lmnr.span.input", "chain"),
    ("mlflow.spanInputs", "chain"),
    ("traceloop.entity.input", "chain"),
    ("traceloop.span.kind", "chain"),
)

#: Kinds that say nothing about an AI application; they get no row among the steps.
PLAIN_KINDS = ("other", "http", "db")

#: The operation that goes with a kind, where a span says none, or one of another kind.
OPERATION_OF_KIND = {
    "llm": "chat",
    "embedding": "embeddings",
    "retrieval": "retrieval",
    "rerank": "rerank",
    "tool": "execute_tool",
    "agent": "invoke_agent",
    "workflow": "invoke_workflow",
}

#: The kind that an operation means.
KIND_OF_OPERATION = _OPERATIONS
