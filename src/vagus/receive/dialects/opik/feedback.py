"""Opik's feedback scores and guardrails as verdicts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from vagus.errors import BadInput
from vagus.receive.dialects.build import Verdict, span_id_of, trace_id_of
from vagus.receive.dialects.shared import number, text

Subject = Literal["traces", "spans", "threads"]

_SOURCES = {"ui": "human", "online_scoring": "model", "sdk": "external"}


def verdict_of(
    said: Any, subject: Subject, native: str, now_ns: int, *, is_deleted: bool = False
) -> Verdict:
    """One score; Opik has one for each name, and the same name again replaces it."""
    if not isinstance(said, dict):
        raise BadInput("a score must be a JSON object", field="scores")
    name = text(said.get("name"))
    if not name:
        raise BadInput("a score needs a name", field="name")
    value = number(said.get("value"))
    label = text(said.get("category_name"))
    if value is None and not label and not is_deleted:
        raise BadInput("a score needs a number as its value", field="value")
    return Verdict(
        name=name,
        score_id=f"opik:{subject}:{native}:{name}",
        time_ns=now_ns,
        trace_id=trace_id_of(native) if subject == "traces" else b"",
        span_id=span_id_of(native) if subject == "spans" else b"",
        session=native if subject == "threads" else "",
        value=value,
        label=label,
        explanation=text(said.get("reason")),
        source=_SOURCES.get(text(said.get("source")), "external"),
        evaluator=text(said.get("author")) or "opik",
        is_deleted=is_deleted,
    )


def subject_id(said: Any, subject: Subject) -> str:
    """What a score of a batch is about."""
    name = "thread_id" if subject == "threads" else "id"
    found = said.get(name) if isinstance(said, Mapping) else None
    if not isinstance(found, str) or not found:
        raise BadInput(f"{name} is missing", field=name)
    return found


def guardrail_verdict(said: Any, now_ns: int) -> Verdict:
    """What a guardrail found on a span."""
    if not isinstance(said, dict):
        raise BadInput("a guardrail must be a JSON object", field="guardrails")
    trace, span = text(said.get("entity_id")), text(said.get("secondary_id"))
    name, result = text(said.get("name")), text(said.get("result"))
    for field, value in (("entity_id", trace), ("name", name), ("result", result)):
        if not value:
            raise BadInput(f"{field} is missing", field=field)
    return Verdict(
        name=f"guardrail {name}",
        score_id=f"opik:guardrail:{text(said.get('id')) or trace + span}:{name}",
        time_ns=now_ns,
        trace_id=trace_id_of(trace),
        span_id=span_id_of(span) if span else b"",
        label=result,
        passed=result == "passed",
        source="code",
    )
