"""What was said of closed windows, and what late labels made of it.

An indicator goes by the time of the event, so a verdict that arrives late changes the past. Each
closed window's budget is written down once; when it turns out otherwise, the old and the new
figures are kept side by side and the audit log says that it happened.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Connection, delete, select

from vagus.audit.log import Audit
from vagus.measures.catalogue import Catalogue
from vagus.model.calendar import Stretch, calendar_stretch, zone_of
from vagus.store.engine import Engine
from vagus.store.meta.db import Meta
from vagus.store.meta.objectives import slo_restatements, slo_statements
from vagus.store.meta.write import insert_new, upsert
from vagus.watch.budgets import calibration_of, read_counted, spent_in
from vagus.watch.slo import Slo, window_of

#: Windows that ended in so many days are compared with what was said of them.
KEPT_DAYS = 35
#: A window is spoken of when it has been closed for so long.
_SETTLED_S = 1800
_DAY_S = 86_400
_HOUR_S = 3600
# A smaller move of the spent share is not worth a line.
_NOTICED = 0.001
_ACTOR = "vagus"
_SPEC = (
    "measure", "filter", "target", "window_days", "calendar", "timezone", "slice_target",
    "slice_min", "judge",
)  # fmt: skip


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of one window as they were known at a moment; `first_s` has the oldest events."""

    start_s: int
    first_s: int | None
    judged: float
    total: float
    bad: float
    spent: float | None
    low: float | None
    high: float | None
    state: str


@dataclass(frozen=True, slots=True)
class Restatement:
    """A window that ended at `end_s`, what was said of it and what is known now."""

    end_s: int
    noticed_ms: int
    was: Said
    now: Said


def closed_ends(slo: Slo, now_s: int) -> list[int]:
    """The local midnights at which windows closed that are still compared, the newest first."""
    zone = zone_of(slo.timezone)
    ends: list[int] = []
    moment = now_s - _SETTLED_S
    for _ in range(KEPT_DAYS):
        start_s = calendar_stretch("day", zone, moment).start_s
        if start_s <= 0:
            break
        ends.append(start_s)
        moment = start_s - 1
    return ends


def known_now(
    engine: Engine, catalogue: Catalogue, slo: Slo, ends: Sequence[int]
) -> dict[int, Said]:
    """The figures of the windows that closed at these moments; one read for all of them."""
    if not ends:
        return {}
    windows = {end_s: _closed(slo, end_s) for end_s in ends}
    first_s = min(window.start_s for window in windows.values())
    step_s = _step_s(slo)
    tally = read_counted(engine, catalogue, slo, first_s, max(ends), step_s)
    calibration = calibration_of(slo, catalogue)
    found = {}
    for end_s, window in windows.items():
        counts = tally.within(window.start_s, end_s)
        budget = spent_in(slo, counts, calibration, window, end_s)
        found[end_s] = Said(
            start_s=window.start_s,
            first_s=tally.first_seen(window.start_s, end_s),
            judged=budget.judged,
            total=budget.total,
            bad=counts.bad,
            spent=budget.spent,
            low=budget.low,
            high=budget.high,
            state=budget.state,
        )
    return found


def compare(
    meta: Meta, audit: Audit, slo: Slo, known: dict[int, Said], now_ms: int
) -> list[Restatement]:
    """Write down what is said for the first time, and log what is said otherwise than before."""
    digest = digest_of(slo)
    found: list[Restatement] = []
    own = (slo_statements.c.project == slo.project) & (slo_statements.c.slo == slo.id)
    with meta.begin() as connection:
        rows = connection.execute(select(slo_statements).where(own)).all()
        before = {row.end_s: row for row in rows}
        for end_s, said in known.items():
            row = before.get(end_s)
            if row is not None and row.digest == digest:
                was = msgspec.convert(row.said, Said)
                if _has_aged(was, said) or not _differ(was, said):
                    continue
                found.append(Restatement(end_s, now_ms, was, said))
            upsert(connection, slo_statements, _row(slo, end_s, digest, said, now_ms))
        oldest_s = now_ms // 1000 - 2 * KEPT_DAYS * _DAY_S
        connection.execute(delete(slo_statements).where(own, slo_statements.c.end_s < oldest_s))
        _log(connection, audit, slo, found, now_ms)
    return found


def restatements_of(meta: Meta, project: str, slo_id: str, limit: int = 100) -> list[Restatement]:
    """What was restated of an objective, the newest first."""
    table = slo_restatements
    query = (
        select(table)
        .where(table.c.project == project, table.c.slo == slo_id)
        .order_by(table.c.noticed_ms.desc(), table.c.end_s.desc())
        .limit(limit)
    )
    with meta.read() as connection:
        rows = connection.execute(query).all()
    return [
        Restatement(
            row.end_s,
            row.noticed_ms,
            msgspec.convert(row.was, Said),
            msgspec.convert(row.now, Said),
        )
        for row in rows
    ]


def forget(connection: Connection, project: str, slo_id: str) -> None:
    """Remove what was said of an objective that is deleted; the audit log keeps its lines."""
    for table in (slo_statements, slo_restatements):
        connection.execute(delete(table).where(table.c.project == project, table.c.slo == slo_id))


def digest_of(slo: Slo) -> str:
    """What the figures depend on: another declaration says other things, and restates nothing."""
    values = msgspec.to_builtins(slo)
    text = msgspec.json.encode([values[name] for name in _SPEC])
    return hashlib.sha256(text).hexdigest()[:16]


def _step_s(slo: Slo) -> int:
    # Days begin at half hours in some zones; their windows must not share an hour.
    offset = calendar_stretch("day", zone_of(slo.timezone), _DAY_S).start_s % _HOUR_S
    events = _HOUR_S if not offset else 900
    return events if slo.slice_target is None else slo.slice_min * 60


def _closed(slo: Slo, end_s: int) -> Stretch:
    """The window that closed: a calendar one may go on, and is taken up to that moment."""
    if slo.calendar:
        return window_of(slo, end_s - 1)
    return Stretch(max(0, end_s - slo.window_days * _DAY_S), end_s)


def _differ(was: Said, now: Said) -> bool:
    if was.spent is None or now.spent is None:
        return was.spent is not now.spent
    return was.state != now.state or abs(was.spent - now.spent) >= _NOTICED


def _has_aged(was: Said, now: Said) -> bool:
    """Whether old telemetry was deleted meanwhile: what was said of it then still stands."""
    if now.total >= was.total or was.first_s is None:
        return False
    return now.first_s is None or now.first_s > was.first_s


def _row(slo: Slo, end_s: int, digest: str, said: Said, now_ms: int) -> dict[str, Any]:
    return {
        "project": slo.project,
        "slo": slo.id,
        "end_s": end_s,
        "digest": digest,
        "said": msgspec.to_builtins(said),
        "said_ms": now_ms,
    }


def _log(
    connection: Connection, audit: Audit, slo: Slo, found: Sequence[Restatement], now_ms: int
) -> None:
    for each in found:
        row = {
            "project": slo.project,
            "slo": slo.id,
            "end_s": each.end_s,
            "noticed_ms": now_ms,
            "was": msgspec.to_builtins(each.was),
            "now": msgspec.to_builtins(each.now),
        }
        insert_new(connection, slo_restatements, row)
    if found:
        newest = max(found, key=lambda each: each.end_s)
        detail = {
            "windows": len(found),
            "newest_end_s": newest.end_s,
            "spent_was": newest.was.spent,
            "spent_now": newest.now.spent,
        }
        audit.record(
            _ACTOR, "slo.restate", f"slo:{slo.id}", slo.project, detail,
            now_ms=now_ms, connection=connection,
        )  # fmt: skip
