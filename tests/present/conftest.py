"""The instance that the tests of this folder share, and a project of one's own in it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from support.house import Desk, House
from vagus.store.chdb import ChdbEngine

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def house(engine: ChdbEngine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """The instance that the tests of this folder share."""
    house = House(engine, tmp_path_factory.mktemp("house"))
    yield house
    house.meta.close()


@pytest.fixture
def desk(house: House) -> Desk:
    """A project of one's own with an API key."""
    project = f"desk-{next(_numbers)}"
    key = house.key(project)
    return Desk(house, project, key, house.client(key))
