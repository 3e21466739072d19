"""The rules of the house that a linter does not know: arrows, sizes, names."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "vagus"
MODULES = sorted(p for p in SOURCE.rglob("*.py") if "versions" not in p.parts)

#: The way of the data: a stage knows the stages before it and nothing behind it.
STAGES = [
    "receive",
    "store",
    "meaning",
    "settle",
    "measures",
    "assess",
    "watch",
    "diagnose",
    "respond",
    "present",
]
SHARED = {"model", "errors", "config", "stats", "audit"}
#: What each shared part may itself use.
SHARED_USES = {
    "model": {"errors"},
    "errors": set(),
    "config": {"errors"},
    "stats": {"errors"},
    # The audit log is a table of the metadata store.
    "audit": {"errors", "model", "config", "store"},
}
FREE = {"app", "platform", "workers", "cli", "demo"}
MAX_FILE_LINES = 500
MAX_FUNCTION_LINES = 60
BANNED_NAMES = {"utils", "util", "helpers", "helper", "common", "manager", "misc", "base2"}


def stage_of(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def imports_of(path: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.lineno, node.module


def allowed(stage: str) -> set[str]:
    if stage in SHARED_USES:
        return SHARED_USES[stage] | {stage}
    if stage == "sdk" or stage == "__init__":
        return {"sdk"}
    return SHARED | set(STAGES[: STAGES.index(stage) + 1])


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_imports_follow_the_way_of_the_data(path: Path) -> None:
    stage = stage_of(path)
    if stage in FREE:
        return
    wrong = [
        f"{path.name}:{line} imports {name}"
        for line, name in imports_of(path)
        if name.startswith("vagus.") and name.split(".")[1] not in allowed(stage)
    ]
    assert wrong == []


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_files_and_functions_stay_small(path: Path) -> None:
    text = path.read_text()
    long = [
        f"{node.name} has {(node.end_lineno or 0) - node.lineno + 1} lines"
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno + 1 > MAX_FUNCTION_LINES
    ]
    assert long == []
    assert len(text.splitlines()) <= MAX_FILE_LINES


def test_files_are_named_by_a_noun() -> None:
    assert [str(p) for p in MODULES if p.stem in BANNED_NAMES] == []


def test_every_folder_says_what_it_is_in_one_sentence() -> None:
    silent = [
        str(folder.relative_to(SOURCE))
        for folder in {p.parent for p in MODULES}
        if not (folder / "__init__.py").exists()
        or not ast.get_docstring(ast.parse((folder / "__init__.py").read_text()))
    ]
    assert silent == []


def test_the_light_package_pulls_in_no_server_code() -> None:
    known = {"opentelemetry", "vagus"}
    heavy = [
        f"{path.name}:{line} {name}"
        for path in MODULES
        if stage_of(path) in ("sdk", "__init__")
        for line, name in imports_of(path)
        if name.split(".")[0] not in known
        and name.split(".")[0] not in __import__("sys").stdlib_module_names
    ]
    assert heavy == []


def test_nobody_mocks() -> None:
    mocks = [
        str(path)
        for path in (ROOT / "tests").rglob("*.py")
        if any(name.startswith("unittest.mock") for _, name in imports_of(path))
    ]
    assert mocks == []
