"""Sessions: the conversations that traces belong to, what each took and how it ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vagus.errors import BadInput, NotFound
from vagus.measures.facts import TRACES
from vagus.measures.filter import parse, where
from vagus.measures.plan import scope
from vagus.present.cursor import read_cursor, write_cursor
from vagus.present.listing import ORDERS, cost_of, read_scores
from vagus.store.engine import Engine

MAX_ROWS = 200
_SORTS = {
    "last": ("last_ms", "Int64"),
    "cost": ("cost_usd", "Float64"),
    "turns": ("turns", "Int64"),
    "duration": ("duration_ms", "Float64"),
}
SORTS = tuple(_SORTS)
_END_MS = "toUnixTimestamp64Milli(t.start) + toInt64(t.duration_ms)"
_SHARED = ("user", "tenant", "team", "feature", "service", "env", "model")
_SUMMED = (
    "input_tokens",
    "output_tokens",
    "cost_usd",
    "unknown_cost_calls",
    "reported_cost_calls",
    "billable_calls",
)
_ROW = ", ".join(
    (
        "session",
        "min(toUnixTimestamp64Milli(start)) AS first_ms",
        f"max({_END_MS}) AS last_ms",
        "toInt64(count()) AS turns",
        "toFloat64(last_ms - first_ms) AS duration_ms",
        "countIf(status = 'error') AS errors",
        *(f"sum(t.{name}) AS {name}" for name in _SUMMED),
        *(f"toString(argMaxIf(t.{name}, start, t.{name} != '')) AS {name}" for name in _SHARED),
        "argMin(t.input, start) AS first_input",
        "argMax(t.output, start) AS last_output",
    )
)
#: Settled rows that stand: the versions that were cancelled later are left out.
_STANDING = (
    "sign = 1 AND (trace_id, version) NOT IN "
    "(SELECT trace_id, version FROM traces WHERE {scope} AND sign = -1)"
)
_TURN = (
    "trace_id, toUnixTimestamp64Milli(start) AS start_ms, duration_ms, name, input, output, "
    "toString(model) AS model, cost_usd, unknown_cost_calls, reported_cost_calls, billable_calls, "
    "input_tokens, output_tokens, toString(status) AS status, toString(error_class) AS error_class"
)


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of the list of sessions; times are epoch seconds."""

    start_s: int
    end_s: int
    filter: str = ""
    sort: str = "last"
    order: str = "desc"
    limit: int = 50
    cursor: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of rows; `total` is None where nobody counted."""

    rows: list[dict[str, Any]]
    next_cursor: str | None
    total: int | None = None


def list_sessions(engine: Engine, project: str, question: Question) -> Page:
    """The sessions with a trace in a stretch of time; each row is about the traces in it."""
    if question.sort not in _SORTS:
        raise BadInput(f"sort is one of {', '.join(SORTS)}", field="sort")
    if question.order not in ORDERS:
        raise BadInput(f"order is one of {', '.join(ORDERS)}", field="order")
    condition, params = scope(project, question.start_s - question.start_s % 60, question.end_s)
    asked = where(parse(question.filter), TRACES)
    standing = _STANDING.replace("{scope}", condition)
    # Chosen inside, where a name is a column; outside, the same name is what a session adds up to.
    chosen = f"{condition} AND session != '' AND {asked.sql} AND {standing}"
    rows_of = f"FROM (SELECT * FROM traces WHERE {chosen}) AS t"
    after, behind = _after(question)
    column = _SORTS[question.sort][0]
    order = question.order.upper()
    found = engine.query(
        f"SELECT {_ROW} {rows_of} GROUP BY session HAVING {after} "
        f"ORDER BY {column} {order}, session {order} LIMIT {question.limit + 1:d}",
        {**params, **asked.params, **behind},
    )
    counted = engine.query(f"SELECT uniqExact(session) {rows_of}", {**params, **asked.params})
    rows = list(found.dicts())
    shown = rows[: question.limit]
    is_more = len(rows) > question.limit
    scores = _scores_of(engine, project, [row["session"] for row in shown])
    return Page(
        rows=[{**_row(row), "scores": scores.get(row["session"], {})} for row in shown],
        next_cursor=(
            write_cursor(_name(question), [shown[-1][column], shown[-1]["session"]])
            if is_more
            else None
        ),
        total=int(counted.one() or 0),
    )


def read_session(
    engine: Engine, project: str, session: str, *, limit: int, cursor: str = ""
) -> tuple[dict[str, Any], Page]:
    """A whole session and a page of its turns, from the first on; raises `NotFound`."""
    own = "project = {project:String} AND session = {session:String}"
    standing = _STANDING.replace("{scope}", own)
    params: dict[str, object] = {"project": project, "session": session}
    found = engine.query(
        f"SELECT {_ROW} FROM traces AS t WHERE {own} AND {standing} GROUP BY session", params
    )
    whole = next(iter(found.dicts()), None)
    if whole is None:
        raise NotFound("there is no such session", field="session")
    scores = _scores_of(engine, project, [session])
    page = _turns(engine, f"{own} AND {standing}", params, limit, cursor)
    return {**_row(whole), "scores": scores.get(session, {})}, page


def _turns(
    engine: Engine, condition: str, params: Mapping[str, object], limit: int, cursor: str
) -> Page:
    after, behind = "1", {}
    if cursor:
        start_ms, trace_id = read_cursor("turns", cursor, ["Int64", "String"])
        after = "(start_ms, trace_id) > ({after_ms:Int64}, {after_id:String})"
        behind = {"after_ms": start_ms, "after_id": trace_id}
    found = engine.query(
        f"SELECT {_TURN} FROM traces WHERE {condition} AND {after} "
        f"ORDER BY start_ms, trace_id LIMIT {limit + 1:d}",
        {**params, **behind},
    )
    rows = list(found.dicts())
    shown = rows[:limit]
    scores = read_scores(engine, str(params["project"]), [row["trace_id"] for row in shown])
    last = shown[-1] if len(rows) > limit else None
    return Page(
        rows=[{**_row(row), "scores": scores.get(row["trace_id"], {})} for row in shown],
        next_cursor=write_cursor("turns", [last["start_ms"], last["trace_id"]]) if last else None,
    )


def _row(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**row, **cost_of(row)}


def _name(question: Question) -> str:
    return f"sessions {question.sort} {question.order}"


def _after(question: Question) -> tuple[str, dict[str, object]]:
    if not question.cursor:
        return "1", {}
    column, kind = _SORTS[question.sort]
    value, session = read_cursor(_name(question), question.cursor, [kind, "String"])
    sign = "<" if question.order == "desc" else ">"
    return (
        f"({column}, session) {sign} ({{after_value:{kind}}}, {{after_session:String}})",
        {"after_value": value, "after_session": session},
    )


def _scores_of(
    engine: Engine, project: str, sessions: Sequence[str]
) -> dict[str, dict[str, dict[str, Any]]]:
    """The latest verdict of each name about a session as a whole, by session."""
    found = engine.query(
        "SELECT session, toString(name) AS score, "
        "argMax((value, passed), (time, score_id)) AS got FROM scores FINAL "
        "WHERE project = {project:String} AND session IN {sessions:Array(String)} "
        "AND trace_id = '' AND status = 'ok' GROUP BY session, name ORDER BY session, name",
        {"project": project, "sessions": list(sessions)},
    )
    scores: dict[str, dict[str, dict[str, Any]]] = {}
    for session, name, (value, passed) in found.rows():
        verdict = {"value": value, "passed": None if passed is None else bool(passed)}
        scores.setdefault(session, {})[name] = verdict
    return scores
