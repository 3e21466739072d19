"""The steps of simulated requests, as columns that grow stage by stage."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

KINDS = ("workflow", "agent", "embedding", "retrieval", "rerank", "llm", "tool")
WORKFLOW, AGENT, EMBEDDING, RETRIEVAL, RERANK, LLM, TOOL = range(len(KINDS))


@dataclass(frozen=True, slots=True)
class Failure:
    """How a failure shows in telemetry; `error_class` is what settling makes of it."""

    error_class: str
    error_type: str
    http_status: int
    message: str


FAILURES = (
    Failure("", "", 0, ""),
    Failure("rate_limit", "rate_limit_exceeded", 429, "Rate limit reached for requests"),
    Failure("server_error", "internal_server_error", 503, "The service is overloaded"),
    Failure("timeout", "timeout", 0, "The request timed out"),
    Failure("connection", "connection_error", 0, "Connection refused"),
    Failure("not_found", "model_not_found", 404, "The model does not exist"),
    Failure("content_filter", "content_filter", 400, "Blocked by the content policy"),
    Failure("cancelled", "client_disconnect", 499, "The client went away"),
    Failure("tool_error", "ToolException", 0, "The tool failed"),
    Failure("invalid_request", "invalid_arguments", 422, "Validation of the arguments failed"),
    Failure("timeout", "pool_timeout", 0, "No connection was free in time"),
)
OK, RATE_LIMIT, SERVER, TIMEOUT, CONNECTION, NOT_FOUND, FILTER, CANCELLED = range(8)
TOOL_ERROR, BAD_ARGUMENTS, POOL = range(8, 11)
RETRIED = (RATE_LIMIT, SERVER, TIMEOUT, CONNECTION)

#: Columns of a step beside `request`, `order`, `kind`, `gap_ms` and `duration_ms`, and what they
#: are where a stage says nothing.
DEFAULTS: dict[str, float] = {
    "failure": 0, "request_model": 0, "answer_model": 0, "fingerprint": 0, "provider": -1,
    "finish": 0, "tool": 0, "arguments": 0, "is_retry": 0, "attempt": 1, "input_tokens": 0,
    "output_tokens": 0, "cached_tokens": 0, "has_usage": 0, "ttft_ms": np.nan,
    "retrieved": np.nan, "distinct": np.nan, "chars": np.nan,
    "source_0": 0, "source_1": 0, "source_2": 0, "source_3": 0, "top_score": np.nan,
    "document_age_days": np.nan, "rerank_moved": np.nan, "temperature": np.nan,
    "max_tokens": np.nan, "reported_usd": np.nan, "is_truncated": 0, "is_stalled": 0,
    "is_gateway": 0, "cost_factor": 1,
    "skew_ms": 0,
}  # fmt: skip
_REAL = (
    "gap_ms", "duration_ms", "ttft_ms", "retrieved", "distinct", "chars", "cost_factor",
    "top_score",
    "document_age_days", "rerank_moved", "temperature", "max_tokens", "reported_usd", "skew_ms",
)  # fmt: skip


class Steps:
    """Columns of steps; `add` appends some for a set of requests."""

    def __init__(self) -> None:
        self._parts: list[dict[str, np.ndarray]] = []
        self.columns: dict[str, np.ndarray] = {}

    def add(self, request: np.ndarray, order: float, kind: int, **said: object) -> None:
        """One step for each of these requests."""
        n = len(request)
        part: dict[str, np.ndarray] = {
            "request": request,
            "order": np.full(n, order),
            "kind": np.full(n, kind),
            "gap_ms": np.zeros(n),
        }
        for name, value in {**DEFAULTS, **said}.items():
            part[name] = np.broadcast_to(np.asarray(value), (n,))
        self._parts.append(part)

    def finish(self) -> None:
        """Join the parts, put each request's steps in order, and find when each begins."""
        for name in self._parts[0]:
            kind = float if name in _REAL or name == "order" else np.int64
            self.columns[name] = np.concatenate([p[name] for p in self._parts]).astype(kind)
        self._parts = []
        order = np.lexsort((self.columns["order"], self.columns["request"]))
        self.columns = {name: column[order] for name, column in self.columns.items()}
        spent = np.cumsum(self["gap_ms"] + self["duration_ms"])
        first = np.r_[True, np.diff(self["request"]) != 0]
        before = np.r_[0.0, spent[:-1]][first]
        offset = np.repeat(before, np.diff(np.r_[np.flatnonzero(first), len(first)]))
        self.columns["start_ms"] = spent - offset - self["duration_ms"]

    def __getitem__(self, name: str) -> np.ndarray:
        return self.columns[name]

    def __len__(self) -> int:
        return len(self.columns["request"])

    def keep(self, mask: np.ndarray) -> None:
        """Leave out the steps outside the mask."""
        self.columns = {name: column[mask] for name, column in self.columns.items()}
