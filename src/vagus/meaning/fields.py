"""The field table: which attribute of which convention means what, in order of trust.

One row per canonical field; its sources are tried from first to last and the first that says
something wins. The table is data: `compile.py` turns it into the loader's SQL and `read.py` reads
single spans with it, and a test holds the two to the same answers. Conventions covered: OTel GenAI
(current and past names), OpenInference, OpenLLMetry.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field


class Kind(enum.StrEnum):
    """How the text of an attribute becomes the value of a field."""

    TEXT = "text"
    COUNT = "count"
    NUMBER = "number"
    FIRST = "first"
    FINGERPRINT = "fingerprint"


@dataclass(frozen=True, slots=True)
class Field:
    """One canonical field and every attribute key that may say it.

    `resource` sources are looked up on the resource when no span attribute says it.
    `values` maps what emitters say (compared in lower case) to the canonical word. A number is
    multiplied by `scale` (what is said in seconds and kept in ms: 1000).
    """

    name: str
    kind: Kind
    sources: tuple[str, ...]
    resource: tuple[str, ...] = ()
    values: Mapping[str, str] = field(default_factory=dict)
    scale: float = 1.0


#: What emitters write when they mean "not said".
ABSENT = ("", "unknown", "none", "null", "undefined")


def _text(
    name: str,
    *keys: str,
    resource: tuple[str, ...] = (),
    values: Mapping[str, str] | None = None,
) -> Field:
    return Field(name, Kind.TEXT, keys, resource, values or {})


def _count(name: str, *keys: str) -> Field:
    return Field(name, Kind.COUNT, keys)


def _number(name: str, *keys: str, scale: float = 1.0) -> Field:
    return Field(name, Kind.NUMBER, keys, scale=scale)


PROVIDERS = {
    "az.ai.inference": "azure.ai.inference",
    "az.ai.openai": "azure.ai.openai",
    "azure": "azure.ai.openai",
    "azure_openai": "azure.ai.openai",
    "gemini": "gcp.gemini",
    "google": "gcp.gemini",
    "google_genai": "gcp.gemini",
    "vertex_ai": "gcp.vertex_ai",
    "vertexai": "gcp.vertex_ai",
    "xai": "x_ai",
    "mistralai": "mistral_ai",
    "mistral": "mistral_ai",
    "moonshot": "moonshot_ai",
    "aws": "aws.bedrock",
    "bedrock": "aws.bedrock",
    "amazon_bedrock": "aws.bedrock",
    "openai": "openai",
    "anthropic": "anthropic",
    "cohere": "cohere",
    # Frameworks that put their own name where the provider's belongs say nothing.
    "langchain": "",
    "llamaindex": "",
    "llama_index": "",
}

FINISH_REASONS = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "completed": "stop",
    "complete": "stop",
    "max_tokens": "length",
    "max_output_tokens": "length",
    "tool_use": "tool_call",
    "tool_calls": "tool_call",
    "tool-calls": "tool_call",
    "function_call": "tool_call",
    "safety": "content_filter",
}

#: A request for `auto` says nothing about the tier that answered.
SERVICE_TIERS = {
    "auto": "",
    "standard": "default",
    "on_demand": "default",
    "default": "default",
    "batch": "batch",
    "flex": "flex",
    "priority": "priority",
}

CACHE_ACCOUNTING = {"inclusive": "inclusive", "exclusive": "exclusive"}

BOOLEANS = {"true": "true", "1": "true", "false": "false", "0": "false"}

LOCAL_CACHE = {"hit": "hit", "true": "hit", "1": "hit", "miss": "", "false": "", "0": ""}

FIELDS: tuple[Field, ...] = (
    _text("operation", "gen_ai.operation.name", "llm.request.type"),
    _text(
        "provider",
        "gen_ai.provider.name",
        "gen_ai.system",
        "llm.provider",
        "llm.system",
        "decision.provider",
        "decision.system",
        values=PROVIDERS,
    ),
    _text(
        "request_model",
        "gen_ai.request.model",
        "llm.request.model_name",
        "llm.request.model",
        "embedding.model_name",
        "reranker.model_name",
        "decision.request.model_name",
        "decision.model_name",
    ),
    _text(
        "response_model",
        "gen_ai.response.model",
        "llm.response.model_name",
        "llm.response.model",
        "llm.model_name",
        "decision.response.model_name",
    ),
    _text("response_id", "gen_ai.response.id", "llm.response.id"),
    Field(
        "finish_reason",
        Kind.FIRST,
        (
            "gen_ai.response.finish_reasons",
            "gen_ai.response.finish_reason",
            "gen_ai.completion.0.finish_reason",
            "llm.finish_reason",
            "llm.response.finish_reason",
            "llm.response.stop_reason",
            "gen_ai.response.stop_reason",
        ),
        values=FINISH_REASONS,
    ),
    _text(
        "system_fingerprint",
        "openai.response.system_fingerprint",
        "gen_ai.openai.response.system_fingerprint",
        "gen_ai.response.system_fingerprint",
    ),
    _count(
        "input_tokens",
        "gen_ai.usage.input_tokens",
        "gen_ai.usage.prompt_tokens",
        "llm.token_count.prompt",
        "llm.usage.prompt_tokens",
        "decision.token_count.input",
    ),
    _count(
        "output_tokens",
        "gen_ai.usage.output_tokens",
        "gen_ai.usage.completion_tokens",
        "llm.token_count.completion",
        "llm.usage.completion_tokens",
        "decision.token_count.output",
    ),
    _count(
        "cache_read_tokens",
        "gen_ai.usage.cache_read.input_tokens",
        "gen_ai.usage.cache_read_input_tokens",
        "llm.token_count.prompt_details.cache_read",
        "llm.token_count.prompt_details.cache_input",
    ),
    _count(
        "cache_write_tokens",
        "gen_ai.usage.cache_write.input_tokens",
        "gen_ai.usage.cache_creation.input_tokens",
        "gen_ai.usage.cache_creation_input_tokens",
        "llm.token_count.prompt_details.cache_write",
    ),
    _count("cache_write_5m_tokens", "gen_ai.usage.cache_write_5m.input_tokens"),
    _count("cache_write_1h_tokens", "gen_ai.usage.cache_write_1h.input_tokens"),
    _count(
        "reasoning_tokens",
        "gen_ai.usage.reasoning.output_tokens",
        "gen_ai.usage.reasoning_tokens",
        "llm.token_count.completion_details.reasoning",
    ),
    _count(
        "audio_input_tokens",
        "gen_ai.usage.audio.input_tokens",
        "llm.token_count.prompt_details.audio",
    ),
    _count(
        "audio_output_tokens",
        "gen_ai.usage.audio.output_tokens",
        "llm.token_count.completion_details.audio",
    ),
    _count("audio_cache_read_tokens", "gen_ai.usage.audio.cache_read.input_tokens"),
    _count("image_input_tokens", "gen_ai.usage.image.input_tokens"),
    _count("image_output_tokens", "gen_ai.usage.image.output_tokens"),
    _count("web_search_requests", "gen_ai.usage.web_search_requests"),
    _text(
        "service_tier",
        "openai.response.service_tier",
        "vagus.service_tier",
        "gen_ai.openai.response.service_tier",
        "openai.request.service_tier",
        "gen_ai.openai.request.service_tier",
        values=SERVICE_TIERS,
    ),
    _text("cache_accounting", "vagus.cache_accounting", values=CACHE_ACCOUNTING),
    _text(
        "is_streaming",
        "gen_ai.request.stream",
        "gen_ai.is_streaming",
        "llm.is_streaming",
        values=BOOLEANS,
    ),
    _text("local_cache", "vagus.local_cache", values=LOCAL_CACHE),
    _text("sdk", "vagus.sdk", resource=("telemetry.sdk.name",)),
    _text("sdk_version", "vagus.sdk_version", resource=("telemetry.sdk.version",)),
    _text("convention", "vagus.convention"),
    _number(
        "reported_cost_usd",
        "llm.cost.total",
        "gen_ai.usage.cost",
        "gen_ai.cost.total_cost",
        "gen_ai.usage.total_cost",
    ),
    _number(
        "ttft_ms",
        "gen_ai.response.time_to_first_chunk",
        "gen_ai.server.time_to_first_token",
        "gen_ai.streaming.time_to_first_token",
        scale=1000.0,
    ),
    _number("temperature", "gen_ai.request.temperature", "llm.request.temperature"),
    _count("max_tokens", "gen_ai.request.max_tokens", "llm.request.max_tokens"),
    _text("error_type", "error.type"),
    _count("http_status", "http.response.status_code", "http.status_code"),
    _text(
        "env",
        "deployment.environment.name",
        "deployment.environment",
        resource=("deployment.environment.name", "deployment.environment"),
    ),
    _text("region", "cloud.region", "gen_ai.request.region", resource=("cloud.region",)),
    _text(
        "team",
        "vagus.team",
        "traceloop.association.properties.team",
        resource=("vagus.team", "team", "service.team"),
    ),
    _text(
        "feature",
        "vagus.feature",
        "traceloop.association.properties.feature",
        resource=("vagus.feature",),
    ),
    _text(
        "tenant",
        "vagus.tenant",
        "tenant.id",
        "traceloop.association.properties.tenant",
        "traceloop.association.properties.tenant_id",
        "traceloop.association.properties.org_id",
        resource=("vagus.tenant",),
    ),
    _text(
        "user",
        "user.id",
        "enduser.id",
        "traceloop.association.properties.user_id",
        "llm.user",
        "gen_ai.user",
        "gen_ai.request.user",
    ),
    _text(
        "session",
        "session.id",
        "gen_ai.conversation.id",
        "traceloop.association.properties.session_id",
        "traceloop.association.properties.conversation_id",
        "traceloop.association.properties.thread_id",
        "traceloop.association.properties.chat_id",
    ),
    _text(
        "prompt",
        "gen_ai.prompt.name",
        "traceloop.prompt.key",
        "llm.prompt_template.name",
        "prompt.id",
    ),
    _text(
        "prompt_version",
        "gen_ai.prompt.version",
        "traceloop.prompt.version",
        "llm.prompt_template.version",
    ),
    _text("tool", "gen_ai.tool.name", "tool.name"),
    Field(
        "tool_set",
        Kind.FINGERPRINT,
        (
            "gen_ai.tool.definitions",
            "llm.tools.0.tool.json_schema",
            "llm.request.functions.0.name",
        ),
    ),
    _text(
        "agent",
        "gen_ai.agent.name",
        "agent.name",
        "gen_ai.workflow.name",
        "graph.node.name",
        "traceloop.workflow.name",
    ),
    _text(
        "index_name",
        "gen_ai.data_source.id",
        "aws.bedrock.knowledge_base.id",
        "db.collection.name",
        "db.namespace",
    ),
    _text(
        "index_version",
        "vagus.retrieval.index_version",
        "retrieval.index_version",
        "gen_ai.data_source.version",
    ),
    _text("retry_of", "vagus.retry_of"),
    _count("attempt", "gen_ai.request.attempt", "http.request.resend_count"),
)

#: Where a span says what kind of step it is. A vendor's own kind is tried before the operation
#: name, because frameworks put the wrong operation on their roots (a chain says invoke_agent).
KIND_SOURCES: tuple[tuple[str, Mapping[str, str]], ...] = (
    (
        "openinference.span.kind",
        {
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
        },
    ),
    (
        "traceloop.span.kind",
        {
            "workflow": "workflow",
            "task": "chain",
            "agent": "agent",
            "tool": "tool",
        },
    ),
    (
        "gen_ai.operation.name",
        {
            "chat": "llm",
            "generate_content": "llm",
            "text_completion": "llm",
            "completion": "llm",
            "generate": "llm",
            "responses": "llm",
            "fetch_response": "other",
            "embeddings": "embedding",
            "embedding": "embedding",
            "retrieval": "retrieval",
            "vector_db_retrieve": "retrieval",
            "rerank": "rerank",
            "execute_tool": "tool",
            "invoke_agent": "agent",
            "create_agent": "agent",
            "agent_step": "chain",
            "plan": "agent",
            "invoke_workflow": "workflow",
            "chain": "chain",
            "decide": "decision",
            "create_memory_store": "memory",
            "delete_memory_store": "memory",
            "create_memory": "memory",
            "update_memory": "memory",
            "upsert_memory": "memory",
            "search_memory": "memory",
            "delete_memory": "memory",
        },
    ),
    (
        "llm.request.type",
        {
            "chat": "llm",
            "completion": "llm",
            "embedding": "embedding",
            "rerank": "rerank",
        },
    ),
    (
        "vagus.span.kind",
        {
            "llm": "llm",
            "embedding": "embedding",
            "retrieval": "retrieval",
            "rerank": "rerank",
            "tool": "tool",
            "agent": "agent",
            "workflow": "workflow",
            "chain": "chain",
            "guardrail": "guardrail",
            "evaluator": "evaluator",
            "memory": "memory",
        },
    ),
)

#: When no source says the kind: the first of these keys that is present decides it.
KIND_HINTS: tuple[tuple[str, str], ...] = (
    ("mcp.method.name", "mcp"),
    ("gen_ai.tool.name", "tool"),
    ("db.vector.query.top_k", "retrieval"),
    ("gen_ai.request.model", "llm"),
    ("llm.model_name", "llm"),
    ("gen_ai.usage.input_tokens", "llm"),
    ("http.request.method", "http"),
    ("http.method", "http"),
    ("db.system", "db"),
    ("db.system.name", "db"),
    ("input.value", "chain"),
    ("traceloop.entity.input", "chain"),
)

#: Kinds that say nothing about an AI application; they get no row among the steps.
PLAIN_KINDS = ("other", "http", "db")
