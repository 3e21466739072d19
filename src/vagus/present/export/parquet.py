"""An export as Parquet: typed columns, one row group for each page, written as it is read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow
import pyarrow.parquet

from vagus.present.export.table import Export, Kind

_TYPES: dict[Kind, Any] = {
    "text": pyarrow.string(),
    "int": pyarrow.int64(),
    "float": pyarrow.float64(),
    "flag": pyarrow.bool_(),
    "time": pyarrow.timestamp("us", tz="UTC"),
}


class _Taken:
    """A file that is read away while it is written."""

    def __init__(self) -> None:
        self.closed = False
        self._parts: list[bytes] = []

    def write(self, data: Any) -> int:
        part = bytes(data)
        self._parts.append(part)
        return len(part)

    def take(self) -> bytes:
        """What was written since the last time."""
        taken = b"".join(self._parts)
        self._parts.clear()
        return taken

    def flush(self) -> None:
        """Nothing is kept back."""

    def close(self) -> None:
        """What was written can still be taken."""
        self.closed = True


def write_parquet(export: Export) -> Iterator[bytes]:
    """The bytes of the file, a page at a time."""
    schema = pyarrow.schema([(c.name, _TYPES[c.kind]) for c in export.columns])
    file = _Taken()
    sink = pyarrow.PythonFile(file, mode="w")
    with pyarrow.parquet.ParquetWriter(sink, schema, compression="zstd") as writer:
        for page in export.pages:
            if page:
                writer.write_table(pyarrow.table(_columns(export, page), schema=schema))
            if part := file.take():
                yield part
    sink.flush()
    yield file.take()


def _columns(export: Export, page: list[dict[str, Any]]) -> list[Any]:
    columns = []
    for column in export.columns:
        values = [row[column.name] for row in page]
        if column.kind == "flag":
            values = [None if value is None else bool(value) for value in values]
        if column.kind == "text":
            values = [None if value is None else _valid(str(value)) for value in values]
        columns.append(pyarrow.array(values, type=_TYPES[column.kind]))
    return columns


def _valid(text: str) -> str:
    """A text without lone surrogates, which UTF-8 cannot hold."""
    return text.encode("utf-8", "replace").decode()
