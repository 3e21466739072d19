"""A span as settling sees it: its identity, its times and its canonical fields."""

from __future__ import annotations

import math
import re

import msgspec

#: SDKs that added up the running totals of streamed chunks, with the first good version:
#: https://github.com/open-telemetry/opentelemetry-python-contrib/issues/4120
_MISCOUNTING = {"opentelemetry.instrumentation.google_genai": (0, 7)}
#: Spans of what holds a request up and does not work on it.
_WAITING = re.compile(
    r"(^|[^a-z])(queue[a-z]*|wait(ing|s)?|acquire|semaphore|pool)([^a-z]|$)", re.IGNORECASE
)
_WRAPPERS = frozenset(("agent", "workflow", "chain", "other", "http", "decision"))
_FIRST_TOKEN = ("First Token Stream Event", "gen_ai.content.first_token")


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
    cache_write_5m_tokens: int | None
    cache_write_1h_tokens: int | None
    reasoning_tokens: int | None
    audio_input_tokens: int | None
    audio_output_tokens: int | None
    audio_cache_read_tokens: int | None
    image_input_tokens: int | None
    image_output_tokens: int | None
    web_search_requests: int | None
    service_tier: str
    cache_accounting: str
    is_streaming: str
    local_cache: str
    sdk: str
    sdk_version: str
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
    host: str = ""
    api_key: str = ""
    dataset: str = ""
    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    tool_arguments: str = ""
    prompt_hash: str = ""

    @property
    def duration_ms(self) -> float:
        """The duration; a span that ends before it starts has none."""
        return max(0, self.end_ns - self.start_ns) / 1e6

    @property
    def has_usage(self) -> bool:
        """Whether the span says how many tokens it used, and can be believed.

        A call uses tokens, so counts that are all 0 are those of an emitter that does not know.
        """
        is_said = bool(self.input_tokens or self.output_tokens)
        return is_said and not (self.sdk in _MISCOUNTING and self.is_miscounted)

    @property
    def is_miscounted(self) -> bool:
        """Whether the SDK is known to count this kind of call wrongly."""
        good = _MISCOUNTING.get(self.sdk)
        if good is None or self.is_streaming == "false":
            return False
        found = re.match(r"(\d{1,6})\.(\d{1,6})", self.sdk_version)
        return found is not None and (int(found[1]), int(found[2])) < good

    @property
    def is_usage_partial(self) -> bool:
        """Whether only the input or only the output is said where a call has both."""
        if not self.has_usage or self.kind in ("embedding", "rerank"):
            return False
        return self.input_tokens is None or self.output_tokens is None

    @property
    def has_reported_cost(self) -> bool:
        """Whether the span says what it cost; 0 is what exporters write that do not know."""
        cost_usd = self.reported_cost_usd
        return cost_usd is not None and math.isfinite(cost_usd) and cost_usd > 0

    @property
    def is_local_hit(self) -> bool:
        """Whether a cache of the application answered, so that no provider was asked."""
        return self.local_cache == "hit"

    @property
    def first_token_ms(self) -> float | None:
        """From the start to the first token, from the field or from the event that marks it."""
        if self.ttft_ms is not None:
            return self.ttft_ms
        for name, at_ns in zip(self.event_names, self.event_ns, strict=False):
            if name in _FIRST_TOKEN:
                return max(0.0, (at_ns - self.start_ns) / 1e6)
        return None

    @property
    def is_wrapper(self) -> bool:
        """Whether its time may be that of the spans below it, because it holds them together."""
        return self.kind in _WRAPPERS

    @property
    def is_waiting(self) -> bool:
        """Whether it is named for waiting, such as for a place in a queue or a pool."""
        return self.is_wrapper and _WAITING.search(self.name) is not None

    @property
    def is_error(self) -> bool:
        """Whether the span ended in an error."""
        return self.status == "error"
