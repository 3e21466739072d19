"""Silences: for a time nobody is told of what they match; author, reason and end are on record."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, func, insert, select, update

from vagus.audit.log import Audit
from vagus.errors import BadInput, NotFound
from vagus.respond.quiet.matcher import Matcher, decode_matchers
from vagus.store.meta.db import Meta
from vagus.store.meta.notify import silences

LONGEST_MS = 30 * 86_400_000
_REASON_LIMIT = 1000
_SILENCE_LIMIT = 500


@dataclass(frozen=True, slots=True)
class Silence:
    """One silence; it holds from `starts_ms` until `ends_ms`."""

    id: str
    project: str
    author: str
    reason: str
    matchers: tuple[Matcher, ...]
    starts_ms: int
    ends_ms: int
    created_ms: int


class Silences:
    """The silences of all projects, each change in the audit log."""

    def __init__(self, meta: Meta, audit: Audit) -> None:
        self._meta = meta
        self._audit = audit

    def create(
        self,
        project: str,
        reason: str,
        matchers: Sequence[Mapping[str, Any]],
        *,
        starts_ms: int | None = None,
        ends_ms: int,
        actor: str,
        now_ms: int,
    ) -> Silence:
        """Makes a silence that begins now or later and ends within thirty days."""
        begin_ms = max(starts_ms or now_ms, now_ms)
        _check(reason, begin_ms, ends_ms)
        checked = decode_matchers(matchers, may_be_empty=False)
        silence = Silence(
            f"s_{secrets.token_hex(8)}", project, actor, reason, checked, begin_ms, ends_ms, now_ms
        )
        columns = {column: getattr(silence, column) for column in Silence.__slots__}
        columns["matchers"] = msgspec.to_builtins(checked)
        with self._meta.begin() as connection:
            mine = (silences.c.project == project) & (silences.c.ends_ms > now_ms)
            count = select(func.count()).select_from(silences).where(mine)
            if connection.execute(count).scalar_one() >= _SILENCE_LIMIT:
                raise BadInput("the project has too many silences", limit=str(_SILENCE_LIMIT))
            connection.execute(insert(silences).values(**columns))
            detail = {
                "reason": reason,
                "matchers": columns["matchers"],
                "starts_ms": begin_ms,
                "ends_ms": ends_ms,
            }
            self._record(connection, actor, "silence.create", silence.id, project, detail, now_ms)
        return silence

    def end(self, project: str, silence_id: str, *, actor: str, now_ms: int) -> None:
        """Ends a silence now; it stays on record."""
        live = (silences.c.id == silence_id) & (silences.c.project == project)
        live &= silences.c.ends_ms > now_ms
        with self._meta.begin() as connection:
            if not connection.execute(update(silences).where(live).values(ends_ms=now_ms)).rowcount:
                raise NotFound("there is no such silence in force in this project", field="id")
            self._record(connection, actor, "silence.end", silence_id, project, {}, now_ms)

    def of_project(self, project: str, limit: int = 500) -> list[Silence]:
        """The silences of a project, those that end last first, ended ones included."""
        query = select(silences).where(silences.c.project == project)
        query = query.order_by(silences.c.ends_ms.desc(), silences.c.id).limit(limit)
        with self._meta.read() as connection:
            return [_silence(row) for row in connection.execute(query)]

    def _record(
        self,
        connection: Connection,
        actor: str,
        action: str,
        silence_id: str,
        project: str,
        detail: Mapping[str, Any],
        now_ms: int,
    ) -> None:
        self._audit.record(
            actor,
            action,
            f"silence:{silence_id}",
            project,
            detail,
            now_ms=now_ms,
            connection=connection,
        )


def in_force(connection: Connection, now_ms: int) -> list[Silence]:
    """The silences that hold now, of all projects, the one that ends last first."""
    query = select(silences).where(silences.c.starts_ms <= now_ms, silences.c.ends_ms > now_ms)
    rows = connection.execute(query.order_by(silences.c.ends_ms.desc(), silences.c.id))
    return [_silence(row) for row in rows]


def _check(reason: str, starts_ms: int, ends_ms: int) -> None:
    if not reason.strip() or len(reason) > _REASON_LIMIT:
        limit = f"1 to {_REASON_LIMIT} characters"
        raise BadInput("a silence needs a reason", field="reason", limit=limit)
    if ends_ms <= starts_ms:
        raise BadInput("a silence ends after it begins, and in the future", field="ends_ms")
    if ends_ms - starts_ms > LONGEST_MS:
        raise BadInput("a silence is too long", field="ends_ms", limit="30 days")


def _silence(row: Row[Any]) -> Silence:
    columns = {column: getattr(row, column) for column in Silence.__slots__}
    columns["matchers"] = msgspec.convert(columns["matchers"], tuple[Matcher, ...])
    return Silence(**columns)
