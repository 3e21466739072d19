"""Targets: whom a project tells of its incidents, and the secrets that this takes."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, delete, insert, select, update

from vagus.audit.log import Audit
from vagus.errors import BadInput, NotFound
from vagus.respond.address import check_url
from vagus.respond.channels.all import channel_of
from vagus.respond.channels.mail import SCHEME
from vagus.store.meta.db import Meta
from vagus.store.meta.tables import targets

_NAME_LIMIT = 200
_TARGET_LIMIT = 100


@dataclass(frozen=True, slots=True)
class Target:
    """One target; a secret that Vagus makes is shown when it is made and never again."""

    id: str
    project: str
    name: str
    url: str
    enabled: bool
    created_ms: int
    kind: str = "webhook"

    @property
    def shown_url(self) -> str:
        """The address as it may be shown: of one that is itself a password, the host alone."""
        if not channel_of(self.kind).is_address_secret:
            return self.url
        return f"https://{check_url(self.url).host}/…"


class Targets:
    """The targets of all projects."""

    def __init__(self, meta: Meta, audit: Audit) -> None:
        self._meta = meta
        self._audit = audit

    def create(
        self,
        project: str,
        name: str,
        url: str,
        *,
        kind: str = "webhook",
        secret: str = "",
        actor: str,
        now_ms: int,
    ) -> tuple[Target, str]:
        """Makes a target, and the secret that its receiver checks signatures with ('' for none)."""
        made = _checked(kind, name, url, secret)
        if len(self.of_project(project)) >= _TARGET_LIMIT:
            raise BadInput("this project has enough targets", limit=str(_TARGET_LIMIT))
        target = Target(f"t_{secrets.token_hex(8)}", project, name, url, True, now_ms, kind)
        columns = {column: getattr(target, column) for column in Target.__slots__}
        with self._meta.begin() as connection:
            connection.execute(insert(targets).values(secret=made or secret, **columns))
            self._audit.record(
                actor,
                "target.create",
                f"target:{target.id}",
                project,
                {"name": name, "kind": kind, "host": _host(kind, url)},
                now_ms=now_ms,
                connection=connection,
            )
        return target, made

    def update(
        self,
        project: str,
        target_id: str,
        *,
        name: str,
        url: str,
        enabled: bool,
        secret: str = "",
        actor: str,
        now_ms: int,
    ) -> str | None:
        """Changes a target; one whose secret Vagus makes gets a new one with a new URL, returned.

        A secret belongs to the URL it was made for: whoever may change the URL must not thereby
        make Vagus prove or tell the old secret to another host.
        """
        with self._meta.begin() as connection:
            where = (targets.c.id == target_id) & (targets.c.project == project)
            query = select(targets.c.url, targets.c.secret, targets.c.kind).where(where)
            before = connection.execute(query).first()
            if before is None:
                raise NotFound("there is no such target in this project", field="id")
            is_moved = before.url != url
            kept = secret if is_moved else secret or before.secret
            made = _checked(before.kind, name, url, kept)
            values = {"name": name, "url": url, "enabled": enabled}
            values["secret"] = (made or kept) if is_moved else kept
            connection.execute(update(targets).where(where).values(**values))
            detail = {"name": name, "host": _host(before.kind, url), "enabled": enabled}
            self._audit.record(
                actor,
                "target.update",
                f"target:{target_id}",
                project,
                detail,
                now_ms=now_ms,
                connection=connection,
            )
        return (made or None) if is_moved else None

    def delete(self, project: str, target_id: str, *, actor: str, now_ms: int) -> None:
        """Removes a target and everything that waits to be sent to it."""
        with self._meta.begin() as connection:
            where = (targets.c.id == target_id) & (targets.c.project == project)
            if not connection.execute(delete(targets).where(where)).rowcount:
                raise NotFound("there is no such target in this project", field="id")
            self._audit.record(
                actor,
                "target.delete",
                f"target:{target_id}",
                project,
                now_ms=now_ms,
                connection=connection,
            )

    def read(self, project: str, target_id: str) -> tuple[Target, str]:
        """One target and its secret, for sending."""
        where = (targets.c.id == target_id) & (targets.c.project == project)
        with self._meta.read() as connection:
            row = connection.execute(select(targets).where(where)).first()
        if row is None:
            raise NotFound("there is no such target in this project", field="id")
        return _target(row), row.secret

    def of_project(self, project: str) -> list[Target]:
        """The targets of a project, the oldest first."""
        query = select(targets).where(targets.c.project == project)
        with self._meta.read() as connection:
            rows = connection.execute(query.order_by(targets.c.created_ms, targets.c.id))
            return [_target(row) for row in rows]


def _target(row: Row[Any]) -> Target:
    return Target(**{column: getattr(row, column) for column in Target.__slots__})


def _checked(kind: str, name: str, url: str, secret: str) -> str:
    """A secret made for the target, '' where its kind needs none of ours; refuses bad ones."""
    channel = channel_of(kind)
    if not 0 < len(name) <= _NAME_LIMIT:
        raise BadInput("a target needs a name", field="name", limit=f"1 to {_NAME_LIMIT}")
    channel.check(url, secret)
    return channel.new_secret() if channel.new_secret else ""


def _host(kind: str, url: str) -> str:
    # The host alone: the path of a webhook is often its password.
    return url.removeprefix(SCHEME) if kind == "email" else check_url(url).host
