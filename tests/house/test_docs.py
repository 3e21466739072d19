"""The pages say what the code does: settings, stages, measures, commands and links in step."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from vagus.config import options
from vagus.measures.catalogue import load_catalogue

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
FRONT = ("README", "ARCHITECTURE", "GOALS", "CONTRIBUTING", "SECURITY", "CHANGELOG")
PAGES = sorted([*DOCS.rglob("*.md"), *(ROOT / f"{name}.md" for name in FRONT)])
DECISIONS = sorted((DOCS / "decisions").glob("*.md"))

#: The pages of a folder whose own name is not that of its page.
PAGES_OF = {
    "assess": ("cost", "quality"),
    "present": ("api", "ui"),
    "stats": ("statistics",),
    "model": (),
    "static": (),
}

_FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)|(?:src|href)=\"([^\"]+)\"")
_HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)
_LOCAL_PATH = re.compile(r"(?<![\w.])(/work|/home/|/Users/|/root/|/tmp/|\.\./shared)")
_OPTION_ROW = re.compile(r"^\| `([^`]+)` \| `([^`]+)` \| ([^|]*) \| (.*) \|$", re.MULTILINE)


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def prose(page: Path) -> str:
    """A page without its code blocks."""
    return _FENCED.sub("", page.read_text())


def anchors(page: Path) -> set[str]:
    """The anchors that a page's headings get."""
    return {
        re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")
        for heading in _HEADING.findall(prose(page))
    }


def links(page: Path) -> list[str]:
    """Where a page points, other sites left out."""
    found = (inline or html for inline, html in _LINK.findall(prose(page)))
    return [link for link in found if not re.match(r"[a-z]+:", link)]


def broken(page: Path, link: str) -> str:
    """What is wrong with a link; empty when nothing is."""
    path, _, anchor = link.partition("#")
    target = (page.parent / path).resolve() if path else page
    if not target.is_relative_to(ROOT):
        return f"{link} leaves the repository"
    if not target.exists():
        return f"{link} leads nowhere"
    if anchor and anchor not in anchors(target):
        return f"{link} names no heading"
    return ""


def test_every_setting_is_on_the_page_of_the_configuration() -> None:
    rows = set(_OPTION_ROW.findall((DOCS / "configuration.md").read_text()))
    expected = {
        (row.key, row.env, "none" if row.default == "" else str(row.default), row.help)
        for row in options()
    }

    assert rows == expected


@pytest.mark.parametrize(
    "folder",
    sorted(p.name for p in (ROOT / "src" / "vagus").iterdir() if (p / "__init__.py").exists()),
)
def test_every_folder_of_the_package_has_its_page(folder: str) -> None:
    names = PAGES_OF.get(folder, (folder,))

    assert [name for name in names if not (DOCS / f"{name}.md").exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_leads_somewhere(page: Path) -> None:
    assert [problem for link in links(page) if (problem := broken(page, link))] == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_no_page_names_a_place_on_somebodys_machine(page: Path) -> None:
    assert _LOCAL_PATH.findall(page.read_text()) == []


def test_every_page_is_reached_from_the_index() -> None:
    index = DOCS / "index.md"
    linked = {(DOCS / link.partition("#")[0]).resolve() for link in links(index)}

    assert sorted(name_of(p) for p in set(DOCS.rglob("*.md")) - linked - {index}) == []


def test_every_measure_is_on_its_page() -> None:
    page = (DOCS / "measures.md").read_text()

    assert [m.id for m in load_catalogue() if f"| `{m.id}` |" not in page] == []


@pytest.mark.parametrize("name", ["README", "CONTRIBUTING"])
def test_every_make_command_that_is_named_exists(name: str) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"\bmake ([a-z]+)\b", re.sub(r"\n", "  ", code(name))))

    assert named
    assert named <= targets


def code(name: str) -> str:
    """What a front page sets as code, in blocks and in lines."""
    text = (ROOT / f"{name}.md").read_text()
    return "\n".join([*_FENCED.findall(text), *re.findall(r"`[^`\n]+`", prose_of(text))])


def prose_of(text: str) -> str:
    """A text without its code blocks."""
    return _FENCED.sub("", text)


def test_the_changelog_names_this_version() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    changelog = (ROOT / "CHANGELOG.md").read_text()

    assert re.search(rf"^## {re.escape(version)}\b", changelog, re.MULTILINE)


def test_changes_are_written_as_area_and_sentence() -> None:
    entries = re.findall(r"^- (.+)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)

    assert entries
    assert [e for e in entries if not re.match(r"[a-z/]+: .+[.)]$", e)] == []


def test_decisions_are_numbered_without_a_gap() -> None:
    numbers = [int(page.name[:4]) for page in DECISIONS]

    assert numbers == list(range(1, len(DECISIONS) + 1))


@pytest.mark.parametrize("page", DECISIONS, ids=lambda p: p.stem)
def test_a_decision_says_its_context_its_choice_and_what_follows(page: Path) -> None:
    text = page.read_text()

    assert text.startswith(f"# {int(page.name[:4])}. ")
    assert [w for w in ("Context", "Choice", "Consequences") if f"**{w}.**" not in text] == []


@pytest.mark.parametrize("page", sorted(DOCS.rglob("*.md")), ids=name_of)
def test_a_line_of_prose_holds_one_sentence(page: Path) -> None:
    crowded = [
        line[:80]
        for line in prose(page).splitlines()
        if not re.match(r"\||\d+\. |- |<|\*\*", line) and re.search(r"[a-z)`]\. [A-Z]", line)
    ]

    assert crowded == []
