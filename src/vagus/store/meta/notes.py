"""What the dialects of a project remember: names that clients make up and ask for again."""

from __future__ import annotations

from collections.abc import Callable

from vagus.errors import BadInput
from vagus.store.meta import state
from vagus.store.meta.db import Meta

MAX_NOTES = 10_000
MAX_KEY = 200
MAX_VALUE = 262_144


class ProjectNotes:
    """The notes of one project, bounded in size and number; `clean` takes secrets out of them."""

    def __init__(self, meta: Meta, project: str, clean: Callable[[str], str]) -> None:
        self._meta = meta
        self._prefix = f"note:{project}:"
        self._clean = clean

    def get(self, key: str) -> str | None:
        """The text kept under a key."""
        found = state.get(self._meta, self._prefix + key)
        return None if found is None else str(found)

    def put(self, key: str, value: str) -> None:
        """Keep a text under a key; raises `BadInput` when it is too long or there are too many."""
        if len(key) > MAX_KEY or len(value) > MAX_VALUE:
            raise BadInput(
                "a name or definition is too long to be remembered",
                field=key[:80],
                limit=f"{MAX_KEY} characters of key, {MAX_VALUE} of value",
            )
        if state.count(self._meta, self._prefix) >= MAX_NOTES and self.get(key) is None:
            raise BadInput(
                "this project has too many remembered names", field=key[:80], limit=f"{MAX_NOTES}"
            )
        state.put(self._meta, self._prefix + key, self._clean(value))
