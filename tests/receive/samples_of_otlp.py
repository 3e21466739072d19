"""OTLP requests, a real log and a real server, for the tests of the receiver."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import uvicorn
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from starlette.applications import Starlette

from vagus.errors import Unauthorized
from vagus.receive.otlp_http import routes
from vagus.receive.receiver import Receiver
from vagus.receive.record import Entry, read_varint, request_id
from vagus.receive.wal import Wal

KEY = "vagus-test-key"


def trace_request(spans: int = 1, *, name: str = "chat") -> ExportTraceServiceRequest:
    """A request with that many good spans; the name makes it differ from others."""
    request = ExportTraceServiceRequest()
    scope = request.resource_spans.add().scope_spans.add()
    for number in range(spans):
        span = scope.spans.add(name=name, kind=3)
        span.trace_id = b"t" * 15 + bytes((number % 255 + 1,))
        span.span_id = number.to_bytes(7, "big") + b"s"
        span.start_time_unix_nano = 1_700_000_000_000_000_000
        attribute = span.attributes.add(key="gen_ai.request.model")
        attribute.value.string_value = "gpt-4o"
    return request


def entry(body: bytes, *, signal: str = "traces", project: str = "default") -> Entry:
    """A log entry around any bytes."""
    return Entry(signal, project, 1, request_id(project, signal, body), body)


def open_wal(directory: Path, **options: Any) -> Wal:
    """A log with limits that never bite unless the test says so."""
    limits: dict[str, Any] = {
        "segment_bytes": 1024 * 1024,
        "segment_ms": 60_000,
        "max_backlog_bytes": 1024 * 1024 * 1024,
        "min_free_bytes": 0,
    }
    return Wal(directory, **(limits | options))


def stored_requests(wal: Wal, signal: str = "traces") -> list[bytes]:
    """The request bytes of every record in the sealed segments, read by hand."""
    requests = []
    for ref in wal.sealed(signal):
        data = ref.path.read_bytes()
        at = 0
        while at < len(data):
            frame = read_varint(data, at)
            assert frame is not None
            at = frame[1] + frame[0]
            requests.append(_request_field(data[frame[1] : at]))
    return requests


def _request_field(message: bytes) -> bytes:
    at = 0
    while at < len(message):
        tag = message[at]
        if tag & 7 in (1, 5):
            at += 1 + (8 if tag & 7 == 1 else 4)
            continue
        length = read_varint(message, at + 1)
        assert length is not None
        at = length[1] + length[0]
        if tag == 0x7A:
            return message[length[1] : at]
    return b""


def authenticate(key: str | None, headers: Mapping[str, str]) -> str:
    """One good key, which belongs to the project `default`."""
    if key != KEY:
        raise Unauthorized("the ingest key is wrong")
    return "default"


@contextlib.contextmanager
def http_server(receiver: Receiver, **options: Any) -> Iterator[int]:
    """A real uvicorn in a thread; gives its port."""
    config = uvicorn.Config(
        Starlette(routes=routes(receiver, **options)),
        port=0,
        loop="uvloop",
        http="httptools",
        log_level="error",
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 10
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.005)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(10)
