"""Environments of the real clients: made once from the table, kept beside the checkout."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
KEPT = ROOT / ".conformance"
TABLE: dict[str, Any] = tomllib.loads((Path(__file__).parent / "environments.toml").read_text())
#: The environment that the tests themselves run in.
OWN = "own"


def versions(name: str) -> tuple[str, ...]:
    """What an environment pins, as the table says it."""
    if name == OWN:
        return ()
    packages: list[str] = {**TABLE["python"], **TABLE["node"]}[name]
    return tuple(packages)


def is_node(name: str) -> bool:
    """Whether the environment holds npm packages."""
    return name in TABLE["node"]


def program(name: str) -> list[str]:
    """The command that runs a script in an environment, which is made when it is not there."""
    if name == OWN:
        return [sys.executable]
    folder = KEPT / name
    wanted = hashlib.sha256(
        json.dumps([TABLE["exclude_newer"], versions(name)]).encode()
    ).hexdigest()
    made_from = folder / ".made-from"
    if not made_from.exists() or made_from.read_text() != wanted:
        make = _make_node if is_node(name) else _make_python
        make(folder, versions(name))
        made_from.write_text(wanted)
    return ["node"] if is_node(name) else [str(folder / "bin" / "python")]


def _make_python(folder: Path, packages: tuple[str, ...]) -> None:
    uv = _uv()
    _run(uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(folder))
    newest = ("--exclude-newer", TABLE["exclude_newer"])
    _run(uv, "pip", "install", "--quiet", "--python", str(folder), *newest, *packages)


def _make_node(folder: Path, packages: tuple[str, ...]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "package.json").write_text('{"private": true, "type": "module"}')
    _run("npm", "install", "--silent", "--ignore-scripts", "--prefix", str(folder), *packages)


def _uv() -> str:
    folder = KEPT / f"uv-{TABLE['uv']}"
    uv = folder / "bin" / "uv"
    if not uv.exists():
        _run(sys.executable, "-m", "venv", str(folder))
        _run(str(folder / "bin" / "pip"), "install", "--quiet", f"uv=={TABLE['uv']}")
    return str(uv)


def _run(*command: str) -> None:
    niced = ("nice", "-n", "15", *command)
    environ = {**os.environ, "UV_CACHE_DIR": str(KEPT / "cache")}
    done = subprocess.run(niced, capture_output=True, text=True, env=environ)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command[:4])} failed:\n{done.stdout}{done.stderr}")
