"""Which class of failure an error belongs to, from what the span says about it."""

from __future__ import annotations

import re

from vagus.settle.span import Span

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

#: Failures that end an answer which had begun.
_INTERRUPTIONS = frozenset(("cancelled", "timeout", "connection"))
#: Reasons to finish that say that the reader went away.
_ABORTED = frozenset(
    ("abort", "aborted", "cancel", "cancelled", "canceled", "client_disconnect", "interrupted")
)

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
#: What programs say when a tool was called with arguments that it cannot take.
_ARGUMENTS = re.compile(
    r"validation.?error|invalid.?(tool.?)?(argument|param|input|json)|-32602"
    r"|(argument|param|json).?(decode|pars|validation|schema).*?(error|fail)|jsondecode"
    r"|missing.{0,40}(argument|param|field|propert)|unexpected.{0,20}(argument|param|propert)"
    r"|required (argument|param|field|propert)|does not match.{0,20}schema|bad.?arguments?\b",
    re.IGNORECASE,
)
_REFUSED = (400, 422)


def is_argument_error(span: Span) -> bool:
    """Whether a tool failed because of what it was called with, as far as its error tells."""
    if span.http_status is not None:
        return span.http_status in _REFUSED
    return _ARGUMENTS.search(f"{span.error_type} {span.status_message[:2000]}") is not None


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


def is_cut_off(span: Span, error_class: str) -> bool:
    """Whether a streamed answer ended before its end, so that usage may be missing or partial.

    It says so, or it was interrupted after it began, or it ended without a reason and without
    telling its output tokens.
    """
    if span.kind != "llm" or span.is_local_hit:
        return False
    if span.finish_reason.lower() in _ABORTED:
        return True
    has_begun = (
        span.is_streaming == "true" or bool(span.output_tokens) or span.first_token_ms is not None
    )
    if span.is_error:
        return has_begun and error_class in _INTERRUPTIONS
    is_silent = not span.finish_reason and span.output_tokens is None
    return is_silent and span.is_streaming == "true"
