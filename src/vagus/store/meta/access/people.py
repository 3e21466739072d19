"""People: the owner made at first start, one-time sign-in links, and sessions."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from vagus.errors import BadInput, NotFound, Unauthorized
from vagus.store.meta.access.principal import Recorder
from vagus.store.meta.access.recent import Recent
from vagus.store.meta.access.secret import Pepper, mint_token
from vagus.store.meta.db import Meta
from vagus.store.meta.tables import sessions, sign_in_links, users

ROLES = ("owner", "viewer")
LINK_MS = 3_600_000
SESSION_MS = 12 * 3_600_000
# Failed sign-ins recorded one by one in a minute; a flood of them must not fill the disk.
_FAILURES_PER_MINUTE = 20


@dataclass(frozen=True, slots=True)
class User:
    """One person; `role` is owner or viewer."""

    id: str
    email: str
    name: str
    role: str
    created_ms: int


class People:
    """The people of this instance, and how they come in."""

    def __init__(self, meta: Meta, audit: Recorder, pepper: Pepper) -> None:
        self._meta = meta
        self._audit = audit
        self._pepper = pepper
        self._recent: Recent[tuple[User, int] | None] = Recent()
        self._failures = _Failures()

    def ensure_owner(self, now_ms: int) -> User:
        """The first owner, made if there is none."""
        with self._meta.begin() as connection:
            query = select(users).where(users.c.role == "owner").order_by(users.c.created_ms)
            row = connection.execute(query).first()
            if row is not None:
                return _user(row)
            return self._add(connection, "", "Owner", "owner", "system", now_ms)

    def add(self, email: str, name: str, role: str, *, actor: str, now_ms: int) -> User:
        """Makes a user; they come in by a sign-in link."""
        if role not in ROLES:
            raise BadInput(f"a role is {' or '.join(ROLES)}", field="role")
        with self._meta.begin() as connection:
            return self._add(connection, email, name, role, actor, now_ms)

    def list_users(self) -> list[User]:
        """Everyone, the longest known first."""
        with self._meta.read() as connection:
            query = select(users).order_by(users.c.created_ms, users.c.id)
            return [_user(row) for row in connection.execute(query)]

    def new_link(self, user_id: str, *, actor: str, now_ms: int) -> str:
        """A token that signs this user in once within the hour; older ones end now."""
        token = mint_token()
        with self._meta.begin() as connection:
            if connection.execute(select(users).where(users.c.id == user_id)).first() is None:
                raise NotFound("there is no such user", field="user")
            connection.execute(
                update(sign_in_links)
                .where(sign_in_links.c.user_id == user_id, sign_in_links.c.used_ms.is_(None))
                .values(used_ms=now_ms)
            )
            row = {
                "token_hash": self._pepper.hash(token),
                "user_id": user_id,
                "created_ms": now_ms,
                "expires_ms": now_ms + LINK_MS,
            }
            connection.execute(insert(sign_in_links).values(**row))
            self._audit.record(
                actor,
                "sign_in_link.create",
                f"user:{user_id}",
                now_ms=now_ms,
                connection=connection,
            )
        return token

    def sign_in(self, token: str, now_ms: int) -> str:
        """Trades a sign-in link for a session token; a link works once."""
        hashed = self._pepper.hash(token)
        with self._meta.begin() as connection:
            used = connection.execute(
                update(sign_in_links)
                .where(sign_in_links.c.token_hash == hashed, sign_in_links.c.used_ms.is_(None))
                .where(sign_in_links.c.expires_ms > now_ms)
                .values(used_ms=now_ms)
                .returning(sign_in_links.c.user_id)
            ).first()
            if used is not None:
                return self._open_session(connection, used.user_id, now_ms)
        self._record_failure(now_ms)
        raise Unauthorized(
            "this sign-in link was used, has expired, or never was; restart `vagus serve` for a "
            "fresh one"
        )

    def session(self, token: str, now_ms: int) -> User:
        """The user of a live session; raises `Unauthorized`."""
        hashed = self._pepper.hash(token)
        remembered = self._recent.get(hashed, now_ms)
        found = self._find(hashed) if remembered is None else remembered[0]
        if remembered is None:
            self._recent.put(hashed, found, now_ms)
        if found is None or found[1] <= now_ms:
            raise Unauthorized("you are not signed in, or no longer")
        return found[0]

    def sign_out(self, token: str, now_ms: int) -> None:
        """Ends a session, here at once; a token that is not one does nothing."""
        with self._meta.begin() as connection:
            ended = connection.execute(
                update(sessions)
                .where(sessions.c.token_hash == self._pepper.hash(token))
                .where(sessions.c.revoked_ms.is_(None))
                .values(revoked_ms=now_ms)
                .returning(sessions.c.user_id)
            ).first()
            if ended is not None:
                actor = f"user:{ended.user_id}"
                self._audit.record(actor, "sign_out", actor, now_ms=now_ms, connection=connection)
        self._recent.forget()

    def _add(
        self, connection: Connection, email: str, name: str, role: str, actor: str, now_ms: int
    ) -> User:
        user = User(f"u_{secrets.token_hex(8)}", email, name, role, now_ms)
        columns = {column: getattr(user, column) for column in User.__slots__}
        connection.execute(insert(users).values(**columns))
        self._audit.record(
            actor,
            "user.create",
            f"user:{user.id}",
            detail={"name": name, "role": role},
            now_ms=now_ms,
            connection=connection,
        )
        return user

    def _open_session(self, connection: Connection, user_id: str, now_ms: int) -> str:
        token = mint_token()
        row = {
            "token_hash": self._pepper.hash(token),
            "user_id": user_id,
            "created_ms": now_ms,
            "expires_ms": now_ms + SESSION_MS,
        }
        connection.execute(insert(sessions).values(**row))
        actor = f"user:{user_id}"
        self._audit.record(actor, "sign_in", actor, now_ms=now_ms, connection=connection)
        return token

    def _find(self, hashed: bytes) -> tuple[User, int] | None:
        query = (
            select(users, sessions.c.expires_ms)
            .join(sessions, sessions.c.user_id == users.c.id)
            .where(sessions.c.token_hash == hashed, sessions.c.revoked_ms.is_(None))
        )
        with self._meta.read() as connection:
            row = connection.execute(query).first()
        return None if row is None else (_user(row), row.expires_ms)

    def _record_failure(self, now_ms: int) -> None:
        unrecorded = self._failures.take(now_ms)
        if unrecorded is not None:
            detail = {"not_recorded_before": unrecorded}
            self._audit.record("anonymous", "sign_in.failed", "", "", detail, now_ms=now_ms)


class _Failures:
    """Says which failed sign-ins to record, and how many were passed over before."""

    def __init__(self) -> None:
        self._minute = -1
        self._in_minute = 0
        self._passed_over = 0

    def take(self, now_ms: int) -> int | None:
        minute = now_ms // 60_000
        if minute != self._minute:
            self._minute, self._in_minute = minute, 0
        if self._in_minute >= _FAILURES_PER_MINUTE:
            self._passed_over += 1
            return None
        self._in_minute += 1
        passed_over, self._passed_over = self._passed_over, 0
        return passed_over


def _user(row: Row[Any]) -> User:
    return User(row.id, row.email, row.name, row.role, row.created_ms)
