"""What the conformance run needs: a server that adds no scores of its own, a provider, the page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from conformance.matrix import Matrix
from conformance.provider import provider
from support.serving import Serving, serving


def pytest_addoption(parser: pytest.Parser) -> None:
    """The page to write, when the whole matrix is run."""
    parser.addoption("--matrix", type=Path, help="write the compatibility page to this file")


@pytest.fixture(scope="session")
def receiving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """A server whose only scores are those that clients send."""
    with serving(tmp_path_factory.mktemp("conformance") / "data", "--quality-sample-rate=0") as s:
        yield s


@pytest.fixture(scope="session")
def provider_url() -> Iterator[str]:
    """Where the models on this machine answer."""
    with provider() as url:
        yield url


@pytest.fixture(scope="session")
def matrix(pytestconfig: pytest.Config) -> Iterator[Matrix]:
    """The results of this run; written down at the end when that was asked for."""
    matrix = Matrix()
    yield matrix
    page: Path | None = pytestconfig.getoption("--matrix")
    if page:
        page.write_text(matrix.page())
