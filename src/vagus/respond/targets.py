"""Targets: the webhooks of a project and the secrets that sign what is sent to them."""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass

from sqlalchemy import delete, insert, select, update

from vagus.audit.log import Audit
from vagus.errors import BadInput, NotFound
from vagus.respond.address import check_url
from vagus.store.meta.db import Meta
from vagus.store.meta.tables import targets

_NAME_LIMIT = 200
_PREFIX = "whsec_"
_TARGET_LIMIT = 100


@dataclass(frozen=True, slots=True)
class Target:
    """One webhook; its secret is shown when it is made and never again."""

    id: str
    project: str
    name: str
    url: str
    enabled: bool
    created_ms: int


class Targets:
    """The webhooks of all projects."""

    def __init__(self, meta: Meta, audit: Audit) -> None:
        self._meta = meta
        self._audit = audit

    def create(
        self, project: str, name: str, url: str, *, actor: str, now_ms: int
    ) -> tuple[Target, str]:
        """Makes a target and the secret that its receiver checks signatures with."""
        _check(name, url)
        if len(self.of_project(project)) >= _TARGET_LIMIT:
            raise BadInput("this project has enough targets", limit=str(_TARGET_LIMIT))
        target = Target(f"t_{secrets.token_hex(8)}", project, name, url, True, now_ms)
        secret = _new_secret()
        columns = {column: getattr(target, column) for column in Target.__slots__}
        with self._meta.begin() as connection:
            connection.execute(insert(targets).values(secret=secret, **columns))
            self._audit.record(
                actor,
                "target.create",
                f"target:{target.id}",
                project,
                # The host alone: the path of a webhook is often its password.
                {"name": name, "host": check_url(url).host},
                now_ms=now_ms,
                connection=connection,
            )
        return target, secret

    def update(
        self,
        project: str,
        target_id: str,
        *,
        name: str,
        url: str,
        enabled: bool,
        actor: str,
        now_ms: int,
    ) -> str | None:
        """Changes a target; a new URL gets a new secret, which is returned.

        A secret belongs to the URL it was made for: whoever may change the URL must not thereby
        make Vagus prove the old secret to another host.
        """
        _check(name, url)
        with self._meta.begin() as connection:
            where = (targets.c.id == target_id) & (targets.c.project == project)
            before = connection.execute(select(targets.c.url).where(where)).first()
            if before is None:
                raise NotFound("there is no such target in this project", field="id")
            values = {"name": name, "url": url, "enabled": enabled}
            secret = _new_secret() if before.url != url else None
            if secret is not None:
                values["secret"] = secret
            connection.execute(update(targets).where(where).values(**values))
            self._audit.record(
                actor,
                "target.update",
                f"target:{target_id}",
                project,
                {"name": name, "host": check_url(url).host, "enabled": enabled},
                now_ms=now_ms,
                connection=connection,
            )
        return secret

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

    def of_project(self, project: str) -> list[Target]:
        """The targets of a project, the oldest first."""
        query = select(targets).where(targets.c.project == project)
        with self._meta.read() as connection:
            rows = connection.execute(query.order_by(targets.c.created_ms, targets.c.id))
            return [
                Target(**{column: getattr(row, column) for column in Target.__slots__})
                for row in rows
            ]


def secret_bytes(secret: str) -> bytes:
    """The key inside a `whsec_` secret."""
    return base64.b64decode(secret.removeprefix(_PREFIX))


def _new_secret() -> str:
    return _PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def _check(name: str, url: str) -> None:
    if not 0 < len(name) <= _NAME_LIMIT:
        raise BadInput("a target needs a name", field="name", limit=f"1 to {_NAME_LIMIT}")
    check_url(url)
