"""Real metadata databases: an SQLite file always, a PostgreSQL server where it is installed."""

from __future__ import annotations

import contextlib
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


@contextlib.contextmanager
def running_postgresql() -> Iterator[str]:
    """The address of an empty database on a server of our own; skips where none is installed."""
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
        with (folder / "output").open("wb") as output:
            done = subprocess.run(
                command, user=account, stdout=output, stderr=output, cwd="/", check=False
            )
        assert done.returncode == 0, (folder / "output").read_text()

    run("initdb", "-U", "vagus", "-A", "trust", "--no-sync")
    options = f"-c port={port} -c listen_addresses=127.0.0.1 -c fsync=off -k {folder}"
    run("pg_ctl", "-w", "-l", str(folder / "log"), "-o", options, "start")
    try:
        yield f"postgresql://vagus@127.0.0.1:{port}/postgres"
    finally:
        run("pg_ctl", "-m", "immediate", "stop")
        shutil.rmtree(folder)


def emptied(url: str) -> str:
    """The same database with nothing in it."""
    meta = Meta(url)
    with meta.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    meta.close()
    return url


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
