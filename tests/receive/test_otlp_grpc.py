from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2
from opentelemetry._logs import LogRecord
from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from receive.samples_of_otlp import KEY, authenticate, open_wal, stored_requests, trace_request
from vagus.errors import ConfigError
from vagus.receive import metrics
from vagus.receive.otlp_grpc import start_grpc
from vagus.receive.receiver import Receiver
from vagus.receive.wal import Wal

LIMIT = 1024 * 1024
EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"


@contextlib.contextmanager
def _server(receiver: Receiver) -> Iterator[int]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    def run(coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, loop).result(10)

    server, port = run(start_grpc(receiver, "127.0.0.1", 0))
    try:
        yield port
    finally:
        run(server.stop(None))
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


@pytest.fixture
def wal(tmp_path: Path) -> Iterator[Wal]:
    wal = open_wal(tmp_path)
    yield wal
    wal.close()


@pytest.fixture
def port(wal: Wal) -> Iterator[int]:
    with _server(Receiver(wal, authenticate, max_body_bytes=LIMIT)) as port:
        yield port


def _stored(wal: Wal, signal: str = "traces") -> list[bytes]:
    wal.seal()
    return stored_requests(wal, signal)


def _export(port: int, body: bytes, *, key: str = KEY, compression=None) -> bytes:
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        call = channel.unary_unary(EXPORT)
        metadata = (("authorization", f"Bearer {key}"),)
        return call(body, metadata=metadata, compression=compression, timeout=10)


def _refusal(port: int, body: bytes, **options) -> tuple[grpc.StatusCode, status_pb2.Status]:
    with pytest.raises(grpc.RpcError) as caught:
        _export(port, body, **options)
    details = dict(caught.value.trailing_metadata()).get("grpc-status-details-bin", b"")
    return caught.value.code(), status_pb2.Status.FromString(details)


@pytest.mark.parametrize("compression", [None, grpc.Compression.Gzip, grpc.Compression.Deflate])
def test_the_request_bytes_are_stored_untouched(port: int, wal: Wal, compression) -> None:
    body = trace_request(100).SerializeToString() + b"\xfa\x7f\x03new"

    answer = _export(port, body, compression=compression)

    assert answer == b""
    assert _stored(wal) == [body]


def test_the_real_span_exporter_delivers(port: int, wal: Wal) -> None:
    exporter = OTLPSpanExporter(
        f"http://127.0.0.1:{port}",
        headers={"x-api-key": KEY},
        compression=grpc.Compression.Gzip,
    )
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    provider.get_tracer("t").start_span("chat").end()
    provider.shutdown()

    (stored,) = map(ExportTraceServiceRequest.FromString, _stored(wal))
    assert stored.resource_spans[0].scope_spans[0].spans[0].name == "chat"


def test_the_real_log_and_metric_exporters_deliver(port: int, wal: Wal) -> None:
    address, headers = f"http://127.0.0.1:{port}", {"authorization": f"Bearer {KEY}"}
    logs = LoggerProvider()
    logs.add_log_record_processor(
        SimpleLogRecordProcessor(OTLPLogExporter(address, headers=headers))
    )
    logs.get_logger("t").emit(LogRecord(body="hello"))
    logs.shutdown()
    points = MeterProvider(
        [PeriodicExportingMetricReader(OTLPMetricExporter(address, headers=headers))]
    )
    points.get_meter("t").create_counter("tokens").add(5)
    points.shutdown()

    assert b"hello" in _stored(wal, "logs")[0]
    assert b"tokens" in _stored(wal, "metrics")[0]


def test_a_wrong_key_is_unauthenticated_and_counted(port: int) -> None:
    before = metrics.REFUSED.labels("unauthorized")._value.get()

    code, status = _refusal(port, b"", key="wrong")

    assert code == grpc.StatusCode.UNAUTHENTICATED
    assert status.message == "the ingest key is wrong"
    assert metrics.REFUSED.labels("unauthorized")._value.get() == before + 1


def test_a_truncated_request_is_an_invalid_argument_that_says_where(port: int, wal: Wal) -> None:
    code, status = _refusal(port, trace_request().SerializeToString()[:-3])

    assert code == grpc.StatusCode.INVALID_ARGUMENT
    assert "resource_spans[0] at byte" in status.message
    assert _stored(wal) == []


@pytest.mark.parametrize("compression", [None, grpc.Compression.Gzip])
def test_a_message_over_the_limit_is_refused_inflated_or_not(
    port: int, wal: Wal, compression
) -> None:
    body = trace_request(1, name="x" * (2 * LIMIT)).SerializeToString()

    code, _ = _refusal(port, body, compression=compression)

    assert code == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert _stored(wal) == []
    assert _export(port, trace_request().SerializeToString()) == b""


def test_bad_spans_are_told_by_partial_success(port: int) -> None:
    request = trace_request(2)
    request.resource_spans[0].scope_spans[0].spans[0].span_id = b""

    answer = ExportTraceServiceResponse.FromString(_export(port, request.SerializeToString()))

    assert answer.partial_success.rejected_spans == 1


def test_an_empty_request_is_a_success(port: int) -> None:
    assert _export(port, b"") == b""


def test_a_full_backlog_is_unavailable_with_retry_info(tmp_path: Path) -> None:
    wal = open_wal(tmp_path, max_backlog_bytes=10)
    with _server(Receiver(wal, authenticate, max_body_bytes=LIMIT)) as port:
        code, status = _refusal(port, trace_request().SerializeToString())

    retry = error_details_pb2.RetryInfo()
    assert code == grpc.StatusCode.UNAVAILABLE
    assert status.details[0].Unpack(retry)
    assert retry.retry_delay.seconds > 0
    wal.close()


def test_a_taken_port_is_said_with_the_fix(wal: Wal) -> None:
    receiver = Receiver(wal, authenticate, max_body_bytes=LIMIT)
    with _server(receiver) as port:

        async def second() -> None:
            await start_grpc(receiver, "127.0.0.1", port)

        with pytest.raises(ConfigError, match=r"choose another with server\.grpc_port"):
            asyncio.run(second())
