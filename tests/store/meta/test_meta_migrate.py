"""Migrations: from empty and from every earlier version to what the code expects."""

from __future__ import annotations

import threading

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import insert, select, text

from vagus.errors import ConfigError
from vagus.store.meta.db import Meta
from vagus.store.meta.migrate import upgrade, versions

# The last file of tables knows those of all others.
from vagus.store.meta.response import metadata
from vagus.store.meta.tables import projects


@pytest.mark.parametrize("version", ["base", *versions()])
def test_every_earlier_version_becomes_what_the_code_expects(
    version: str, empty_meta: Meta
) -> None:
    if version != "base":
        upgrade(empty_meta, to=version)
        with empty_meta.begin() as connection:
            connection.execute(insert(projects).values(id="kept", name="Kept", created_ms=1))
    upgrade(empty_meta)

    with empty_meta.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        differences = compare_metadata(context, metadata)
        kept = connection.execute(select(projects.c.id)).scalars().all()
    assert differences == []
    assert kept == ([] if version == "base" else ["kept"])


def test_running_again_changes_nothing(meta: Meta) -> None:
    upgrade(meta)

    with meta.read() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
    assert current == versions()[-1]


def test_newer_schema_is_refused_and_left_alone(meta: Meta) -> None:
    with meta.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(ConfigError, match=r"has schema 9999.*written by a newer one"):
        upgrade(meta)

    with meta.read() as connection:
        version = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
    assert version == "9999"


def test_two_servers_that_start_at_once_both_succeed(meta_url: str) -> None:
    stores = [Meta(meta_url) for _ in range(3)]
    failures: list[BaseException] = []

    def start(meta: Meta) -> None:
        try:
            upgrade(meta)
        except BaseException as e:  # noqa: BLE001 - a thread's failure must reach the test
            failures.append(e)

    threads = [threading.Thread(target=start, args=(meta,)) for meta in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for meta in stores:
        meta.close()

    assert failures == []
