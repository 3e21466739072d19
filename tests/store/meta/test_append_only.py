"""Histories can be added to and never changed: the database itself refuses."""

from __future__ import annotations

import pytest
from sqlalchemy import func, insert, select, text
from sqlalchemy.exc import DBAPIError

from vagus.store.meta.db import Meta
from vagus.store.meta.tables import audit, incident_events, incidents

_INCIDENT = {
    "id": "i",
    "number": 1,
    "project": "p",
    "title": "t",
    "severity": "page",
    "state": "open",
    "occurred_ms": 1,
    "opened_ms": 1,
    "updated_ms": 1,
    "cause": "",
    "diagnoses": 0,
    "next_diagnosis_ms": 1,
}


@pytest.fixture
def written(meta: Meta) -> Meta:
    """A store with one row in each history."""
    with meta.begin() as connection:
        connection.execute(
            insert(audit).values(
                id=1, time_ms=1, actor="a", action="b", object="c", project="p", detail={}
            )
        )
        connection.execute(insert(incidents).values(**_INCIDENT))
        connection.execute(
            insert(incident_events).values(
                id=1, incident_id="i", time_ms=1, kind="opened", actor="a", detail={}
            )
        )
    return meta


@pytest.mark.parametrize("table", ["audit", "incident_events"])
def test_row_of_a_history_cannot_be_changed_or_removed(written: Meta, table: str) -> None:
    for statement in (
        f"UPDATE {table} SET actor = 'somebody else'",
        f"UPDATE {table} SET actor = actor WHERE id = 1",
        f"DELETE FROM {table}",
        f"DELETE FROM {table} WHERE id = 1",
    ):
        with (
            pytest.raises(DBAPIError, match="never changed or removed"),
            written.begin() as connection,
        ):
            connection.execute(text(statement))

    with written.read() as connection:
        actors = connection.execute(text(f"SELECT actor FROM {table}")).scalars().all()
    assert actors == ["a"]


def test_row_of_a_history_cannot_be_replaced_by_insert(written: Meta) -> None:
    if written.is_sqlite:
        statement = "INSERT OR REPLACE INTO audit VALUES (1, 9, 'x', 'x', 'x', 'x', '{}')"
    else:
        statement = (
            "INSERT INTO audit VALUES (1, 9, 'x', 'x', 'x', 'x', '{}') "
            "ON CONFLICT (id) DO UPDATE SET actor = 'x'"
        )
    with pytest.raises(DBAPIError, match="never changed or removed"), written.begin() as connection:
        connection.execute(text(statement))


def test_table_of_a_history_cannot_be_emptied_on_postgresql(written: Meta) -> None:
    if written.is_sqlite:
        pytest.skip("SQLite has no TRUNCATE")
    with pytest.raises(DBAPIError, match="never changed or removed"), written.begin() as connection:
        connection.execute(text("TRUNCATE audit"))


def test_number_of_an_audit_row_is_never_used_twice(meta: Meta) -> None:
    row = {"time_ms": 1, "actor": "a", "action": "b", "object": "", "project": "", "detail": {}}
    with meta.begin() as connection:
        connection.execute(insert(audit), [row, row, row])
    with meta.read() as connection:
        query = select(func.count(audit.c.id.distinct()), func.max(audit.c.id))
        assert tuple(connection.execute(query).one()) == (3, 3)
