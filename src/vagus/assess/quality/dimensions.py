"""The dimensions of a trace, as they are copied onto its scores."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from vagus.store.engine import Engine

DIMENSIONS = (
    "service",
    "service_version",
    "env",
    "region",
    "team",
    "feature",
    "tenant",
    "user",
    "prompt",
    "prompt_version",
    "provider",
    "model",
    "index_name",
    "index_version",
    "agent",
)
#: No trace that says anything leaves all of these empty.
TELLING = ("service", "env", "team", "feature", "user", "model")
NOT_KNOWN: dict[str, Any] = dict.fromkeys(DIMENSIONS, "")

_COLUMNS = ", ".join(
    ("trace_id", "session", "dataset", "toUnixTimestamp(minute) AS minute", *DIMENSIONS)
)
_NEWEST = "ORDER BY version DESC LIMIT 1 BY"


def of_traces(engine: Engine, project: str, trace_ids: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Session, minute and dimensions of the settled ones among these traces, by trace id."""
    wanted = sorted({trace_id for trace_id in trace_ids if trace_id})
    if not wanted:
        return {}
    found = engine.query(
        f"SELECT {_COLUMNS} FROM traces WHERE project = {{project:String}} "
        f"AND trace_id IN {{ids:Array(String)}} AND sign = 1 {_NEWEST} trace_id",
        {"project": project, "ids": wanted},
    )
    return {row["trace_id"]: row for row in found.dicts()}


def of_sessions(engine: Engine, project: str, sessions: Iterable[str]) -> dict[str, dict[str, Any]]:
    """The same of the newest trace of each session, by session."""
    wanted = sorted({session for session in sessions if session})
    if not wanted:
        return {}
    found = engine.query(
        f"SELECT {_COLUMNS} FROM traces WHERE project = {{project:String}} "
        f"AND session IN {{ids:Array(String)}} AND sign = 1 {_NEWEST} session",
        {"project": project, "ids": wanted},
    )
    return {row["session"]: row for row in found.dicts()}


def trace_of_spans(engine: Engine, project: str, span_ids: Iterable[str]) -> dict[str, str]:
    """The trace of each settled span, by span id."""
    wanted = sorted({span_id for span_id in span_ids if span_id})
    if not wanted:
        return {}
    found = engine.query(
        "SELECT span_id, any(trace_id) AS trace_id FROM steps WHERE project = {project:String} "
        "AND span_id IN {ids:Array(String)} AND sign = 1 GROUP BY span_id",
        {"project": project, "ids": wanted},
    )
    return dict(found.rows())
