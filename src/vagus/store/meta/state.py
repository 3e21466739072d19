"""Checkpoints: small values that a stage keeps between two runs."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select

from vagus.store.meta.db import Meta
from vagus.store.meta.tables import state
from vagus.store.meta.write import upsert


def get(meta: Meta, key: str, default: Any = None) -> Any:
    """The JSON value kept under `key`, or `default`."""
    with meta.read() as connection:
        row = connection.execute(select(state.c.value).where(state.c.key == key)).first()
    return default if row is None else row.value


def put(meta: Meta, key: str, value: Any) -> None:
    """Keeps a JSON value under `key`, durably, in place of the one before."""
    with meta.begin() as connection:
        upsert(connection, state, {"key": key, "value": value})


def count(meta: Meta, prefix: str) -> int:
    """How many values are kept under keys that begin with `prefix`."""
    matches = state.c.key.startswith(prefix, autoescape=True)
    with meta.read() as connection:
        return connection.execute(
            select(func.count()).select_from(state).where(matches)
        ).scalar_one()


class Checkpoints:
    """The small facts as text by name, as a stage that knows no metadata store asks for them."""

    def __init__(self, meta: Meta) -> None:
        self._meta = meta

    def get(self, key: str) -> str | None:
        """The value under a key."""
        found = get(self._meta, key)
        return None if found is None else str(found)

    def put(self, key: str, value: str) -> None:
        """Keep a value under a key."""
        put(self._meta, key, value)
