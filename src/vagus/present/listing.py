"""The list of traces: filtered, sorted, and read page by page from where the last one ended.

Settled rows are cancelled by rows of sign -1. Merging them away while reading costs three times
what it costs to leave out the few cancelled versions, so that is what is done here. Only keys are
sorted; the wide columns are read for the shown rows alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vagus.errors import BadInput
from vagus.measures.facts import TRACES
from vagus.measures.filter import parse, where
from vagus.measures.hours import rollup_sql
from vagus.measures.plan import is_rolled, scope, sum_sql
from vagus.present.cursor import read_cursor, write_cursor
from vagus.store.engine import Engine

MAX_ROWS = 500
MAX_COUNTED = 2_000_000

# What is looked through first when the newest or oldest traces are asked for.
_LEAST_WINDOW_S = 600
_DAY_S = 86_400
_SCOPE, _ = scope("", 0, 0)
_MINUTE = "toUnixTimestamp(minute)"
_MICRO = "toUnixTimestamp64Micro(start)"
# Each sort is a tuple that ends in the trace id, so that no two rows are equal.
_SORTS = {
    "start": ((_MINUTE, "Int64"), (_MICRO, "Int64"), ("trace_id", "String")),
    "duration": (("duration_ms", "Float64"), ("trace_id", "String")),
    "cost": (("cost_usd", "Float64"), ("trace_id", "String")),
    "tokens": (("input_tokens + output_tokens", "Int64"), ("trace_id", "String")),
}
SORTS = tuple(_SORTS)
ORDERS = ("desc", "asc")

_SHOWN = (
    "trace_id, version, root_span_id, name, toString(kind) AS kind, toString(status) AS status, "
    "error_class, service, env, team, feature, tenant, user, session, provider, model, prompt, "
    "prompt_version, index_version, agent, span_count, orphan_count, error_count, "
    "billable_calls, unknown_cost_calls, reported_cost_calls, input_tokens, output_tokens, "
    "cost_usd, ttft_ms, duration_ms, flags, input, output, "
    "toUnixTimestamp64Micro(start) / 1000 AS start_ms"
)


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of the list; times are epoch seconds, `cursor` comes from the page before."""

    start_s: int
    end_s: int
    filter: str = ""
    sort: str = "start"
    order: str = "desc"
    limit: int = 100
    cursor: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """One page; `total` is exact unless `is_exact` says that counting stopped there."""

    rows: list[dict[str, Any]]
    next_cursor: str | None
    total: int
    is_exact: bool


def list_traces(engine: Engine, project: str, question: Question) -> Page:
    """A page of the project's traces."""
    _check(question)
    condition, params = _condition(project, question)
    keys = _keys(engine, condition, params, question)
    total, is_exact = _count(engine, condition, params, question)
    shown = keys[: question.limit]
    rows = _rows(engine, project, shown)
    more = len(keys) > question.limit
    return Page(
        rows=rows,
        next_cursor=write_cursor(_cursor_name(question), shown[-1][:-2]) if more else None,
        total=total,
        is_exact=is_exact,
    )


def _check(question: Question) -> None:
    if question.sort not in _SORTS:
        raise BadInput(f"sort is one of {', '.join(SORTS)}", field="sort")
    if question.order not in ORDERS:
        raise BadInput(f"order is one of {', '.join(ORDERS)}", field="order")
    if not 1 <= question.limit <= MAX_ROWS:
        raise BadInput(f"limit is {question.limit}", field="limit", limit=f"1 to {MAX_ROWS}")


def _condition(project: str, question: Question) -> tuple[str, dict[str, object]]:
    condition, params = scope(project, question.start_s - question.start_s % 60, question.end_s)
    asked = where(parse(question.filter), TRACES)
    return f"{condition} AND {asked.sql}", {**params, **asked.params}


def _keys(
    engine: Engine, condition: str, params: Mapping[str, object], question: Question
) -> list[tuple[Any, ...]]:
    """The sort keys of the page and one more, each followed by minute and version."""
    parts = _SORTS[question.sort]
    columns = ", ".join(f"{sql} AS key_{n}" for n, (sql, _) in enumerate(parts))
    order = ", ".join(f"key_{n} {question.order.upper()}" for n in range(len(parts)))
    after, values = _after(question)
    keys: list[tuple[Any, ...]] = []
    for start_s, end_s in _windows(question, values):
        answer = engine.query(
            f"SELECT {columns}, {_MINUTE} AS minute_s, version FROM traces "
            f"WHERE {condition} AND sign = 1 AND {after} AND (trace_id, version) NOT IN "
            f"(SELECT trace_id, version FROM traces WHERE {_SCOPE} AND sign = -1) "
            f"ORDER BY {order} LIMIT {question.limit + 1:d}",
            {**params, **values, "start_s": start_s, "end_s": end_s},
        )
        keys = list(answer.rows())
        if len(keys) > question.limit:
            break
    return keys


def _windows(question: Question, after: Mapping[str, object]) -> Iterator[tuple[int, int]]:
    """The stretches of time to look through until the page is full, each holding the one before.

    Sorted by start, what is shown first lies at one end of time: most pages need a small part.
    """
    start_s, end_s = question.start_s - question.start_s % 60, question.end_s
    if question.sort == "start":
        is_newest_first = question.order == "desc"
        reached_s = after.get("after_0")
        if isinstance(reached_s, int):
            start_s, end_s = (
                (start_s, min(end_s, reached_s + 60))
                if is_newest_first
                else (max(start_s, reached_s), end_s)
            )
        shares = ((end_s - start_s) // share // 60 * 60 for share in (64, 8))
        for width_s in sorted({_DAY_S, *(max(_LEAST_WINDOW_S, width_s) for width_s in shares)}):
            if width_s < end_s - start_s:
                yield (end_s - width_s, end_s) if is_newest_first else (start_s, start_s + width_s)
    yield start_s, end_s


def _after(question: Question) -> tuple[str, dict[str, object]]:
    """The condition that starts behind the cursor."""
    if not question.cursor:
        return "1", {}
    parts = _SORTS[question.sort]
    values = read_cursor(_cursor_name(question), question.cursor, [kind for _, kind in parts])
    sign = "<" if question.order == "desc" else ">"
    columns = ", ".join(sql for sql, _ in parts)
    places = ", ".join(f"{{after_{n}:{kind}}}" for n, (_, kind) in enumerate(parts))
    return f"({columns}) {sign} ({places})", {f"after_{n}": value for n, value in enumerate(values)}


def _cursor_name(question: Question) -> str:
    return f"traces {question.sort} {question.order}"


def _count(
    engine: Engine, condition: str, params: Mapping[str, object], question: Question
) -> tuple[int, bool]:
    """How many there are and whether that is all: rollups count all, rows only up to a bound."""
    if is_rolled(TRACES, parse(question.filter), ()):
        start_s, end_s = question.start_s - question.start_s % 60, question.end_s
        relation = rollup_sql(TRACES, start_s, end_s + -end_s % 60)
        counted = sum_sql(TRACES, TRACES.base, rolled=True)
        answer = engine.query(f"SELECT {counted} AS n FROM {relation} WHERE {condition}", params)
        return int(answer.one() or 0), True
    answer = engine.query(
        f"SELECT sum(sign) AS n FROM (SELECT sign FROM traces WHERE {condition} "
        f"LIMIT {MAX_COUNTED:d})",
        params,
    )
    total = int(answer.one() or 0)
    return total, total < MAX_COUNTED


def _rows(engine: Engine, project: str, keys: Sequence[tuple[Any, ...]]) -> list[dict[str, Any]]:
    """The shown columns of some traces, in the order of their keys, with their scores."""
    if not keys:
        return []
    ids = [str(key[-3]) for key in keys]
    minutes = sorted({int(key[-2]) for key in keys})
    answer = engine.query(
        f"SELECT {_SHOWN} FROM traces WHERE project = {{project:String}} AND sign = 1 "
        "AND minute IN {minutes:Array(UInt32)} AND trace_id IN {ids:Array(String)}",
        {"project": project, "minutes": minutes, "ids": ids},
    )
    found = {(row["trace_id"], row["version"]): row for row in answer.dicts()}
    scores = read_scores(engine, project, ids)
    rows = []
    for key in keys:
        row = found.get((key[-3], key[-1]))
        # A trace that settled again between the two queries is left to the next look.
        if row is not None:
            rows.append({**row, **cost_of(row), "scores": scores.get(row["trace_id"], {})})
    return rows


def cost_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """The cost of a trace: None when no call could be priced, marked when only some could.

    `cost_source` is where the known part comes from: reported, computed, or mixed of both; unknown
    when there is none, and none when nothing was charged.
    """
    calls, unknown = row["billable_calls"], row["unknown_cost_calls"]
    reported, known = row["reported_cost_calls"], calls - unknown
    if known <= 0:
        source = "unknown" if unknown else "none"
    elif reported and reported < known:
        source = "mixed"
    else:
        source = "reported" if reported else "computed"
    return {
        "cost_usd": None if source == "unknown" else row["cost_usd"],
        "cost_known": not unknown,
        "cost_source": source,
    }


def read_scores(engine: Engine, project: str, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """The latest verdict of each name, by trace."""
    answer = engine.query(
        "SELECT trace_id, toString(name) AS score, "
        "argMax((value, passed), (time, score_id)) AS got FROM scores FINAL "
        "WHERE project = {project:String} AND trace_id IN {ids:Array(String)} "
        "AND status = 'ok' GROUP BY trace_id, name ORDER BY trace_id, name",
        {"project": project, "ids": list(ids)},
    )
    scores: dict[str, dict[str, Any]] = {}
    for trace_id, name, (value, passed) in answer.rows():
        verdict = {"value": value, "passed": None if passed is None else bool(passed)}
        scores.setdefault(trace_id, {})[name] = verdict
    return scores
