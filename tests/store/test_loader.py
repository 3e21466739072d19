"""The loader: every acknowledged segment ends up in the engine, whatever happened before."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from pathlib import Path

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from vagus.meaning.select import statements
from vagus.receive.record import Entry
from vagus.receive.wal import Wal
from vagus.store.chdb import ChdbEngine
from vagus.store.load import Loader


def open_log(directory: Path) -> Wal:
    return Wal(
        directory,
        segment_bytes=1 << 20,
        segment_ms=10,
        max_backlog_bytes=1 << 30,
        min_free_bytes=1,
    )


def request(spans: int) -> bytes:
    message = ExportTraceServiceRequest()
    group = message.resource_spans.add().scope_spans.add()
    for _ in range(spans):
        group.spans.add(trace_id=os.urandom(16), span_id=os.urandom(8), name="s")
    return message.SerializeToString()


def put(log: Wal, project: str, body: bytes) -> None:
    asyncio.run(log.append(Entry("traces", project, 1_700_000_000 * 10**9, os.urandom(16), body)))
    log.seal()


def count(engine: ChdbEngine, project: str) -> int:
    found = engine.query(
        "SELECT count() AS n FROM spans WHERE project = {p:String}", {"p": project}
    )
    return int(found.one())


def make_loader(log: Wal, engine: ChdbEngine, loaded: list[int]) -> Loader:
    return Loader(
        log, engine, "traces", statements()["traces"], lambda _, segment: loaded.append(segment)
    )


def drain(log: Wal, loader: Loader) -> None:
    for segment in log.sealed("traces"):
        loader.load(segment)
        log.done(segment)


def test_a_segment_that_was_loaded_before_a_crash_adds_nothing(
    engine: ChdbEngine, project: str, tmp_path: Path
) -> None:
    log = open_log(tmp_path)
    put(log, project, request(7))
    make_loader(log, engine, []).load(log.sealed("traces")[0])
    log.close()
    log = open_log(tmp_path)
    drain(log, make_loader(log, engine, []))
    log.close()
    assert count(engine, project) == 7


def test_a_segment_whose_token_outlived_its_rows_is_loaded_again(
    engine: ChdbEngine, project: str, tmp_path: Path
) -> None:
    log = open_log(tmp_path)
    put(log, project, request(7))
    make_loader(log, engine, []).load(log.sealed("traces")[0])
    engine.execute(
        "ALTER TABLE spans DELETE WHERE project = {p:String} SETTINGS mutations_sync = 1",
        {"p": project},
    )
    log.close()
    log = open_log(tmp_path)
    drain(log, make_loader(log, engine, []))
    log.close()
    assert count(engine, project) == 7


def test_a_request_the_engine_cannot_read_is_set_aside_and_its_neighbours_are_loaded(
    engine: ChdbEngine, project: str, tmp_path: Path
) -> None:
    log = open_log(tmp_path)
    good = request(3)
    # A name with the wire type of a number: protobuf takes it for an unknown field.
    bad = ExportTraceServiceRequest.FromString(good)
    del bad.resource_spans[0].scope_spans[0].spans[1:]
    body = bad.SerializeToString()
    assert body.count(b"\x2a\x01s") == 1
    asyncio.run(put_many(log, project, [good, body.replace(b"\x2a\x01s", b"\x28\x01\x78"), good]))
    loader = make_loader(log, engine, [])
    drain(log, loader)
    log.close()
    assert count(engine, project) == 6
    assert [path.name for path in (tmp_path / "quarantine").iterdir()]


async def put_many(log: Wal, project: str, bodies: list[bytes]) -> None:
    entries = [Entry("traces", project, 10**18, os.urandom(16), body) for body in bodies]
    await asyncio.gather(*(log.append(entry) for entry in entries))
    log.seal()


def test_segments_leave_the_log_in_order(engine: ChdbEngine, project: str, tmp_path: Path) -> None:
    log = open_log(tmp_path)
    for _ in range(5):
        put(log, project, request(2))
    order = [segment.id for segment in log.sealed("traces")]
    loaded: list[int] = []
    loader = make_loader(log, engine, loaded)
    thread = threading.Thread(target=loader.run)
    thread.start()
    deadline_s = time.monotonic() + 30
    while log.sealed("traces") and time.monotonic() < deadline_s:
        time.sleep(0.01)
    loader.stop()
    thread.join()
    log.close()
    assert loaded == order
    assert count(engine, project) == 10
