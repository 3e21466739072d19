"""A block of numbers on its way into a table: one file of fixed rows, texts by their number."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from vagus.store.engine import Engine

_SQL = {
    "i4": "Int32",
    "u1": "UInt8",
    "u2": "UInt16",
    "u4": "UInt32",
    "u8": "UInt64",
    "f8": "Float64",
}


class Block:
    """Columns of equal length and, for each column of the table, the SQL that makes it of them.

    A fixed-size row of numbers is what the engine reads fastest; texts are looked up in one list.
    """

    def __init__(self, n: int) -> None:
        self._n = n
        self._columns: dict[str, np.ndarray] = {}
        self._select: dict[str, str] = {}

    def number(self, name: str, values: np.ndarray | float, kind: str = "u4") -> None:
        """A column that is a number."""
        self._columns[name] = np.broadcast_to(np.asarray(values), (self._n,)).astype(kind)
        self._select[name] = name

    def maybe(self, name: str, values: np.ndarray) -> None:
        """A column that is a number or NULL, which is NaN here."""
        self.number(name, values, "f8")
        self._select[name] = f"if(isNaN({name}), NULL, {name})"

    def maybe_whole(self, name: str, values: np.ndarray) -> None:
        """The same of whole numbers, which none of them is below 0."""
        self.number(name, np.where(np.isnan(values), -1, values), "i4")
        self._select[name] = f"nullIf({name}, -1)"

    def text(self, name: str, codes: np.ndarray | int) -> None:
        """A column that is a text, given by its number."""
        self.number(name, codes, "u2")
        self._select[name] = f"{{words:Array(String)}}[{name} + 1]"

    def hidden(self, name: str, values: np.ndarray | float, kind: str = "u8") -> None:
        """A number that only other columns are made of."""
        self.number(name, values, kind)
        del self._select[name]

    def made(self, name: str, sql: str) -> None:
        """A column that the engine makes of the others."""
        self._select[name] = sql

    def insert(self, engine: Engine, table: str, words: list[str], directory: Path) -> None:
        """Write the block into the table."""
        if not self._n:
            return
        kinds = [(name, column.dtype.str[1:]) for name, column in self._columns.items()]
        rows = np.empty(self._n, dtype=kinds)
        for name, column in self._columns.items():
            rows[name] = column
        file = directory / f"{table}.bin"
        file.write_bytes(rows.tobytes())
        structure = ", ".join(f"{name} {_SQL[kind]}" for name, kind in kinds)
        targets = ", ".join(f"`{name}`" for name in self._select)
        values = ", ".join(f"{sql} AS `_{name}`" for name, sql in self._select.items())
        engine.execute(
            f"INSERT INTO {table} ({targets}) SELECT {values} "
            f"FROM file('{file}', 'RowBinary', '{structure}')",
            {"words": words},
        )
        file.unlink()
