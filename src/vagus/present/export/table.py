"""What can be exported: the columns of each table, and its rows page by page.

A page is asked for by the key of the row before it, so nothing is held open in the engine while a
slow reader takes its time, and memory holds one page whatever the size of the whole. Rows that
settle meanwhile may be in or not; none is in twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from vagus.assess.cost.ledger import Ledger
from vagus.errors import BadInput
from vagus.measures.facts import STEPS, TRACES, Table
from vagus.measures.filter import Filter, check_dimension, parse, where
from vagus.measures.plan import scope
from vagus.store.engine import Engine

PAGE = 10_000
MAX_ROWS = 10_000_000
MAX_GROUPS = 100_000
MAX_BY = 4
NAMES = ("ledger", "traces", "sessions", "spend")

Kind = Literal["text", "int", "float", "flag", "time"]
Rows = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Column:
    """One exported column: its name, its kind, and the SQL it comes from where that is another."""

    name: str
    kind: Kind
    sql: str = ""


@dataclass(frozen=True, slots=True)
class Export:
    """A table ready to be written: columns, and pages of rows."""

    name: str
    columns: tuple[Column, ...]
    pages: Iterator[Rows]


@dataclass(frozen=True, slots=True)
class Asked:
    """What is exported: of whom, from when to when (epoch seconds), and narrowed how."""

    project: str
    start_s: int
    end_s: int
    filter: str = ""
    by: tuple[str, ...] = ()


def _texts(names: str) -> tuple[Column, ...]:
    return tuple(Column(name, "text", f"toString({name})") for name in names.split())


def _ints(names: str) -> tuple[Column, ...]:
    return tuple(Column(name, "int") for name in names.split())


def _floats(names: str) -> tuple[Column, ...]:
    return tuple(Column(name, "float") for name in names.split())


_START = Column("start", "time", "toUnixTimestamp64Micro(start)")
_WHO = "service env region team feature tenant user session prompt prompt_version"
_TOKENS = "input_tokens output_tokens cache_read_tokens cache_write_tokens reasoning_tokens"

LEDGER = (
    _START,
    *_texts("trace_id span_id"),
    *_texts(_WHO),
    *_texts("agent provider request_model model service_tier kind status error_class"),
    Column("is_retry", "flag"),
    Column("is_local_cache", "flag"),
    Column("is_cut_off", "flag"),
    *_ints(_TOKENS),
    *_ints(
        "cache_write_5m_tokens cache_write_1h_tokens audio_input_tokens audio_output_tokens "
        "image_input_tokens image_output_tokens web_search_requests"
    ),
    *_floats("cost_usd"),
    *_texts("cost_source price_source price_id"),
    *_floats(
        "cost_input_usd cost_output_usd cost_cache_read_usd cost_cache_write_usd cost_audio_usd "
        "cost_image_usd cost_request_usd duration_ms"
    ),
    *_texts("response_id"),
)
_COST = (
    Column("cost_usd", "float", "if(unknown_cost_calls < billable_calls OR billable_calls = 0, "
           "cost_usd, NULL)"),
    Column("cost_sources", "text"),
    Column("unknown_cost_calls", "int"),
)  # fmt: skip
TRACE = (
    _START,
    *_texts("trace_id name"),
    *_texts(_WHO),
    *_texts("agent provider model status error_class"),
    *_floats("duration_ms"),
    *_ints("span_count billable_calls retry_calls tool_calls agent_steps"),
    *_ints(_TOKENS),
    *_COST,
)
SESSION = (
    *_texts("session"),
    Column("first", "time", "toUnixTimestamp64Micro(min(start))"),
    Column("last", "time", "toUnixTimestamp64Micro(max(start))"),
    Column("turns", "int", "count()"),
    Column("errors", "int", "countIf(status = 'error')"),
    *(
        Column(name, "text", f"toString(argMax({name}, start))")
        for name in ("user", "tenant", "team", "feature", "service", "env")
    ),
    *(Column(name, "int", f"sum({name})") for name in ("billable_calls", *_TOKENS.split())),
    Column("cost_usd", "float", "if(sum(unknown_cost_calls) < sum(billable_calls) "
           "OR sum(billable_calls) = 0, sum(cost_usd), NULL)"),
    Column("cost_sources", "text"),
    Column("unknown_cost_calls", "int", "sum(unknown_cost_calls)"),
)  # fmt: skip
_SPEND = {
    "calls": "steps",
    "retries": "retries",
    "input_tokens": "input_tokens",
    "output_tokens": "output_tokens",
    "cache_read_tokens": "cached_tokens",
    "cache_write_tokens": "cache_write_tokens",
    "reported_calls": "reported_calls",
    "unknown_cost_calls": "cost_unknown",
}
_SPEND_USD = {"cost_usd": "cost_usd", "reported_usd": "reported_usd"}


def open_export(engine: Engine, name: str, asked: Asked) -> Export:
    """The export of a table; raises `BadInput` before the first row when it cannot be made."""
    parsed = parse(asked.filter)
    if name == "spend":
        return _spend(engine, asked)
    if name == "ledger":
        _check_size(engine, asked, STEPS, parsed, "is_billable = 1")
        return Export(name, LEDGER, _keyed(engine, asked, STEPS, parsed, LEDGER))
    _check_size(engine, asked, TRACES, parsed, "1")
    if name == "traces":
        return Export(name, TRACE, _keyed(engine, asked, TRACES, parsed, TRACE))
    return Export(name, SESSION, _sessions(engine, asked, parsed))


def _check_size(engine: Engine, asked: Asked, table: Table, parsed: Filter, only: str) -> None:
    condition, params = _condition(asked, table, parsed)
    rows = engine.query(
        f"SELECT toInt64(sum(sign)) AS n FROM {table.name} WHERE {condition} AND {only}", params
    )
    if (rows["n"][0] or 0) > MAX_ROWS:
        raise BadInput(
            f"{rows['n'][0]:,} rows are too many for one export; take a shorter time",
            field="from",
            limit=f"{MAX_ROWS}",
        )


def _condition(asked: Asked, table: Table, parsed: Filter) -> tuple[str, dict[str, object]]:
    start_s, end_s = asked.start_s - asked.start_s % 60, asked.end_s + -asked.end_s % 60
    condition, params = scope(asked.project, start_s, end_s)
    narrowed = where(parsed, table)
    return f"{condition} AND ({narrowed.sql})", {**params, **narrowed.params}


def _selected(columns: Sequence[Column]) -> str:
    return ", ".join(
        f"{column.sql or column.name} AS out_{column.name}"
        for column in columns
        if column.name != "cost_sources"
    )


def _keyed(
    engine: Engine, asked: Asked, table: Table, parsed: Filter, columns: Sequence[Column]
) -> Iterator[Rows]:
    """Pages of settled rows in the order of their key."""
    is_ledger = table is STEPS
    condition, params = _condition(asked, table, parsed)
    only = " AND is_billable = 1" if is_ledger else ""
    tie = "span_id" if is_ledger else "''"
    after: tuple[int, str, str] = (asked.start_s - asked.start_s % 60, "", "")
    while True:
        answer = engine.query(
            f"SELECT {_selected(columns)}, toUnixTimestamp(minute) AS at, {tie} AS tie "
            f"FROM {table.name} FINAL WHERE {condition}{only} "
            "AND minute >= toDateTime({at:Int64}, 'UTC') "
            f"AND (toUnixTimestamp(minute), trace_id, {tie}) "
            "> ({at:Int64}, {trace:String}, {tie:String}) "
            f"ORDER BY minute, trace_id, tie LIMIT {PAGE:d}",
            {**params, "at": after[0], "trace": after[1], "tie": after[2]},
        )
        raw = list(answer.dicts())
        rows = [_row(columns, row) for row in raw]
        if raw and not is_ledger:
            _add_sources(engine, asked, rows, (raw[0]["at"], raw[-1]["at"]))
        yield rows
        if len(raw) < PAGE:
            return
        after = (raw[-1]["at"], raw[-1]["out_trace_id"], raw[-1]["tie"])


def _sessions(engine: Engine, asked: Asked, parsed: Filter) -> Iterator[Rows]:
    condition, params = _condition(asked, TRACES, parsed)
    after = ""
    while True:
        answer = engine.query(
            f"SELECT {_selected(SESSION)} FROM (SELECT * FROM traces FINAL WHERE {condition} "
            "AND session > {after:String}) GROUP BY session "
            f"ORDER BY session LIMIT {PAGE:d}",
            {**params, "after": after},
        )
        rows = [_row(SESSION, row) for row in answer.dicts()]
        if rows:
            _add_session_sources(engine, asked, rows)
        yield rows
        if len(rows) < PAGE:
            return
        after = rows[-1]["session"]


def _row(columns: Sequence[Column], answer: dict[str, Any]) -> dict[str, Any]:
    return {column.name: answer.get(f"out_{column.name}") for column in columns}


_SOURCES = (
    "arrayStringConcat(arraySort(groupUniqArray(toString(cost_source))), '+') AS sources "
    "FROM steps FINAL WHERE {scope} AND is_billable = 1"
)


def _add_sources(engine: Engine, asked: Asked, rows: Rows, minutes: tuple[int, int]) -> None:
    """Where the costs of a page's traces come from, such as `computed+unknown`."""
    condition, params = scope(asked.project, minutes[0], minutes[1] + 60)
    answer = engine.query(
        f"SELECT trace_id, {_SOURCES.replace('{scope}', condition)} GROUP BY trace_id", params
    )
    found = dict(zip(answer["trace_id"], answer["sources"], strict=True)) if len(answer) else {}
    for row in rows:
        row["cost_sources"] = found.get(row["trace_id"], "none")


def _add_session_sources(engine: Engine, asked: Asked, rows: Rows) -> None:
    condition, params = _condition(asked, STEPS, Filter())
    answer = engine.query(
        f"SELECT session, {_SOURCES.replace('{scope}', condition)} AND session >= {{low:String}} "
        "AND session <= {high:String} GROUP BY session",
        {**params, "low": rows[0]["session"], "high": rows[-1]["session"]},
    )
    found = dict(zip(answer["session"], answer["sources"], strict=True)) if len(answer) else {}
    for row in rows:
        row["cost_sources"] = found.get(row["session"], "none")


def _spend(engine: Engine, asked: Asked) -> Export:
    """Spend by UTC day and dimensions, all at once: the engine adds it up."""
    if len(asked.by) > MAX_BY or len(set(asked.by)) != len(asked.by):
        raise BadInput("by names up to four different dimensions", field="by", limit=f"{MAX_BY}")
    for dimension in asked.by:
        check_dimension(dimension, STEPS, "by")
    window_s = (asked.start_s, asked.end_s)
    ledger = Ledger.of(engine, asked.project, window_s, asked.filter)
    facts = [*_SPEND.values(), *_SPEND_USD.values(), "cost_known"]
    answer = ledger.sums(facts, asked.by, by_day=True, limit=MAX_GROUPS)
    if len(answer) == MAX_GROUPS:
        raise BadInput("too many groups for one export", field="by", limit=f"{MAX_GROUPS}")
    rows = []
    for found in answer.dicts():
        row: dict[str, Any] = {"day": found["day"]}
        row |= {name: found[f"key_{n}"] for n, name in enumerate(asked.by)}
        row |= {name: int(found[f"sum_{fact}"] or 0) for name, fact in _SPEND.items()}
        known = bool(found["sum_cost_known"])
        row |= {n: found[f"sum_{fact}"] if known else None for n, fact in _SPEND_USD.items()}
        rows.append(row)
    rows.sort(key=lambda row: (row["day"], *(row[name] for name in asked.by)))
    columns = (
        Column("day", "text"),
        *(Column(name, "text") for name in asked.by),
        *(Column(name, "int") for name in _SPEND),
        *(Column(name, "float") for name in _SPEND_USD),
    )
    return Export("spend", columns, iter([rows]))
