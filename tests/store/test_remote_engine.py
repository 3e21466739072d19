"""The remote engine gives the same answers as the embedded one, over the real client."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from support.clickhouse_front import serve
from support.segments import load, write
from vagus.errors import StoreError
from vagus.store.chdb import ChdbEngine
from vagus.store.clickhouse import ClickHouseEngine
from vagus.store.migrate import migrate, schema_version


@pytest.fixture
def remote(engine: ChdbEngine, tmp_path: Path) -> Iterator[ClickHouseEngine]:
    with serve(engine._open[0], tmp_path) as url:
        remote = ClickHouseEngine(url)
        yield remote
        remote.close()


def test_answers_are_the_same(engine: ChdbEngine, remote: ClickHouseEngine) -> None:
    sql = (
        "SELECT {s:String} AS s, {a:Array(String)} AS a, toUInt64(18446744073709551615) AS n, "
        "nan AS x, toDateTime(0, 'UTC') AS t"
    )
    params = {"s": "it's \\ \n\t'", "a": ["x'y", "\\"]}
    assert remote.query(sql, params).data == engine.query(sql, params).data


def test_tables_are_made_by_the_same_migrations(remote: ClickHouseEngine) -> None:
    assert migrate(remote) == schema_version(remote)


def test_a_segment_is_loaded_once(
    remote: ClickHouseEngine, engine: ChdbEngine, project: str, tmp_path: Path
) -> None:
    message = ExportTraceServiceRequest()
    span = (
        message.resource_spans.add()
        .scope_spans.add()
        .spans.add(trace_id=os.urandom(16), span_id=os.urandom(8), name="chat")
    )
    span.attributes.add(key="gen_ai.operation.name").value.string_value = "chat"
    path = tmp_path / "a.seg"
    write(path, project, message.SerializeToString())
    for _ in range(2):
        load(remote, path, token=f"remote-{project}")
    found = remote.query(
        "SELECT kind, count() AS n FROM spans WHERE project = {p:String} GROUP BY kind",
        {"p": project},
    )
    assert list(found.rows()) == [("llm", 1)]


def test_rows_are_inserted_once(remote: ClickHouseEngine, project: str) -> None:
    row = {"project": project, "minute": 60, "name": "x", "score_id": "1", "sign": 1}
    for _ in range(2):
        remote.insert("scores", [row], token=f"remote-rows-{project}")
    found = remote.query(
        "SELECT count() AS n FROM scores WHERE project = {p:String}", {"p": project}
    )
    assert found.one() == 1


def test_a_refused_statement_is_a_store_error(remote: ClickHouseEngine) -> None:
    with pytest.raises(StoreError, match="no_such_table"):
        remote.query("SELECT 1 FROM no_such_table")


def test_an_engine_that_is_down_is_a_store_error() -> None:
    with pytest.raises(StoreError, match="connecting to ClickHouse"):
        ClickHouseEngine("clickhouse://default:@127.0.0.1:9/default")
