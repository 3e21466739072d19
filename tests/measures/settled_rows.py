"""Settled rows for tests: every column with a quiet default, any of them set by name."""

from __future__ import annotations

import datetime
import itertools
from typing import Any

_numbers = itertools.count(1)

DIMENSIONS = (
    "service", "service_version", "env", "region", "team", "feature", "tenant", "user", "session",
    "prompt", "prompt_version", "provider", "model", "index_name", "index_version", "agent",
)  # fmt: skip

START_S = 1_780_000_020 - 1_780_000_020 % 3600


def when(minute_s: int) -> str:
    """A time as the engine reads it."""
    return datetime.datetime.fromtimestamp(minute_s, datetime.UTC).strftime("%Y-%m-%d %H:%M:%S")


def _row(
    project: str, minute_s: int, values: dict[str, Any], defaults: dict[str, Any]
) -> dict[str, Any]:
    unknown = set(values) - set(defaults) - set(DIMENSIONS) - {"sign", "version"}
    if unknown:
        raise KeyError(f"no such column: {unknown}")
    row = dict.fromkeys(DIMENSIONS, "")
    row |= {"project": project, "minute": when(minute_s - minute_s % 60), "version": 1, "sign": 1}
    return row | defaults | values


def trace_row(project: str, minute_s: int, **values: Any) -> dict[str, Any]:
    """One row of `traces`."""
    defaults = {
        "trace_id": f"{next(_numbers):032x}", "start": when(minute_s), "duration_ms": 100.0,
        "first_segment": 0, "last_segment": 0, "root_span_id": "", "name": "chat", "kind": "chain",
        "status": "ok", "error_class": "", "span_count": 1, "orphan_count": 0, "error_count": 0,
        "billable_calls": 0, "retry_calls": 0, "tool_calls": 0, "tool_errors": 0, "retrievals": 0,
        "agent_steps": 0, "input_tokens": 0, "output_tokens": 0, "cache_read_tokens": 0,
        "cache_write_tokens": 0, "reasoning_tokens": 0, "cost_usd": 0.0, "unknown_cost_calls": 0,
        "ttft_ms": None, "critical_path": {}, "flags": [], "input": "", "output": "",
        "host": "", "dataset": "", "waiting_ms": None,
    }  # fmt: skip
    return _row(project, minute_s, values, defaults)


def step_row(project: str, minute_s: int, **values: Any) -> dict[str, Any]:
    """One row of `steps`."""
    defaults = {
        "trace_id": f"{next(_numbers):032x}", "span_id": f"{next(_numbers):016x}",
        "start": when(minute_s), "duration_ms": 100.0, "parent_span_id": "", "name": "call",
        "kind": "llm", "operation": "", "status": "ok", "error_class": "", "request_model": "",
        "system_fingerprint": "", "finish_reason": "", "tool": "", "tool_set": "",
        "is_billable": 0, "is_retry": 0, "input_tokens": 0, "output_tokens": 0,
        "cache_read_tokens": 0, "cache_write_tokens": 0, "reasoning_tokens": 0, "has_usage": 0,
        "cost_input_usd": 0.0, "cost_output_usd": 0.0, "cost_cache_usd": 0.0, "cost_usd": None,
        "cost_source": "none", "ttft_ms": None, "retrieved": None, "top_score": None,
        "document_age_days": None, "rerank_moved": None, "response_id": "",
        "cache_write_1h_tokens": 0, "audio_input_tokens": 0, "audio_output_tokens": 0,
        "image_input_tokens": 0, "image_output_tokens": 0, "web_search_requests": 0,
        "service_tier": "", "cost_cache_read_usd": 0.0, "cost_cache_write_usd": 0.0,
        "cost_audio_usd": 0.0, "cost_image_usd": 0.0, "cost_request_usd": 0.0,
        "price_source": "", "price_id": "", "is_local_cache": 0, "is_cut_off": 0,
        "host": "", "sdk_version": "", "api_key": "", "temperature": "", "top_p": "",
        "max_tokens": None, "rerank_model": "", "prompt_hash": "", "is_repeated": None,
        "is_argument_error": 0, "duplicate_documents": None, "distinct_sources": None,
        "document_chars": None, "sources": [], "source_documents": [],
    }  # fmt: skip
    return _row(project, minute_s, values, defaults)


def score_row(project: str, minute_s: int, **values: Any) -> dict[str, Any]:
    """One row of `scores`."""
    defaults = {
        "score_id": f"{next(_numbers):032x}", "time": when(minute_s), "measured_at": when(minute_s),
        "trace_id": "", "span_id": "", "name": "groundedness", "value": None, "label": "",
        "passed": None, "explanation": "", "detail": "", "source": "code", "evaluator": "",
        "evaluator_version": "", "weight": 1.0, "status": "ok", "dataset": "",
    }  # fmt: skip
    return _row(project, minute_s, values, defaults)
