"""LangSmith's feedback as verdicts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vagus.errors import BadInput
from vagus.receive.dialects.build import Verdict, json_text, span_id_of, time_ns, trace_id_of
from vagus.receive.dialects.shared import mapping, number, text

_SOURCES = {"model": "model", "app": "human", "auto_eval": "model"}


def read_feedback(feedback: Mapping[str, Any], now_ns: int) -> Verdict:
    """One feedback; raises `BadInput` that names what is missing.

    Feedback about the root run is about the trace, and feedback that names no run is about the
    project of its `session_id`.
    """
    score_id, name = text(feedback.get("id")), text(feedback.get("key"))
    for field, said in (("id", score_id), ("key", name)):
        if not said:
            raise BadInput(f"feedback needs {field}", field=field)
    run, trace = text(feedback.get("run_id")), text(feedback.get("trace_id"))
    project = "" if run or trace else text(feedback.get("session_id"))
    if not (run or trace or project):
        raise BadInput("feedback needs run_id, trace_id or session_id", field="run_id")
    score, value = feedback.get("score"), feedback.get("value")
    source = mapping(feedback.get("feedback_source"))
    return Verdict(
        name=name,
        score_id=score_id,
        time_ns=time_ns(feedback.get("modified_at")) or now_ns,
        trace_id=trace_id_of(trace) if trace else b"",
        span_id=span_id_of(run) if run and run != trace else b"",
        session=project,
        value=float(score) if isinstance(score, bool) else number(score),
        label=_label(value),
        passed=score if isinstance(score, bool) else None,
        explanation=_explanation(feedback),
        source=_SOURCES.get(text(source.get("type")), "external"),
        evaluator=text(mapping(source.get("metadata")).get("evaluator")),
    )


def read_change(feedback_id: str, change: Mapping[str, Any], now_ns: int) -> Verdict:
    """What a client says anew about an earlier feedback; raises `BadInput` when it says nothing."""
    score, value = change.get("score"), change.get("value")
    verdict = Verdict(
        name="",
        score_id=feedback_id,
        time_ns=now_ns,
        value=float(score) if isinstance(score, bool) else number(score),
        label=_label(value),
        passed=score if isinstance(score, bool) else None,
        explanation=_explanation(change),
        is_update=True,
    )
    if verdict.value is None and not (verdict.label or verdict.explanation):
        raise BadInput("a change of feedback needs score, value or comment", field="score")
    return verdict


def _label(value: Any) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    return json_text(value)


def _explanation(feedback: Mapping[str, Any]) -> str:
    """The comment, and after it what would have been right."""
    comment, correction = text(feedback.get("comment")), feedback.get("correction")
    if not correction:
        return comment
    right = correction if isinstance(correction, str) else json_text(correction)
    return f"{comment}\nCorrection: {right}".strip()
