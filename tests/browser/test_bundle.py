"""The bundle: small enough, complete, nothing inline, and rebuilt only when it must be."""

from __future__ import annotations

import gzip
import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

from vagus.present.web import BUNDLE

ROOT = Path(__file__).parent.parent.parent
FIRST_LOAD_LIMIT_BYTES = 150_000
LAZY_LIMIT_BYTES = 60_000


@pytest.fixture(scope="module")
def hook() -> ModuleType:
    """The build hook, loaded from the root of the repository."""
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def packed(path: Path) -> int:
    """The size of a file as a browser downloads it."""
    return len(gzip.compress(path.read_bytes(), 9))


def first_load() -> list[Path]:
    """The page and everything that it names."""
    page = BUNDLE / "index.html"
    names = re.findall(r'(?:src|href)="/([^"]+)"', page.read_text())
    return [page, *(BUNDLE / name for name in names)]


def test_first_load_stays_within_its_budget() -> None:
    assert sum(packed(path) for path in first_load()) <= FIRST_LOAD_LIMIT_BYTES


def test_each_lazy_screen_stays_within_its_budget() -> None:
    lazy = set((BUNDLE / "assets").glob("*.js")) - set(first_load())

    assert lazy
    assert max(packed(path) for path in lazy) <= LAZY_LIMIT_BYTES


def test_page_holds_no_inline_script_or_style() -> None:
    text = (BUNDLE / "index.html").read_text()

    assert re.findall(r"<script(?![^>]*\bsrc=)", text) == []
    assert "<style" not in text
    assert re.findall(r"\s(?:style|on\w+)=", text) == []


def test_bundle_names_no_other_origin() -> None:
    allowed = {"www.w3.org"}
    for path in (BUNDLE / "assets").glob("*.css"):
        assert "url(http" not in path.read_text()
    hosts = set(re.findall(r'(?:src|href)="https?://([^/"]+)', (BUNDLE / "index.html").read_text()))
    assert hosts <= allowed


def test_the_stamp_follows_content_and_not_time(hook: ModuleType, tmp_path: Path) -> None:
    web = tmp_path / "web"
    (web / "src").mkdir(parents=True)
    (web / "node_modules").mkdir()
    (web / "src" / "main.tsx").write_text("one")
    first = hook.source_hash(web)
    (web / "node_modules" / "noise.js").write_text("noise")
    (web / "src" / "main.tsx").write_text("one")

    assert hook.source_hash(web) == first
    (web / "src" / "main.tsx").write_text("two")
    assert hook.source_hash(web) != first


def test_renaming_a_source_changes_the_stamp(hook: ModuleType, tmp_path: Path) -> None:
    web = tmp_path / "web"
    web.mkdir()
    (web / "a.ts").write_text("same")
    first = hook.source_hash(web)
    (web / "a.ts").rename(web / "b.ts")

    assert hook.source_hash(web) != first
