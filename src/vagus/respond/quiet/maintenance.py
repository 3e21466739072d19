"""Maintenance windows: planned quiet, once or again and again, in the time of a place."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from sqlalchemy import Connection, Row, delete, insert, select

from vagus.audit.log import Audit
from vagus.errors import BadInput, NotFound
from vagus.respond.quiet.matcher import Matcher, decode_matchers
from vagus.store.meta.db import Meta
from vagus.store.meta.notify import maintenance_windows

_WINDOW_LIMIT = 100
_AHEAD_DAYS = 366
_MINUTES_OF_A_DAY = 1440
_LONGEST_MIN = 7 * _MINUTES_OF_A_DAY
_TIME_ZONES_LIMIT = 64

Minutes = Annotated[int, msgspec.Meta(ge=1, le=_LONGEST_MIN)]
Weekday = Annotated[int, msgspec.Meta(ge=1, le=7)]


class Plan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a window is: `start` is its first day and the time of day, in `timezone`.

    It repeats never, daily, weekly on `weekdays` (1 is Monday; none means that of `start`) or
    monthly on the day of `start` (in months that have it), until `until`, a day, that day included.
    Without `matchers` it is about the whole project.
    """

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    start: datetime
    minutes: Minutes
    timezone: str = "UTC"
    repeat: Literal["once", "daily", "weekly", "monthly"] = "once"
    weekdays: list[Weekday] = []
    until: date | None = None
    matchers: list[Matcher] = []


@dataclass(frozen=True, slots=True)
class Window:
    """One maintenance window."""

    id: str
    project: str
    author: str
    plan: Plan
    created_ms: int


def decode_plan(raw: Mapping[str, Any]) -> Plan:
    """A checked plan; raises `BadInput` with what is wrong."""
    try:
        # People write 02:00; the decoder wants seconds too.
        start = datetime.fromisoformat(str(raw.get("start", "")))
        plan = msgspec.convert({**raw, "start": start}, Plan)
    except (msgspec.ValidationError, ValueError) as e:
        raise BadInput(f"the maintenance window is malformed: {e}") from e
    if plan.start.tzinfo is not None:
        raise BadInput("start is local time: the zone stands in timezone", field="start")
    try:
        if len(plan.timezone) > _TIME_ZONES_LIMIT:
            raise ZoneInfoNotFoundError(plan.timezone[:_TIME_ZONES_LIMIT])
        ZoneInfo(plan.timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as e:
        raise BadInput("this time zone is not known", field="timezone") from e
    decode_matchers([msgspec.to_builtins(m) for m in plan.matchers], may_be_empty=True)
    return plan


def occurrence(plan: Plan, now_ms: int, ahead_days: int = _AHEAD_DAYS) -> tuple[int, int] | None:
    """The start and end of the time that holds now or comes next; None when there is none left.

    The start is the wall clock's; it lasts `minutes` of real time, whatever the clocks do then.
    """
    zone = ZoneInfo(plan.timezone)
    today = datetime.fromtimestamp(now_ms / 1000, zone).date()
    first = today - timedelta(days=plan.minutes // _MINUTES_OF_A_DAY + 1)
    last = today + timedelta(days=ahead_days)
    for day in _days(plan, max(first, plan.start.date()), last):
        start = datetime.combine(day, plan.start.time(), zone)
        start_ms = int(start.timestamp() * 1000)
        end_ms = start_ms + plan.minutes * 60_000
        if end_ms > now_ms:
            return start_ms, end_ms
    return None


def is_active(plan: Plan, now_ms: int) -> bool:
    """Whether the window holds now."""
    found = occurrence(plan, now_ms, ahead_days=1)
    return found is not None and found[0] <= now_ms


class Windows:
    """The maintenance windows of all projects, each change in the audit log."""

    def __init__(self, meta: Meta, audit: Audit) -> None:
        self._meta = meta
        self._audit = audit

    def create(self, project: str, plan: Plan, *, actor: str, now_ms: int) -> Window:
        """Makes a window."""
        if len(self.of_project(project)) >= _WINDOW_LIMIT:
            raise BadInput("the project has too many windows", limit=str(_WINDOW_LIMIT))
        if occurrence(plan, now_ms, ahead_days=3660) is None:
            raise BadInput("the window lies in the past", field="start")
        window = Window(f"m_{secrets.token_hex(8)}", project, actor, plan, now_ms)
        columns = {c: getattr(window, c) for c in Window.__slots__ if c != "plan"}
        spec = msgspec.to_builtins(plan)
        with self._meta.begin() as connection:
            connection.execute(insert(maintenance_windows).values(spec=spec, **columns))
            self._record(connection, "create", window.id, project, {"spec": spec}, actor, now_ms)
        return window

    def delete(self, project: str, window_id: str, *, actor: str, now_ms: int) -> None:
        """Removes a window."""
        where = maintenance_windows.c.id == window_id
        where &= maintenance_windows.c.project == project
        with self._meta.begin() as connection:
            if not connection.execute(delete(maintenance_windows).where(where)).rowcount:
                raise NotFound("there is no such window in this project", field="id")
            self._record(connection, "delete", window_id, project, {}, actor, now_ms)

    def of_project(self, project: str) -> list[Window]:
        """The windows of a project, the oldest first."""
        with self._meta.read() as connection:
            return [window for window in _read(connection) if window.project == project]

    def _record(
        self,
        connection: Connection,
        act: str,
        window_id: str,
        project: str,
        detail: Mapping[str, Any],
        actor: str,
        now_ms: int,
    ) -> None:
        self._audit.record(
            actor,
            f"maintenance.{act}",
            f"maintenance:{window_id}",
            project,
            detail,
            now_ms=now_ms,
            connection=connection,
        )


def in_force(connection: Connection, now_ms: int) -> list[Window]:
    """The windows that hold now, of all projects."""
    return [window for window in _read(connection) if is_active(window.plan, now_ms)]


def _read(connection: Connection) -> list[Window]:
    query = select(maintenance_windows).order_by(
        maintenance_windows.c.created_ms, maintenance_windows.c.id
    )
    return [_window(row) for row in connection.execute(query)]


def _window(row: Row[Any]) -> Window:
    plan = msgspec.convert(row.spec, Plan)
    return Window(row.id, row.project, row.author, plan, row.created_ms)


def _days(plan: Plan, first: date, last: date) -> Iterator[date]:
    final = min(last, plan.until) if plan.until else last
    if plan.repeat == "once":
        # The one day may lie further ahead than anybody looks for repetitions.
        yield plan.start.date()
        return
    for offset in range((final - first).days + 1):
        day = first + timedelta(days=offset)
        if _recurs(plan, day):
            yield day


def _recurs(plan: Plan, day: date) -> bool:
    if plan.repeat == "weekly":
        return day.isoweekday() in (plan.weekdays or [plan.start.isoweekday()])
    return plan.repeat == "daily" or day.day == plan.start.day
