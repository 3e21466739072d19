from __future__ import annotations

import gzip
import json
import socket
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from google.rpc import status_pb2
from opentelemetry._logs import LogRecord
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
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

from receive.samples_of_otlp import (
    KEY,
    authenticate,
    http_server,
    open_wal,
    stored_requests,
    trace_request,
)
from vagus.receive import metrics
from vagus.receive.inflate import zstd
from vagus.receive.otlp_http import BASE_PATHS, TRACE_PATHS
from vagus.receive.receiver import Receiver
from vagus.receive.wal import Wal

PROTOBUF = "application/x-protobuf"
LIMIT = 1024 * 1024


@pytest.fixture
def wal(tmp_path: Path) -> Iterator[Wal]:
    wal = open_wal(tmp_path)
    yield wal
    wal.close()


@pytest.fixture
def client(wal: Wal) -> Iterator[httpx.Client]:
    receiver = Receiver(wal, authenticate, max_body_bytes=LIMIT)
    with http_server(receiver, body_timeout_s=0.5) as port, _client(port) as client:
        yield client


def _client(port: int) -> httpx.Client:
    headers = {"authorization": f"Bearer {KEY}", "content-type": PROTOBUF}
    return httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers)


def _stored(wal: Wal, signal: str = "traces") -> list[bytes]:
    wal.seal()
    return stored_requests(wal, signal)


def _said(answer: httpx.Response) -> str:
    assert answer.headers["content-type"] == PROTOBUF
    return status_pb2.Status.FromString(answer.content).message


def test_a_protobuf_request_is_stored_untouched_and_answered_in_protobuf(
    client: httpx.Client, wal: Wal
) -> None:
    body = trace_request(3).SerializeToString() + b"\xfa\x7f\x03new"

    answer = client.post("/v1/traces", content=body)

    assert answer.status_code == 200
    assert answer.headers["content-type"] == PROTOBUF
    response = ExportTraceServiceResponse.FromString(answer.content)
    assert not response.HasField("partial_success")
    assert _stored(wal) == [body]


def test_a_json_request_is_stored_as_protobuf_and_answered_in_json(
    client: httpx.Client, wal: Wal
) -> None:
    span = {"traceId": "74" * 16, "spanId": "73" * 8, "name": "chat"}
    tree = {"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}

    answer = client.post(
        "/v1/traces",
        content=json.dumps(tree),
        headers={"content-type": "application/json; charset=utf-8"},
    )

    assert (answer.status_code, answer.json()) == (200, {})
    assert answer.headers["content-type"] == "application/json"
    stored = ExportTraceServiceRequest.FromString(_stored(wal)[0])
    assert stored.resource_spans[0].scope_spans[0].spans[0].trace_id == b"t" * 16


def _raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [
        ("gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("deflate", _raw_deflate),
        ("zstd", zstd.compress),
        ("identity", bytes),
    ],
)
def test_compressed_and_chunked_bodies_are_stored_inflated(
    client: httpx.Client, wal: Wal, encoding: str, pack
) -> None:
    body = trace_request(300).SerializeToString()
    packed = pack(body)
    chunks = [packed[at : at + 1000] for at in range(0, len(packed), 1000)]

    answer = client.post("/v1/traces", content=iter(chunks), headers={"content-encoding": encoding})

    assert answer.status_code == 200
    assert _stored(wal) == [body]


@pytest.mark.parametrize("compression", list(Compression))
def test_the_real_span_exporter_delivers(
    client: httpx.Client, wal: Wal, compression: Compression
) -> None:
    exporter = OTLPSpanExporter(
        f"{client.base_url}/v1/traces", headers={"x-api-key": KEY}, compression=compression
    )
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    with provider.get_tracer("t").start_as_current_span("chat") as span:
        span.set_attribute("gen_ai.response.finish_reasons", ["stop"])
    provider.shutdown()

    (stored,) = map(ExportTraceServiceRequest.FromString, _stored(wal))
    assert stored.resource_spans[0].scope_spans[0].spans[0].name == "chat"


def test_the_real_log_exporter_delivers(client: httpx.Client, wal: Wal) -> None:
    exporter = OTLPLogExporter(f"{client.base_url}/v1/logs", headers={"api-key": KEY})
    provider = LoggerProvider()
    provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
    provider.get_logger("t").emit(LogRecord(body={"role": "user"}, event_name="gen_ai.choice"))
    provider.shutdown()

    (stored,) = map(ExportLogsServiceRequest.FromString, _stored(wal, "logs"))
    record = stored.resource_logs[0].scope_logs[0].log_records[0]
    assert record.event_name == "gen_ai.choice"
    assert b'{"role":"user"}' in wal.sealed("logs")[0].path.read_bytes()


def test_the_real_metric_exporter_delivers(client: httpx.Client, wal: Wal) -> None:
    exporter = OTLPMetricExporter(f"{client.base_url}/v1/metrics", headers={"x-vagus-key": KEY})
    provider = MeterProvider([PeriodicExportingMetricReader(exporter)])
    provider.get_meter("t").create_counter("tokens").add(5)
    provider.shutdown()

    (stored,) = map(ExportMetricsServiceRequest.FromString, _stored(wal, "metrics"))
    assert stored.resource_metrics[0].scope_metrics[0].metrics[0].name == "tokens"


@pytest.mark.parametrize("base", BASE_PATHS)
@pytest.mark.parametrize("signal", ["traces", "logs", "metrics"])
def test_every_base_path_takes_every_signal(client: httpx.Client, base: str, signal: str) -> None:
    assert client.post(f"{base}/v1/{signal}", content=b"").status_code == 200


@pytest.mark.parametrize("path", TRACE_PATHS)
def test_paths_for_traces_alone_store_traces(client: httpx.Client, wal: Wal, path: str) -> None:
    body = trace_request().SerializeToString()

    assert client.post(path, content=body).status_code == 200
    assert _stored(wal) == [body]


@pytest.mark.parametrize("content_type", [PROTOBUF, "application/json"])
def test_an_empty_request_is_a_success_that_stores_nothing(
    client: httpx.Client, wal: Wal, content_type: str
) -> None:
    answer = client.post("/v1/traces", content=b"", headers={"content-type": content_type})

    assert answer.status_code == 200
    assert _stored(wal) == []


def test_a_repeated_request_is_acknowledged_and_counted_once(
    client: httpx.Client, wal: Wal
) -> None:
    body = trace_request().SerializeToString()
    before = metrics.DUPLICATES._value.get()

    answers = [client.post("/v1/traces", content=body).status_code for _ in range(3)]

    assert answers == [200, 200, 200]
    assert _stored(wal) == [body]
    assert metrics.DUPLICATES._value.get() == before + 2


@pytest.mark.parametrize("as_json", [False, True])
def test_bad_spans_are_told_by_partial_success_and_the_rest_is_stored(
    client: httpx.Client, wal: Wal, as_json: bool
) -> None:
    spans = [
        {"traceId": "74" * 16, "spanId": "73" * 8},
        {"traceId": "00" * 16, "spanId": "73" * 8},
    ]
    tree = {"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}
    request = trace_request(2)
    request.resource_spans[0].scope_spans[0].spans[1].trace_id = bytes(16)

    if as_json:
        answer = client.post("/v1/traces", json=tree, headers={"content-type": "application/json"})
        partial = answer.json()["partialSuccess"]
        rejected, message = int(partial["rejectedSpans"]), partial["errorMessage"]
    else:
        answer = client.post("/v1/traces", content=request.SerializeToString())
        partial = ExportTraceServiceResponse.FromString(answer.content).partial_success
        rejected, message = partial.rejected_spans, partial.error_message

    assert answer.status_code == 200
    assert rejected == 1
    assert "spans[1] has an all-zero trace_id" in message
    stored = ExportTraceServiceRequest.FromString(_stored(wal)[0])
    assert len(stored.resource_spans[0].scope_spans[0].spans) == 1


def test_a_truncated_request_is_400_with_a_status_that_says_where(
    client: httpx.Client, wal: Wal
) -> None:
    answer = client.post("/v1/traces", content=trace_request().SerializeToString()[:-3])

    assert answer.status_code == 400
    assert "resource_spans[0] at byte" in _said(answer)
    assert status_pb2.Status.FromString(answer.content).code == 3
    assert _stored(wal) == []


def test_an_error_of_a_json_request_is_json(client: httpx.Client) -> None:
    answer = client.post(
        "/v1/logs", content=b'{"resourceLogs":[5]}', headers={"content-type": "application/json"}
    )

    assert answer.status_code == 400
    assert answer.json()["code"] == 3
    assert "resourceLogs[0] must be an object, not 5" in answer.json()["message"]


@pytest.mark.parametrize("content_type", ["text/plain", "multipart/form-data; boundary=x", ""])
def test_other_media_types_are_415(client: httpx.Client, content_type: str) -> None:
    answer = client.post("/v1/traces", content=b"x", headers={"content-type": content_type})

    assert answer.status_code == 415
    assert "OTLP is application/x-protobuf or application/json" in answer.json()["message"]


def test_other_encodings_are_415(client: httpx.Client) -> None:
    answer = client.post("/v1/traces", content=b"x", headers={"content-encoding": "br"})

    assert answer.status_code == 415
    assert "'br' is not supported" in _said(answer)


def test_a_wrong_gzip_body_is_400(client: httpx.Client) -> None:
    answer = client.post(
        "/v1/traces", content=b"not gzip at all", headers={"content-encoding": "gzip"}
    )

    assert answer.status_code == 400
    assert "gzip body is corrupt between byte 0 and byte 15" in _said(answer)


def test_bodies_over_the_limit_are_413_however_they_come(client: httpx.Client, wal: Wal) -> None:
    large = trace_request(1, name="x" * LIMIT).SerializeToString()
    chunks = (large[at : at + 65536] for at in range(0, len(large), 65536))

    answers = [
        client.post("/v1/traces", content=large),
        client.post("/v1/traces", content=chunks),
        client.post(
            "/v1/traces", content=gzip.compress(large), headers={"content-encoding": "gzip"}
        ),
    ]

    assert [answer.status_code for answer in answers] == [413, 413, 413]
    assert all(f"larger than {LIMIT} bytes" in _said(answer) for answer in answers)
    assert _stored(wal) == []


@pytest.mark.parametrize("key", [None, "wrong"])
def test_a_missing_or_wrong_key_is_401_and_counted(client: httpx.Client, key: str | None) -> None:
    before = metrics.REFUSED.labels("unauthorized")._value.get()
    headers = {"authorization": f"Bearer {key}" if key else ""}

    answer = client.post("/v1/traces", content=b"", headers=headers)

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert status_pb2.Status.FromString(answer.content).code == 16
    assert metrics.REFUSED.labels("unauthorized")._value.get() == before + 1


def test_a_full_backlog_is_429_with_retry_after_until_it_is_loaded(tmp_path: Path) -> None:
    wal = open_wal(tmp_path, max_backlog_bytes=5000)
    receiver = Receiver(wal, authenticate, max_body_bytes=LIMIT)
    bodies = [trace_request(40, name=f"n{i}").SerializeToString() for i in range(2)]

    with http_server(receiver) as port, _client(port) as client:
        first = client.post("/v1/traces", content=bodies[0])
        refused = client.post("/v1/traces", content=bodies[1])
        wal.seal()
        wal.done(wal.sealed()[0])
        later = client.post("/v1/traces", content=bodies[1])

    assert [first.status_code, refused.status_code, later.status_code] == [200, 429, 200]
    assert int(refused.headers["retry-after"]) > 0
    assert status_pb2.Status.FromString(refused.content).code == 14
    wal.close()


def test_a_full_disk_is_503_with_retry_after(tmp_path: Path) -> None:
    wal = open_wal(tmp_path, min_free_bytes=2**62)
    receiver = Receiver(wal, authenticate, max_body_bytes=LIMIT)

    with http_server(receiver) as port, _client(port) as client:
        answer = client.post("/v1/traces", content=trace_request().SerializeToString())

    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    wal.close()


def test_bodies_in_flight_are_bounded_together(wal: Wal) -> None:
    receiver = Receiver(wal, authenticate, max_body_bytes=LIMIT, max_in_flight_bytes=100_000)
    body = trace_request(1, name="x" * 200_000).SerializeToString()

    with http_server(receiver) as port, _client(port) as client:
        refused = client.post("/v1/traces", content=body)
        small = client.post("/v1/traces", content=trace_request().SerializeToString())

    assert (refused.status_code, small.status_code) == (503, 200)
    assert "requests in flight already hold" in _said(refused)
    assert receiver.budget.held == 0


def _send_half(port: int, stop_after_s: float | None) -> bytes:
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(
            b"POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-protobuf\r\n"
            b"authorization: Bearer " + KEY.encode() + b"\r\ncontent-length: 1000\r\n\r\nhalf"
        )
        if stop_after_s is None:
            connection.settimeout(5)
            return connection.recv(65536)
        time.sleep(stop_after_s)
        return b""


def test_a_body_that_does_not_come_is_408(client: httpx.Client, wal: Wal) -> None:
    answer = _send_half(client.base_url.port, None)

    assert answer.startswith(b"HTTP/1.1 408")
    assert b"did not arrive within 0.5 s; 4 bytes came" in answer
    assert _stored(wal) == []


def test_a_client_that_goes_away_leaves_nothing(client: httpx.Client, wal: Wal) -> None:
    counter = metrics.REFUSED.labels("disconnected")._value
    before = counter.get()

    _send_half(client.base_url.port, 0.05)
    deadline = time.monotonic() + 5
    while counter.get() == before and time.monotonic() < deadline:
        time.sleep(0.005)

    assert counter.get() == before + 1
    assert _stored(wal) == []
    assert client.post("/v1/traces", content=b"").status_code == 200


def test_only_post_is_answered(client: httpx.Client) -> None:
    assert client.get("/v1/traces").status_code == 405


def test_items_and_bytes_are_counted_by_signal(client: httpx.Client) -> None:
    items, size = metrics.ITEMS.labels("traces")._value, metrics.BYTES.labels("traces")._value
    before = items.get(), size.get()
    body = trace_request(7, name="counted").SerializeToString()

    client.post("/v1/traces", content=gzip.compress(body), headers={"content-encoding": "gzip"})

    assert (items.get() - before[0], size.get() - before[1]) == (7, len(body))


def test_an_attribute_of_100_megabytes_is_refused_and_the_server_goes_on(wal: Wal) -> None:
    receiver = Receiver(wal, authenticate, max_body_bytes=64 * 1024 * 1024)
    attribute = trace_request(1, name="x" * 100_000_000).SerializeToString()
    smaller = trace_request(1, name="x" * 30_000_000).SerializeToString()

    with http_server(receiver) as port, _client(port) as client:
        refused = client.post(
            "/v1/traces", content=gzip.compress(attribute, 1), headers={"content-encoding": "gzip"}
        )
        stored = client.post("/v1/traces", content=smaller, timeout=30)

    assert (refused.status_code, stored.status_code) == (413, 200)
    assert _stored(wal) == [smaller]
