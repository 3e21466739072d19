"""A metadata store for the audit log."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from vagus.store.meta.db import Meta
from vagus.store.meta.migrate import upgrade


@pytest.fixture
def meta(tmp_path: Path) -> Iterator[Meta]:
    """An SQLite store with the newest tables."""
    meta = Meta.at(tmp_path / "meta.db")
    upgrade(meta)
    yield meta
    meta.close()
