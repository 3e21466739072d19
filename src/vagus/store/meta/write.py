"""Writes that SQLite and PostgreSQL spell alike but SQLAlchemy keeps in two dialects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite


def upsert(connection: Connection, table: Table, row: Mapping[str, Any]) -> None:
    """Inserts a row, or replaces the given columns of the row with the same primary key."""
    keys = [column.name for column in table.primary_key]
    rest = {name: value for name, value in row.items() if name not in keys}
    statement = _insert(connection, table).values(**row)
    connection.execute(
        statement.on_conflict_do_update(index_elements=keys, set_=rest)
        if rest
        else statement.on_conflict_do_nothing(index_elements=keys)
    )


def insert_new(connection: Connection, table: Table, row: Mapping[str, Any]) -> bool:
    """Inserts a row unless a unique key is taken already; says whether it did."""
    result = connection.execute(_insert(connection, table).values(**row).on_conflict_do_nothing())
    return bool(result.rowcount)


def _insert(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    # Both dialects write the same ON CONFLICT clause; only the class differs.
    if connection.dialect.name == "sqlite":
        return sqlite.insert(table)
    return postgresql.insert(table)
