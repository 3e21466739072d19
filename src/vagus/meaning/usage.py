"""The rows of the field table that say what a call used and what it cost.

`input_tokens` and `output_tokens` are wholes where the table can know it: maps whose parts are
disjoint are added up (`SUMS`), and `cache_accounting` says so.
"""

from __future__ import annotations

from dataclasses import dataclass

from vagus.meaning.field import Field, below, count, number, text
from vagus.meaning.senders import SCOPE_ACCOUNTING
from vagus.meaning.words import (
    BOOLEANS,
    CACHE_ACCOUNTING,
    LOCAL_CACHE,
    SERVICE_TIERS,
    STREAMING,
)

_LANGFUSE = "langfuse.observation.usage_details#"
_LANGSMITH = "langsmith.metadata.usage_metadata#"
_MLFLOW = "mlflow.chat.tokenUsage#"
_PARAMETERS = "langfuse.observation.model.parameters#"
_INVOCATION = "llm.invocation_parameters#"
# Logfire keeps the usage as the provider said it, and says of it only the two wholes itself.
_LOGFIRE = "gen_ai.usage.raw#"


@dataclass(frozen=True, slots=True)
class Sum:
    """A number added up from the members of a JSON object whose parts are disjoint.

    It is the first of `wholes` that is there, plus every member that is in `parts` or begins with
    `prefix` (those in `wholes` aside). When the object's own `total` is just its two wholes, the
    parts are inside of them and nothing is added. A first whole in `inclusive` has its parts inside
    anyway. The sum is read as `document#name`.
    """

    document: str
    name: str
    wholes: tuple[str, ...] = ()
    prefix: str = ""
    parts: tuple[str, ...] = ()
    inclusive: tuple[str, ...] = ()
    other_wholes: tuple[str, ...] = ()
    totals: tuple[str, ...] = ()


_INPUTS = ("input", "input_tokens", "prompt_tokens", "promptTokens")
_OUTPUTS = ("output", "output_tokens", "completion_tokens", "completionTokens")
_TOTALS = ("total", "total_tokens", "totalTokens")

SUMS = (
    Sum(
        "langfuse.observation.usage_details",
        "=input",
        wholes=_INPUTS,
        prefix="input_",
        parts=(
            "cache_read_input_tokens",
            "cache_creation_input_tokens",
            "cache_write_input_tokens",
            "cache_read",
            "cache_write",
            "cache_creation",
        ),
        inclusive=("prompt_tokens", "promptTokens"),
        other_wholes=_OUTPUTS,
        totals=_TOTALS,
    ),
    Sum(
        "langfuse.observation.usage_details",
        "=output",
        wholes=_OUTPUTS,
        prefix="output_",
        inclusive=("completion_tokens", "completionTokens"),
        other_wholes=_INPUTS,
        totals=_TOTALS,
    ),
    Sum("langfuse.observation.cost_details", "=cost", prefix=""),
)

TOKENS: tuple[Field, ...] = (
    count(
        "input_tokens",
        "gen_ai.usage.input_tokens",
        "gen_ai.usage.prompt_tokens",
        "llm.token_count.prompt",
        "llm.usage.prompt_tokens",
        "ai.usage.inputTokens",
        "ai.usage.promptTokens",
        _LANGFUSE + "=input",
        _MLFLOW + "input_tokens",
        _LANGSMITH + "input_tokens",
        "metrics.input_tokens",
        "ai.observability.cost.num_prompt_tokens",
        "decision.token_count.input",
        # An embedding has no output, so that its total is its input.
        "ai.usage.tokens",
    ),
    count(
        "output_tokens",
        "gen_ai.usage.output_tokens",
        "gen_ai.usage.completion_tokens",
        "llm.token_count.completion",
        "llm.usage.completion_tokens",
        "ai.usage.outputTokens",
        "ai.usage.completionTokens",
        _LANGFUSE + "=output",
        _MLFLOW + "output_tokens",
        _LANGSMITH + "output_tokens",
        "metrics.output_tokens",
        "ai.observability.cost.num_completion_tokens",
        "decision.token_count.output",
    ),
    count(
        "cache_read_tokens",
        "gen_ai.usage.cache_read.input_tokens",
        "gen_ai.usage.cache_read_input_tokens",
        "gen_ai.usage.cache_read_tokens",
        "llm.token_count.prompt_details.cache_read",
        "llm.token_count.prompt_details.cache_input",
        "llm.usage.cache_read_input_tokens",
        "gen_ai.usage.details.cache_read_tokens",
        "ai.usage.inputTokenDetails.cacheReadTokens",
        "ai.usage.cachedInputTokens",
        *below(
            _LANGFUSE,
            "cache_read_input_tokens",
            "input_cached_tokens",
            "input_cache_read",
            "input_cache_read_tokens",
            "cache_read",
            "prompt_tokens_details#cached_tokens",
            "input_tokens_details#cached_tokens",
            "input_token_details#cache_read",
        ),
        "gen_ai.usage.input_token_details#cache_read",
        _LANGSMITH + "input_token_details#cache_read",
        _MLFLOW + "cache_read_input_tokens",
        "metrics.cache_read_input_tokens",
        *below(
            _LOGFIRE,
            "prompt_tokens_details#cached_tokens",
            "input_tokens_details#cached_tokens",
            "cache_read_input_tokens",
        ),
    ),
    count(
        "cache_write_tokens",
        "gen_ai.usage.cache_write.input_tokens",
        "gen_ai.usage.cache_creation.input_tokens",
        "gen_ai.usage.cache_creation_input_tokens",
        "gen_ai.usage.cache_write_tokens",
        "llm.token_count.prompt_details.cache_write",
        "llm.usage.cache_creation_input_tokens",
        "gen_ai.usage.details.cache_write_tokens",
        "ai.usage.inputTokenDetails.cacheWriteTokens",
        *below(
            _LANGFUSE,
            "cache_creation_input_tokens",
            "cache_write_input_tokens",
            "input_cache_creation",
            "input_cache_creation_tokens",
            "input_cache_write",
            "cache_creation",
            "cache_write",
            "input_token_details#cache_creation",
        ),
        "gen_ai.usage.input_token_details#cache_creation",
        _LANGSMITH + "input_token_details#cache_creation",
        _MLFLOW + "cache_creation_input_tokens",
        "metrics.cache_write_input_tokens",
        _LOGFIRE + "cache_creation_input_tokens",
    ),
    count(
        "cache_write_5m_tokens",
        "gen_ai.usage.cache_write_5m.input_tokens",
        "metrics.ephemeral_5m_input_tokens",
        *below(
            _LANGFUSE,
            "input_cache_creation_5m",
            "input_cache_creation_5_minutes",
            "ephemeral_5m_input_tokens",
        ),
        "gen_ai.usage.input_token_details#ephemeral_5m_input_tokens",
        _LANGSMITH + "input_token_details#ephemeral_5m_input_tokens",
    ),
    count(
        "cache_write_1h_tokens",
        "gen_ai.usage.cache_write_1h.input_tokens",
        "metrics.ephemeral_1h_input_tokens",
        *below(
            _LANGFUSE,
            "input_cache_creation_1h",
            "input_cache_creation_1_hour",
            "ephemeral_1h_input_tokens",
        ),
        "gen_ai.usage.input_token_details#ephemeral_1h_input_tokens",
        _LANGSMITH + "input_token_details#ephemeral_1h_input_tokens",
    ),
    count(
        "reasoning_tokens",
        "gen_ai.usage.reasoning.output_tokens",
        "gen_ai.usage.reasoning_tokens",
        "gen_ai.usage.details.reasoning_tokens",
        "llm.token_count.completion_details.reasoning",
        "llm.usage.reasoning_tokens",
        "ai.usage.outputTokenDetails.reasoningTokens",
        "ai.usage.reasoningTokens",
        *below(
            _LANGFUSE,
            "output_reasoning_tokens",
            "output_reasoning",
            "reasoning_tokens",
            "completion_tokens_details#reasoning_tokens",
            "output_tokens_details#reasoning_tokens",
            "output_token_details#reasoning",
        ),
        "gen_ai.usage.output_token_details#reasoning",
        _LANGSMITH + "output_token_details#reasoning",
        "metrics.reasoning_output_tokens",
        "ai.observability.cost.num_reasoning_tokens",
        *below(
            _LOGFIRE,
            "completion_tokens_details#reasoning_tokens",
            "output_tokens_details#reasoning_tokens",
        ),
    ),
    count(
        "audio_input_tokens",
        "gen_ai.usage.audio.input_tokens",
        "llm.token_count.prompt_details.audio",
        *below(
            _LANGFUSE,
            "input_audio",
            "input_audio_tokens",
            "prompt_tokens_details#audio_tokens",
            "input_token_details#audio",
        ),
        "gen_ai.usage.details.input_audio_tokens",
        "gen_ai.usage.input_token_details#audio",
        _LANGSMITH + "input_token_details#audio",
    ),
    count(
        "audio_output_tokens",
        "gen_ai.usage.audio.output_tokens",
        "llm.token_count.completion_details.audio",
        *below(
            _LANGFUSE,
            "output_audio",
            "output_audio_tokens",
            "completion_tokens_details#audio_tokens",
            "output_token_details#audio",
        ),
        "gen_ai.usage.details.output_audio_tokens",
        "gen_ai.usage.output_token_details#audio",
        _LANGSMITH + "output_token_details#audio",
    ),
    count(
        "audio_cache_read_tokens",
        "gen_ai.usage.audio.cache_read.input_tokens",
        "gen_ai.usage.details.cache_audio_read_tokens",
    ),
    count(
        "image_input_tokens",
        "gen_ai.usage.image.input_tokens",
        *below(_LANGFUSE, "input_image", "input_image_tokens"),
    ),
    count(
        "image_output_tokens",
        "gen_ai.usage.image.output_tokens",
        *below(_LANGFUSE, "output_image", "output_image_tokens"),
    ),
    count(
        "web_search_requests",
        "gen_ai.usage.web_search_requests",
        "gen_ai.usage.details.web_search_requests",
        *below(_LANGFUSE, "web_search_requests", "server_tool_use#web_search_requests"),
    ),
)

MONEY: tuple[Field, ...] = (
    text(
        "service_tier",
        "openai.response.service_tier",
        "vagus.service_tier",
        "gen_ai.openai.response.service_tier",
        "gen_ai.response.service_tier",
        "anthropic.response.service_tier",
        "openai.request.service_tier",
        "gen_ai.openai.request.service_tier",
        "gen_ai.request.service_tier",
        _INVOCATION + "service_tier",
        _PARAMETERS + "service_tier",
        values=SERVICE_TIERS,
    ),
    text(
        "cache_accounting",
        "vagus.cache_accounting",
        resource=(SCOPE_ACCOUNTING,),
        values=CACHE_ACCOUNTING,
    ),
    text(
        "is_streaming",
        "gen_ai.request.stream",
        "gen_ai.is_streaming",
        "gen_ai.request.is_stream",
        "gen_ai.request.streaming",
        "llm.is_streaming",
        "llm.request.streaming",
        "langsmith.request.streaming",
        "ai.observability.generation.is_streaming",
        _INVOCATION + "stream",
        _PARAMETERS + "stream",
        "ai.operationId",
        values=STREAMING,
    ),
    text(
        "local_cache",
        "vagus.local_cache",
        "litellm.cache_hit",
        "metadata.cache_hit",
        "gen_ai.response.cache_hit",
        "llm.response.cache_hit",
        "hidden_params#cache_hit",
        "langsmith.metadata.cache_hit",
        "metadata#cache_hit",
        values=LOCAL_CACHE,
    ),
    number(
        "reported_cost_usd",
        "langfuse.observation.cost_details#total",
        "langfuse.observation.cost_details#=cost",
        "llm.cost.total",
        "gen_ai.usage.cost",
        "gen_ai.cost.total_cost",
        "litellm.cost.total",
        "gen_ai.usage.total_cost",
        "mlflow.llm.cost#total_cost",
        _LANGSMITH + "total_cost",
        "metrics.total_cost",
        "ai.observability.cost.cost",
        "operation.cost",
    ),
    text(
        "cost_currency",
        "ai.observability.cost.cost_currency",
        "gen_ai.usage.cost_currency",
        is_column=False,
    ),
)

#: Which way an emitter counts, by the source that won for a field: (field, source, providers, way).
#: Without providers the rule holds for all; the first that holds is believed after the span's own
#: word. Version 5 of the Vercel AI SDK passes on what Anthropic's interface says, which leaves
#: cached tokens out; later versions say the details and include them.
ACCOUNTING: tuple[tuple[str, str, tuple[str, ...], str], ...] = (
    ("input_tokens", _LANGFUSE + "=input", (), "inclusive"),
    (
        "cache_read_tokens",
        "ai.usage.cachedInputTokens",
        ("anthropic", "aws.bedrock"),
        "exclusive",
    ),
    ("cache_read_tokens", "ai.usage.inputTokenDetails.cacheReadTokens", (), "inclusive"),
    ("cache_read_tokens", _LANGSMITH + "input_token_details#cache_read", (), "inclusive"),
    (
        "cache_read_tokens",
        "gen_ai.usage.input_token_details#cache_read",
        (),
        "inclusive",
    ),
    ("cache_read_tokens", "metrics.cache_read_input_tokens", (), "inclusive"),
)

#: A cost in one of these is in US dollars; in any other currency it is not used.
DOLLARS = ("", "usd", "$")

__all__ = ["ACCOUNTING", "BOOLEANS", "DOLLARS", "MONEY", "SUMS", "TOKENS", "Sum"]
