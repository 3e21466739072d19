"""Keys: what they look like, what is kept of them, and when they stop working."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert, select, text, update

from vagus.audit.log import Audit
from vagus.errors import BadInput, ConfigError, Forbidden, NotFound, Unauthorized
from vagus.store.meta.access.access import Access
from vagus.store.meta.access.secret import Pepper, mint_key, parse_key
from vagus.store.meta.db import Meta
from vagus.store.meta.tables import api_keys, projects


class Clock:
    """A clock that tests move by hand."""

    def __init__(self) -> None:
        self.ms = 1_000_000

    def __call__(self) -> int:
        return self.ms


@pytest.fixture
def meta_url(tmp_path: Path) -> str:
    """SQLite alone: keys ask nothing of the database that the other tests do not try on both."""
    return f"sqlite:///{tmp_path / 'meta.db'}"


@pytest.fixture
def clock() -> Clock:
    return Clock()


def _access(meta: Meta, clock: Clock, **options: Any) -> Access:
    return Access(meta, Audit(meta), Pepper(b"p" * 32), now_ms=clock, **options)


@pytest.fixture
def access(meta: Meta, clock: Clock) -> Access:
    """An instance started for the first time, with a second project beside the default one."""
    access = _access(meta, clock)
    access.start()
    with meta.begin() as connection:
        connection.execute(insert(projects).values(id="other", name="Other", created_ms=1))
    return access


def _make(access: Access, kind: str = "ingest", **options: Any) -> str:
    made = access.keys.create("default", "a key", kind, actor="user:u", now_ms=1, **options)
    return made.text


@pytest.mark.parametrize("kind", ["ingest", "api"])
def test_minted_key_reads_back(kind: str) -> None:
    key = mint_key(kind)

    assert parse_key(key.text) == key
    assert key.text.startswith(f"vg_{kind}_{key.id}_")


@given(st.integers(0, 80), st.characters(codec="utf-8"))
def test_key_with_one_character_changed_is_no_key(place: int, character: str) -> None:
    text = mint_key("ingest").text
    place %= len(text)
    changed = text[:place] + character + text[place + 1 :]

    assert (parse_key(changed) is None) == (changed != text)


@given(st.text())
def test_any_text_is_answered_without_error(text: str) -> None:
    assert parse_key(text) is None


def test_good_key_says_project_actor_and_scopes(access: Access) -> None:
    ingest = access.authenticate(_make(access, "ingest"), {})
    api = access.authenticate(_make(access, "api"), {})

    assert (ingest.project, ingest.scopes) == ("default", {"ingest", "scores"})
    assert (api.project, api.scopes) == ("default", {"api", "scores", "read", "write"})
    assert ingest.actor.startswith("key:")
    with pytest.raises(Forbidden, match="needs the scope 'read'"):
        ingest.require("read")
    with pytest.raises(Forbidden):
        api.require("admin")


@pytest.mark.parametrize(
    "key",
    [
        None,
        "",
        "Bearer",
        "vg_ingest_' OR 1=1 --",
        "vg_ingest_" + "A" * 1_000_000,
        "\x00\udcff",
        mint_key("ingest").text,
    ],
)
def test_anything_but_a_known_key_is_unauthorized(access: Access, key: str | None) -> None:
    with pytest.raises(Unauthorized):
        access.authenticate(key, {})


def test_key_with_a_known_id_and_another_secret_is_unauthorized(
    meta: Meta, access: Access, clock: Clock
) -> None:
    stranger = mint_key("ingest")
    made = access.keys.create("default", "a key", "ingest", actor="user:u", now_ms=1)
    with meta.begin() as connection:
        connection.execute(
            update(api_keys).where(api_keys.c.id == made.stored.id).values(id=stranger.id)
        )

    with pytest.raises(Unauthorized, match="not known here"):
        access.authenticate(stranger.text, {})


def test_secret_is_nowhere_in_the_database(access: Access, meta: Meta) -> None:
    key = _make(access)
    secret = key.split("_")[3]
    with meta.read() as connection:
        rows = connection.execute(select(api_keys)).all()
        audit = connection.execute(text("SELECT * FROM audit")).all()

    assert secret not in repr(rows)
    assert secret not in repr(audit)
    assert all(len(row.secret_hash) == 32 for row in rows)


def test_revoked_key_stops_at_once_here_and_within_five_seconds_elsewhere(
    access: Access, meta: Meta, clock: Clock
) -> None:
    key = _make(access)
    elsewhere = _access(meta, clock)
    elsewhere.authenticate(key, {})
    access.authenticate(key, {})
    access.keys.revoke("default", key.split("_")[2], actor="user:u", now_ms=clock.ms)

    with pytest.raises(Unauthorized, match="revoked"):
        access.authenticate(key, {})
    clock.ms += 4_999
    elsewhere.authenticate(key, {})
    clock.ms += 1
    with pytest.raises(Unauthorized, match="revoked"):
        elsewhere.authenticate(key, {})


def test_key_of_another_project_cannot_be_revoked_or_told_from_none(access: Access) -> None:
    key_id = _make(access).split("_")[2]
    messages = set()
    for project, wanted in (("other", key_id), ("default", "nosuchkey123")):
        with pytest.raises(NotFound) as caught:
            access.keys.revoke(project, wanted, actor="user:u", now_ms=2)
        messages.add(str(caught.value))

    assert len(messages) == 1


def test_key_past_its_expiry_is_unauthorized(access: Access, clock: Clock) -> None:
    key = _make(access, expires_ms=clock.ms + 10)
    access.authenticate(key, {})
    clock.ms += 10

    with pytest.raises(Unauthorized, match="expired"):
        access.authenticate(key, {})


def test_only_a_key_for_all_projects_may_choose_another(access: Access) -> None:
    header = {"x-vagus-project": "other"}
    wide = _make(access, all_projects=True)

    assert access.authenticate(wide, header).project == "other"
    with pytest.raises(Forbidden, match="another project"):
        access.authenticate(_make(access), header)
    assert access.authenticate(_make(access), {"x-vagus-project": "default"}).project == "default"
    with pytest.raises(NotFound):
        access.authenticate(wide, {"x-vagus-project": "nowhere"})
    with pytest.raises(BadInput):
        access.authenticate(wide, {"x-vagus-project": "../etc"})


def test_last_use_is_written_down_together(access: Access, clock: Clock) -> None:
    key = _make(access)
    access.authenticate(key, {})
    clock.ms += 500
    access.authenticate(key, {})
    access.keys.save_last_used()

    used = {stored.id: stored.last_used_ms for stored in access.keys.of_project("default")}
    assert used[key.split("_")[2]] == clock.ms


def test_making_and_ending_a_key_is_audited(access: Access, meta: Meta) -> None:
    key_id = _make(access).split("_")[2]
    access.keys.revoke("default", key_id, actor="user:u", now_ms=3)

    rows = Audit(meta).read("default", actor="user:u")
    assert [(row.action, row.object, row.time_ms) for row in rows] == [
        ("key.revoke", f"key:{key_id}", 3),
        ("key.create", f"key:{key_id}", 1),
    ]


@pytest.mark.parametrize(("kind", "name"), [("root", "x"), ("api", ""), ("api", "x" * 201)])
def test_odd_key_is_not_made(access: Access, kind: str, name: str) -> None:
    with pytest.raises(BadInput):
        access.keys.create("default", name, kind, actor="user:u", now_ms=1)


def test_without_auth_everyone_is_the_owner(meta: Meta, clock: Clock) -> None:
    open_access = _access(meta, clock, auth=False)
    open_access.start()

    principal = open_access.authenticate(None, {})
    assert (principal.project, principal.role, principal.credential) == ("default", "owner", "none")
    principal.require("admin")
    principal.require("ingest")


def test_without_auth_a_project_is_made_by_sending_to_it(meta: Meta, clock: Clock) -> None:
    open_access = _access(meta, clock, auth=False)
    open_access.start()
    with pytest.raises(NotFound):
        open_access.authenticate_session(None, "shop")

    assert open_access.authenticate("any key", {"x-vagus-project": "shop"}).project == "shop"
    assert open_access.authenticate_session(None, "shop").project == "shop"
    with pytest.raises(BadInput):
        open_access.authenticate(None, {"x-vagus-project": "Shop!"})


def test_pepper_is_made_once_and_private(tmp_path: Path) -> None:
    path = tmp_path / "pepper"
    first = Pepper.at(path).hash("x")

    assert Pepper.at(path).hash("x") == first
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["pepper"]


def test_pepper_that_others_can_read_or_that_was_cut_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "pepper"
    Pepper.at(path)
    path.chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 600"):
        Pepper.at(path)
    path.write_bytes(b"short")
    path.chmod(0o600)
    with pytest.raises(ConfigError, match="32 bytes, not 5"):
        Pepper.at(path)
