"""Segment ids that only ever grow, over restarts, deleted segments and clocks that jump."""

from __future__ import annotations

import os
from pathlib import Path

from vagus.receive.segment import sync_directory

_BLOCK = 1000


class SegmentIds:
    """Hands out ids; a file keeps the bound below which every id may have been used.

    Ids start at the wall clock in milliseconds: should the whole log directory be lost, ids that
    the store has seen still do not come back.
    """

    def __init__(self, path: Path, *, above: int, now_ns: int) -> None:
        self._path = path
        text = path.read_text().strip() if path.exists() else ""
        used = int(text) if text.isdigit() else 0
        self._next = max(used, above + 1, now_ns // 1_000_000)
        self._bound = self._next

    def take(self) -> int:
        """The next id; the bound on disk is raised first when the block is used up."""
        if self._next >= self._bound:
            self._raise_bound(self._next + _BLOCK)
        self._next += 1
        return self._next - 1

    def _raise_bound(self, bound: int) -> None:
        newer = self._path.with_suffix(".new")
        with newer.open("w") as file:
            file.write(f"{bound}\n")
            file.flush()
            os.fsync(file.fileno())
        os.replace(newer, self._path)
        sync_directory(self._path.parent)
        self._bound = bound
