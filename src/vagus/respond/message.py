"""What a notification says: an incident as plain JSON."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from vagus.respond import outbox
from vagus.store.meta.tables import incidents


def tell(
    connection: Connection, incident_id: str, kind: str, *, key: str, public_url: str, now_ms: int
) -> None:
    """Puts the incident's present state into the outbox, in the transaction that changed it.

    `key` names the state: each target hears of it once.
    """
    row = connection.execute(select(incidents).where(incidents.c.id == incident_id)).one()
    outbox.enqueue(
        connection,
        project=row.project,
        incident_id=incident_id,
        kind=kind,
        key=key,
        body=body_of(row, kind, public_url, now_ms),
        now_ms=now_ms,
    )


def body_of(row: Row[Any], kind: str, public_url: str, now_ms: int) -> Mapping[str, Any]:
    """The body: the event's type and time, and the incident as it is now."""
    finding = row.finding or {}
    return {
        "type": f"incident.{kind}",
        "timestamp": datetime.fromtimestamp(now_ms / 1000, UTC).isoformat(),
        "data": {
            "id": row.id,
            "number": row.number,
            "project": row.project,
            "title": row.title,
            "severity": row.severity,
            "state": row.state,
            "occurred_ms": row.occurred_ms,
            "opened_ms": row.opened_ms,
            "acknowledged_ms": row.acknowledged_ms,
            "resolved_ms": row.resolved_ms,
            "cause": row.cause,
            "summary": finding.get("summary", ""),
            "url": f"{public_url.rstrip('/')}/incidents/{row.id}" if public_url else "",
        },
    }
