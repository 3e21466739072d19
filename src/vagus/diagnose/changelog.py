"""The change log that writes itself: what telemetry and the price book show, once each.

Every look covers whole minutes of event time that are settled, with enough of the time before to
be the same look whenever it is made. An id follows from what changed and when, and a change that
is known already within the half hour is not told again: so a restart, a second look or late data
doubles nothing.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, select

from vagus.diagnose.changes import WATCHED, Watched
from vagus.diagnose.shifts import (
    AFTER_MIN,
    BEFORE_MIN,
    PASSED_MIN,
    VISIBLE_MIN,
    Shift,
    find_shifts,
    is_filled,
)
from vagus.errors import VagusError
from vagus.measures.filter import Filter, quote
from vagus.measures.scope import query_body
from vagus.measures.slice import Request, read_sums
from vagus.model.change import Change
from vagus.store.engine import Engine
from vagus.store.meta import state
from vagus.store.meta.db import Meta
from vagus.store.meta.money import prices
from vagus.store.meta.tables import changes, projects
from vagus.store.meta.write import insert_new

_log = logging.getLogger(__name__)

_EVERY_MIN = 5
_DAY_MIN = 1440
#: A value that was there within these days is not new.
_KNOWN_DAYS = 7
_LOOK_BACK_MIN = 30 * _DAY_MIN
_LOOKS_A_TICK = 4
#: A dimension with more values than this in a day is no word for how a system is set up.
_MOST_VALUES = 200
_MOST_CELLS = 5_000
_SAME_MS = 30 * 60_000
_CONTEXT_MIN = AFTER_MIN + PASSED_MIN + VISIBLE_MIN + BEFORE_MIN

#: The log tells of these beside what a diagnosis compares by itself; they are no rollup's columns.
LOGGED = (
    *WATCHED,
    Watched("prompt_text", "prompt_hash", where=(("kind", ("llm",)),)),
    Watched("top_p", "top_p", where=(("kind", ("llm",)),)),
    Watched("api_key", "api_key", where=(("kind", ("llm",)),)),
)

#: Where a change was seen: nothing for the whole project, a service, or a service and a feature.
Place = tuple[str, ...]
_PLACES = ("service", "feature")
Cells = Mapping[Place, Mapping[str, NDArray[np.float64]]]


@dataclass(frozen=True, slots=True)
class Look:
    """A stretch to look at, in minutes; changes before `report_min` were told by an earlier one."""

    start_min: int
    report_min: int
    end_min: int


class ChangeLog:
    """Writes the changes of all projects; one caller at a time."""

    def __init__(self, engine: Engine, meta: Meta) -> None:
        self._engine = engine
        self._meta = meta

    def tick(self, settled_s: float) -> int:
        """Look at what has settled since; returns how many changes were written."""
        until_min = int(settled_s // 60)
        with self._meta.read() as connection:
            found = list(
                connection.execute(select(projects.c.id).order_by(projects.c.id)).scalars()
            )
        return sum(self._project(project, until_min) for project in found)

    def recheck(self, back_min: int = _LOOK_BACK_MIN) -> None:
        """Look again from so long ago on, over the next ticks: old telemetry has come in."""
        with self._meta.read() as connection:
            found = list(connection.execute(select(projects.c.id)).scalars())
        for project in found:
            reached = state.get(self._meta, _reached_key(project))
            if reached is not None:
                state.put(self._meta, _reached_key(project), max(0, reached - back_min))

    def _project(self, project: str, until_min: int) -> int:
        since = int(state.get(self._meta, _reached_key(project), until_min - _DAY_MIN))
        written = self._prices(project)
        for _ in range(_LOOKS_A_TICK):
            if until_min - since < _EVERY_MIN:
                break
            end_min = min(until_min, since + _DAY_MIN)
            report_min = since - AFTER_MIN - PASSED_MIN
            look = Look(max(0, since - _CONTEXT_MIN), report_min, end_min)
            written += self._look(project, look) if _is_there(self._engine, project, look) else 0
            state.put(self._meta, _reached_key(project), end_min)
            since = end_min
        return written

    def _look(self, project: str, look: Look) -> int:
        """One look at every kind; a kind that cannot be read is left out and logged."""
        found: list[Change] = []
        for watched in LOGGED:
            try:
                found += detect(self._engine, project, watched, look)
            except VagusError as e:
                _log.warning("changes of %s in %s cannot be read: %s", watched.kind, project, e)
        # A new model that was asked for answers, of course; only one that was not is told of.
        asked = tuple(change.after for change in found if change.kind == "model")
        kept = [c for c in found if c.kind != "response_model" or not c.after.startswith(asked)]
        with self._meta.begin() as connection:
            return sum(write_change(connection, change) for change in kept)

    def _prices(self, project: str) -> int:
        """The prices of the project's own; each edit is a change at its moment."""
        query = select(prices).where(prices.c.project == project)
        with self._meta.read() as connection:
            rows = connection.execute(query).all()
        with self._meta.begin() as connection:
            return sum(
                write_change(
                    connection,
                    Change(
                        project=project,
                        time_ms=row.updated_ms,
                        kind="price",
                        title=f"price {row.spec.get('name') or row.id} was set",
                        after=f"{row.id}@{row.updated_ms}",
                        source="price book",
                    ),
                )
                for row in rows
            )


def _is_there(engine: Engine, project: str, look: Look) -> bool:
    """Whether a look has anything new to see."""
    answer = engine.query(
        "SELECT count() AS n FROM (SELECT 1 FROM step_minutes WHERE project = {project:String} "
        "AND minute >= fromUnixTimestamp({start_s:UInt32}) "
        "AND minute < fromUnixTimestamp({end_s:UInt32}) LIMIT 1)",
        {"project": project, "start_s": look.report_min * 60, "end_s": look.end_min * 60},
    )
    return bool(answer.one())


def detect(engine: Engine, project: str, watched: Watched, look: Look) -> list[Change]:
    """The changes of one kind that a look shows, each in the narrowest place that shows it."""
    window_s = look.start_min * 60, look.end_min * 60
    every = read_sums(
        engine, project, watched.measure, Filter(()), (watched.dimension,), window_s
    )  # fmt: skip
    values = {key[0] for key in every if key[0]}
    if not 1 <= len(values) <= _MOST_VALUES:
        return []
    known = _known(engine, project, watched, look)
    if len(values | known) < 2:
        return []
    cells = _read(engine, project, watched, look)
    first = look.report_min - look.start_min
    seen = {
        place: find_shifts(counts, first, known, is_young=not known)
        for place, counts in cells.items()
    }
    return [_change(project, watched, look, place, shift) for place, shift in narrow(cells, seen)]


def narrow(cells: Cells, seen: Mapping[Place, list[Shift]]) -> list[tuple[Place, Shift]]:
    """Each shift once: in the whole project, or only where it happened when others stayed."""
    found: list[tuple[Place, Shift]] = []
    for width in (0, 1, 2):
        for place in sorted(p for p in seen if len(p) == width):
            found += [
                (place, shift)
                for shift in seen[place]
                if not _is_told(place, shift, found) and _is_whole(place, shift, cells, seen)
            ]
    return found


def _is_told(place: Place, shift: Shift, found: list[tuple[Place, Shift]]) -> bool:
    """Whether a wider place tells of this shift already."""
    return any(place[: len(wider)] == wider and _is_same(shift, told) for wider, told in found)


def _is_whole(place: Place, shift: Shift, cells: Cells, seen: Mapping[Place, list[Shift]]) -> bool:
    """Whether a shift is one of the whole place, and not of some of the places within it."""
    within = [
        p
        for p, counts in cells.items()
        if len(p) == len(place) + 1
        and p[: len(place)] == place
        and is_filled(_total(counts), shift.index)
    ]
    if len(within) == 1:
        return _is_whole(within[0], shift, cells, seen)
    shown = [p for p in within if any(_is_same(shift, other) for other in seen.get(p, ()))]
    return not shown or len(shown) == len(within)


def _is_same(one: Shift, other: Shift) -> bool:
    return one.value == other.value and abs(one.index - other.index) <= PASSED_MIN


def _total(counts: Mapping[str, NDArray[np.float64]]) -> NDArray[np.float64]:
    return np.concatenate(([0.0], np.cumsum(np.sum(list(counts.values()), axis=0))))


def _read(engine: Engine, project: str, watched: Watched, look: Look) -> Cells:
    """How often each value came in each minute, in the project, its services and features."""
    by = (*_PLACES, watched.dimension)
    window_s = look.start_min * 60, look.end_min * 60
    rows = read_sums(engine, project, watched.measure, Filter(()), by, window_s, 60)
    cells: dict[Place, dict[str, NDArray[np.float64]]] = {}
    is_wide = len(rows) > _MOST_CELLS
    for (service, feature, value), steps in rows.items():
        if not value:
            continue
        # Too many features to look at each: the project as a whole still is.
        places = [()] if is_wide else [(), (service,), (service, feature)]
        for place in places:
            row = cells.setdefault(place, {}).setdefault(
                value, np.zeros(look.end_min - look.start_min)
            )
            for t_s, sums in steps.items():
                row[t_s // 60 - look.start_min] += sums.by_role.get("numerator", 0.0)
    return cells


def _known(engine: Engine, project: str, watched: Watched, look: Look) -> set[str]:
    """The values of the days before a look."""
    window_s = max(0, look.start_min - _KNOWN_DAYS * _DAY_MIN) * 60, look.start_min * 60
    if window_s[0] >= window_s[1]:
        return set()
    rows = read_sums(
        engine, project, watched.measure, Filter(()), (watched.dimension,), window_s
    )  # fmt: skip
    return {key[0] for key in rows if key[0]}


def _change(project: str, watched: Watched, look: Look, place: Place, shift: Shift) -> Change:
    scope = {name: value for name, value in zip(_PLACES, place, strict=False) if value}
    at_min = look.start_min + shift.index
    window_s = (at_min - BEFORE_MIN) * 60, (at_min + AFTER_MIN) * 60
    terms = [f"{name}:{quote(value)}" for name, value in scope.items()]
    terms += [f"{name}:{','.join(values)}" for name, values in watched.where]
    request = Request(watched.measure.id, *window_s, (watched.dimension,), " ".join(terms), 300)
    return Change(
        project=project,
        time_ms=at_min * 60_000,
        kind=watched.kind,
        title=_title(watched.kind, shift),
        before=shift.before,
        after=shift.value,
        scope=scope,
        share=round(shift.share_after, 6),
        share_before=round(shift.share_before, 6),
        query=query_body(request),
    )


def _title(kind: str, shift: Shift) -> str:
    words = kind.replace("_", " ")
    if shift.is_new:
        told = f"{words} {shift.value} is seen for the first time"
        return f"{told}, where {shift.before} was" if shift.share_after > 0.5 else told
    shares = f"{shift.share_before:.0%} to {shift.share_after:.0%}"
    return f"{words} {shift.value} goes from {shares} of the traffic"


def write_change(connection: Connection, change: Change) -> bool:
    """Keep a change unless it is known; says whether it was new."""
    named = msgspec.structs.replace(change, change_id=_id(change))
    near = (
        select(changes.c.data)
        .where(changes.c.project == change.project)
        .where(changes.c.time_ms.between(change.time_ms - _SAME_MS, change.time_ms + _SAME_MS))
    )
    for data in connection.execute(near).scalars():
        if _same(msgspec.convert(data, Change), change):
            return False
    return insert_new(
        connection,
        changes,
        {
            "id": named.change_id,
            "project": named.project,
            "time_ms": named.time_ms,
            "data": msgspec.to_builtins(named),
        },
    )


def _same(known: Change, change: Change) -> bool:
    return known.source == change.source and (known.kind, known.after, known.scope) == (
        change.kind,
        change.after,
        change.scope,
    )


def _id(change: Change) -> str:
    """Follows from what changed, where and when."""
    said = [change.project, change.kind, change.after, sorted(change.scope.items()), change.time_ms]
    digest = hashlib.sha256(msgspec.json.encode([change.source, *said])).hexdigest()
    return f"c_{digest[:16]}"


def _reached_key(project: str) -> str:
    return f"changelog:{project}"
