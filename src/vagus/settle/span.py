"""A span as settling sees it: its identity, its times and its canonical fields."""

from __future__ import annotations

import msgspec


class Span(msgspec.Struct):
    """One span; the names are those of the `spans` table, so a row becomes one directly."""

    trace_id: str
    span_id: str
    parent_span_id: str
    name: str
    received_ms: int
    segment: int
    start_ns: int
    end_ns: int
    status: str
    status_message: str
    service: str
    service_version: str
    kind: str
    operation: str
    provider: str
    request_model: str
    response_model: str
    response_id: str
    finish_reason: str
    system_fingerprint: str
    input_tokens: int | None
    output_tokens: int | None
    cache_read_tokens: int | None
    cache_write_tokens: int | None
    reasoning_tokens: int | None
    reported_cost_usd: float | None
    ttft_ms: float | None
    error_type: str
    http_status: int | None
    env: str
    region: str
    team: str
    feature: str
    tenant: str
    user: str
    session: str
    prompt: str
    prompt_version: str
    tool: str
    tool_set: str
    agent: str
    index_name: str
    index_version: str
    retry_of: str
    attempt: int | None
    event_names: list[str]
    event_attributes: list[str]
    event_ns: list[int]
    attributes: dict[str, str]

    @property
    def duration_ms(self) -> float:
        """The duration; a span that ends before it starts has none."""
        return max(0, self.end_ns - self.start_ns) / 1e6

    @property
    def has_usage(self) -> bool:
        """Whether the span says how many tokens it used."""
        return self.input_tokens is not None or self.output_tokens is not None

    @property
    def is_error(self) -> bool:
        """Whether the span ended in an error."""
        return self.status == "error"
