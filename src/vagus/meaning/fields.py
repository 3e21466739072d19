"""The field table: which attribute of which convention means what, in order of trust.

One row per canonical field; its sources are tried from first to last and the first that says
something wins. The table is data: `compile.py` turns it into the loader's SQL and `read.py` reads
single spans with it, and a test holds the two to the same answers. What a source may be is said in
`field.py`, the words in `words.py`; tokens and money are in `usage.py`, kinds in `kinds.py`.
"""

from __future__ import annotations

from vagus.meaning.field import Field, Kind, below, count, number, text
from vagus.meaning.kinds import KIND_HINTS, PLAIN_KINDS
from vagus.meaning.senders import SENDER
from vagus.meaning.usage import MONEY, TOKENS
from vagus.meaning.words import FINISH_REASONS, OPERATIONS, PROVIDERS, STATUSES

_INVOCATION = "llm.invocation_parameters#"
_PARAMETERS = "langfuse.observation.model.parameters#"
_ASSOCIATION = ("traceloop.association.properties.", "lmnr.association.properties.")
_METADATA = (
    "metadata#",
    "langsmith.metadata.",
    "langfuse.trace.metadata.",
    "langfuse.observation.metadata.",
    "ai.telemetry.metadata.",
    "metadata.",
    "lmnr.association.properties.metadata.",
    "langfuse.metadata#",
    "langfuse.observation.metadata#",
    "mlflow.traceTag.",
)


def _said_by_users(*names: str) -> tuple[str, ...]:
    """The places where an application's own names for things end up."""
    return tuple(prefix + name for prefix in (*_ASSOCIATION, *_METADATA) for name in names)


CALL: tuple[Field, ...] = (
    text(
        "operation",
        "gen_ai.operation.name",
        "ai.operationId",
        "llm.request.type",
        values=OPERATIONS,
    ),
    text(
        "provider",
        "gen_ai.provider.name",
        "gen_ai.system",
        "llm.provider",
        "llm.system",
        "ai.model.provider",
        "mlflow.llm.provider",
        "langsmith.metadata.ls_provider",
        "metadata#ls_provider",
        "meta.model_provider",
        "opik.span.provider",
        "decision.provider",
        "decision.system",
        "gen_ai.request.provider",
        "litellm.provider",
        "llm.vendor",
        values=PROVIDERS,
    ),
    text(
        "request_model",
        "gen_ai.request.model",
        "llm.request.model_name",
        "llm.request.model",
        "ai.model.id",
        "langfuse.observation.model.name",
        "mlflow.llm.model",
        "langsmith.metadata.ls_model_name",
        "metadata#ls_model_name",
        _INVOCATION + "model",
        _INVOCATION + "model_name",
        "embedding.model_name",
        "reranker.model_name",
        "meta.model_name",
        "ai.observability.cost.model",
        "ai.observability.reranking.model_name",
        "decision.request.model_name",
        "decision.model_name",
    ),
    text(
        "response_model",
        "gen_ai.response.model",
        "llm.response.model_name",
        "llm.response.model",
        "ai.response.model",
        "llm.model_name",
        "decision.response.model_name",
    ),
    text("response_id", "gen_ai.response.id", "llm.response.id", "ai.response.id"),
    Field(
        "finish_reason",
        Kind.FIRST,
        (
            "gen_ai.response.finish_reasons",
            "ai.response.finishReason",
            "gen_ai.response.finish_reason",
            "gen_ai.completion.0.finish_reason",
            "llm.finish_reason",
            "llm.response.finish_reason",
            "llm.response.stop_reason",
            "gen_ai.response.stop_reason",
            "ai.finishReason",
        ),
        values=FINISH_REASONS,
    ),
    text(
        "system_fingerprint",
        "openai.response.system_fingerprint",
        "gen_ai.openai.response.system_fingerprint",
        "gen_ai.response.system_fingerprint",
        "gen_ai.openai.system_fingerprint",
    ),
    Field(
        "ttft_ms",
        Kind.NUMBER,
        (
            "gen_ai.response.time_to_first_chunk",
            "gen_ai.server.time_to_first_token",
            "ai.response.msToFirstChunk",
            "langfuse.observation.completion_start_time",
            "ai.observability.generation.time_to_first_token_ms",
            "gen_ai.streaming.time_to_first_token",
            "llm.response.time_to_first_token",
            "metrics.time_to_first_token",
        ),
        scales={
            "gen_ai.response.time_to_first_chunk": 1000.0,
            "gen_ai.server.time_to_first_token": 1000.0,
            "gen_ai.streaming.time_to_first_token": 1000.0,
            "llm.response.time_to_first_token": 1000.0,
            "metrics.time_to_first_token": 1000.0,
        },
        moments=("langfuse.observation.completion_start_time",),
    ),
    number(
        "temperature",
        "gen_ai.request.temperature",
        "llm.request.temperature",
        _INVOCATION + "temperature",
        _PARAMETERS + "temperature",
        "ai.settings.temperature",
        "langsmith.metadata.ls_temperature",
        "llm.temperature",
    ),
    number(
        "top_p",
        "gen_ai.request.top_p",
        "llm.request.top_p",
        _INVOCATION + "top_p",
        _PARAMETERS + "top_p",
        _PARAMETERS + "topP",
        "ai.settings.topP",
        "llm.top_p",
    ),
    count(
        "max_tokens",
        "gen_ai.request.max_tokens",
        "llm.request.max_tokens",
        _INVOCATION + "max_tokens",
        _INVOCATION + "max_completion_tokens",
        _INVOCATION + "max_output_tokens",
        _PARAMETERS + "max_tokens",
        _PARAMETERS + "max_completion_tokens",
        _PARAMETERS + "maxTokens",
        "ai.settings.maxOutputTokens",
        "ai.settings.maxTokens",
        "langsmith.metadata.ls_max_tokens",
    ),
)

FAILURE: tuple[Field, ...] = (
    text("error_type", "error.type", "litellm.provider.error.code", "error.code"),
    count(
        "http_status",
        "http.response.status_code",
        "http.status_code",
        "error.http_status",
        most=65_535,
    ),
    text(
        "status",
        "langfuse.observation.level",
        "ai.observability.mcp.output_is_error",
        values=STATUSES,
        is_column=False,
    ),
    text("status_message", "langfuse.observation.status_message", is_column=False),
)

OWNER: tuple[Field, ...] = (
    text(
        "env",
        "langfuse.environment",
        "deployment.environment.name",
        "deployment.environment",
        "gen_ai.environment",
        resource=(
            "langfuse.environment",
            "deployment.environment.name",
            "deployment.environment",
        ),
    ),
    text("region", "cloud.region", "gen_ai.request.region", resource=("cloud.region",)),
    text(
        "team",
        "vagus.team",
        *_said_by_users("team"),
        resource=("vagus.team", "team", "service.team"),
    ),
    text("feature", "vagus.feature", *_said_by_users("feature"), resource=("vagus.feature",)),
    text(
        "tenant",
        "vagus.tenant",
        "tenant.id",
        *_said_by_users("tenant", "tenant_id", "org_id", "organization_id", "account_id"),
        resource=("vagus.tenant", "service.namespace"),
    ),
    text(
        "user",
        "user.id",
        "langfuse.user.id",
        "traceloop.association.properties.user_id",
        "lmnr.association.properties.user_id",
        "ai.telemetry.metadata.userId",
        "mlflow.trace.user",
        *below("langsmith.metadata.", "user_id", "user"),
        *below("metadata#", "user_id", "userId"),
        "langfuse.trace.metadata.user_id",
        "metadata.user_api_key_end_user_id",
        "metadata.user_id",
        "llm.user",
        "gen_ai.user",
        "gen_ai.request.user",
        "enduser.id",
        "helicone.user_id",
    ),
    text(
        "session",
        "session.id",
        "langfuse.session.id",
        "gen_ai.conversation.id",
        *below(
            "traceloop.association.properties.",
            "session_id",
            "conversation_id",
            "thread_id",
            "chat_id",
        ),
        "lmnr.association.properties.session_id",
        *below("metadata#", "session_id", "thread_id", "conversation_id", "sessionId"),
        *below("langsmith.metadata.", "session_id", "thread_id", "conversation_id"),
        "mlflow.trace.session",
        "opik.thread_id",
        "wandb.thread_id",
        "ai.telemetry.metadata.sessionId",
        "ai.observability.conversation_id",
        "helicone.session_id",
        "mcp.session.id",
    ),
    text(
        "prompt",
        "gen_ai.prompt.name",
        "langfuse.observation.prompt.name",
        "langfuse.prompt.name",
        "traceloop.prompt.key",
        "llm.prompt_template.name",
        "prompt.id",
        "ai.observability.prompt.slug",
        "ai.observability.prompt.id",
        "langsmith.metadata.lc_hub_repo",
        "metadata#lc_hub_repo",
        "meta.input.prompt.id",
        "helicone.prompt_id",
    ),
    text(
        "prompt_version",
        "gen_ai.prompt.version",
        "langfuse.observation.prompt.version",
        "langfuse.prompt.version",
        "traceloop.prompt.version",
        "llm.prompt_template.version",
        "ai.observability.prompt.version_id",
        "langsmith.metadata.lc_hub_commit_hash",
        "metadata#lc_hub_commit_hash",
        "meta.input.prompt.version",
    ),
    text("host", resource=("host.name", "k8s.pod.name", "service.instance.id")),
    # Whoever names a key by its hash may one day write the key itself, so neither is kept.
    Field(
        "api_key",
        Kind.FINGERPRINT,
        (
            "vagus.api_key",
            *below("metadata.", "user_api_key_hash", "user_api_key_alias"),
            *below("metadata#", "user_api_key_hash", "user_api_key_alias"),
            *below("litellm.metadata.", "user_api_key_hash", "user_api_key_alias"),
            "litellm.user_api_key_hash",
            "gen_ai.request.api_key_hash",
            "gen_ai.request.api_key_id",
            "api_key.hash",
            "api_key.id",
        ),
    ),
    text(
        "dataset",
        "vagus.dataset",
        "gen_ai.evaluation.dataset",
        "gen_ai.evaluation.dataset.name",
        "gen_ai.evaluation.dataset.id",
        "langfuse.experiment.dataset.id",
        "langfuse.experiment.name",
        "langfuse.experiment.id",
        "mlflow.evaluation.dataset",
        "weave.eval.run_id",
        resource=("vagus.dataset",),
    ),
    text(
        "service_version",
        "langfuse.release",
        "ai.observability.app_version",
        resource=("service.version", "langfuse.release"),
    ),
)

PARTS: tuple[Field, ...] = (
    text(
        "tool",
        "gen_ai.tool.name",
        "tool.name",
        "ai.toolCall.name",
        "ai.observability.mcp.tool_name",
    ),
    Field(
        "tool_set",
        Kind.FINGERPRINT,
        (
            "gen_ai.tool.definitions",
            "llm.tools.0.tool.json_schema",
            "llm.request.functions.0.name",
            "ai.prompt.tools",
            "mlflow.chat.tools",
            "meta.tool_definitions",
        ),
    ),
    text(
        "agent",
        "gen_ai.agent.name",
        "agent.name",
        "gcp.vertex.agent.name",
        "agent_name",
        "gen_ai.workflow.name",
        "graph.node.name",
        "langsmith.metadata.langgraph_node",
        "metadata#langgraph_node",
        "traceloop.workflow.name",
        "ai.telemetry.functionId",
        "ai.observability.workflow.agent_name",
    ),
    text(
        "index_name",
        "gen_ai.data_source.id",
        "aws.bedrock.knowledge_base.id",
        "db.collection.name",
        "db.namespace",
    ),
    text(
        "index_version",
        "vagus.retrieval.index_version",
        "retrieval.index_version",
        "gen_ai.data_source.version",
    ),
    text("retry_of", "vagus.retry_of"),
    count(
        "attempt",
        "gen_ai.request.attempt",
        "http.request.resend_count",
        "langsmith.metadata.attempt",
        most=65_535,
    ),
)

_HINTS = Field(
    "kind_hint",
    Kind.MARK,
    tuple(key for key, _ in KIND_HINTS),
    values=dict(KIND_HINTS),
    is_column=False,
)

FIELDS: tuple[Field, ...] = (
    *CALL,
    *TOKENS,
    *MONEY,
    *FAILURE,
    *OWNER,
    *PARTS,
    *SENDER,
    _HINTS,
)
#: The fields that are columns of the spans table, `kind` aside.
COLUMNS: tuple[Field, ...] = tuple(row for row in FIELDS if row.is_column)

__all__ = ["COLUMNS", "FIELDS", "PLAIN_KINDS"]
