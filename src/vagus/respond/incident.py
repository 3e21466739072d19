"""Incidents: reading them with their timeline, and what people do to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, insert, select, update

from vagus.audit.log import Audit
from vagus.errors import BadInput, NotFound
from vagus.model.episode import Episode
from vagus.model.finding import Finding
from vagus.respond.members import OPEN_STATES as OPEN_STATES
from vagus.respond.members import members_of
from vagus.respond.message import tell
from vagus.respond.phases import phase_of
from vagus.respond.response import Clocks, Response, clocks_of, response_of, responses_of
from vagus.store.meta.db import Meta
from vagus.store.meta.tables import incident_events, incidents

_NOTE_LIMIT = 10_000


@dataclass(frozen=True, slots=True)
class Event:
    """One entry of a timeline; entries are added, never changed."""

    id: int
    time_ms: int
    kind: str
    actor: str
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Incident:
    """One incident; `occurred_ms` is when it began, `opened_ms` when it was noticed."""

    id: str
    number: int
    project: str
    title: str
    severity: str
    state: str
    occurred_ms: int
    opened_ms: int
    acknowledged_ms: int | None
    resolved_ms: int | None
    updated_ms: int
    cause: str
    finding: Finding | None
    episodes: tuple[Episode, ...]
    response: Response

    @property
    def phase(self) -> str:
        """Where it stands between triage and closed."""
        return phase_of(self.state, self.response.phase)

    @property
    def clocks(self) -> Clocks:
        """Its times, each kept apart."""
        return clocks_of(self, self.response)


def list_incidents(
    meta: Meta, project: str, state: str | None = None, limit: int = 100
) -> list[Incident]:
    """The incidents of a project, the newest first; `open` are all that still go on."""
    query = select(incidents).where(incidents.c.project == project)
    if state is not None:
        wanted = OPEN_STATES if state == "open" else (state,)
        query = query.where(incidents.c.state.in_(wanted))
    query = query.order_by(incidents.c.number.desc()).limit(max(1, min(limit, 1000)))
    with meta.read() as connection:
        rows = connection.execute(query).all()
        members = members_of(connection, [row.id for row in rows])
        said = responses_of(connection, [row.id for row in rows])
    return [_incident(row, members.get(row.id, ()), said.get(row.id)) for row in rows]


def read_incident(meta: Meta, project: str, incident_id: str) -> tuple[Incident, list[Event]]:
    """One incident and its timeline, the oldest entry first."""
    with meta.read() as connection:
        row = find_incident(connection, project, incident_id)
        members = members_of(connection, [incident_id])
        said = response_of(connection, incident_id)
        query = select(incident_events).where(incident_events.c.incident_id == incident_id)
        events = [
            Event(event.id, event.time_ms, event.kind, event.actor, event.detail)
            for event in connection.execute(query.order_by(incident_events.c.id))
        ]
    return _incident(row, members.get(incident_id, ()), said), events


class People:
    """What people do to incidents, each act on the timeline and in the audit log."""

    def __init__(self, meta: Meta, audit: Audit, public_url: str = "") -> None:
        self._meta = meta
        self._audit = audit
        self._public_url = public_url

    def acknowledge(
        self, project: str, incident_id: str, note: str = "", *, actor: str, now_ms: int
    ) -> None:
        """Somebody takes it on."""
        with self._meta.begin() as connection:
            row = find_incident(connection, project, incident_id)
            if row.state != "open":
                raise BadInput(f"incident {row.number} is {row.state} already", field="state")
            values = {"state": "acknowledged", "acknowledged_ms": now_ms}
            self._change(connection, row, "acknowledged", values, note, actor, now_ms)

    def resolve(
        self, project: str, incident_id: str, note: str = "", *, actor: str, now_ms: int
    ) -> None:
        """Somebody says that it is over; episodes that still fire stay with it."""
        with self._meta.begin() as connection:
            row = find_incident(connection, project, incident_id)
            if row.state not in OPEN_STATES:
                raise BadInput(f"incident {row.number} is {row.state} already", field="state")
            values = {"state": "resolved", "resolved_ms": now_ms}
            self._change(connection, row, "resolved", values, note, actor, now_ms)

    def note(self, project: str, incident_id: str, note: str, *, actor: str, now_ms: int) -> None:
        """Somebody writes something down."""
        if not note.strip():
            raise BadInput("a note needs words", field="note")
        with self._meta.begin() as connection:
            row = find_incident(connection, project, incident_id)
            self._change(connection, row, "note", {}, note, actor, now_ms)

    def _change(
        self,
        connection: Connection,
        row: Row[Any],
        kind: str,
        values: Mapping[str, Any],
        note: str,
        actor: str,
        now_ms: int,
    ) -> None:
        if len(note) > _NOTE_LIMIT:
            raise BadInput("the note is too long", field="note", limit=f"{_NOTE_LIMIT} characters")
        changed = update(incidents).where(incidents.c.id == row.id, incidents.c.state == row.state)
        if not connection.execute(changed.values(updated_ms=now_ms, **values)).rowcount:
            raise BadInput("somebody else changed the incident just now", field="state")
        add_event(connection, row.id, kind, actor, {"note": note} if note else {}, now_ms)
        self._audit.record(
            actor,
            f"incident.{kind}",
            f"incident:{row.id}",
            row.project,
            now_ms=now_ms,
            connection=connection,
        )
        if values:
            tell(connection, row.id, kind, key=kind, public_url=self._public_url, now_ms=now_ms)


def add_event(
    connection: Connection,
    incident_id: str,
    kind: str,
    actor: str,
    detail: Mapping[str, Any],
    now_ms: int,
) -> None:
    """Adds an entry to a timeline."""
    connection.execute(
        insert(incident_events).values(
            incident_id=incident_id, time_ms=now_ms, kind=kind, actor=actor, detail=dict(detail)
        )
    )


def find_incident(connection: Connection, project: str, incident_id: str) -> Row[Any]:
    """The row of an incident; raises `NotFound` when the project has no such one."""
    where = (incidents.c.id == incident_id) & (incidents.c.project == project)
    row = connection.execute(select(incidents).where(where)).first()
    if row is None:
        raise NotFound("there is no such incident in this project", field="id")
    return row


def _incident(row: Row[Any], members: tuple[Episode, ...], response: Response | None) -> Incident:
    return Incident(
        id=row.id,
        number=row.number,
        project=row.project,
        title=row.title,
        severity=row.severity,
        state=row.state,
        occurred_ms=row.occurred_ms,
        opened_ms=row.opened_ms,
        acknowledged_ms=row.acknowledged_ms,
        resolved_ms=row.resolved_ms,
        updated_ms=row.updated_ms,
        cause=row.cause,
        finding=None if row.finding is None else msgspec.convert(row.finding, Finding),
        episodes=members,
        response=response or Response(),
    )
