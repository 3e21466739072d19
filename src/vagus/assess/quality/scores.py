"""Scores on their way into the engine: checked, given their trace's dimensions, written once.

A score that comes again under its id replaces the earlier one: the old row is cancelled and the
new one written in the same block. A score may come before its trace is settled; it is written
without dimensions, and `join_late_scores` gives it those as soon as the trace is there.
"""

from __future__ import annotations

import hashlib
import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import prometheus_client

from vagus.assess.quality.dimensions import (
    DIMENSIONS,
    NOT_KNOWN,
    TELLING,
    of_sessions,
    of_traces,
    trace_of_spans,
)
from vagus.errors import BadInput
from vagus.model.score import Score
from vagus.store.engine import Engine

WRITTEN = prometheus_client.Counter("vagus_scores_written_total", "Scores written.", ["source"])
JOINED = prometheus_client.Counter(
    "vagus_scores_joined_late_total", "Scores that got their trace's dimensions later."
)

SOURCES = ("code", "model", "human", "user", "external")
MAX_NAME = 200
MAX_LABEL = 200
MAX_EXPLANATION = 20_000
MAX_DETAIL = 200_000
_EARLIEST_MS = 0
_LATEST_MS = 4_102_444_800_000
_LATE_AT_ONCE = 2_000

#: One writer at a time, so that two writes of one score cannot both find no earlier row.
_writing = threading.Lock()


def write_scores(
    engine: Engine,
    project: str,
    scores: Sequence[Score],
    *,
    is_new: bool = False,
    clock_ns: Callable[[], int] = time.time_ns,
) -> int:
    """Check and write the scores of one project; the number written. `BadInput` for a bad one.

    `is_new`: the caller has made sure that no score with these ids is there to be replaced.
    """
    for score in scores:
        check_score(score)
    if not scores:
        return 0
    latest = list({score.score_id: score for score in scores}.values())
    rows = _rows(engine, project, latest, clock_ns())
    if is_new:
        _insert(engine, rows)
    else:
        _replace(engine, project, rows)
    for score in latest:
        WRITTEN.labels(score.source).inc()
    return len(latest)


def delete_scores(engine: Engine, project: str, score_ids: Sequence[str]) -> int:
    """Take scores of a project back; the number that was there."""
    with _writing:
        standing = list(_standing(engine, project, score_ids).values())
        if standing:
            _insert(engine, standing)
    return len(standing)


def change_scores(
    engine: Engine,
    project: str,
    changes: Mapping[str, Mapping[str, Any]],
    *,
    clock_ns: Callable[[], int] = time.time_ns,
) -> int:
    """Say some fields of standing scores anew, by score id; the number that was there."""
    with _writing:
        rows: list[dict[str, Any]] = []
        for old in _standing(engine, project, list(changes)).values():
            version = max(clock_ns(), old["version"] + 1)
            rows += [old, {**old, **changes[old["score_id"]], "version": version, "sign": 1}]
        if rows:
            _insert(engine, rows)
    return len(rows) // 2


def check_score(score: Score) -> None:
    """Raise `BadInput` naming the field when a score cannot be kept."""
    _check_text("name", score.name, MAX_NAME)
    _check_text("label", score.label, MAX_LABEL)
    _check_text("explanation", score.explanation, MAX_EXPLANATION)
    _check_text("detail", score.detail, MAX_DETAIL)
    for field in (
        "score_id", "trace_id", "span_id", "session", "evaluator", "evaluator_version", "dataset",
    ):  # fmt: skip
        _check_text(field, getattr(score, field), MAX_NAME)
    if not score.name.strip():
        raise BadInput("a score needs a name", field="name")
    if not score.score_id:
        raise BadInput("a score needs an id", field="score_id")
    if not (score.trace_id or score.span_id or score.session):
        raise BadInput("a score needs a trace_id, a span_id or a session", field="trace_id")
    if score.status not in ("ok", "failed"):
        raise BadInput(f"status must be ok or failed, not {score.status!r}", field="status")
    if score.source not in SOURCES:
        raise BadInput(f"source must be one of {', '.join(SOURCES)}", field="source")
    if score.value is not None and not math.isfinite(score.value):
        raise BadInput("value must be a finite number", field="value")
    if score.status == "ok" and score.value is None and score.passed is None and not score.label:
        raise BadInput("a score needs a value, a label or passed", field="value")
    if not (math.isfinite(score.weight) and score.weight > 0):
        raise BadInput("weight must be a finite number above 0", field="weight")
    if not _EARLIEST_MS <= score.time_ms <= _LATEST_MS:
        raise BadInput("time must lie between 1970 and 2100, in ms", field="time_ms")


def _check_text(field: str, value: str, limit: int) -> None:
    if len(value) > limit:
        raise BadInput(
            f"{field} is {len(value)} characters long", field=field, limit=f"{limit} characters"
        )


def score_id_of(*parts: str) -> str:
    """An id that is the same whenever the parts are the same."""
    return hashlib.blake2b("\0".join(parts).encode(errors="replace"), digest_size=12).hexdigest()


def known_ids(engine: Engine, project: str, trace_ids: Sequence[str]) -> set[str]:
    """The ids of the scores these traces have."""
    found = engine.query(
        "SELECT DISTINCT score_id FROM scores WHERE project = {project:String} "
        "AND trace_id IN {ids:Array(String)}",
        {"project": project, "ids": list(trace_ids)},
    )
    return set(found["score_id"])


def join_late_scores(
    engine: Engine, *, now_ms: int, clock_ns: Callable[[], int] = time.time_ns
) -> int:
    """Give scores of the last day the dimensions of traces that settled after them; how many."""
    unknown = " AND ".join(f"{name} = ''" for name in TELLING)
    found = engine.query(
        # A joined score has left its row without dimensions cancelled: its signs add up to 0.
        "SELECT project, score_id, any(trace_id) AS about_trace, any(span_id) AS about_span "
        f"FROM scores WHERE {unknown} AND (trace_id != '' OR span_id != '') "
        "AND measured_at >= fromUnixTimestamp64Milli({from_ms:Int64}) "
        "GROUP BY project, score_id HAVING sum(sign) > 0 "
        "ORDER BY max(measured_at) DESC LIMIT {most:UInt32}",
        {"from_ms": now_ms - 86_400_000, "most": _LATE_AT_ONCE},
    )
    waiting: dict[str, dict[str, tuple[str, str]]] = {}
    for project, score_id, trace_id, span_id in found.rows():
        waiting.setdefault(project, {})[score_id] = (trace_id, span_id)
    return sum(_join(engine, project, about, clock_ns()) for project, about in waiting.items())


def _join(engine: Engine, project: str, waiting: Mapping[str, tuple[str, str]], now_ns: int) -> int:
    lone = trace_of_spans(engine, project, (span for trace, span in waiting.values() if not trace))
    about = {i: trace or lone.get(span, "") for i, (trace, span) in waiting.items()}
    traces = of_traces(engine, project, about.values())
    settled = [i for i, trace_id in about.items() if _tells(traces.get(trace_id, NOT_KNOWN))]
    if not settled:
        return 0
    with _writing:
        rows: list[dict[str, Any]] = []
        for old in _standing(engine, project, settled).values():
            trace = traces[about[old["score_id"]]]
            joined = {
                **old,
                **_copied(trace),
                "trace_id": trace["trace_id"],
                "session": old["session"] or trace["session"],
                "dataset": old["dataset"] or trace["dataset"],
                "version": max(now_ns, old["version"] + 1),
                "sign": 1,
            }
            rows += [old, joined]
        _insert(engine, rows)
    JOINED.inc(len(rows) // 2)
    return len(rows) // 2


def _tells(dimensions: Mapping[str, Any]) -> bool:
    return any(dimensions[name] for name in TELLING)


def _copied(trace: Mapping[str, Any]) -> dict[str, Any]:
    return {"minute": trace["minute"], **{name: trace[name] for name in DIMENSIONS}}


def _rows(
    engine: Engine, project: str, scores: Sequence[Score], now_ns: int
) -> list[dict[str, Any]]:
    """Rows with the dimensions of the trace, else of the session, else of the trace of the span."""
    lone = trace_of_spans(
        engine, project, (s.span_id for s in scores if not (s.trace_id or s.session))
    )
    about = {s.score_id: s.trace_id or lone.get(s.span_id, "") for s in scores}
    traces = of_traces(engine, project, about.values())
    sessions = of_sessions(engine, project, (s.session for s in scores if not s.trace_id))
    rows = []
    for score in scores:
        trace_id = about[score.score_id]
        known = traces.get(trace_id) or sessions.get(score.session if not trace_id else "")
        rows.append(_row(score, project, trace_id, known, now_ns))
    return rows


def _row(
    score: Score, project: str, trace_id: str, known: Mapping[str, Any] | None, now_ns: int
) -> dict[str, Any]:
    row = msgspec.structs.asdict(score)
    time_ms = row.pop("time_ms")
    unjoined = {"minute": time_ms // 60_000 * 60, **NOT_KNOWN}
    return {
        **row,
        **(_copied(known) if known and trace_id else {**unjoined, **_named(known)}),
        "project": project,
        "trace_id": trace_id,
        "session": score.session or (known["session"] if known else ""),
        "dataset": score.dataset or (known["dataset"] if known else ""),
        "version": now_ns,
        "sign": 1,
        "time": _moment(time_ms),
        "measured_at": _moment(now_ns // 1_000_000),
        "passed": None if score.passed is None else int(score.passed),
    }


def _named(known: Mapping[str, Any] | None) -> dict[str, Any]:
    """A session's score keeps its own minute: the session's newest trace may be hours away."""
    return {name: known[name] for name in DIMENSIONS} if known else {}


def _moment(time_ms: int) -> str:
    moment = datetime.fromtimestamp(time_ms // 1000, UTC)
    return f"{moment:%Y-%m-%d %H:%M:%S}.{time_ms % 1000:03d}"


def _replace(engine: Engine, project: str, rows: list[dict[str, Any]]) -> None:
    """Insert rows, and with them the cancellation of the rows they replace."""
    with _writing:
        old = _standing(engine, project, [row["score_id"] for row in rows])
        for row in rows:
            earlier = old.get(row["score_id"])
            if earlier:
                row["version"] = max(row["version"], earlier["version"] + 1)
        _insert(engine, [*old.values(), *rows])


def _standing(engine: Engine, project: str, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """The rows that stand for these scores now, with the sign that takes them away."""
    found = engine.query(
        "SELECT * REPLACE (toInt8(-1) AS sign, toUnixTimestamp(minute) AS minute) "
        "FROM scores FINAL WHERE project = {project:String} AND score_id IN {ids:Array(String)}",
        {"project": project, "ids": list(ids)},
    )
    return {row["score_id"]: row for row in found.dicts()}


def _insert(engine: Engine, rows: list[dict[str, Any]]) -> None:
    token = hashlib.blake2b(msgspec.json.encode(rows), digest_size=16).hexdigest()
    engine.insert("scores", rows, token=f"scores-{token}")
