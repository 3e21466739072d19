"""The list of changes, told and seen; the API and MCP both read it here."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
from sqlalchemy import or_, select

from vagus.model.change import Change
from vagus.store.meta.db import Meta
from vagus.store.meta.tables import changes


@dataclass(frozen=True, slots=True)
class ChangeQuestion:
    """What is asked of the list; times are epoch seconds, what is empty narrows nothing."""

    start_s: int
    end_s: int
    kinds: tuple[str, ...] = ()
    source: str = ""
    service: str = ""
    limit: int = 500


def list_changes(meta: Meta, project: str, asked: ChangeQuestion) -> list[Change]:
    """The changes of a project, the newest first; of a service, also those that name none."""
    query = (
        select(changes.c.id, changes.c.data)
        .where(changes.c.project == project)
        .where(changes.c.time_ms.between(asked.start_s * 1000, (asked.end_s + 1) * 1000))
        .order_by(changes.c.time_ms.desc(), changes.c.id)
        .limit(asked.limit)
    )
    if asked.kinds:
        query = query.where(changes.c.data["kind"].as_string().in_(asked.kinds))
    if asked.source:
        query = query.where(changes.c.data["source"].as_string() == asked.source)
    if asked.service:
        service = changes.c.data[("scope", "service")].as_string()
        query = query.where(or_(service == asked.service, service.is_(None)))
    with meta.read() as connection:
        rows = connection.execute(query).all()
    return [
        msgspec.structs.replace(msgspec.convert(row.data, Change), change_id=row.id) for row in rows
    ]
