"""An exporter with no settings is seen; everybody else still needs a key."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from support.serving import Serving, serving, wait_for

_PROGRAM = """
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter()))
with provider.get_tracer("t").start_as_current_span("chat") as span:
    print(format(span.get_span_context().trace_id, "032x"))
"""


def _body() -> bytes:
    message = ExportTraceServiceRequest()
    message.resource_spans.add().scope_spans.add().spans.add(
        trace_id=secrets.token_bytes(16), span_id=secrets.token_bytes(8), name="chat"
    )
    return message.SerializeToString()


def _post(server: Serving, **headers: str) -> int:
    answer = httpx.post(
        f"{server.url}/v1/traces",
        content=_body(),
        headers={"content-type": "application/x-protobuf", **headers},
    )
    return answer.status_code


def test_a_program_with_no_settings_appears(server: Serving) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM],
        env={**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": server.url},
        capture_output=True,
        text=True,
        check=True,
    )
    default = server.tenant("default")

    wait_for(lambda: default.trace(done.stdout.strip()))


@pytest.mark.parametrize(
    "headers",
    [
        {"x-forwarded-for": "10.0.0.9"},
        {"forwarded": "for=10.0.0.9"},
        {"via": "1.1 proxy"},
        {"origin": "https://elsewhere.example"},
        {"authorization": "Bearer wrong"},
    ],
)
def test_who_is_not_plainly_local_needs_a_key(server: Serving, headers: dict[str, str]) -> None:
    assert _post(server, **headers) == 401


def test_a_foreign_host_name_is_refused(server: Serving) -> None:
    assert _post(server, host="rebound.example") == 403


def test_reading_needs_a_credential_all_the_same(server: Serving) -> None:
    assert httpx.get(f"{server.url}/api/v1/traces").status_code == 401


def test_it_can_be_turned_off(tmp_path: Path) -> None:
    with serving(tmp_path / "data", "--receive-keyless-loopback", "false") as closed:
        assert _post(closed) == 401
