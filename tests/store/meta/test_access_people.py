"""People: the owner's one-time link, sessions that end, and every sign-in on record."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import text

from vagus.audit.log import Audit
from vagus.errors import BadInput, Forbidden, NotFound, Unauthorized
from vagus.store.meta.access.access import Access, cookie_name, session_cookie
from vagus.store.meta.access.people import LINK_MS, SESSION_MS
from vagus.store.meta.access.secret import Pepper, parse_key
from vagus.store.meta.db import Meta


class Server:
    """One instance with a clock moved by hand."""

    def __init__(self, meta: Meta) -> None:
        self.meta = meta
        self.now_ms = 1_000_000
        self.audit = Audit(meta)
        self.access = self.again()

    def again(self) -> Access:
        """Another process over the same database."""
        pepper = Pepper(b"p" * 32)
        return Access(self.meta, self.audit, pepper, now_ms=lambda: self.now_ms)

    def actions(self) -> list[str]:
        return [entry.action for entry in reversed(self.audit.read())]


@pytest.fixture
def server(meta: Meta) -> Iterator[Server]:
    return Server(meta)


def test_first_start_makes_owner_project_key_and_link(server: Server) -> None:
    started = server.access.start()

    assert started.ingest_key is not None
    assert parse_key(started.ingest_key) is not None
    assert server.access.authenticate(started.ingest_key, {}).project == "default"
    assert [user.role for user in server.access.people.list_users()] == ["owner"]
    assert server.actions() == ["user.create", "key.create", "sign_in_link.create"]


def test_restart_gives_a_fresh_link_and_ends_the_old_one(server: Server) -> None:
    first = server.access.start()
    second = server.again().start()

    assert second.ingest_key is None
    with pytest.raises(Unauthorized):
        server.access.people.sign_in(first.sign_in_token, server.now_ms)
    assert server.access.people.sign_in(second.sign_in_token, server.now_ms)
    assert len(server.access.people.list_users()) == 1


def test_link_works_once(server: Server) -> None:
    token = server.access.start().sign_in_token
    session = server.access.people.sign_in(token, server.now_ms)

    assert server.access.authenticate_session(session).scopes >= {"admin", "read", "write"}
    with pytest.raises(Unauthorized, match="fresh one"):
        server.access.people.sign_in(token, server.now_ms)
    assert server.actions()[-2:] == ["sign_in", "sign_in.failed"]


def test_link_expires(server: Server) -> None:
    token = server.access.start().sign_in_token
    server.now_ms += LINK_MS

    with pytest.raises(Unauthorized):
        server.access.people.sign_in(token, server.now_ms)


def test_session_ends_after_twelve_hours_however_busy(server: Server) -> None:
    token = server.access.start().sign_in_token
    session = server.access.people.sign_in(token, server.now_ms)
    start_ms = server.now_ms
    while server.now_ms < start_ms + SESSION_MS - 1:
        server.now_ms = min(server.now_ms + 3_000_000, start_ms + SESSION_MS - 1)
        server.access.authenticate_session(session)
    server.now_ms += 1

    with pytest.raises(Unauthorized, match="not signed in"):
        server.access.authenticate_session(session)


def test_sign_out_ends_the_session_everywhere(server: Server) -> None:
    token = server.access.start().sign_in_token
    session = server.access.people.sign_in(token, server.now_ms)
    elsewhere = server.again()
    elsewhere.authenticate_session(session)
    server.access.authenticate_session(session)
    server.access.people.sign_out(session, server.now_ms)

    with pytest.raises(Unauthorized):
        server.access.authenticate_session(session)
    server.now_ms += 5_000
    with pytest.raises(Unauthorized):
        elsewhere.authenticate_session(session)
    server.access.people.sign_out("never was a session", server.now_ms)
    assert server.actions()[-1] == "sign_out"
    assert server.actions().count("sign_out") == 1


def test_tokens_are_nowhere_in_the_database(server: Server) -> None:
    link = server.access.start().sign_in_token
    session = server.access.people.sign_in(link, server.now_ms)
    with server.meta.read() as connection:
        kept = "".join(
            repr(connection.execute(text(f"SELECT * FROM {table}")).all())
            for table in ("sessions", "sign_in_links", "audit", "users")
        )

    assert link not in kept
    assert session not in kept


def test_odd_session_token_is_unauthorized(server: Server) -> None:
    server.access.start()

    for token in (None, "", "x" * 100_000, "\x00", "' OR 1=1 --", "\udcff"):
        with pytest.raises(Unauthorized):
            server.access.authenticate_session(token)


def test_viewer_reads_and_cannot_write(server: Server) -> None:
    server.access.start()
    people = server.access.people
    viewer = people.add("v@example.org", "Vi", "viewer", actor="user:o", now_ms=server.now_ms)
    link = people.new_link(viewer.id, actor="user:o", now_ms=server.now_ms)
    principal = server.access.authenticate_session(people.sign_in(link, server.now_ms))

    principal.require("read")
    assert (principal.role, principal.user) == ("viewer", "Vi")
    for scope in ("write", "admin", "ingest", "scores"):
        with pytest.raises(Forbidden):
            principal.require(scope)


def test_session_in_an_unknown_project_is_not_found(server: Server) -> None:
    link = server.access.start().sign_in_token
    session = server.access.people.sign_in(link, server.now_ms)

    with pytest.raises(NotFound):
        server.access.authenticate_session(session, "nowhere")


def test_unknown_role_or_user_is_refused(server: Server) -> None:
    with pytest.raises(BadInput):
        server.access.people.add("", "x", "root", actor="a", now_ms=1)
    with pytest.raises(NotFound):
        server.access.people.new_link("u_nobody", actor="a", now_ms=1)


def test_flood_of_failed_sign_ins_fills_no_disk_and_stays_counted(server: Server) -> None:
    server.now_ms = 60_000 * 100
    for _ in range(500):
        with pytest.raises(Unauthorized):
            server.access.people.sign_in("guess", server.now_ms)
    server.now_ms += 60_000
    with pytest.raises(Unauthorized):
        server.access.people.sign_in("guess", server.now_ms)

    failures = server.audit.read(action="sign_in.failed")
    assert len(failures) == 21
    assert failures[0].detail == {"not_recorded_before": 480}


def test_cookie_is_out_of_reach_of_scripts_and_other_sites() -> None:
    assert session_cookie("t", is_secure=False) == (
        "vagus_session=t; Path=/; HttpOnly; SameSite=Lax; Max-Age=43200"
    )
    assert session_cookie("t", is_secure=True) == (
        "__Host-vagus=t; Path=/; HttpOnly; SameSite=Lax; Max-Age=43200; Secure"
    )
    assert "Max-Age=0" in session_cookie("", is_secure=True)
    assert cookie_name(is_secure=True) == "__Host-vagus"
