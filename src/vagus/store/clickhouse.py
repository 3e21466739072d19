"""A remote ClickHouse as the engine: the same statements and the same bytes, over HTTP."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import clickhouse_connect
import msgspec
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from vagus.errors import StoreError
from vagus.store.chdb import ANSWER, ONE_BLOCK
from vagus.store.engine import Columns, Load


class ClickHouseEngine:
    """The engine behind `clickhouse://user:password@host:8123/database`."""

    def __init__(self, url: str, *, memory_bytes: int = 1024**3) -> None:
        secure = url.startswith("clickhouses://")
        dsn = url.replace("clickhouses://", "https://").replace("clickhouse://", "http://")
        self._limits: dict[str, int | float | str] = {"max_memory_usage": memory_bytes}
        try:
            self._client: Client = clickhouse_connect.get_client(
                dsn=dsn, secure=secure, autogenerate_session_id=False
            )
        except (ClickHouseError, OSError) as e:
            raise StoreError(f"connecting to ClickHouse: {e}") from e

    def query(
        self,
        sql: str,
        params: Mapping[str, Any] | None = None,
        settings: Mapping[str, int | float | str] | None = None,
    ) -> Columns:
        """The answer to a SELECT, column by column."""
        chosen = {**self._limits, **ANSWER, **(settings or {})}
        try:
            answer = self._client.raw_query(
                sql, parameters=_plain(params), settings=chosen, fmt="JSONColumns"
            )
        except (ClickHouseError, OSError) as e:
            raise StoreError(f"the engine refused a statement: {e}") from e
        return Columns(msgspec.json.decode(answer) if answer else {})

    def execute(self, sql: str, params: Mapping[str, Any] | None = None) -> None:
        """Run a statement that has no answer."""
        try:
            self._client.command(sql, parameters=_plain(params))
        except (ClickHouseError, OSError) as e:
            raise StoreError(f"the engine refused a statement: {e}") from e

    def insert(self, table: str, rows: Sequence[Any], *, token: str | None = None) -> None:
        """Insert structs or dicts as one block; the same `token` inserts only once."""
        if not rows:
            return
        settings = dict(ONE_BLOCK)
        if token is not None:
            settings["insert_deduplication_token"] = token
        body = msgspec.json.Encoder().encode_lines(rows)
        self._send(f"INSERT INTO {table} FORMAT JSONEachRow", body, settings, None)

    def load(self, load: Load) -> None:
        """Insert one protobuf segment; the same segment inserts only once."""
        structure = load.structure.replace("'", "\\'")
        select = load.select.replace("{source}", f"input('{structure}')")
        settings: dict[str, int | float | str] = {
            **ONE_BLOCK,
            "insert_deduplication_token": load.token,
            "format_schema_source": "string",
            "format_schema": load.schema,
            "format_schema_message_name": load.message,
            "input_format_protobuf_oneof_presence": 1,
        }
        sql = f"INSERT INTO {load.table} ({', '.join(load.columns)}) {select} FORMAT Protobuf"
        self._send(sql, load.segment.read_bytes(), settings, load.params)

    def _send(
        self,
        sql: str,
        body: bytes,
        settings: Mapping[str, int | float | str],
        params: Mapping[str, Any] | None,
    ) -> None:
        try:
            self._client.command(sql, parameters=_plain(params), data=body, settings=dict(settings))
        except (ClickHouseError, OSError) as e:
            raise StoreError(f"the engine refused an insert: {e}") from e

    def release_memory(self) -> None:
        """Nothing: a server of its own keeps its own house."""

    def close(self) -> None:
        """Let the connections go."""
        self._client.close()


def _plain(params: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return dict(params) if params else None
