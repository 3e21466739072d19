"""A bound on the memory that all requests in flight may hold together."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from vagus.errors import Unavailable


class Budget:
    """Bytes that may be held at the same time; used from one event loop."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.held = 0

    def lease(self) -> Lease:
        """A share that grows as a body arrives and is given back as a whole."""
        return Lease(self)


class Lease:
    """The share of one request; a context manager."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._held = 0

    def grow(self, size: int) -> None:
        """Take more bytes; raises `Unavailable` when all requests together hold too much."""
        if self._budget.held + size > self._budget.limit:
            raise Unavailable(
                f"requests in flight already hold {self._budget.held} bytes; send this again "
                "in a moment",
                retry_after_s=1,
            )
        self._budget.held += size
        self._held += size

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._budget.held -= self._held
        self._held = 0
