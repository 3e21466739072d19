"""Answers cut to what a model can read, with a word about what was left out."""

from __future__ import annotations

from typing import Any

import msgspec

MAX_CHARACTERS = 40_000
_ROUNDS = ((200, 4_000), (100, 2_000), (50, 1_000), (25, 500), (10, 200), (5, 80))
_DEEPEST = 12


def bound(data: Any, most: int = MAX_CHARACTERS) -> tuple[Any, list[str]]:
    """The data with lists and texts cut until its JSON fits, and what was cut in sentences."""
    for items, letters in _ROUNDS:
        cuts = _Cuts(items, letters)
        kept = cuts.shorten(data)
        if len(msgspec.json.encode(kept)) <= most:
            return kept, cuts.told()
    told = f"the answer is longer than {most} characters even when cut; ask for less"
    return {}, [told]


class _Cuts:
    """One round of cutting, with its count of what went."""

    def __init__(self, items: int, letters: int) -> None:
        self._items = items
        self._letters = letters
        self._lists = self._texts = self._deep = 0

    def shorten(self, data: Any, depth: int = 0) -> Any:
        """The data with long lists and texts cut."""
        if isinstance(data, str) and len(data) > self._letters:
            self._texts += 1
            return f"{data[: self._letters]}… (+{len(data) - self._letters} characters)"
        if isinstance(data, dict | list | tuple) and depth >= _DEEPEST:
            self._deep += 1
            return None
        if isinstance(data, dict):
            kept = list(data.items())[: self._items]
            self._lists += len(data) > len(kept)
            return {name[: self._letters]: self.shorten(v, depth + 1) for name, v in kept}
        if isinstance(data, list | tuple):
            self._lists += len(data) > self._items
            return [self.shorten(value, depth + 1) for value in data[: self._items]]
        return data

    def told(self) -> list[str]:
        """What was cut, in sentences."""
        found = (
            (self._lists, f"lists were cut after {self._items} entries: {self._lists}"),
            (self._texts, f"texts were cut after {self._letters} characters: {self._texts}"),
            (self._deep, f"objects nested deeper than {_DEEPEST} were left out: {self._deep}"),
        )
        return [sentence for count, sentence in found if count]
