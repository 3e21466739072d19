"""The embedded engine: ClickHouse inside this process, behind a pool of connections.

One chDB connection runs one query at a time; several connections in one process run side by side.
The loader and the other writers have connections of their own, so that no dashboard can delay what
was acknowledged.
"""

from __future__ import annotations

import ctypes
import queue
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import chdb
import msgspec

from vagus.errors import StoreError
from vagus.store.engine import Columns, Load
from vagus.store.parameters import encode

ANSWER: dict[str, int | float | str] = {
    "output_format_json_quote_64bit_integers": 0,
    "output_format_json_quote_denormals": 0,
    "output_format_json_escape_forward_slashes": 0,
}
#: The engine's own caches, bounded: their defaults are made for a machine of its own.
_CACHES = "&".join(
    f"{name}={megabytes * 1024 * 1024}"
    for name, megabytes in {
        "mark_cache_size": 64,
        "primary_index_cache_size": 64,
        "index_mark_cache_size": 32,
        "query_condition_cache_size": 16,
        "compiled_expression_cache_size": 32,
    }.items()
)
#: glibc's own "give back what is free"; other C libraries have none and need none.
_trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
_LOADERS = 2
#: A segment becomes exactly one block, so that it is inserted whole or not at all.
ONE_BLOCK: dict[str, int | float | str] = {
    "max_threads": 1,
    "max_insert_threads": 1,
    "max_block_size": 100_000_000,
    "max_insert_block_size": 100_000_000,
    "min_insert_block_size_rows": 100_000_000,
    "min_insert_block_size_bytes": 4_000_000_000,
    "deduplicate_blocks_in_dependent_materialized_views": 1,
    "date_time_input_format": "best_effort",
    "input_format_null_as_default": 0,
}


class ChdbEngine:
    """The embedded engine over one directory; beside it lies the schema of the segments."""

    def __init__(
        self, path: Path | str, *, connections: int = 4, memory_bytes: int = 1024**3
    ) -> None:
        self._limits: dict[str, int | float | str] = {"max_memory_usage": memory_bytes}
        self._schema_directory = Path(f"{path}-schema")
        self._schemas: dict[str, Path] = {}
        self._writing_schema = threading.Lock()
        self._pool: queue.SimpleQueue[Any] = queue.SimpleQueue()
        try:
            self._open = [chdb.connect(f"{path}?{_CACHES}") for _ in range(connections + 3)]
        except RuntimeError as e:
            raise StoreError(f"opening the engine in {path}: {e}") from e
        self._inserter, *rest = self._open
        self._inserting = threading.Lock()
        self._loaders: queue.SimpleQueue[Any] = queue.SimpleQueue()
        for number, connection in enumerate(rest):
            (self._loaders if number < _LOADERS else self._pool).put(connection)

    def query(
        self,
        sql: str,
        params: Mapping[str, Any] | None = None,
        settings: Mapping[str, int | float | str] | None = None,
    ) -> Columns:
        """The answer to a SELECT, column by column."""
        text = sql + _settings({**self._limits, **ANSWER, **(settings or {})})
        with _borrowed(self._pool) as connection:
            answer = _run(connection, text, "JSONColumns", params)
        return Columns(msgspec.json.decode(answer) if answer else {})

    def execute(self, sql: str, params: Mapping[str, Any] | None = None) -> None:
        """Run a statement that has no answer."""
        with _borrowed(self._pool) as connection:
            _run(connection, sql, "CSV", params)

    def insert(self, table: str, rows: Sequence[Any], *, token: str | None = None) -> None:
        """Insert structs or dicts as one block; the same `token` inserts only once."""
        if not rows:
            return
        settings = dict(ONE_BLOCK)
        if token is not None:
            settings["insert_deduplication_token"] = token
        head = f"INSERT INTO {table}{_settings(settings)} FORMAT JSONEachRow\n"
        body = msgspec.json.Encoder().encode_lines(rows).decode()
        with self._inserting:
            _run(self._inserter, head + body, "CSV", None)

    def load(self, load: Load) -> None:
        """Insert one protobuf segment; the same segment inserts only once."""
        structure = load.structure.replace("'", "\\'")
        source = f"file('{_quoted(str(load.segment))}', 'Protobuf', '{structure}')"
        settings: dict[str, int | float | str] = {
            **ONE_BLOCK,
            "insert_deduplication_token": load.token,
            "format_schema": f"{self._schema_file(load.schema)}:{load.message}",
            "input_format_protobuf_oneof_presence": 1,
        }
        sql = (
            f"INSERT INTO {load.table} ({', '.join(load.columns)}) "
            f"{load.select.replace('{source}', source)}{_settings(settings)}"
        )
        with _borrowed(self._loaders) as connection:
            _run(connection, sql, "CSV", load.params)

    def _schema_file(self, schema: str) -> Path:
        """The schema as a file; given as text, the engine would write it where we were started."""
        # Loads run side by side: none may see the file before it is written whole.
        with self._writing_schema:
            if schema not in self._schemas:
                self._schema_directory.mkdir(exist_ok=True)
                file = self._schema_directory / f"{len(self._schemas)}.proto"
                file.write_text(schema)
                self._schemas[schema] = file
            return self._schemas[schema]

    def release_memory(self) -> None:
        """Give memory that is free inside the engine, and inside Python, back to the system."""
        self.execute("SYSTEM JEMALLOC PURGE")
        if _trim is not None:
            _trim(0)

    def close(self) -> None:
        """Finish running queries and let the engine go."""
        for connection in self._open:
            connection.close()


@contextmanager
def _borrowed(pool: queue.SimpleQueue[Any]) -> Iterator[Any]:
    connection = pool.get()
    try:
        yield connection
    finally:
        pool.put(connection)


def _run(connection: Any, sql: str, form: str, params: Mapping[str, Any] | None) -> bytes:
    try:
        answer = (
            connection.query(sql, form, params=encode(params))
            if params
            else connection.query(sql, form)
        )
    except RuntimeError as e:
        _drain(connection)
        raise StoreError(f"the engine refused a statement: {_first_line(e)}") from e
    return answer.bytes() if answer is not None else b""


def _drain(connection: Any) -> None:
    """Throw away what a failed query had written: chDB puts it in front of the next answer."""
    for _ in range(3):
        try:
            if connection.query("SELECT 1", "TSV").bytes() == b"1\n":
                return
        except RuntimeError:
            continue


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:500]


def _quoted(value: str) -> str:
    return value.replace("\\", "\\\\").replace("'", "\\'")


def _settings(settings: Mapping[str, int | float | str]) -> str:
    pairs = (
        f"{name} = '{_quoted(value)}'" if isinstance(value, str) else f"{name} = {value}"
        for name, value in settings.items()
    )
    return " SETTINGS " + ", ".join(pairs)
