"""A metadata store without told changes, and the running of one simulated episode."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from diagnose.faults import ONSET_S, App, simulate
from vagus.diagnose.diagnose import diagnose
from vagus.measures.catalogue import load_catalogue
from vagus.model.finding import Finding
from vagus.store.engine import Engine
from vagus.store.meta.db import Meta
from vagus.store.meta.migrate import upgrade

Episode = Callable[..., Finding]


@pytest.fixture(scope="session")
def meta(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Meta]:
    """A real metadata store."""
    meta = Meta.at(Path(tmp_path_factory.mktemp("meta")) / "meta.db")
    upgrade(meta)
    yield meta
    meta.close()


@pytest.fixture
def episode(engine: Engine, meta: Meta, project: str) -> Episode:
    """Simulate the application once, let a monitor fire two minutes after the onset, diagnose."""
    catalogue = load_catalogue()

    written: set[str] = set()

    def run(after: App, measure: str, seed: int, **more: Any) -> Finding:
        if project not in written:
            written.add(project)
            for table, rows in simulate(project, App(), after, seed).items():
                engine.insert(table, rows)
        return diagnose(
            engine,
            meta,
            catalogue,
            project=project,
            measure=measure,
            onset_ms=(ONSET_S + 120) * 1000,
            window_ms=1_800_000,
            now_ms=(ONSET_S + 1800) * 1000,
            **more,
        )

    return run
