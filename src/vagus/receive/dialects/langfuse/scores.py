"""Langfuse's scores as verdicts."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from vagus.errors import BadInput
from vagus.receive.dialects.build import Verdict, json_text, span_id_of, time_ns, trace_id_of
from vagus.receive.dialects.shared import number, text

_SOURCES = {"ANNOTATION": "human", "EVAL": "model", "API": "external"}


def read_score(score: Mapping[str, Any], now_ns: int) -> Verdict:
    """One score; raises `BadInput` that names what is missing."""
    name = text(score.get("name"))
    if not name:
        raise BadInput("a score needs a name", field="name")
    trace, observation = text(score.get("traceId")), text(score.get("observationId"))
    session = text(score.get("sessionId"))
    if not (trace or session):
        raise BadInput("a score needs traceId or sessionId", field="traceId")
    value, label, passed, said = _value(score)
    return Verdict(
        name=name,
        score_id=text(score.get("id")) or _identity(score),
        time_ns=time_ns(score.get("timestamp")) or now_ns,
        trace_id=trace_id_of(trace) if trace else b"",
        span_id=span_id_of(observation) if observation else b"",
        session="" if trace else session,
        value=value,
        label=label,
        passed=passed,
        explanation="\n".join(part for part in (text(score.get("comment")), said) if part),
        source=_SOURCES.get(text(score.get("source")).upper(), "external"),
    )


def _value(score: Mapping[str, Any]) -> tuple[float | None, str, bool | None, str]:
    """Number, label, verdict and further words, by the score's type or its value's."""
    value, kind = score.get("value"), text(score.get("dataType")).upper()
    if value is None:
        raise BadInput("a score needs a value", field="value")
    if kind == "CORRECTION":
        right = value if isinstance(value, str) else json_text(value)
        return None, "", None, f"Correction: {right}"
    if kind == "BOOLEAN" or isinstance(value, bool):
        truth = float(value) if isinstance(value, bool) else number(value)
        if truth not in (0.0, 1.0):
            raise BadInput("the value of a BOOLEAN score is 0 or 1", field="value")
        return truth, "", truth == 1.0, ""
    if kind in ("CATEGORICAL", "TEXT") or (isinstance(value, str) and kind != "NUMERIC"):
        return None, value if isinstance(value, str) else json_text(value), None, ""
    found = number(value)
    if found is None:
        raise BadInput("the value of a NUMERIC score is a number", field="value")
    return found, "", None, ""


def _identity(score: Mapping[str, Any]) -> str:
    """An id for a score without one; the same score sent again has the same."""
    about = [text(score.get(key)) for key in ("traceId", "observationId", "sessionId", "name")]
    about += [json_text(score.get("value")), text(score.get("timestamp"))]
    return hashlib.blake2b("\0".join(about).encode(errors="replace"), digest_size=12).hexdigest()
