"""A metadata store with one project, and the catalogue that ships."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from vagus.measures.catalogue import Catalogue, load_catalogue
from vagus.store.meta.db import Meta
from vagus.store.meta.migrate import upgrade
from vagus.store.meta.tables import projects


@pytest.fixture
def meta(tmp_path: Path, project: str) -> Iterator[Meta]:
    meta = Meta.at(tmp_path / "meta.db")
    upgrade(meta)
    with meta.begin() as connection:
        row = {"id": project, "name": project, "created_ms": 0}
        connection.execute(projects.insert().values(row))
    yield meta
    meta.close()


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return load_catalogue()
