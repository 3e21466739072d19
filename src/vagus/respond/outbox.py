"""The outbox: notifications that wait in the database until their target has taken them.

A row is written in the transaction of the state change it tells of, so neither happens without
the other. Rows of one incident go to one target in order; a row is claimed before it is sent, so
that two servers do not send it twice.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, exists, select, update

from vagus.errors import NotFound
from vagus.store.meta.db import Meta
from vagus.store.meta.tables import outbox, targets
from vagus.store.meta.write import insert_new

# Longer than any delivery takes: a claim that outlives its server is free again after this.
CLAIM_MS = 60_000
GIVE_UP_MS = 24 * 3_600_000


@dataclass(frozen=True, slots=True)
class Waiting:
    """A notification about to be sent, with all that sending needs."""

    id: int
    target_id: str
    channel: str
    url: str
    secret: str
    dedup_key: str
    body: Mapping[str, Any]
    created_ms: int
    attempts: int


@dataclass(frozen=True, slots=True)
class Delivery:
    """How one notification fared; `state` is waiting, delivered or dead."""

    id: int
    target_id: str
    target: str
    incident_id: str
    kind: str
    state: str
    attempts: int
    created_ms: int
    next_ms: int
    delivered_ms: int | None
    error: str


def enqueue(
    connection: Connection,
    *,
    project: str,
    incident_id: str,
    kind: str,
    key: str,
    body: Mapping[str, Any],
    now_ms: int,
    only: Collection[str] | None = None,
) -> int:
    """Adds one row for each enabled target of the project; says how many were new.

    `key` names the state within the incident: the same state told twice adds nothing.
    `only` are the ids of the targets that are meant, None all of them.
    """
    wanted = (targets.c.project == project) & targets.c.enabled
    if only is not None:
        wanted &= targets.c.id.in_(only)
    added = 0
    for target_id in connection.execute(select(targets.c.id).where(wanted)).scalars().all():
        row = {
            "target_id": target_id,
            "incident_id": incident_id,
            "kind": kind,
            "dedup_key": f"{target_id}:{incident_id}:{key}",
            "body": dict(body),
            "created_ms": now_ms,
            "attempts": 0,
            "next_ms": now_ms,
            "error": "",
        }
        added += insert_new(connection, outbox, row)
    return added


def told(connection: Connection, incident_id: str) -> set[str]:
    """The targets that were told of an incident, or are about to be."""
    query = select(outbox.c.target_id).where(outbox.c.incident_id == incident_id).distinct()
    return set(connection.execute(query).scalars())


def last_severity(connection: Connection, incident_id: str) -> str:
    """The severity under which an incident was told last; '' when it never was."""
    query = select(outbox.c.body).where(outbox.c.incident_id == incident_id)
    body = connection.execute(query.order_by(outbox.c.id.desc()).limit(1)).scalar()
    return str((body or {}).get("data", {}).get("severity", ""))


def due_targets(meta: Meta, now_ms: int) -> list[str]:
    """The targets that have something to be sent now."""
    with meta.read() as connection:
        query = _sendable(now_ms).with_only_columns(outbox.c.target_id).distinct()
        return list(connection.execute(query).scalars())


def claim_next(meta: Meta, target_id: str, now_ms: int) -> Waiting | None:
    """Claims the next row for a target: the least tried first, in order within an incident."""
    query = (
        _sendable(now_ms)
        .where(outbox.c.target_id == target_id)
        .order_by(outbox.c.attempts, outbox.c.id)
        .limit(1)
    )
    with meta.begin() as connection:
        row = connection.execute(query).first()
        if row is None:
            return None
        claimed = connection.execute(
            update(outbox)
            .where(outbox.c.id == row.id, outbox.c.next_ms == row.next_ms)
            .values(next_ms=now_ms + CLAIM_MS, attempts=row.attempts + 1)
        )
        if not claimed.rowcount:
            return None
    return Waiting(
        id=row.id,
        target_id=row.target_id,
        channel=row.channel,
        url=row.url,
        secret=row.secret,
        dedup_key=row.dedup_key,
        body=row.body,
        created_ms=row.created_ms,
        attempts=row.attempts + 1,
    )


def mark_delivered(meta: Meta, row_id: int, now_ms: int) -> None:
    """The target has taken it."""
    _set(meta, row_id, delivered_ms=now_ms, error="")


def hasten(meta: Meta, target_id: str, now_ms: int) -> None:
    """The target is back: what waits for it longer than a claim could is due now."""
    waiting = (outbox.c.target_id == target_id) & (outbox.c.next_ms > now_ms + CLAIM_MS)
    waiting &= outbox.c.delivered_ms.is_(None) & outbox.c.dead_ms.is_(None)
    with meta.begin() as connection:
        connection.execute(update(outbox).where(waiting).values(next_ms=now_ms))


def mark_failed(meta: Meta, waiting: Waiting, error: str, next_ms: int, now_ms: int) -> bool:
    """Sets the next attempt, or gives up when a day has passed; says whether it gave up."""
    deadline_ms = waiting.created_ms + GIVE_UP_MS
    if now_ms >= deadline_ms:
        _set(meta, waiting.id, dead_ms=now_ms, error=error)
        return True
    _set(meta, waiting.id, next_ms=min(next_ms, deadline_ms), error=error)
    return False


def mark_dead(meta: Meta, row_id: int, error: str, now_ms: int) -> None:
    """Trying again is of no use."""
    _set(meta, row_id, dead_ms=now_ms, error=error)


def deliveries(meta: Meta, project: str, limit: int = 100, state: str = "") -> list[Delivery]:
    """The latest notifications of a project, the newest first; `state` narrows them."""
    query = (
        select(outbox, targets.c.name)
        .join(targets, targets.c.id == outbox.c.target_id)
        .where(targets.c.project == project)
        .order_by(outbox.c.id.desc())
        .limit(max(1, min(limit, 1000)))
    )
    if state:
        query = query.where(_is_in(state))
    with meta.read() as connection:
        return [
            Delivery(
                id=row.id,
                target_id=row.target_id,
                target=row.name,
                incident_id=row.incident_id,
                kind=row.kind,
                state=_state(row.delivered_ms, row.dead_ms),
                attempts=row.attempts,
                created_ms=row.created_ms,
                next_ms=row.next_ms,
                delivered_ms=row.delivered_ms,
                error=row.error,
            )
            for row in connection.execute(query)
        ]


def replay(meta: Meta, project: str, row_id: int, now_ms: int) -> None:
    """Gives a dead notification another day."""
    own = select(targets.c.id).where(targets.c.project == project)
    statement = (
        update(outbox)
        .where(outbox.c.id == row_id, outbox.c.dead_ms.is_not(None))
        .where(outbox.c.target_id.in_(own))
        .values(dead_ms=None, created_ms=now_ms, next_ms=now_ms, attempts=0)
    )
    with meta.begin() as connection:
        if not connection.execute(statement).rowcount:
            raise NotFound("there is no such dead notification in this project", field="id")


def _sendable(now_ms: int) -> Select[Any]:
    earlier = outbox.alias("earlier")
    is_blocked = exists().where(
        and_(
            earlier.c.target_id == outbox.c.target_id,
            earlier.c.incident_id == outbox.c.incident_id,
            earlier.c.id < outbox.c.id,
            earlier.c.delivered_ms.is_(None),
            earlier.c.dead_ms.is_(None),
        )
    )
    return (
        select(outbox, targets.c.url, targets.c.secret, targets.c.kind.label("channel"))
        .join(targets, targets.c.id == outbox.c.target_id)
        .where(targets.c.enabled, outbox.c.next_ms <= now_ms, ~is_blocked)
        .where(outbox.c.delivered_ms.is_(None), outbox.c.dead_ms.is_(None))
    )


def _set(meta: Meta, row_id: int, **values: int | str) -> None:
    with meta.begin() as connection:
        connection.execute(update(outbox).where(outbox.c.id == row_id).values(**values))


def _is_in(state: str) -> ColumnElement[bool]:
    """The rows that `_state` calls so."""
    if state == "delivered":
        return outbox.c.delivered_ms.is_not(None)
    is_dead = outbox.c.dead_ms.is_not(None) if state == "dead" else outbox.c.dead_ms.is_(None)
    return outbox.c.delivered_ms.is_(None) & is_dead


def _state(delivered_ms: int | None, dead_ms: int | None) -> str:
    if delivered_ms is not None:
        return "delivered"
    return "waiting" if dead_ms is None else "dead"
