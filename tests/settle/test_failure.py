"""Failures are told apart by what the span says."""

from __future__ import annotations

import pytest

from vagus.settle.failure import failure_class


@pytest.mark.parametrize(
    ("error_type", "status", "message", "kind", "expected"),
    [
        ("RateLimitError", None, "", "llm", "rate_limit"),
        ("", 429, "", "llm", "rate_limit"),
        ("", 529, "Overloaded", "llm", "server_error"),
        ("APITimeoutError", None, "", "llm", "timeout"),
        ("BadRequestError", 400, "", "llm", "invalid_request"),
        ("BadRequestError", None, "", "llm", "invalid_request"),
        ("", None, "maximum context length is 8192 tokens", "llm", "context_length"),
        ("AuthenticationError", None, "", "llm", "auth"),
        ("APIConnectionError", None, "", "llm", "connection"),
        ("NotFoundError", None, "", "llm", "not_found"),
        ("ContentFilterFinishReasonError", None, "", "llm", "content_filter"),
        ("CancelledError", None, "", "llm", "cancelled"),
        ("500", None, "", "llm", "server_error"),
        ("ValueError", None, "out of stock", "tool", "tool_error"),
        ("ValueError", None, "surprise", "llm", "unknown"),
        ("", None, "", "llm", "unknown"),
    ],
)
def test_failure_class(
    error_type: str, status: int | None, message: str, kind: str, expected: str
) -> None:
    assert failure_class(error_type, status, message, kind) == expected
