"""A metadata store of each kind that this machine can run: SQLite always, PostgreSQL if there."""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from vagus.store.meta.db import Meta
from vagus.store.meta.migrate import upgrade

_numbers = itertools.count(1)


def _programs() -> Path | None:
    found = shutil.which("initdb")
    folders = [Path(found).resolve().parent] if found else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    complete = (f for f in folders if all((f / p).exists() for p in ("initdb", "pg_ctl")))
    return next(complete, None)


def _account() -> str | None:
    """The account to run PostgreSQL under, which refuses to run as root; None: as we are."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """The address of a real PostgreSQL server that lives as long as the tests."""
    programs = _programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed here (no initdb); its tests are skipped")
    account = _account()
    folder = Path(tempfile.mkdtemp(prefix="vagus-postgresql-"))
    if account is not None:
        shutil.chown(folder, account)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    def run(program: str, *words: str) -> None:
        command = [str(programs / program), "-D", str(folder / "data"), *words]
        done = subprocess.run(command, user=account, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    run("initdb", "-U", "vagus", "-A", "trust", "--no-sync")
    options = f"-c port={port} -c listen_addresses=127.0.0.1 -c fsync=off -k {folder}"
    run("pg_ctl", "-w", "-l", str(folder / "log"), "-o", options, "start")
    yield f"postgresql://vagus@127.0.0.1:{port}"
    run("pg_ctl", "-m", "immediate", "stop")
    shutil.rmtree(folder)


@pytest.fixture(params=["sqlite", "postgresql"])
def meta_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database, once of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'meta.db'}"
    server = request.getfixturevalue("postgresql_url")
    name = f"test_{next(_numbers)}"
    maintenance = Meta(f"{server}/postgres")
    with maintenance.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT")
        connection.execute(text(f"CREATE DATABASE {name}"))
    maintenance.close()
    return f"{server}/{name}"


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
