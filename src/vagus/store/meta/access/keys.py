"""Ingest and API keys: made, listed, revoked, and checked on every request."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, select, update

from vagus.errors import BadInput, NotFound, Unauthorized
from vagus.store.meta.access.principal import Recorder
from vagus.store.meta.access.recent import Recent
from vagus.store.meta.access.secret import Pepper, mint_key, parse_key
from vagus.store.meta.db import Meta
from vagus.store.meta.tables import api_keys

KINDS = ("ingest", "api")
_NAME_LIMIT = 200


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A key as it is kept: everything but the secret."""

    id: str
    project: str
    name: str
    kind: str
    all_projects: bool
    created_by: str
    created_ms: int
    expires_ms: int | None
    last_used_ms: int | None
    revoked_ms: int | None


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key just made: the only moment its `text` is known."""

    text: str
    stored: StoredKey


class Keys:
    """The keys of all projects."""

    def __init__(self, meta: Meta, audit: Recorder, pepper: Pepper) -> None:
        self._meta = meta
        self._audit = audit
        self._pepper = pepper
        self._recent: Recent[tuple[StoredKey, bytes] | None] = Recent()
        self._used_lock = threading.Lock()
        self._used_ms: dict[str, int] = {}

    def create(
        self,
        project: str,
        name: str,
        kind: str,
        *,
        actor: str,
        now_ms: int,
        all_projects: bool = False,
        expires_ms: int | None = None,
    ) -> NewKey:
        """Makes a key of a kind, `ingest` or `api`; its text is shown once and never again."""
        if kind not in KINDS:
            raise BadInput(f"a key is of kind {' or '.join(KINDS)}", field="kind")
        if not 0 < len(name) <= _NAME_LIMIT:
            raise BadInput("a key needs a name", field="name", limit=f"1 to {_NAME_LIMIT}")
        minted = mint_key(kind)
        stored = StoredKey(
            id=minted.id,
            project=project,
            name=name,
            kind=kind,
            all_projects=all_projects,
            created_by=actor,
            created_ms=now_ms,
            expires_ms=expires_ms,
            last_used_ms=None,
            revoked_ms=None,
        )
        columns = {name: getattr(stored, name) for name in StoredKey.__slots__}
        with self._meta.begin() as connection:
            connection.execute(
                api_keys.insert().values(secret_hash=self._pepper.hash(minted.text), **columns)
            )
            detail = {"name": name, "kind": kind, "all_projects": all_projects}
            self._audit.record(
                actor,
                "key.create",
                f"key:{minted.id}",
                project,
                detail,
                now_ms=now_ms,
                connection=connection,
            )
        return NewKey(minted.text, stored)

    def revoke(self, project: str, key_id: str, *, actor: str, now_ms: int) -> None:
        """Ends a key of this project, here at once and in other processes within five seconds."""
        with self._meta.begin() as connection:
            ended = connection.execute(
                update(api_keys)
                .where(api_keys.c.id == key_id, api_keys.c.project == project)
                .where(api_keys.c.revoked_ms.is_(None))
                .values(revoked_ms=now_ms)
            )
            if not ended.rowcount:
                raise NotFound("there is no such live key in this project", field="id")
            self._audit.record(
                actor,
                "key.revoke",
                f"key:{key_id}",
                project,
                now_ms=now_ms,
                connection=connection,
            )
        self._recent.forget()

    def of_project(self, project: str) -> list[StoredKey]:
        """The keys of a project, the newest first."""
        query = select(api_keys).where(api_keys.c.project == project)
        with self._meta.read() as connection:
            rows = connection.execute(query.order_by(api_keys.c.created_ms.desc(), api_keys.c.id))
            return [_stored(row) for row in rows]

    def check(self, text: str, now_ms: int) -> StoredKey:
        """The stored key that `text` is, live at this moment; raises `Unauthorized`."""
        key = parse_key(text)
        found = None if key is None else self._find(key.id, now_ms)
        if key is None or found is None:
            raise Unauthorized("the key is not known here; make one under Settings, Keys")
        stored, secret_hash = found
        if not self._pepper.matches(text, secret_hash) or stored.kind != key.kind:
            raise Unauthorized("the key is not known here; make one under Settings, Keys")
        if stored.revoked_ms is not None:
            raise Unauthorized("the key was revoked; make a new one under Settings, Keys")
        if stored.expires_ms is not None and stored.expires_ms <= now_ms:
            raise Unauthorized("the key has expired; make a new one under Settings, Keys")
        with self._used_lock:
            self._used_ms[stored.id] = now_ms
        return stored

    def save_last_used(self) -> None:
        """Writes down when keys were last used; called now and then, not once a request."""
        with self._used_lock:
            used, self._used_ms = self._used_ms, {}
        if not used:
            return
        with self._meta.begin() as connection:
            for key_id, time_ms in sorted(used.items()):
                connection.execute(
                    update(api_keys).where(api_keys.c.id == key_id).values(last_used_ms=time_ms)
                )

    def _find(self, key_id: str, now_ms: int) -> tuple[StoredKey, bytes] | None:
        remembered = self._recent.get(key_id, now_ms)
        if remembered is not None:
            return remembered[0]
        with self._meta.read() as connection:
            row = connection.execute(select(api_keys).where(api_keys.c.id == key_id)).first()
        found = None if row is None else (_stored(row), row.secret_hash)
        self._recent.put(key_id, found, now_ms)
        return found


def _stored(row: Row[Any]) -> StoredKey:
    return StoredKey(**{name: getattr(row, name) for name in StoredKey.__slots__})
