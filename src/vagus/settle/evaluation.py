"""Evaluation results that came as OpenTelemetry events, as scores."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from vagus.meaning.content import Event
from vagus.meaning.values import as_number, as_text
from vagus.model.score import Score

EVENT = "gen_ai.evaluation.result"

_GOOD = frozenset(("pass", "passed", "true", "yes", "good", "grounded", "relevant", "correct"))
_BAD = frozenset(
    (
        "fail",
        "failed",
        "false",
        "no",
        "bad",
        "ungrounded",
        "irrelevant",
        "incorrect",
        "hallucinated",
        "unsupported",
    )
)


def event_scores(
    project: str, trace_id: str, span_id: str, time_ms: int, events: Iterable[Event]
) -> list[Score]:
    """The scores among the events of a span; an event without a name or a verdict is no score."""
    scores = []
    for number, event in enumerate(e for e in events if e.name == EVENT):
        said = event.attributes
        name = as_text(said.get("gen_ai.evaluation.name"))
        value = as_number(said.get("gen_ai.evaluation.score.value"))
        label = as_text(said.get("gen_ai.evaluation.score.label"))
        if not name or (value is None and not label):
            continue
        identity = f"{project}\0{trace_id}\0{span_id}\0{name}\0{number}"
        scores.append(
            Score(
                project=project,
                score_id=hashlib.blake2b(identity.encode(), digest_size=12).hexdigest(),
                name=name,
                time_ms=time_ms,
                trace_id=trace_id,
                span_id=span_id,
                value=value,
                label=label,
                passed=_passed(label),
                explanation=as_text(said.get("gen_ai.evaluation.explanation")),
                source="external",
                evaluator="otel",
            )
        )
    return scores


def _passed(label: str) -> bool | None:
    word = label.strip().lower()
    if word in _GOOD:
        return True
    return False if word in _BAD else None
