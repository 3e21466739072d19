"""What a notification says: an incident as plain JSON."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from vagus.respond import outbox
from vagus.respond.members import members_of
from vagus.respond.urgency import QUIET, class_of
from vagus.store.meta.notify import incident_notices
from vagus.store.meta.tables import incidents


def tell(
    connection: Connection,
    incident_id: str,
    kind: str,
    *,
    key: str,
    public_url: str,
    now_ms: int,
    only: Collection[str] | None = None,
    extra: Mapping[str, Any] | None = None,
) -> int:
    """Puts the incident's present state into the outbox, in the transaction that changed it.

    `key` names the state: each target hears of it once. `only` are the targets it is for; without
    them those that were told of the incident before. While something keeps the incident back,
    updates are not sent; that it is taken on or over is, to whoever was told that it began.
    """
    where = incident_notices.c.incident_id == incident_id
    notice = connection.execute(select(incident_notices).where(where)).first()
    if kind == "updated" and (notice is None or notice.held):
        return 0
    row = connection.execute(select(incidents).where(incidents.c.id == incident_id)).one()
    body = body_of(connection, row, notice, kind, public_url, now_ms)
    before = outbox.last_severity(connection, incident_id)
    if before not in ("", body["data"]["severity"]):
        body["data"]["severity_before"] = before
    body["data"].update(extra or {})
    return outbox.enqueue(
        connection,
        project=row.project,
        incident_id=incident_id,
        kind=kind,
        key=key,
        body=body,
        now_ms=now_ms,
        only=outbox.told(connection, incident_id) if only is None else only,
    )


def body_of(
    connection: Connection,
    row: Row[Any],
    notice: Row[Any] | None,
    kind: str,
    public_url: str,
    now_ms: int,
) -> dict[str, Any]:
    """The body: the event's type and time, and the incident as it is now."""
    finding = row.finding or {}
    is_quiet = notice is not None and notice.urgency == QUIET
    return {
        "type": f"incident.{kind}",
        "timestamp": datetime.fromtimestamp(now_ms / 1000, UTC).isoformat(),
        "data": {
            "id": row.id,
            "number": row.number,
            "project": row.project,
            "title": row.title,
            "severity": "ticket" if is_quiet else row.severity,
            "state": row.state,
            "occurred_ms": row.occurred_ms,
            "opened_ms": row.opened_ms,
            "acknowledged_ms": row.acknowledged_ms,
            "resolved_ms": row.resolved_ms,
            "cause": row.cause,
            "class": class_of(members_of(connection, [row.id]).get(row.id, ())),
            "labels": {} if notice is None else notice.labels,
            "summary": finding.get("summary", ""),
            "url": f"{public_url.rstrip('/')}/incidents/{row.id}" if public_url else "",
        },
    }


def trial_body(project: str, target_id: str, now_ms: int) -> dict[str, Any]:
    """The body of a message that only says that a target works."""
    return {
        "type": "incident.test",
        "timestamp": datetime.fromtimestamp(now_ms / 1000, UTC).isoformat(),
        "data": {
            "id": f"test-{target_id}",
            "project": project,
            "title": "Vagus test message",
            "severity": "test",
            "state": "open",
            "summary": "Somebody asked Vagus to try this target. There is nothing to do.",
            "url": "",
        },
    }
