"""Objectives as they are kept: read, put, deleted, each with its line in the audit log."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
from sqlalchemy import Row, delete, select

from vagus.audit.log import Audit
from vagus.errors import BadInput, NotFound, VagusError
from vagus.store.meta.db import Meta
from vagus.store.meta.tables import slos as table
from vagus.store.meta.write import upsert
from vagus.watch.objectives.policy import forget_overrides
from vagus.watch.objectives.statements import forget
from vagus.watch.slo import MAX_SLOS, Slo, decode_slo

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Kept:
    """An objective and when it was made."""

    slo: Slo
    created_ms: int


def stored_slos(meta: Meta, project: str) -> list[Kept]:
    """The objectives of a project by id; one that cannot be read any more is skipped and logged."""
    query = select(table).where(table.c.project == project).order_by(table.c.id)
    with meta.read() as connection:
        rows = connection.execute(query).all()
    return [kept for row in rows if (kept := _readable(row)) is not None]


def stored_slo(meta: Meta, project: str, slo_id: str) -> Kept:
    """One objective; `NotFound` when there is none."""
    query = select(table).where(table.c.project == project, table.c.id == slo_id)
    with meta.read() as connection:
        row = connection.execute(query).first()
    if row is None:
        raise NotFound(f"there is no objective {slo_id!r}", field="id")
    return Kept(decode_slo(row.spec), row.created_ms)


def put_slos(
    meta: Meta, audit: Audit, project: str, slos: Sequence[Slo], *, actor: str, now_ms: int
) -> None:
    """Make or replace objectives, all or none."""
    own = table.c.project == project
    with meta.begin() as connection:
        rows = connection.execute(select(table.c.id, table.c.created_ms).where(own)).all()
        before = {row.id: row.created_ms for row in rows}
        if len(before.keys() | {slo.id for slo in slos}) > MAX_SLOS:
            raise BadInput("the project has too many objectives", field="id", limit=f"{MAX_SLOS}")
        for slo in slos:
            spec = msgspec.to_builtins(slo)
            row = {
                "id": slo.id,
                "project": project,
                "spec": spec,
                "created_ms": before.get(slo.id, now_ms),
            }
            upsert(connection, table, row)
            action = "slo.update" if slo.id in before else "slo.create"
            audit.record(
                actor, action, f"slo:{slo.id}", project, {"spec": spec},
                now_ms=now_ms, connection=connection,
            )  # fmt: skip


def delete_slo(
    meta: Meta, audit: Audit, project: str, slo_id: str, *, actor: str, now_ms: int
) -> None:
    """Remove an objective with what was said of it; its open episodes are resolved."""
    with meta.begin() as connection:
        where = (table.c.project == project) & (table.c.id == slo_id)
        if not connection.execute(delete(table).where(where)).rowcount:
            raise NotFound(f"there is no objective {slo_id!r}", field="id")
        forget(connection, project, slo_id)
        forget_overrides(connection, project, slo_id)
        audit.record(
            actor, "slo.delete", f"slo:{slo_id}", project, {},
            now_ms=now_ms, connection=connection,
        )  # fmt: skip


def _readable(row: Row[tuple[object, ...]]) -> Kept | None:
    try:
        return Kept(decode_slo(row.spec), row.created_ms)
    except VagusError as e:
        _log.warning("the stored objective %s cannot be read: %s", row.id, e)
        return None
