"""The audit log: one row for each administrative action and each sign-in, never changed again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, insert, select

from vagus.store.meta.db import Meta
from vagus.store.meta.tables import audit

_TEXT_LIMIT = 500
_PAGE_LIMIT = 1000


@dataclass(frozen=True, slots=True)
class Entry:
    """One audit row; `project` is empty for actions on the whole instance."""

    id: int
    time_ms: int
    actor: str
    action: str
    object: str
    project: str
    detail: Mapping[str, Any]


class Audit:
    """Writes and reads the audit log; the database itself refuses to change a row."""

    def __init__(self, meta: Meta) -> None:
        self._meta = meta

    def record(
        self,
        actor: str,
        action: str,
        object: str,
        project: str = "",
        detail: Mapping[str, Any] | None = None,
        *,
        now_ms: int,
        connection: Connection | None = None,
    ) -> None:
        """Adds a row; with `connection` it commits or vanishes together with the action itself."""
        statement = insert(audit).values(
            time_ms=now_ms,
            actor=actor[:_TEXT_LIMIT],
            action=action[:_TEXT_LIMIT],
            object=object[:_TEXT_LIMIT],
            project=project[:_TEXT_LIMIT],
            detail=dict(detail or {}),
        )
        if connection is not None:
            connection.execute(statement)
            return
        with self._meta.begin() as own:
            own.execute(statement)

    def read(
        self,
        project: str | None = None,
        *,
        actor: str | None = None,
        action: str | None = None,
        before_id: int | None = None,
        limit: int = 100,
    ) -> list[Entry]:
        """A page of rows, the newest first; the next page starts `before_id` the last one."""
        query = select(audit).order_by(audit.c.id.desc()).limit(max(1, min(limit, _PAGE_LIMIT)))
        for column, wanted in (
            (audit.c.project, project),
            (audit.c.actor, actor),
            (audit.c.action, action),
        ):
            if wanted is not None:
                query = query.where(column == wanted)
        if before_id is not None:
            query = query.where(audit.c.id < before_id)
        with self._meta.read() as connection:
            return [_entry(row) for row in connection.execute(query)]


def _entry(row: Row[Any]) -> Entry:
    return Entry(
        id=row.id,
        time_ms=row.time_ms,
        actor=row.actor,
        action=row.action,
        object=row.object,
        project=row.project,
        detail=row.detail,
    )
