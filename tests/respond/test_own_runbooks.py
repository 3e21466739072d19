"""A project puts its own runbooks in place of those that ship; every version is kept."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from sqlalchemy import select

from vagus.audit.log import Audit
from vagus.errors import BadInput, NotFound
from vagus.measures.catalogue import load_catalogue
from vagus.respond.runbook import Runbook, Runbooks, causes, runbook
from vagus.store.meta.db import Meta
from vagus.store.meta.response import runbooks

_CATALOGUE = load_catalogue()
_TEXT = "# Ours\n\n```check\nerror_rate\nexpect < 0.02\n```\n"


@pytest.fixture
def shelf(meta: Meta) -> Runbooks:
    return Runbooks(meta, Audit(meta))


def _put(shelf: Runbooks, text: str = _TEXT, name: str = "stale_index", **more: Any) -> Runbook:
    act = {"actor": "user:a", "now_ms": 5} | more
    return shelf.put("p", name, text, _CATALOGUE, **act)


def test_own_runbook_counts_until_it_is_taken_back(shelf: Runbooks) -> None:
    assert shelf.read("p", "stale_index").markdown == runbook("stale_index")
    made = _put(shelf)
    assert shelf.read("p", "stale_index") == made
    assert shelf.read("q", "stale_index").markdown == runbook("stale_index")
    assert (made.title, made.version) == ("Ours", 1)
    assert made.digest == hashlib.sha256(_TEXT.encode()).hexdigest()
    shelf.drop("p", "stale_index", actor="user:a", now_ms=6)

    assert shelf.read("p", "stale_index").version == 0
    with pytest.raises(NotFound):
        shelf.drop("p", "stale_index", actor="user:a", now_ms=7)


def test_every_version_is_kept_and_the_same_text_is_no_new_one(shelf: Runbooks, meta: Meta) -> None:
    _put(shelf)
    _put(shelf)
    _put(shelf, _TEXT + "more\n", actor="user:b")
    shelf.drop("p", "stale_index", actor="user:a", now_ms=6)
    assert _put(shelf).version == 4

    query = select(runbooks.c.version, runbooks.c.author).order_by(runbooks.c.version)
    with meta.read() as connection:
        kept = [tuple(row) for row in connection.execute(query)]
    assert kept == [(1, "user:a"), (2, "user:b"), (3, "user:a"), (4, "user:a")]
    actions = [row.action for row in reversed(Audit(meta).read("p"))]
    assert actions == ["runbook.update", "runbook.update", "runbook.delete", "runbook.update"]


def test_list_has_all_names_once(shelf: Runbooks) -> None:
    _put(shelf, name="our_own")
    listed = shelf.list("p")

    assert [one.name for one in listed] == sorted([*causes(), "our_own"])
    assert [one.name for one in listed if one.is_own] == ["our_own"]


def test_what_cannot_be_run_is_refused(shelf: Runbooks) -> None:
    with pytest.raises(BadInput, match="no measure"):
        _put(shelf, "# x\n```check\nno_such\n```")
    for name in ("../x", "X", "", "a" * 65):
        with pytest.raises(BadInput) as raised:
            _put(shelf, name=name)
        assert raised.value.field == "name"
    with pytest.raises(NotFound):
        shelf.read("p", "no_such")
