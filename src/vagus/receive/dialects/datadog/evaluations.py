"""Datadog's evaluation metrics and feedback as verdicts."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from vagus.errors import BadInput
from vagus.receive.dialects.build import Verdict, json_text, time_ns
from vagus.receive.dialects.datadog.ids import span_id, trace_id
from vagus.receive.dialects.shared import mapping, number, text

_VALUES = ("score_value", "numerical_value", "boolean_value", "categorical_value", "text_value",
           "json_value")  # fmt: skip
_PASSED = {"pass": True, "fail": False}


def read_evaluation(metric: Mapping[str, Any], now_ns: int) -> Verdict:
    """One evaluation; raises `BadInput` that names what is missing."""
    name = text(metric.get("label"))
    if not name:
        raise BadInput("an evaluation needs a label", field="label")
    trace, span, session = _about(metric)
    found = next((metric[key] for key in _VALUES if metric.get(key) is not None), None)
    passed = _PASSED.get(text(metric.get("assessment")).lower())
    if found is None and passed is None:
        raise BadInput(f"evaluation {name[:80]!r} has no value", field="metric_type")
    is_truth = isinstance(found, bool)
    said_ns = time_ns(metric.get("timestamp_ms"))
    identity = "\0".join((trace, span, session, name, text(metric.get("timestamp_ms"))))
    submitter = mapping(metric.get("submitter"))
    return Verdict(
        name=name,
        score_id=hashlib.blake2b(identity.encode(errors="replace"), digest_size=12).hexdigest(),
        time_ns=said_ns or now_ns,
        trace_id=trace_id(trace) if trace else b"",
        span_id=b"" if metric.get("eval_scope") == "trace" else span_id(span),
        session="" if trace else session,
        value=float(found is True)
        if is_truth
        else None
        if isinstance(found, str)
        else number(found),
        label=found
        if isinstance(found, str)
        else json_text(found)
        if isinstance(found, dict | list)
        else "",
        passed=found if is_truth and passed is None else passed,
        explanation=text(metric.get("reasoning")),
        source="user" if metric.get("event_kind") == "feedback" else "external",
        evaluator=text(submitter.get("id")),
    )


def _about(metric: Mapping[str, Any]) -> tuple[str, str, str]:
    """The trace, the span and the session; the older version names the span directly."""
    join = mapping(metric.get("join_on"))
    held = mapping(join.get("span")) or metric
    trace, span = text(held.get("trace_id")), text(held.get("span_id"))
    session = text(metric.get("session_id"))
    tag = mapping(join.get("tag"))
    if tag.get("key") == "session_id":
        session = session or text(tag.get("value"))
    elif tag:
        raise BadInput(
            "an evaluation is joined by span, or by the tag session_id", field="join_on.tag"
        )
    if not (trace or session):
        raise BadInput("an evaluation needs a trace_id or a session_id", field="join_on")
    return trace, span, session
