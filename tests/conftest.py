"""What every test may ask for: a real engine, shared, and a project of one's own in it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from support.serving import Serving, serving
from vagus.store.chdb import ChdbEngine
from vagus.store.migrate import migrate

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChdbEngine]:
    """The embedded engine with all tables; one process can open only one directory."""
    engine = ChdbEngine(tmp_path_factory.mktemp("engine"))
    migrate(engine)
    yield engine
    engine.close()


@pytest.fixture
def project() -> str:
    """The name of a project nobody else writes to."""
    return f"project-{next(_numbers)}"


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """A whole server as a process of its own, with sign-in; each test takes a project in it."""
    with serving(tmp_path_factory.mktemp("serving") / "data") as running:
        yield running


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests run last: Playwright keeps an event loop running in the main thread."""
    items.sort(key=lambda item: "browser" in item.path.parts)
