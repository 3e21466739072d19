"""Three simple ways to name a cause, which a diagnosis has to beat.

Each is given more than it would have in practice: the true onset, and the best cause for what it
points to. `metric` takes the measure that lies farthest from its past (three standard deviations
and more), `threshold` the first measure over a fixed limit or else the latest change, and
`bubbleup` the attribute value whose share grew most among bad requests.
"""

from __future__ import annotations

import numpy as np

from bench.diagnosis.scenario import Scenario
from vagus.measures.catalogue import Catalogue
from vagus.measures.slice import Request, slice_measure
from vagus.store.engine import Engine

#: The cause that a measure speaks for most.
CAUSE_OF_MEASURE = {
    "rate_limit_share": "provider_rate_limit", "server_error_share": "provider_outage",
    "timeout_share": "provider_slow", "not_found_share": "model_removed",
    "cancelled_share": "streaming_stall", "latency_p95": "provider_slow",
    "ttft_p50": "region_failover", "output_tokens_per_s": "provider_slow",
    "waiting_ms": "pool_exhaustion", "retry_share": "retry_cost", "error_rate": "provider_outage",
    "tool_error_rate": "tool_failure", "repeated_tool_share": "tool_loop",
    "agent_steps": "agent_runaway", "cost_per_request": "routing_misconfiguration",
    "cost_per_1k_tokens": "price_table_wrong", "unknown_cost_share": "price_table_wrong",
    "groundedness": "hallucination_rise", "refusal_share": "over_refusal",
    "format_error_share": "schema_break", "output_truncated_share": "output_truncation",
    "prompt_injection_share": "prompt_injection", "pii_leak_share": "pii_leak",
    "unsafe_output_share": "unsafe_output", "offline_pass_rate": "golden_set_stale",
    "retrieval_top_score": "embedding_mismatch", "retrieval_empty_share": "retrieval_empty",
    "document_age_days": "stale_index", "reranks_per_retrieval": "reranker_bypassed",
    "duplicate_document_share": "context_conflict", "sources_per_retrieval": "source_outage",
    "document_chars": "chunking_change", "temperature": "sampling_changed",
    "spans_per_trace": "telemetry_loss", "clock_skew_share": "clock_skew",
    "requests": "key_abuse",
}  # fmt: skip
#: Limits as people set them, for measures where a number can be named without a past.
_LIMITS = {
    "rate_limit_share": 0.05, "server_error_share": 0.05, "not_found_share": 0.02,
    "cancelled_share": 0.05, "latency_p95": 30_000.0, "retry_share": 0.1, "error_rate": 0.05,
    "tool_error_rate": 0.1, "refusal_share": 0.1, "format_error_share": 0.1,
    "output_truncated_share": 0.05, "prompt_injection_share": 0.05, "pii_leak_share": 0.05,
    "unsafe_output_share": 0.05, "retrieval_empty_share": 0.1, "clock_skew_share": 0.02,
}  # fmt: skip
_CAUSE_OF_CHANGE = {
    "prompt_version": "prompt_regression", "model": "silent_model_change",
    "service_version": "schema_break", "index_version": "chunking_change",
    "system_fingerprint": "silent_model_change", "temperature": "sampling_changed",
}  # fmt: skip
_CAUSE_OF_FIELD = {
    "provider": "provider_outage", "model": "silent_model_change", "region": "region_failover",
    "tenant": "retrieval_empty", "feature": "prompt_regression", "host": "pool_exhaustion",
    "prompt_version": "prompt_regression", "service_version": "schema_break",
}  # fmt: skip
_STEP_MIN = 15
_SIGMAS = 3.0


def guess_all(
    engine: Engine, project: str, catalogue: Catalogue, scenario: Scenario
) -> dict[str, str]:
    """What each of the three says; 'none' where it sees nothing."""
    moved = {m: _moved(engine, project, catalogue, scenario, m) for m in CAUSE_OF_MEASURE}
    known = {m: z for m, (z, _) in moved.items() if np.isfinite(z)}
    farthest = max(known, key=lambda m: abs(known[m]), default="")
    far = farthest and abs(known[farthest]) >= _SIGMAS
    over = [m for m, limit in _LIMITS.items() if np.nan_to_num(moved[m][1]) > limit]
    change = _latest_change(engine, project, scenario)
    return {
        "metric": CAUSE_OF_MEASURE[farthest] if far else "none",
        "threshold": CAUSE_OF_MEASURE[over[0]] if over else change,
        "bubbleup": _bubble(engine, project, scenario),
    }


def _moved(
    engine: Engine, project: str, catalogue: Catalogue, scenario: Scenario, measure: str
) -> tuple[float, float]:
    """How many standard deviations of its past a measure lies away, and its value after."""
    request = Request(measure, scenario.start_s, scenario.end_s, step_s=_STEP_MIN * 60)
    (series,) = slice_measure(engine, project, request, catalogue).series
    values = np.array([np.nan if p.value is None else p.value for p in series.points], float)
    split = (scenario.onset_s - scenario.start_s) // (_STEP_MIN * 60)
    before, after = values[:split], values[split + 1 : -1]
    before, after = before[np.isfinite(before)], after[np.isfinite(after)]
    if len(before) < 4 or not len(after):
        return float("nan"), float("nan")
    spread = max(float(before.std(ddof=1)), 1e-9 + 0.001 * abs(float(before.mean())))
    return (float(after.mean()) - float(before.mean())) / spread, float(after.mean())


def _latest_change(engine: Engine, project: str, scenario: Scenario) -> str:
    """The cause for the value that was first seen last, within an hour of the onset."""
    latest, cause = 0, "none"
    for column, name in _CAUSE_OF_CHANGE.items():
        found = engine.query(
            f"SELECT {column} AS value, toUnixTimestamp(min(minute)) AS first_s FROM steps "
            f"WHERE project = {{project:String}} AND {column} != '' GROUP BY value "
            "HAVING abs(toInt64(first_s) - {onset:Int64}) < 3600",
            {"project": project, "onset": scenario.onset_s},
        )
        first_s = max(found["first_s"], default=0) if len(found) else 0
        if first_s > latest:
            latest, cause = first_s, name
    return cause


def _bubble(engine: Engine, project: str, scenario: Scenario) -> str:
    """The cause for the field whose value differs most between bad requests and the others."""
    bad = (
        "(status = 'error' OR duration_ms > 15000 OR trace_id IN (SELECT trace_id FROM scores "
        "WHERE project = {project:String} AND passed = 0 AND source != 'user'))"
    )
    best, cause = 0.0, "none"
    for column, name in _CAUSE_OF_FIELD.items():
        found = engine.query(
            f"SELECT {column} AS value, countIf({bad}) AS bad, count() - bad AS good FROM traces "
            "WHERE project = {project:String} AND minute >= toDateTime({onset:UInt32}, 'UTC') "
            "GROUP BY value",
            {"project": project, "onset": scenario.onset_s},
        )
        if not len(found):
            continue
        ill, well = np.array(found["bad"], float), np.array(found["good"], float)
        gap = float(np.max(ill / max(ill.sum(), 1) - well / max(well.sum(), 1)))
        if gap > max(best, 0.05):
            best, cause = gap, name
    return cause
