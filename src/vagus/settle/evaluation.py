"""Evaluation results that came as OpenTelemetry events, as scores.

Verdicts of other tools come the same way: the receiver turns their feedback, annotations and
assessments into these events (`vagus.score.*` says what OpenTelemetry has no name for).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
import prometheus_client

from vagus.meaning.content import Event
from vagus.meaning.messages import log_event
from vagus.meaning.values import as_number, as_text, as_word, first
from vagus.meaning.verdicts import read_verdicts as carried_verdicts
from vagus.model.score import Score
from vagus.settle.span import Span
from vagus.store.engine import Engine

UNPLACED = prometheus_client.Counter(
    "vagus_scores_unplaced_total",
    "Evaluation results left out: they name no trace, span or session, or carry no verdict.",
)

EVENT = "gen_ai.evaluation.result"
_NAME = "gen_ai.evaluation.name"
_VALUE = "gen_ai.evaluation.score.value"
_LABEL = "gen_ai.evaluation.score.label"
_WHY = "gen_ai.evaluation.explanation"
_DATASETS = (
    "vagus.score.dataset", "gen_ai.evaluation.dataset", "gen_ai.evaluation.dataset.name",
    "gen_ai.evaluation.dataset.id",
)  # fmt: skip
SOURCES = ("code", "model", "human", "user", "external")

_GOOD = frozenset(
    (
        *("pass", "passed", "true", "yes", "good", "grounded", "relevant", "correct"),
        *("factual", "safe", "clean", "benign", "non-toxic", "non_toxic", "not toxic"),
    )
)
_BAD = frozenset(
    (
        *("fail", "failed", "false", "no", "bad", "ungrounded", "irrelevant", "incorrect"),
        *("hallucinated", "unsupported", "unrelated", "unsafe", "toxic", "leaked", "flagged"),
    )
)
#: Names of what must not be found: a number says how much of it was.
_HARMS = frozenset(("toxicity", "prompt_injection", "jailbreak", "pii_leak"))
_NAME_LENGTH = 200
_EXPLANATION_LENGTH = 20_000
_AT_ONCE = 5_000
_DAY_MS = 86_400_000
_EARLIEST_MS = 946_684_800_000  # 2000-01-01


@dataclass(frozen=True, slots=True)
class Verdicts:
    """Scores to write and, by (project, score id), changes of earlier ones and those taken back.

    A change holds the fields of `Score` that are said anew.
    """

    scores: list[Score] = field(default_factory=list)
    changes: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    deleted: list[tuple[str, str]] = field(default_factory=list)


def event_scores(
    project: str, trace_id: str, span_id: str, time_ms: int, events: Iterable[Event]
) -> list[Score]:
    """The scores among the events of a span; an event without a name or a verdict is no score."""
    scores = []
    for number, event in enumerate(e for e in events if e.name == EVENT):
        identity = (trace_id, span_id, as_text(event.attributes.get(_NAME)), str(number))
        made = _score(project, trace_id, span_id, time_ms, event.attributes, identity)
        if made is not None:
            scores.append(made)
    return scores


def carried_scores(
    project: str, span: Span, time_ms: int, spans: Mapping[str, Span]
) -> list[Score]:
    """The scores that a span carries among its own attributes.

    An evaluation that names the spans it is about is theirs where they are in this trace, and the
    trace's where they are not.
    """
    scores = []
    for number, verdict in enumerate(carried_verdicts(span.attributes)):
        about = [i for i in verdict.target_span_ids if i in spans] or [""]
        on_span = verdict.scope == "span" and not verdict.target_span_ids
        for target in [span.span_id] if on_span else about:
            identity = (span.trace_id, span.span_id, verdict.name, str(number), target)
            scores.append(
                Score(
                    project=project,
                    score_id=_score_id(project, identity),
                    name=_shortened(verdict.name, _NAME_LENGTH),
                    time_ms=time_ms,
                    trace_id="" if verdict.scope == "session" and span.session else span.trace_id,
                    span_id=target,
                    session=span.session if verdict.scope == "session" else "",
                    value=verdict.value,
                    label=_shortened(verdict.label, _NAME_LENGTH),
                    passed=_judged(verdict.name, verdict.label, verdict.value, verdict.passed),
                    explanation=_shortened(verdict.explanation, _EXPLANATION_LENGTH),
                    source=verdict.source if verdict.source in SOURCES else "external",
                    evaluator=_shortened(verdict.evaluator, _NAME_LENGTH),
                )
            )
    return scores


def read_verdicts(engine: Engine, condition: str, segment: int) -> Iterable[Verdicts]:
    """The evaluation results among the log records of some segments, in bounded portions.

    `condition` is SQL over `segment`, with the number as its parameter `segment`.
    """
    offset = 0
    while True:
        found = engine.query(
            "SELECT project, trace_id, span_id, time_ns, event_name, body, "
            "toUnixTimestamp64Milli(received) AS received_ms, "
            "mapFromArrays(arrayMap(k -> toString(k), attr_keys), attr_values) AS attributes "
            f"FROM logs WHERE {condition} AND event_name = '{EVENT}' "
            "ORDER BY segment, received, time_ns, trace_id, span_id, attr_values "
            f"LIMIT {_AT_ONCE} OFFSET {offset:d}",
            {"segment": segment},
        )
        rows = list(found.dicts())
        if rows:
            yield _verdicts(rows)
        if len(rows) < _AT_ONCE:
            return
        offset += _AT_ONCE


def _verdicts(rows: Iterable[Mapping[str, Any]]) -> Verdicts:
    """The last word on every score: what is taken back after it was given is not written."""
    latest: dict[tuple[str, str], Score | None] = {}
    changes: dict[tuple[str, str], dict[str, Any]] = {}
    for row in rows:
        said = log_event(row["event_name"], row["attributes"], row["body"]).attributes
        project, trace_id, span_id = row["project"], _id(row["trace_id"]), _id(row["span_id"])
        native = as_text(said.get("vagus.score.id"))
        identity = (
            ("native", native)
            if native
            else (trace_id, span_id, as_text(said.get(_NAME)), str(row["time_ns"]))
        )
        key = (project, _score_id(project, identity))
        if native and _truth(as_text(said.get("vagus.score.deleted"))):
            latest[key] = None
        elif native and _truth(as_text(said.get("vagus.score.updated"))):
            known = latest.get(key)
            if known is not None:
                latest[key] = msgspec.structs.replace(known, **_said_anew(said))
            elif key not in latest:
                changes[key] = {**changes.get(key, {}), **_said_anew(said)}
        else:
            score = _score(project, trace_id, span_id, _time_ms(row), said, identity)
            if score is None or not (trace_id or span_id or score.session):
                UNPLACED.inc()
            else:
                latest[key] = score
    return Verdicts(
        [score for score in latest.values() if score is not None],
        {key: said for key, said in changes.items() if key not in latest},
        [key for key, score in latest.items() if score is None],
    )


def _said_anew(said: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a score that an update names."""
    label = as_text(said.get(_LABEL))
    passed = _truth(as_text(said.get("vagus.score.passed")))
    fields = {
        "value": as_number(said.get(_VALUE)),
        "label": _shortened(label, _NAME_LENGTH) or None,
        "passed": _passed(label) if passed is None else passed,
        "explanation": _shortened(as_text(said.get(_WHY)), _EXPLANATION_LENGTH) or None,
    }
    return {name: value for name, value in fields.items() if value is not None}


def _time_ms(row: Mapping[str, Any]) -> int:
    """When the verdict was given, or when it came if its clock is absurd."""
    said_ms: int = row["time_ns"] // 10**6
    is_sane = _EARLIEST_MS < said_ms < row["received_ms"] + _DAY_MS
    return said_ms if is_sane else int(row["received_ms"])


def _id(text: str) -> str:
    return "" if text.strip("0") == "" else text


def _score_id(project: str, identity: Iterable[str]) -> str:
    text = "\0".join((project, *identity))
    return hashlib.blake2b(text.encode(errors="replace"), digest_size=12).hexdigest()


def _score(
    project: str,
    trace_id: str,
    span_id: str,
    time_ms: int,
    said: Mapping[str, Any],
    identity: Iterable[str],
) -> Score | None:
    name = as_text(said.get(_NAME)).strip()
    value = as_number(said.get(_VALUE))
    label = as_text(said.get(_LABEL))
    passed = _truth(as_text(said.get("vagus.score.passed")))
    if not name or (value is None and not label and passed is None):
        return None
    source = as_text(said.get("vagus.score.source"))
    return Score(
        project=project,
        score_id=_score_id(project, identity),
        name=_shortened(name, _NAME_LENGTH),
        time_ms=time_ms,
        trace_id=trace_id,
        span_id=span_id,
        session=_shortened(as_text(said.get("session.id")), _NAME_LENGTH),
        value=value,
        label=_shortened(label, _NAME_LENGTH),
        passed=_judged(name, label, value, passed),
        explanation=_shortened(as_text(said.get(_WHY)), _EXPLANATION_LENGTH),
        source=source if source in SOURCES else "external",
        evaluator=_shortened(as_text(said.get("vagus.score.evaluator")), _NAME_LENGTH) or "otel",
        dataset=_shortened(as_word(first(said, *_DATASETS)), _NAME_LENGTH),
    )


def _shortened(text: str, most: int) -> str:
    """Text that fits; what is cut off is said, because nobody can be asked to send it again."""
    if len(text) <= most:
        return text
    mark = f"… (cut: {len(text)} characters)"
    return text[: most - len(mark)] + mark


def _truth(text: str) -> bool | None:
    return {"true": True, "1": True, "false": False, "0": False}.get(text.lower())


def _passed(label: str) -> bool | None:
    word = label.strip().lower()
    if word in _GOOD:
        return True
    return False if word in _BAD else None


def _judged(name: str, label: str, value: float | None, said: bool | None) -> bool | None:
    """Whether it passed: as said, by its label, or by how much of a harm was found.

    "yes" and "true" under the name of a harm say that it was found.
    """
    if said is not None:
        return said
    is_harm = name.strip().lower() in _HARMS
    found = _passed(label)
    if is_harm and label.strip().lower() in ("true", "false", "yes", "no"):
        return not found
    if found is None and is_harm and value is not None and 0 <= value <= 1:
        return value < 0.5
    return found
