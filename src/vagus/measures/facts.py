"""The facts of a settled row that measures add up, and the dimensions they are split by.

Every fact is a signed sum: a cancel row (sign -1) takes away exactly what its row had put in.
That is why real numbers are summed as decimals, where a - a is 0 in any order, and why extreme
values from hostile telemetry are clamped before they are summed. `store/schema/0008_signs.sql`
holds the same expressions a minute and an hour at a time, `0006_hours.sql` those of `spend_hours`;
a test compares them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from vagus.stats.sketch import SQL_BUCKET


def _number(expression: str) -> str:
    """A real number made safe to add: unknown and NaN are 0, the rest is clamped to 1e9."""
    value = f"ifNull({expression}, 0)"
    return f"toDecimal128(if(isFinite({value}), least(greatest({value}, -1e9), 1e9), 0), 12)"


def _square(expression: str) -> str:
    value = f"ifNull({expression}, 0)"
    clamped = f"if(isFinite({value}), least(abs({value}), 1e8), 0)"
    return f"toDecimal128(pow({clamped}, 2), 18)"


def _product(left: str, right: str) -> str:
    return f"toDecimal128(least({left} * {right}, 1e16), 18)"


def _count(expression: str) -> str:
    """A whole number made safe to add: at most a million millions a row."""
    return f"toInt64(least({expression}, 1000000000000))"


def _is(condition: str) -> str:
    return f"toInt64(ifNull({condition}, 0))"


def _known(expression: str) -> str:
    return f"toInt64(ifNull(isFinite({expression}), 0))"


@dataclass(frozen=True, slots=True)
class Table:
    """One settled table: its facts, its distributions, and the columns a filter may name.

    `facts` and `distributions` map a name to an expression over one row; a distribution gives the
    column whose log buckets are counted. `rolled` are the dimensions kept in `rollup`; `raw` are
    those with too many values for it. `numbers` may be compared with a number in a filter;
    `searched` are the columns a bare word looks in. `base` is the fact that counts rows.
    """

    name: str
    rollup: str
    base: str
    facts: Mapping[str, str]
    distributions: Mapping[str, str]
    rolled: tuple[str, ...]
    raw: tuple[str, ...]
    numbers: tuple[str, ...]
    searched: tuple[str, ...]

    @property
    def dimensions(self) -> tuple[str, ...]:
        """Every text dimension, the rolled ones first."""
        return self.rolled + self.raw

    @property
    def hours(self) -> str:
        """The rollup a second time, where `minute` is the first of an hour."""
        return self.rollup.replace("_minutes", "_hours")


# One order for all three tables, from what varies least to what varies most.
_SHARED = (
    "env", "region", "service", "service_version", "team", "feature", "agent", "provider", "model",
    "prompt", "prompt_version", "index_name", "index_version",
)  # fmt: skip

_TOKENS = {
    "input_tokens": _count("input_tokens"),
    "output_tokens": _count("output_tokens"),
    "cached_tokens": _count("cache_read_tokens"),
    "cache_write_tokens": _count("cache_write_tokens"),
    "reasoning_tokens": _count("reasoning_tokens"),
}

TRACES = Table(
    name="traces",
    rollup="trace_minutes",
    base="requests",
    facts={
        "requests": "toInt64(1)",
        "errors": _is("status = 'error'"),
        "spans": _count("span_count"),
        "spans_squares": _square("toFloat64(span_count)"),
        "skewed": _is("has(flags, 'clock_skew')"),
        "orphans": _count("orphan_count"),
        "calls": _count("billable_calls"),
        "calls_squares": _square("toFloat64(billable_calls)"),
        "retries": _count("retry_calls"),
        "tool_calls": _count("tool_calls"),
        "tool_calls_squares": _square("toFloat64(tool_calls)"),
        "agent_requests": _is("agent_steps > 0"),
        "agent_steps": _count("agent_steps"),
        "agent_steps_squares": _square("toFloat64(agent_steps)"),
        **_TOKENS,
        "model_requests": _is("input_tokens + output_tokens > 0"),
        "tokens_squares": _square("toFloat64(input_tokens) + toFloat64(output_tokens)"),
        "unknown_cost_calls": _count("unknown_cost_calls"),
        "costed_requests": _is("unknown_cost_calls = 0"),
        "costed_usd": _number("if(unknown_cost_calls = 0, cost_usd, 0)"),
        "costed_squares": _square("if(unknown_cost_calls = 0, cost_usd, 0)"),
        "root_only": _is("span_count = 1"),
        "cancelled": _is("error_class = 'cancelled'"),
        "waits": _known("waiting_ms"),
        "waiting_ms": _number("waiting_ms"),
        "waiting_squares": _square("waiting_ms"),
    },
    distributions={
        "latency_ms": "duration_ms",
        "ttft_ms": "ttft_ms",
        "agent_steps": "if(agent_steps > 0, toFloat64(agent_steps), NULL)",
    },
    rolled=("kind", "error_class", *_SHARED),
    raw=(
        "name", "status", "tenant", "user", "session", "host", "dataset", "trace_id",
        "root_span_id",
    ),
    numbers=(
        "duration_ms", "ttft_ms", "waiting_ms", "cost_usd", "input_tokens", "output_tokens",
        "cache_read_tokens", "reasoning_tokens", "span_count", "orphan_count", "error_count",
        "billable_calls", "retry_calls", "tool_calls", "tool_errors", "retrievals", "agent_steps",
        "unknown_cost_calls",
    ),
    searched=("name", "input"),
)  # fmt: skip

_COST_KNOWN = "ifNull(isFinite(cost_usd), 0)"
_KILOTOKENS = f"if({_COST_KNOWN}, (toFloat64(input_tokens) + toFloat64(output_tokens)) / 1000, 0)"
#: The requested temperature is a dimension, so it is kept as text.
_TEMPERATURE = "toFloat64OrNull(temperature)"

STEPS = Table(
    name="steps",
    rollup="step_minutes",
    base="steps",
    facts={
        "steps": "toInt64(1)",
        "errors": _is("status = 'error'"),
        "rate_limited": _is("error_class = 'rate_limit'"),
        "timed_out": _is("error_class = 'timeout'"),
        "server_failed": _is("error_class IN ('server_error', 'connection')"),
        "not_found": _is("error_class = 'not_found'"),
        "denied": _is("error_class = 'auth'"),
        "cancelled": _is("error_class = 'cancelled'"),
        "too_long": _is("error_class = 'context_length'"),
        "retries": _is("is_retry = 1"),
        **_TOKENS,
        "input_squares": _square("toFloat64(input_tokens)"),
        "cached_squares": _square("toFloat64(cache_read_tokens)"),
        "input_cached": _product("toFloat64(input_tokens)", "toFloat64(cache_read_tokens)"),
        "output_squares": _square("toFloat64(output_tokens)"),
        "with_usage": _is("has_usage = 1"),
        "generating_s": _number("if(output_tokens > 0, duration_ms / 1000, 0)"),
        "cost_usd": _number("cost_usd"),
        "cost_squares": _square("cost_usd"),
        "cost_known": _known("cost_usd"),
        "cost_unknown": _is("is_billable = 1 AND NOT ifNull(isFinite(cost_usd), 0)"),
        "finished": _is("finish_reason != ''"),
        "cut_off": _is("finish_reason = 'length'"),
        "filtered": _is("finish_reason = 'content_filter'"),
        "retrieval_steps": _is("kind = 'retrieval'"),
        "rerank_steps": _is("kind = 'rerank'"),
        "retrievals": _is("isNotNull(retrieved)"),
        "retrieved": _count("ifNull(retrieved, 0)"),
        "retrieved_squares": _square("toFloat64(retrieved)"),
        "retrieved_none": _is("retrieved = 0"),
        "top_scores": _known("top_score"),
        "top_score": _number("top_score"),
        "top_score_squares": _square("top_score"),
        "document_ages": _known("document_age_days"),
        "document_age_days": _number("document_age_days"),
        "document_age_squares": _square("document_age_days"),
        "reranks": _known("rerank_moved"),
        "rerank_moved": _number("rerank_moved"),
        "rerank_moved_squares": _square("rerank_moved"),
        "cache_write_1h_tokens": _count("cache_write_1h_tokens"),
        "audio_tokens": _count("audio_input_tokens + audio_output_tokens"),
        "image_tokens": _count("image_input_tokens + image_output_tokens"),
        "web_searches": _count("web_search_requests"),
        "cost_input_usd": _number("cost_input_usd"),
        "cost_output_usd": _number("cost_output_usd"),
        "cost_cache_read_usd": _number("cost_cache_read_usd"),
        "cost_cache_write_usd": _number("cost_cache_write_usd"),
        "cost_audio_usd": _number("cost_audio_usd"),
        "cost_image_usd": _number("cost_image_usd"),
        "cost_request_usd": _number("cost_request_usd"),
        "reported_usd": _number("if(cost_source = 'reported', cost_usd, 0)"),
        "reported_calls": _is("cost_source = 'reported'"),
        "retry_usd": _number("if(is_retry = 1, cost_usd, 0)"),
        "wasted_usd": _number(
            "if(is_retry = 1 OR is_cut_off = 1 OR status = 'error', cost_usd, 0)"
        ),
        "local_hits": _is("is_local_cache = 1"),
        "aborted": _is("is_cut_off = 1"),
        "costed_kilotokens": _number(_KILOTOKENS),
        "costed_kilotokens_squares": _square(_KILOTOKENS),
        "cost_kilotokens": _product(f"if({_COST_KNOWN}, greatest(cost_usd, 0), 0)", _KILOTOKENS),
        "repeat_known": _is("isNotNull(is_repeated)"),
        "repeated": _is("is_repeated = 1"),
        "argument_errors": _is("is_argument_error = 1"),
        "temperatures": _known(_TEMPERATURE),
        "temperature": _number(_TEMPERATURE),
        "temperature_squares": _square(_TEMPERATURE),
        "limits": _known("toFloat64(max_tokens)"),
        "limit_tokens": _number("toFloat64(max_tokens)"),
        "limit_squares": _square("toFloat64(max_tokens)"),
        "limited": _is("max_tokens > 0 AND output_tokens > 0"),
        "limit_reached": _is("max_tokens > 0 AND output_tokens >= max_tokens"),
        "duplicate_known": _known("duplicate_documents / retrieved"),
        "duplicate_share": _number("duplicate_documents / retrieved"),
        "duplicate_squares": _square("duplicate_documents / retrieved"),
        "sources_known": _known("toFloat64(distinct_sources)"),
        "distinct_sources": _count("ifNull(distinct_sources, 0)"),
        "distinct_source_squares": _square("toFloat64(distinct_sources)"),
        "lengths": _known("document_chars"),
        "document_chars": _number("document_chars"),
        "document_char_squares": _square("document_chars"),
    },
    distributions={
        "latency_ms": "duration_ms",
        "ttft_ms": "ttft_ms",
        "call_input": "if(kind = 'llm' AND has_usage = 1, toFloat64(input_tokens), NULL)",
    },
    rolled=(
        "kind", "is_billable", "error_class", *_SHARED, "request_model", "system_fingerprint",
        "finish_reason", "tool", "tool_set", "service_tier", "cost_source", "temperature",
        "sdk_version", "rerank_model",
    ),
    raw=(
        "name", "operation", "status", "price_source", "price_id", "is_retry", "is_local_cache",
        "is_cut_off", "is_argument_error", "top_p", "prompt_hash", "host",
        "api_key", "tenant", "user", "session", "trace_id", "span_id", "parent_span_id",
        "response_id",
    ),
    numbers=(
        "duration_ms", "ttft_ms", "cost_usd", "input_tokens", "output_tokens", "cache_read_tokens",
        "cache_write_tokens", "reasoning_tokens", "audio_input_tokens", "audio_output_tokens",
        "image_input_tokens", "image_output_tokens", "web_search_requests", "retrieved",
        "top_score", "document_age_days", "rerank_moved", "max_tokens", "duplicate_documents",
        "distinct_sources", "document_chars",
    ),
    searched=("name",),
)  # fmt: skip

#: What `spend_hours` keeps of billable steps: who they were for, their money and their tokens.
SPEND_DIMENSIONS = (
    "kind", "error_class", "env", "region", "service", "service_version", "team", "feature",
    "agent", "provider", "model", "prompt", "prompt_version", "tool", "service_tier",
    "cost_source", "tenant", "user", "session",
)  # fmt: skip
SPEND_FACTS = (
    "steps", "errors", "retries", "input_tokens", "output_tokens", "cached_tokens",
    "cache_write_tokens", "reasoning_tokens", "with_usage", "cost_usd", "cost_squares",
    "cost_known", "cost_unknown", "cost_input_usd", "cost_output_usd", "cost_cache_read_usd",
    "cost_cache_write_usd", "cost_audio_usd", "cost_image_usd", "cost_request_usd",
    "reported_usd", "reported_calls", "retry_usd", "wasted_usd", "local_hits", "aborted",
)  # fmt: skip

_WEIGHT = "if(isFinite(weight), least(greatest(weight, 0), 1e6), 0)"
_JUDGED = "status = 'ok' AND isNotNull(passed)"
#: Judged on a dataset and not on what users asked.
_OFFLINE = f"{_JUDGED} AND dataset != ''"
_VALUED = "status = 'ok' AND ifNull(isFinite(value), 0)"

SCORES = Table(
    name="scores",
    rollup="score_minutes",
    base="scores",
    facts={
        "scores": "toInt64(1)",
        "failed": _is("status = 'failed'"),
        "judged": _is(_JUDGED),
        "judged_weight": _number(f"if({_JUDGED}, {_WEIGHT}, 0)"),
        "judged_weight_squares": _square(f"if({_JUDGED}, {_WEIGHT}, 0)"),
        "passed_weight": _number(f"if({_JUDGED} AND passed = 1, {_WEIGHT}, 0)"),
        "failed_weight": _number(f"if({_JUDGED} AND passed = 0, {_WEIGHT}, 0)"),
        "valued": _is(_VALUED),
        "value_weight": _number(f"if({_VALUED}, {_WEIGHT}, 0)"),
        "value_weight_squares": _square(f"if({_VALUED}, {_WEIGHT}, 0)"),
        "value_total": _number(f"if({_VALUED}, {_WEIGHT} * value, 0)"),
        "value_squares": _number(f"if({_VALUED}, {_WEIGHT} * value * value, 0)"),
        "offline_judged": _is(_OFFLINE),
        "offline_weight": _number(f"if({_OFFLINE}, {_WEIGHT}, 0)"),
        "offline_weight_squares": _square(f"if({_OFFLINE}, {_WEIGHT}, 0)"),
        "offline_passed_weight": _number(f"if({_OFFLINE} AND passed = 1, {_WEIGHT}, 0)"),
    },
    distributions={},
    rolled=("name", "source", "evaluator", "evaluator_version", *_SHARED, "dataset"),
    raw=(
        "label", "status", "tenant", "user", "session", "trace_id", "span_id", "score_id",
    ),
    numbers=("value", "weight"),
    searched=("name", "explanation"),
)  # fmt: skip

#: What retrievals found, by where it is from; a view of the steps with a row for each source.
DOCUMENTS = Table(
    name="documents",
    rollup="document_minutes",
    base="retrievals",
    facts={
        "retrievals": "toInt64(1)",
        "documents": _count("found"),
        "documents_squares": _square("toFloat64(found)"),
    },
    distributions={},
    rolled=("source", "env", "region", "service", "feature", "index_name", "index_version"),
    raw=("tenant", "user", "session", "trace_id", "span_id"),
    numbers=("found",),
    searched=("source",),
)

TABLES: Mapping[str, Table] = {table.name: table for table in (TRACES, STEPS, SCORES, DOCUMENTS)}


def bucket_sql(column: str) -> str:
    """The log bucket of a column, as the sketch counts it; only for rows where it is known."""
    return SQL_BUCKET.replace("{value}", f"least(ifNull({column}, 0), 1e12)")


def is_known_sql(column: str) -> str:
    """Whether a column holds a number that can be counted in a bucket."""
    return f"ifNull(isFinite({column}), 0)"
