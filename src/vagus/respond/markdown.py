"""Markdown from words that nobody may trust: nothing in them becomes markup."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

_MARKS = re.compile(r"([\\`*_{}\[\]<>#|~!&$])")
# Renderers make links of bare addresses; a backslash within keeps them text.
_ADDRESS = re.compile(r"(?i)(:)(?=//)|(?<=www)(\.)|(@)")
_LIMIT = 600


def escape(text: str, limit: int = _LIMIT) -> str:
    """Words on one line that read as they are; what cannot be seen is shown as missing."""
    cut = text if len(text) <= limit else text[: limit - 1] + "…"
    line = re.sub(r"\s+", " ", cut).strip()
    shown = "".join(c if c.isprintable() else "\ufffd" for c in line)
    marked = _MARKS.sub(r"\\\1", shown)
    return _ADDRESS.sub(lambda found: "\\" + found[0], marked)


def code(text: str, limit: int = 200) -> str:
    """An id or a query as code, on one line."""
    shown = "".join(c if c.isprintable() else "\ufffd" for c in text[:limit])
    plain = shown.replace("`", "'").replace("|", "\\|").strip()
    return f"`{plain}`" if plain else "–"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """The lines of a table; cells are Markdown already."""
    lines = [_row(head), _row(["---"] * len(head))]
    return [*lines, *(_row(cells) for cells in rows)]


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
