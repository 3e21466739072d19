"""The present field table applied to stored spans, day by day, exactly once per day.

A day is a partition of the spans table. Its rows are written anew beside it and take its place in
one step, so whoever looks sees all old or all new ones. Attributes are copied and never touched.
Before a day changes, settling's checkpoint is put back to it: whatever happens, the traces are
settled again at the next start.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass

import msgspec

from vagus.errors import StoreError
from vagus.meaning.compile import resource_sql
from vagus.meaning.fields import COLUMNS
from vagus.meaning.select import RAW_COLUMNS, with_meaning
from vagus.model.facts import FactStore
from vagus.settle.settler import CHECKPOINT
from vagus.store.engine import Engine

_KEY = "renormalise"
_TABLE = "spans_renormalised"
_CHUNK_ROWS = 100_000
_SETTINGS = (
    "SETTINGS insert_deduplicate = 0, max_threads = 1, max_insert_threads = 1, "
    "max_block_size = 8192"
)


@dataclass(frozen=True, slots=True)
class Scope:
    """Which spans: by the time they arrived, from `since_ms` to before `until_ms`, and project."""

    since_ms: int
    until_ms: int
    project: str = ""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the work has come: rows of this day, and days of all."""

    day: str
    rows: int
    day_rows: int
    days: int
    all_days: int
    is_changed: bool = False


def renormalise(
    engine: Engine, state: FactStore, scope: Scope, tell: Callable[[Progress], None]
) -> int:
    """Apply the table to the spans in scope; the number of days that changed.

    Nothing else may write to the engine meanwhile. A run that was stopped goes on with the day it
    was at when it is called with the same scope again.
    """
    columns, select = _statement()
    run = {**asdict(scope), "table": hashlib.sha256(select.encode()).hexdigest()[:16]}
    done = _done(state, run)
    days = _days(engine, scope)
    changed = 0
    for n, day in enumerate(days):
        if day in done:
            continue
        engine.execute(f"DROP TABLE IF EXISTS {_TABLE} SYNC")
        engine.execute(f"CREATE TABLE {_TABLE} AS spans")
        day_rows = 0
        for day_rows, rows in _write_day(engine, day, scope, columns, select):
            tell(Progress(day, rows, day_rows, n, len(days)))
        is_changed = _take_over(engine, state, scope, day)
        changed += is_changed
        done.append(day)
        state.put(_KEY, msgspec.json.encode({**run, "done": done}).decode())
        tell(Progress(day, day_rows, day_rows, n + 1, len(days), is_changed))
    engine.execute(f"DROP TABLE IF EXISTS {_TABLE} SYNC")
    state.put(_KEY, "")
    return changed


def _statement() -> tuple[tuple[str, ...], str]:
    """The columns of the spans table, and the SELECT that works them out from stored rows."""
    words = "arrayMap(k -> toString(k), {})"
    raw = {name: name for name in RAW_COLUMNS}
    raw["status"] = "toInt32(CAST(status, 'Int8'))"
    stored = (
        f"SELECT * REPLACE (toString(scope) AS scope, toString(scope_version) AS scope_version), "
        f"{words.format('attr_keys')} AS keys, attr_values AS texts, "
        f"{words.format('resource_keys')} AS said_keys, "
        f"{words.format('resource_values')} AS said_texts FROM {{rows}}"
    )
    found = resource_sql("said_keys", "said_texts")
    return with_meaning(raw, f"SELECT *, {found} AS resource_found FROM ({stored})")


def _done(state: FactStore, run: dict[str, object]) -> list[str]:
    """The days that a run of the same scope and table had done when it was stopped."""
    saved = msgspec.json.decode(state.get(_KEY) or "{}")
    done = saved.pop("done", [])
    return list(done) if saved == run else []


def _days(engine: Engine, scope: Scope) -> list[str]:
    found = engine.query(
        f"SELECT DISTINCT _partition_id AS day FROM spans WHERE {_in_scope(scope)} ORDER BY day",
        _params(scope),
    )
    return [str(day) for day in found["day"]] if len(found) else []


def _in_scope(scope: Scope) -> str:
    condition = (
        "received >= fromUnixTimestamp64Milli({since_ms:Int64}, 'UTC') AND "
        "received < fromUnixTimestamp64Milli({until_ms:Int64}, 'UTC')"
    )
    return f"{condition} AND project = {{project:String}}" if scope.project else condition


def _params(scope: Scope) -> dict[str, object]:
    own: dict[str, object] = {"since_ms": scope.since_ms, "until_ms": scope.until_ms}
    return {**own, "project": scope.project} if scope.project else own


def _write_day(
    engine: Engine, day: str, scope: Scope, columns: tuple[str, ...], select: str
) -> Iterator[tuple[int, int]]:
    """Write a day's rows anew, some segments at a time; yields all rows and those written."""
    found = engine.query(
        "SELECT segment, count() AS rows FROM spans WHERE _partition_id = {day:String} "
        "GROUP BY segment ORDER BY segment",
        {"day": day},
    )
    pairs = list(found.rows())
    all_rows, written, first, waiting = sum(rows for _, rows in pairs), 0, None, 0
    for n, (segment, rows) in enumerate(pairs):
        first = segment if first is None else first
        waiting += rows
        if waiting >= _CHUNK_ROWS or n + 1 == len(pairs):
            params = {"day": day, "first": first, "last": segment, **_params(scope)}
            for sql in _inserts(scope, columns, select):
                engine.execute(sql, params)
            written, first, waiting = written + waiting, None, 0
            yield all_rows, written


def _inserts(scope: Scope, columns: tuple[str, ...], select: str) -> Iterator[str]:
    """The statements that copy some segments of a day: rows in scope anew, others as they are."""
    here = "_partition_id = {day:String} AND segment >= {first:UInt64} AND segment <= {last:UInt64}"
    within, names = _in_scope(scope), ", ".join(columns)
    rows = f"(SELECT * FROM spans WHERE {here} AND {within})"
    head = f"INSERT INTO {_TABLE} ({names})"
    yield f"{head} {select.replace('{rows}', rows)} {_SETTINGS}"
    yield f"{head} SELECT {names} FROM spans WHERE {here} AND NOT ({within}) {_SETTINGS}"


def _take_over(engine: Engine, state: FactStore, scope: Scope, day: str) -> bool:
    """Put the new rows in the place of the day's old ones; False when they are the same."""
    names = ", ".join(["kind", "status", "status_message", *(row.name for row in COLUMNS)])
    digest = (
        f"SELECT count() AS rows, sum(cityHash64(toString(tuple({names})), "
        "trace_id, span_id, toString(tuple(attr_keys, attr_values)))) AS digest FROM "
    )
    (old,) = engine.query(
        f"{digest} spans WHERE _partition_id = {{day:String}}", {"day": day}
    ).rows()
    (new,) = engine.query(f"{digest} {_TABLE}").rows()
    if old[0] != new[0]:
        raise StoreError(f"the day {day} has {old[0]} spans, but {new[0]} were written anew")
    if old == new:
        return False
    first = engine.query(
        f"SELECT min(segment) AS first FROM spans WHERE _partition_id = {{day:String}} "
        f"AND {_in_scope(scope)}",
        {"day": day, **_params(scope)},
    )
    _settle_from(state, int(first.one()))
    engine.execute(f"ALTER TABLE spans REPLACE PARTITION ID '{day}' FROM {_TABLE}")
    return True


def _settle_from(state: FactStore, segment: int) -> None:
    """Settle everything from this segment on again, at the next start."""
    saved = state.get(CHECKPOINT)
    reached = msgspec.json.decode(saved, type=dict[str, int]) if saved else {}
    if reached.get("traces", 0) >= segment:
        reached["traces"] = segment - 1
        state.put(CHECKPOINT, msgspec.json.encode(reached).decode())
