"""The rows that settling writes; the names are those of the `traces` and `steps` tables.

What has its default is not written out, so a default is what the table itself fills in: nothing.
"""

from __future__ import annotations

import msgspec


class TraceRow(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One settled trace."""

    project: str
    minute: int
    trace_id: str
    version: int
    sign: int
    start: str
    duration_ms: float
    first_segment: int
    last_segment: int
    root_span_id: str
    name: str
    kind: str
    status: str
    error_class: str
    service: str
    service_version: str
    env: str
    region: str
    team: str
    feature: str
    tenant: str
    user: str
    session: str
    prompt: str
    prompt_version: str
    provider: str
    model: str
    index_name: str
    index_version: str
    agent: str
    span_count: int
    orphan_count: int
    error_count: int
    billable_calls: int
    retry_calls: int
    tool_calls: int
    tool_errors: int
    retrievals: int
    agent_steps: int
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    reasoning_tokens: int
    cost_usd: float
    unknown_cost_calls: int
    reported_cost_calls: int = 0
    ttft_ms: float | None
    critical_path: dict[str, float]
    flags: list[str]
    input: str
    output: str
    host: str = ""
    dataset: str = ""
    waiting_ms: float | None = None
    before_rules: dict[str, str] = {}


class StepRow(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One span of a settled trace that means something."""

    project: str
    minute: int
    trace_id: str
    span_id: str
    version: int
    sign: int
    start: str
    duration_ms: float
    parent_span_id: str
    name: str
    kind: str
    operation: str
    status: str
    error_class: str
    service: str
    service_version: str
    env: str
    region: str
    team: str
    feature: str
    tenant: str
    user: str
    session: str
    prompt: str
    prompt_version: str
    provider: str
    request_model: str
    model: str
    system_fingerprint: str
    finish_reason: str
    tool: str
    tool_set: str
    agent: str
    index_name: str
    index_version: str
    is_billable: int
    is_retry: int
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    reasoning_tokens: int
    cache_write_5m_tokens: int
    cache_write_1h_tokens: int
    audio_input_tokens: int
    audio_output_tokens: int
    audio_cache_read_tokens: int
    image_input_tokens: int
    image_output_tokens: int
    web_search_requests: int
    has_usage: int
    is_usage_partial: int
    is_local_cache: int
    is_cut_off: int
    service_tier: str
    reported_cost_usd: float | None
    computed_cost_usd: float | None = None
    cost_input_usd: float = 0.0
    cost_output_usd: float = 0.0
    cost_cache_usd: float = 0.0
    cost_cache_read_usd: float = 0.0
    cost_cache_write_usd: float = 0.0
    cost_audio_usd: float = 0.0
    cost_image_usd: float = 0.0
    cost_request_usd: float = 0.0
    cost_usd: float | None = None
    cost_source: str = "none"
    price_source: str = ""
    price_id: str = ""
    ttft_ms: float | None
    retrieved: int | None = None
    top_score: float | None = None
    document_age_days: float | None = None
    rerank_moved: float | None = None
    response_id: str
    host: str = ""
    sdk_version: str = ""
    api_key: str = ""
    temperature: str = ""
    top_p: str = ""
    max_tokens: int | None = None
    rerank_model: str = ""
    prompt_hash: str = ""
    is_repeated: int | None = None
    is_argument_error: int = 0
    duplicate_documents: int | None = None
    distinct_sources: int | None = None
    document_chars: float | None = None
    sources: tuple[str, ...] = ()
    source_documents: tuple[int, ...] = ()
    before_rules: dict[str, str] = {}
