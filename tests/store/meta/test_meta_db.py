"""The metadata database: transactions, durability settings, and clear refusals."""

from __future__ import annotations

import stat
import threading
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select, text
from sqlalchemy.exc import DBAPIError

from vagus.errors import ConfigError
from vagus.store.meta import state
from vagus.store.meta.db import Meta
from vagus.store.meta.migrate import upgrade
from vagus.store.meta.tables import incident_episodes, projects
from vagus.store.meta.tables import state as state_table
from vagus.store.meta.write import insert_new, upsert


def test_value_put_is_read_back_and_replaced(meta: Meta) -> None:
    state.put(meta, "settle.last", {"segment": 7})
    state.put(meta, "settle.last", [8, None, "é"])

    assert state.get(meta, "settle.last") == [8, None, "é"]
    assert state.get(meta, "never", "default") == "default"


def test_value_survives_reopening(meta: Meta, meta_url: str) -> None:
    state.put(meta, "key", 1)
    meta.close()
    again = Meta(meta_url)

    assert state.get(again, "key") == 1
    again.close()


def test_exception_in_a_transaction_undoes_all_of_it(meta: Meta) -> None:
    def fail_in_the_middle() -> None:
        with meta.begin() as connection:
            upsert(connection, state_table, {"key": "half", "value": 1})
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_in_the_middle()

    assert state.get(meta, "half") is None


def test_upsert_keeps_columns_it_was_not_given(meta: Meta) -> None:
    with meta.begin() as connection:
        upsert(connection, projects, {"id": "p", "name": "One", "created_ms": 5})
        upsert(connection, projects, {"id": "p", "name": "Two", "created_ms": 5})
        assert not insert_new(connection, projects, {"id": "p", "name": "No", "created_ms": 6})
        assert insert_new(connection, projects, {"id": "q", "name": "Yes", "created_ms": 6})

    with meta.read() as connection:
        rows = connection.execute(select(projects).order_by(projects.c.id)).all()
    assert [tuple(row) for row in rows] == [("p", "Two", 5), ("q", "Yes", 6)]


def test_row_that_points_to_nothing_is_refused(meta: Meta) -> None:
    with pytest.raises(DBAPIError, match=r"(?i)foreign key"), meta.begin() as connection:
        connection.execute(insert(incident_episodes).values(episode_id="e", incident_id="i"))


def test_writers_on_many_threads_wait_for_each_other_and_lose_nothing(meta: Meta) -> None:
    state.put(meta, "count", 0)

    def count_up() -> None:
        for _ in range(20):
            with meta.begin() as connection:
                query = select(state_table.c.value).where(state_table.c.key == "count")
                value = connection.execute(query.with_for_update()).scalar_one()
                upsert(connection, state_table, {"key": "count", "value": value + 1})

    threads = [threading.Thread(target=count_up) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert state.get(meta, "count") == 80


def test_reader_does_not_wait_for_a_writer(meta: Meta) -> None:
    state.put(meta, "key", "before")
    with meta.begin() as connection:
        upsert(connection, state_table, {"key": "key", "value": "after"})

        assert state.get(meta, "key") == "before"
    assert state.get(meta, "key") == "after"


def test_sqlite_is_durable_and_private(tmp_path: Path) -> None:
    meta = Meta.at(tmp_path / "meta.db")
    upgrade(meta)
    with meta.read() as connection:
        pragmas = {
            name: connection.execute(text(f"PRAGMA {name}")).scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    modes = {stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()}
    meta.close()

    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
    assert modes == {0o600}


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("not a url", "is not a database URL"),
        ("mysql://root:hunter2@localhost/vagus", "must name an SQLite file"),
        ("postgresql://localhost/vagus?sslmode=require", "no options.*remove sslmode"),
        ("sqlite://", "must name an SQLite file"),
        ("sqlite:////nowhere/at/all/meta.db", "cannot open the metadata database"),
    ],
)
def test_unusable_address_is_refused_with_the_fix(url: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        Meta(url)

    assert "hunter2" not in str(caught.value)


def test_paths_with_odd_characters_work(tmp_path: Path) -> None:
    folder = tmp_path / "a folder ? with # marks %20"
    folder.mkdir()
    meta = Meta.at(folder / "meta.db")
    upgrade(meta)
    with meta.read() as connection:
        count = connection.execute(select(func.count()).select_from(projects)).scalar_one()
    meta.close()

    assert count == 0
    assert (folder / "meta.db").exists()
