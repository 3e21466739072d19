"""The metadata database: one engine, short transactions, the same on SQLite and PostgreSQL."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from vagus.errors import ConfigError

_READS = {"vagus_reads": True}


class Meta:
    """A pool of connections to the metadata database; `url` is SQLite or PostgreSQL.

    `sqlite:////absolute/path` or `postgresql://user:password@host/database`.
    """

    def __init__(self, url: str | URL) -> None:
        self.url = _parse(url)
        if self.is_sqlite:
            _create_private(Path(self.url.database or ""))
        self.engine = create_engine(self.url, pool_pre_ping=not self.is_sqlite)
        if self.is_sqlite:
            event.listen(self.engine, "connect", _prepare_sqlite)
            event.listen(self.engine, "begin", _begin_sqlite)
        self._reader: Engine = self.engine.execution_options(**_READS)

    @classmethod
    def at(cls, path: Path) -> Meta:
        """The SQLite database in the file `path`, made if it is not there."""
        return cls(URL.create("sqlite", database=str(path.absolute())))

    @property
    def is_sqlite(self) -> bool:
        """Whether the database is SQLite rather than PostgreSQL."""
        return self.url.get_backend_name() == "sqlite"

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """A transaction that may write: commits at the end, rolls back on an exception."""
        with self.engine.begin() as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that only reads, and on SQLite does not wait for a writer."""
        with self._reader.begin() as connection:
            yield connection

    def close(self) -> None:
        """Closes every connection."""
        self.engine.dispose()


def _parse(url: str | URL) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError as e:
        raise ConfigError("store.meta_url is not a database URL, such as sqlite:///meta.db") from e
    match parsed.get_backend_name():
        case "sqlite" if parsed.database not in (None, "", ":memory:"):
            return parsed.set(drivername="sqlite")
        case "postgresql" | "postgres" if parsed.query:
            raise ConfigError(
                "store.meta_url takes no options after the database name; remove "
                f"{', '.join(sorted(parsed.query))}"
            )
        case "postgresql" | "postgres":
            return parsed.set(drivername="postgresql+pg8000")
    raise ConfigError(
        "store.meta_url must name an SQLite file (sqlite:///path) or a PostgreSQL database "
        f"(postgresql://...), not {parsed.render_as_string(hide_password=True)}"
    )


def _create_private(path: Path) -> None:
    # SQLite gives its journal files the mode of the database file, so 0600 here covers them all.
    try:
        os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
    except OSError as e:
        raise ConfigError(f"cannot open the metadata database {path}: {e.strerror}") from e


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # Python's own transaction control is switched off: it begins too late to hold the write lock.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        "busy_timeout=10000",
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "recursive_triggers=ON",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    # A writer takes the lock at once: upgrading a read lock later fails instead of waiting.
    reads = connection.get_execution_options().get("vagus_reads", False)
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")
