"""Which class of failure an error belongs to, from what the span says about it."""

from __future__ import annotations

import re

_BY_STATUS = {
    400: "invalid_request",
    401: "auth",
    403: "auth",
    404: "not_found",
    408: "timeout",
    413: "context_length",
    422: "invalid_request",
    429: "rate_limit",
    499: "cancelled",
    504: "timeout",
}

#: Tried in order on the error type, then on the message: the first match names the class.
_PATTERNS = tuple(
    (name, re.compile(pattern, re.IGNORECASE))
    for name, pattern in (
        (
            "rate_limit",
            r"rate.?limit|too.?many.?requests|quota|throttl|resource.?exhausted|\b429\b",
        ),
        (
            "context_length",
            r"context.?(length|window)|maximum context|too many tokens|prompt is too long",
        ),
        ("content_filter", r"content.?(filter|policy)|safety|moderation|guardrail|blocked"),
        ("timeout", r"time.?d?.?out|deadline|\b504\b"),
        ("auth", r"auth|permission|forbidden|api.?key|credential|\b40[13]\b"),
        ("cancelled", r"cancel|abort|disconnect"),
        ("connection", r"connect|network|dns|socket|ssl|unreachable|refused|reset by peer"),
        ("not_found", r"not.?found|does not exist|\b404\b"),
        (
            "server_error",
            r"internal.?server|server.?error|overloaded|unavailable|bad.?gateway|\b50[0-9]\b",
        ),
        ("tool_error", r"tool.?error|toolexception"),
        ("invalid_request", r"invalid|bad.?request|validation|malformed|\b4(00|22)\b"),
    )
)


def failure_class(error_type: str, http_status: int | None, message: str, kind: str) -> str:
    """One of the words of the canonical model; 'unknown' when nothing tells."""
    if http_status in _BY_STATUS:
        return _BY_STATUS[http_status]
    if http_status is not None and http_status >= 500:
        return "server_error"
    for text in (error_type, message[:2000]):
        for name, pattern in _PATTERNS:
            if text and pattern.search(text):
                return name
    return "tool_error" if kind == "tool" else "unknown"
