"""The monitors and the objective that every project has from its first minute."""

from __future__ import annotations

import msgspec

from vagus.store.meta import state as checkpoints
from vagus.store.meta.db import Meta
from vagus.store.meta.tables import monitors, slos
from vagus.store.meta.write import insert_new
from vagus.watch.monitor import Absence, Drift, Monitor, Rule, Seasonal, Sequential, Threshold
from vagus.watch.slo import Slo

# Raised when defaults are added; only those of later versions are then created, so that what
# people deleted stays deleted.
_VERSION = 2
_FIRST = ("error-rate", "groundedness", "latency-p95", "telemetry-completeness")

Rows = tuple[tuple[str, str, str, tuple[str, ...], Rule], ...]


def _learned(margin: float = 1.25, min_target: float = 0.01) -> Sequential:
    return Sequential(margin=margin, min_target=min_target)


# Id, name, measure, split, rule; split where somebody can act: by feature, provider, model, tool.
_PAGES: Rows = (
    ("error-rate", "Error rate", "error_rate", ("feature",), _learned()),
    ("telemetry-stopped", "Telemetry stopped", "requests", ("service",), Absence(remains=0.2)),
)
_TICKETS: Rows = (
    ("latency-p95", "Latency, p95", "latency_p95", ("feature",),
     Threshold(op=">", value=30_000.0, hold_min=15, min_n=50, window_min=5)),
    ("telemetry-completeness", "Telemetry completeness", "orphan_rate", ("service",),
     Threshold(op=">", value=0.05, hold_min=15, min_n=200, window_min=5)),
    # The provider.
    ("provider-errors", "Provider errors", "provider_error_rate", ("provider",), _learned()),
    ("rate-limits", "Rate limits", "rate_limit_share", ("provider",), _learned()),
    ("model-not-found", "Model not found", "not_found_share", ("provider",), _learned()),
    ("denied", "Denied calls", "denied_share", ("provider",), _learned()),
    ("retries", "Retries", "retry_share", ("provider",), _learned(1.5, 0.02)),
    ("cancelled", "Cancelled calls", "cancelled_share", ("provider",), _learned(1.5, 0.02)),
    ("cut-off-streams", "Cut-off streams", "aborted_share", ("provider",), _learned(1.5, 0.02)),
    # Time.
    ("latency", "Latency against its usual", "latency_p95", ("feature",), _learned(1.25)),
    ("time-to-first-token", "Time to first token", "ttft_p95", ("model",), _learned(1.25)),
    ("output-speed", "Output speed", "output_tokens_per_s", ("model",), _learned(1.2)),
    ("waiting", "Waiting inside requests", "waiting_ms", ("service",), _learned(1.5)),
    # Money.
    ("cost-per-request", "Cost per request", "cost_per_request", ("feature",), _learned(1.2)),
    ("tokens-per-request", "Tokens per request", "tokens_per_request", ("feature",), _learned(1.2)),
    ("price", "Cost per thousand tokens", "cost_per_1k_tokens", ("model",), _learned(1.2)),
    ("unknown-cost", "Calls of unknown cost", "unknown_cost_share", ("model",),
     _learned(1.25, 0.02)),
    ("prompt-cache", "Cached share of input", "cache_hit_share", ("model",), _learned(1.2)),
    # Retrieval.
    ("empty-retrievals", "Empty retrievals", "retrieval_empty_share", ("feature",),
     _learned(1.25, 0.02)),
    ("document-age", "Document age", "document_age_days", ("index_name",), _learned(1.2)),
    ("retrieval-score", "Top retrieval score", "retrieval_top_score", ("index_name",),
     _learned(1.1)),
    ("duplicate-documents", "Duplicate documents", "duplicate_document_share", ("index_name",),
     _learned(1.25)),
    ("sources", "Sources per retrieval", "sources_per_retrieval", ("index_name",), _learned(1.2)),
    ("reranking", "Reranks per retrieval", "reranks_per_retrieval", ("feature",), _learned(1.2)),
    ("chunk-size", "Document length", "document_chars", ("index_name",), Seasonal(margin=1.2)),
    # Answers.
    ("quality", "Failed evaluations of answers", "evaluation_pass_rate", ("name",),
     _learned(1.25, 0.02)),
    ("refusals", "Refusals", "refusal_share", ("feature",), _learned(1.25, 0.02)),
    ("format-errors", "Format errors", "format_error_share", ("feature",), _learned(1.25, 0.02)),
    ("truncated-answers", "Truncated answers", "output_truncated_share", ("feature",),
     _learned(1.25, 0.02)),
    ("context-overflow", "Prompts too long", "context_overflow_share", ("feature",), _learned()),
    ("full-context", "Long prompts", "input_tokens_p95", ("feature",), Seasonal(margin=1.25)),
    ("feedback", "Negative feedback", "feedback_negative_share", ("feature",),
     _learned(1.25, 0.02)),
    ("prompt-injection", "Prompt injection", "prompt_injection_share", (), _learned()),
    ("pii-leaks", "Personal data in answers", "pii_leak_share", (), _learned()),
    ("unsafe-answers", "Unsafe answers", "unsafe_output_share", (), _learned()),
    ("offline-quality", "Offline pass rate", "offline_pass_rate", ("dataset",),
     Seasonal(min_target=0.02)),
    ("evaluators", "Evaluations that failed to run", "evaluation_failed_share", ("name",),
     _learned(1.25, 0.02)),
    # Agents and tools.
    ("tool-errors", "Tool errors", "tool_error_rate", ("tool",), _learned(1.25, 0.02)),
    ("repeated-tools", "Repeated tool calls", "repeated_tool_share", ("agent",),
     _learned(1.5, 0.02)),
    ("agent-steps", "Agent steps", "agent_steps", ("agent",), _learned(1.25)),
    ("model-calls", "Model calls per request", "calls_per_trace", ("feature",), _learned(1.25)),
    # Settings, traffic and who sends it.
    ("temperature", "Requested temperature", "temperature", ("feature",), Seasonal(margin=1.05)),
    ("request-volume", "Request volume", "requests", ("service",), Seasonal(side="up", margin=1.5)),
    ("model-mix", "Mix of models", "steps", (), Drift(dimension="model")),
    ("prompt-mix", "Mix of prompts", "requests", (), Drift(dimension="prompt")),
    ("region-mix", "Mix of regions", "steps", (), Drift(dimension="region")),
    ("key-mix", "Mix of keys", "steps", (), Drift(dimension="api_key")),
    ("traffic-mix", "Mix of features", "requests", (), Drift(dimension="feature")),
    ("finish-mix", "Mix of finish reasons", "steps", (), Drift(dimension="finish_reason")),
    ("language-mix", "Mix of languages", "scores", (), Drift(dimension="label")),
    ("topic-mix", "Mix of topics", "scores", (), Drift(dimension="label")),
    # The telemetry itself.
    ("clock-skew", "Clock skew", "clock_skew_share", ("service",), _learned()),
    ("spans-per-request", "Spans per request", "spans_per_trace", ("service",), _learned(1.2)),
    ("bare-requests", "Requests without steps", "root_only_share", ("service",),
     _learned(1.25, 0.05)),
)  # fmt: skip
_WAKING = ("error-rate", "groundedness", "telemetry-stopped")
_FILTERS = {
    "groundedness": "name:groundedness",
    "quality": "name!=groundedness",
    "language-mix": "name:language",
    "topic-mix": "name:topic",
    "model-mix": "is_billable:1",
    "region-mix": "is_billable:1",
    "key-mix": "is_billable:1",
    "finish-mix": "kind:llm",
}


def default_monitors(project: str) -> tuple[Monitor, ...]:
    """What moves when one of the known causes is at work, split where an owner can act.

    Three of them wake somebody: requests that fail, answers that are not grounded, telemetry that
    stopped. The rest are tickets. Nearly all learn what is usual, because nobody has told them;
    together they keep to the project's budget of false alarms (`lane.march`).
    """
    grounded = (
        "groundedness", "Groundedness failures", "evaluation_pass_rate", ("feature",),
        Sequential(ratio=2.0, min_target=0.02, margin=1.05),
    )  # fmt: skip
    rows: Rows = (*_PAGES, grounded, *_TICKETS)
    return tuple(
        Monitor(
            id=monitor_id, name=name, project=project, measure=measure, by=by,
            filter=_FILTERS.get(monitor_id, ""), rule=rule,
            severity="page" if monitor_id in _WAKING else "ticket",
        )
        for monitor_id, name, measure, by, rule in rows
    )  # fmt: skip


def default_slos(project: str) -> tuple[Slo, ...]:
    """One objective: 99 % of requests end without an error, over 30 days."""
    return (
        Slo(
            id="requests-without-error",
            name="Requests without error",
            project=project,
            measure="error_rate",
            target=0.99,
            window_days=30,
        ),
    )


def ensure_defaults(meta: Meta, project: str, now_ms: int) -> bool:
    """Create the defaults of a project once; what people changed or deleted is left alone."""
    key = f"watch-defaults/{project}"
    version = checkpoints.get(meta, key, 0)
    if version >= _VERSION:
        return False
    with meta.begin() as connection:
        for monitor in default_monitors(project):
            if version >= 1 and monitor.id in _FIRST:
                continue
            row = {
                "id": monitor.id,
                "project": project,
                "spec": msgspec.to_builtins(monitor),
                "enabled": True,
                "created_ms": now_ms,
                "updated_ms": now_ms,
            }
            insert_new(connection, monitors, row)
        for slo in default_slos(project) if version < 1 else ():
            spec = msgspec.to_builtins(slo)
            row = {"id": slo.id, "project": project, "spec": spec, "created_ms": now_ms}
            insert_new(connection, slos, row)
    checkpoints.put(meta, key, _VERSION)
    return True
