"""Small durable facts by name, which stages are handed to keep their place in."""

from __future__ import annotations

from typing import Protocol


class FactStore(Protocol):
    """Keeps a text under a name, durably."""

    def get(self, key: str) -> str | None:
        """The value under a key."""
        ...

    def put(self, key: str, value: str) -> None:
        """Keep a value under a key."""
        ...
