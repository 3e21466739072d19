"""The audit log: in order, in pages, and in one transaction with what it records."""

from __future__ import annotations

import pytest

from vagus.audit.log import Audit, Entry
from vagus.store.meta.db import Meta


def test_row_is_read_back_as_it_was_recorded(meta: Meta) -> None:
    audit = Audit(meta)
    detail = {"name": "<b>\u202e", "n": 1}
    audit.record("user:u", "key.create", "key:k", "p", detail, now_ms=5)

    assert audit.read() == [Entry(1, 5, "user:u", "key.create", "key:k", "p", detail)]


def test_pages_walk_every_row_once_newest_first(meta: Meta) -> None:
    audit = Audit(meta)
    for number in range(25):
        audit.record("a", "did", str(number), now_ms=number)

    seen: list[str] = []
    page = audit.read(limit=10)
    while page:
        seen += [entry.object for entry in page]
        page = audit.read(limit=10, before_id=page[-1].id)
    assert seen == [str(number) for number in reversed(range(25))]


def test_rows_of_another_project_are_not_shown(meta: Meta) -> None:
    audit = Audit(meta)
    audit.record("a", "did", "mine", "p", now_ms=1)
    audit.record("a", "did", "theirs", "q", now_ms=2)
    audit.record("b", "else", "mine", "p", now_ms=3)

    assert [entry.object for entry in audit.read("p", actor="a")] == ["mine"]
    assert [entry.actor for entry in audit.read("p", action="else")] == ["b"]


def test_row_vanishes_with_the_action_that_failed(meta: Meta) -> None:
    audit = Audit(meta)

    def fail_after_recording() -> None:
        with meta.begin() as connection:
            audit.record("a", "did", "o", now_ms=1, connection=connection)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_after_recording()

    assert audit.read() == []


def test_long_words_are_cut_and_page_size_is_bounded(meta: Meta) -> None:
    audit = Audit(meta)
    audit.record("a" * 10_000, "did", "o", now_ms=1)

    assert len(audit.read(limit=10**9)[0].actor) == 500
    assert len(audit.read(limit=-5)) == 1
