"""A metadata store of each kind that this machine can run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.databases import emptied, running_postgresql
from vagus.store.meta.db import Meta
from vagus.store.meta.migrate import upgrade


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """A real PostgreSQL server that lives as long as the tests."""
    with running_postgresql() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def meta_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database, once of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'meta.db'}"
    return emptied(request.getfixturevalue("postgresql_url"))


@pytest.fixture
def empty_meta(meta_url: str) -> Iterator[Meta]:
    """A store without any table yet."""
    meta = Meta(meta_url)
    yield meta
    meta.close()


@pytest.fixture
def meta(empty_meta: Meta) -> Meta:
    """A store with the newest tables."""
    upgrade(empty_meta)
    return empty_meta
