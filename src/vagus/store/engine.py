"""The engine as the rest of Vagus sees it: SQL in, columns out, the same embedded or remote."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Columns:
    """The answer to a query, column by column, in the order that was asked for."""

    data: Mapping[str, list[Any]]

    def __len__(self) -> int:
        return len(next(iter(self.data.values()), []))

    def __getitem__(self, name: str) -> list[Any]:
        return self.data[name]

    def rows(self) -> Iterator[tuple[Any, ...]]:
        """The rows as tuples."""
        return zip(*self.data.values(), strict=True)

    def dicts(self) -> Iterator[dict[str, Any]]:
        """The rows as dictionaries."""
        names = tuple(self.data)
        for row in self.rows():
            yield dict(zip(names, row, strict=True))

    def one(self) -> Any:
        """The single value of a one-row, one-column answer."""
        (column,) = self.data.values()
        (value,) = column
        return value


@dataclass(frozen=True, slots=True)
class Load:
    """One segment on its way into a table.

    `select` reads from `{source}`, which the engine replaces by the segment read as `message` of
    the protobuf `schema` with the column types `structure`.
    """

    table: str
    columns: tuple[str, ...]
    select: str
    message: str
    structure: str
    schema: str
    segment: Path
    token: str
    params: Mapping[str, Any]


class Engine(Protocol):
    """A ClickHouse engine; every method may be called from any thread and raises `StoreError`."""

    def query(
        self,
        sql: str,
        params: Mapping[str, Any] | None = None,
        settings: Mapping[str, int | float | str] | None = None,
    ) -> Columns:
        """The answer to a SELECT; `params` fill `{name:Type}` places, never the SQL text.

        64-bit integers come as int, NaN and infinities as None, DateTime as text in UTC.
        """
        ...

    def execute(self, sql: str, params: Mapping[str, Any] | None = None) -> None:
        """Run a statement that has no answer."""
        ...

    def insert(self, table: str, rows: Sequence[Any], *, token: str | None = None) -> None:
        """Insert msgspec structs or dicts as one block; the same `token` inserts only once."""
        ...

    def load(self, load: Load) -> None:
        """Insert one protobuf segment; the same segment inserts only once."""
        ...

    def release_memory(self) -> None:
        """Give memory that is free inside the engine back to the system."""
        ...

    def close(self) -> None:
        """Finish running queries and let the engine go."""
        ...
