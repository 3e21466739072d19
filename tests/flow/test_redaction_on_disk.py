"""A redacted value is nowhere on the disk of a running server, whichever way it came in."""

from __future__ import annotations

import base64
import contextlib
import io
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import TraceServiceStub
from PIL import Image

from support.serving import Serving, Tenant, wait_for

#: One secret for each way in, so that a leak says which way it took.
SECRETS = {way: f"ghp_{way.ljust(10, 'x')}{'Q7' * 13}" for way in ("proto", "json", "grpc", "run")}
MAIL = "grace.hopper@navy.example"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Serving]:
    serving = Serving(tmp_path / "data")
    serving.start()
    yield serving
    with contextlib.suppress(ProcessLookupError):
        serving.stop()


def owner_of(server: Serving) -> httpx.Client:
    """The owner, signed in."""
    owner = httpx.Client(base_url=server.url, headers={"origin": server.url}, timeout=60)
    assert owner.get(server.sign_in_url).status_code == 303
    return owner


def request(trace: bytes, text: str) -> ExportTraceServiceRequest:
    message = ExportTraceServiceRequest()
    holder = message.resource_spans.add()
    holder.resource.attributes.add(key="service.name").value.string_value = "shop"
    span = holder.scope_spans.add().spans.add(
        trace_id=trace,
        span_id=os.urandom(8),
        name="chat",
        start_time_unix_nano=1,
        end_time_unix_nano=2,
    )
    said = [{"role": "user", "parts": [{"type": "text", "content": f"my key is {text}, hide it"}]}]
    span.attributes.add(key="gen_ai.input.messages").value.string_value = json.dumps(said)
    span.attributes.add(key="gen_ai.operation.name").value.string_value = "chat"
    span.events.add(name="exception").attributes.add(
        key="exception.message"
    ).value.string_value = f"refused {text}"
    return message


def files_with(folder: Path, needle: bytes) -> list[str]:
    return [
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and needle in path.read_bytes()
    ]


def send_all(server: Serving, tenant: Tenant) -> list[bytes]:
    """Send a secret by every way in; the ids of the traces."""
    traces = [os.urandom(16) for _ in range(3)]
    proto = request(traces[0], f"{SECRETS['proto']} and {MAIL}").SerializeToString()
    assert tenant.send(proto).status_code == 200
    as_json = {
        "resourceSpans": [
            {
                "scopeSpans": [
                    {
                        "spans": [
                            {
                                "traceId": traces[1].hex(),
                                "spanId": os.urandom(8).hex(),
                                "name": f"call {SECRETS['json']}",
                                "startTimeUnixNano": "1",
                                "endTimeUnixNano": "2",
                                "attributes": [
                                    {
                                        "key": "deep",
                                        "value": {
                                            "kvlistValue": {
                                                "values": [
                                                    {
                                                        "key": "k",
                                                        "value": {"stringValue": SECRETS["json"]},
                                                    }
                                                ]
                                            }
                                        },
                                    }
                                ],
                            }
                        ]
                    }
                ]
            }
        ]
    }
    assert tenant.send(as_json).status_code == 200
    with grpc.insecure_channel(server.grpc) as channel:
        key = (("authorization", f"Bearer {tenant.ingest_key}"),)
        TraceServiceStub(channel).Export(request(traces[2], SECRETS["grpc"]), metadata=key)
    run = {
        "id": "0199f0a2-1111-7000-8000-000000000001",
        "trace_id": "0199f0a2-1111-7000-8000-000000000001",
        "name": "ask",
        "run_type": "chain",
        "start_time": "2026-11-01T00:00:00Z",
        "end_time": "2026-11-01T00:00:01Z",
        "inputs": {"question": f"is {SECRETS['run']} valid?"},
        "outputs": {"answer": "no"},
    }
    answer = httpx.post(
        f"{server.url}/runs/batch",
        json={"post": [run], "patch": []},
        headers={"x-api-key": tenant.ingest_key},
        timeout=60,
    )
    assert answer.status_code < 300, answer.text
    return traces


def test_a_redacted_value_is_nowhere_on_disk(server: Serving, tmp_path: Path) -> None:
    tenant = server.tenant("shop")
    rules = {"personal": ["email"], "reversible": ["email"]}
    with contextlib.closing(owner_of(server)) as owner:
        check_redaction(server, tenant, owner, tmp_path / "data", rules)


def check_redaction(
    server: Serving, tenant: Tenant, owner: httpx.Client, data: Path, rules: dict[str, Any]
) -> None:
    answer = owner.put("/api/v1/redaction?project=shop", json=rules)
    assert answer.status_code == 200, answer.text
    traces = send_all(server, tenant)
    shown = wait_for(lambda: tenant.settled(traces[0].hex()))
    assert shown is not None
    assert "[redacted:github]" in shown["trace"]["input"]
    for trace in traces[1:]:
        assert wait_for(lambda trace=trace: tenant.settled(trace.hex()))
    hidden = [*(value.encode() for value in SECRETS.values()), MAIL.encode()]
    for moment in ("running", "stopped"):
        found = {needle: files_with(data, needle) for needle in hidden}
        assert not any(found.values()), (moment, found)
        if moment == "running":
            # What was asked to be reversible opens for an administrator, who is written down.
            asked = {"text": shown["trace"]["input"]}
            opened = owner.post("/api/v1/redaction/open?project=shop", json=asked)
            assert MAIL in opened.json()["text"]
            audit = owner.get("/api/v1/audit?project=shop").json()
            assert "redaction.open" in [row["action"] for row in audit]
            assert tenant.api.post("/api/v1/redaction/open", json=asked).status_code == 403
            server.stop()


def test_a_picture_lies_once_outside_the_telemetry_and_comes_back(
    server: Serving, tmp_path: Path
) -> None:
    tenant = server.tenant("shop")
    out = io.BytesIO()
    Image.frombytes("RGB", (120, 120), os.urandom(120 * 120 * 3)).save(out, "PNG")
    encoded = base64.b64encode(out.getvalue()).decode()
    trace = os.urandom(16)
    message = request(trace, "none")
    parts = [{"type": "blob", "modality": "image", "mime_type": "image/png", "content": encoded}]
    said = json.dumps([{"role": "user", "parts": parts}])
    spans = message.resource_spans[0].scope_spans[0].spans
    spans[0].attributes[0].value.string_value = said
    assert tenant.send(message.SerializeToString()).status_code == 200
    assert wait_for(lambda: tenant.settled(trace.hex()))
    span = tenant.api.get(f"/api/v1/traces/{trace.hex()}/spans/{spans[0].span_id.hex()}").json()
    reference = json.loads(span["attributes"][0]["value"])[0]["parts"][0]["content"]
    assert reference.startswith("vagus-blob:sha256:")
    digest = reference.removeprefix("vagus-blob:sha256:")[:64]
    assert tenant.api.get(f"/api/v1/blobs/{digest}").content == out.getvalue()
    small = tenant.api.get(f"/api/v1/blobs/{digest}", params={"thumbnail": True})
    assert small.headers["content-type"] == "image/png"
    assert "sandbox" in small.headers["content-security-policy"]
    other = server.tenant("other")
    assert other.api.get(f"/api/v1/blobs/{digest}").status_code == 404
    assert not files_with(tmp_path / "data", encoded.encode())
