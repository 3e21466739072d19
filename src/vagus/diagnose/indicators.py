"""The indicators: what a diagnosis looks at, each a measure, and the stage that it speaks of."""

from __future__ import annotations

from dataclasses import dataclass

from vagus.measures.catalogue import Catalogue


@dataclass(frozen=True, slots=True)
class Indicator:
    """A measure, sometimes of one kind of step, that belongs to a stage of the pipeline."""

    id: str
    measure: str
    stage: str
    filter: str = ""
    #: Whether a move of it says that its stage changed; the others only tell causes apart.
    is_sign: bool = True


def _of(stage: str, *measures: str) -> tuple[Indicator, ...]:
    return tuple(Indicator(measure, measure, stage) for measure in measures)


#: In the order in which data flows, which breaks ties between stages that moved together.
STAGES = (
    "embedding", "retrieval", "rerank", "generation", "tools", "agent", "evaluation", "cost",
    "telemetry", "whole",
)  # fmt: skip

INDICATORS: tuple[Indicator, ...] = (
    Indicator("embedding_latency", "step_latency_p50", "embedding", "kind:embedding"),
    *_of("retrieval", "retrieval_hits", "retrieval_top_score", "retrieval_empty_share"),
    *_of(
        "retrieval",
        "document_age_days",
        "duplicate_document_share",
        "sources_per_retrieval",
        "document_chars",
    ),
    Indicator("retrieval_latency", "step_latency_p50", "retrieval", "kind:retrieval"),
    *_of("rerank", "rerank_moved", "reranks_per_retrieval"),
    Indicator("rerank_latency", "step_latency_p50", "rerank", "kind:rerank"),
    *_of("generation", "provider_error_rate", "rate_limit_share", "timeout_share"),
    *_of("generation", "server_error_share", "not_found_share", "denied_share", "cancelled_share"),
    *_of("generation", "context_overflow_share", "retry_share", "ttft_p50", "output_tokens_per_s"),
    *_of("generation", "output_tokens_per_call", "output_truncated_share", "content_filter_share"),
    Indicator("generation_latency", "step_latency_p50", "generation", "kind:llm"),
    Indicator("input_tokens_per_call", "input_tokens_per_call", "generation", is_sign=False),
    *_of("generation", "max_tokens_reached_share", "aborted_share"),
    *(
        Indicator(name, name, "generation", is_sign=False)
        for name in (
            "temperature",
            "max_tokens_requested",
            "input_tokens_p95",
            "billed_tokens_per_success",
        )
    ),
    Indicator("cost_per_1k_tokens", "cost_per_1k_tokens", "cost", is_sign=False),
    *_of("tools", "tool_error_rate", "tool_argument_error_share", "repeated_tool_share"),
    Indicator("tool_latency", "step_latency_p50", "tools", "kind:tool,mcp"),
    *_of("agent", "agent_steps", "agent_steps_p95", "tool_calls_per_trace", "calls_per_trace"),
    *_of("evaluation", "groundedness", "refusal_share", "format_error_share"),
    *_of("evaluation", "feedback_negative_share", "evaluation_failed_share"),
    *_of("evaluation", "evaluation_pass_rate", "prompt_injection_share", "pii_leak_share"),
    *_of("evaluation", "unsafe_output_share"),
    Indicator("offline_pass_rate", "offline_pass_rate", "evaluation", is_sign=False),
    *_of("cost", "cost_per_request", "cost_per_call", "cache_hit_share", "unknown_cost_share"),
    Indicator("tokens_per_request", "tokens_per_request", "cost", is_sign=False),
    *_of("telemetry", "orphan_rate", "spans_per_trace", "clock_skew_share", "root_only_share"),
    Indicator("waiting_ms", "waiting_ms", "whole"),
    Indicator("error_rate", "error_rate", "whole", is_sign=False),
    Indicator("latency_p50", "latency_p50", "whole", is_sign=False),
    Indicator("latency_p95", "latency_p95", "whole", is_sign=False),
    Indicator("requests", "requests", "whole", is_sign=False),
)


def known_indicators(catalogue: Catalogue) -> tuple[Indicator, ...]:
    """The indicators whose measure the catalogue has."""
    return tuple(i for i in INDICATORS if i.measure in catalogue)
