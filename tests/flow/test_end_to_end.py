"""A whole server as its users meet it: exporters on one side, the API on the other."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import TraceServiceStub
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter

from support.serving import Serving, Tenant, serving, wait_for

CHAT = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4.1-mini",
    "gen_ai.usage.input_tokens": 1000,
    "gen_ai.usage.output_tokens": 500,
}
#: 1,000 tokens at $0.40 and 500 at $1.60 a million.
CHAT_USD = 0.0012


@pytest.fixture
def tenant(server: Serving, project: str) -> Tenant:
    """A project of one's own on the shared server."""
    return server.tenant(project)


def _exporter(
    transport: str, server: Serving, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> SpanExporter:
    if transport == "grpc":
        key = (("authorization", f"Bearer {tenant.ingest_key}"),)
        return GrpcExporter(endpoint=server.grpc, insecure=True, headers=key)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", server.url)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", f"authorization=Bearer%20{tenant.ingest_key}")
    return HttpExporter()


def _export_chat(exporter: SpanExporter) -> str:
    """One request with one call of a model; its trace id."""
    provider = TracerProvider(resource=Resource.create({"service.name": "assistant"}))
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("flow")
    with (
        tracer.start_as_current_span("answer") as root,
        tracer.start_as_current_span("chat gpt-4.1-mini", attributes=CHAT),
    ):
        pass
    provider.shutdown()
    return f"{root.get_span_context().trace_id:032x}"


def _span(trace_id: str, **more: Any) -> dict[str, Any]:
    now_ns = time.time_ns()
    attributes = [
        {"key": key, "value": {"stringValue": value}}
        if isinstance(value, str)
        else {"key": key, "value": {"intValue": str(value)}}
        for key, value in CHAT.items()
    ]
    span = {
        "traceId": trace_id,
        "spanId": secrets.token_hex(8),
        "name": "chat gpt-4.1-mini",
        "kind": 3,
        "startTimeUnixNano": str(now_ns - 1_000_000_000),
        "endTimeUnixNano": str(now_ns),
        "attributes": attributes,
    }
    return span | more


def _request(*spans: dict[str, Any]) -> dict[str, Any]:
    return {"resourceSpans": [{"scopeSpans": [{"spans": list(spans)}]}]}


def _send_one(tenant: Tenant) -> str:
    """One span by hand; its trace id."""
    trace_id = secrets.token_hex(16)
    answer = tenant.send(_request(_span(trace_id)))
    assert answer.status_code == 200, answer.text
    return trace_id


@pytest.mark.parametrize("transport", ["http", "grpc"])
def test_what_a_real_exporter_sends_is_visible_then_settled_with_its_cost(
    transport: str, server: Serving, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    trace_id = _export_chat(_exporter(transport, server, tenant, monkeypatch))

    wait_for(lambda: tenant.trace(trace_id))
    found = wait_for(lambda: tenant.settled(trace_id))

    assert found["trace"]["span_count"] == 2
    assert found["trace"]["service"] == "assistant"
    assert found["columns"]["name"] == ["answer", "chat gpt-4.1-mini"]
    assert found["columns"]["parent"] == [-1, 0]
    assert found["trace"]["cost_usd"] == pytest.approx(CHAT_USD)
    assert found["trace"]["cost_known"] is True


def test_json_written_by_hand_is_taken_and_listed(tenant: Tenant) -> None:
    trace_id = _send_one(tenant)

    wait_for(lambda: tenant.settled(trace_id))
    page = tenant.api.get("/api/v1/traces", params={"filter": f"trace_id:{trace_id}"}).json()

    assert [row["trace_id"] for row in page["rows"]] == [trace_id]
    assert page["rows"][0]["input_tokens"] == 1000
    assert page["total"] == {"n": 1, "is_exact": True}


def test_a_late_span_joins_its_trace_and_is_billed_once(tenant: Tenant) -> None:
    trace_id = _send_one(tenant)
    wait_for(lambda: tenant.settled(trace_id))

    assert tenant.send(_request(_span(trace_id))).status_code == 200

    def both() -> dict[str, Any] | None:
        found = tenant.settled(trace_id)
        return found if found and found["trace"]["span_count"] == 2 else None

    assert wait_for(both)["trace"]["cost_usd"] == pytest.approx(2 * CHAT_USD)
    answer = tenant.api.get("/api/v1/slice", params={"measure": "cost", "from": "-1h"}).json()
    assert answer["series"][0]["total"]["value"] == pytest.approx(2 * CHAT_USD)


@pytest.mark.parametrize("key", ["wrong", "vgi_0000000000000000"])
def test_a_wrong_key_is_401_and_stores_nothing(tenant: Tenant, key: str) -> None:
    trace_id = secrets.token_hex(16)

    answer = tenant.send(_request(_span(trace_id)), key=key)

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    other = _send_one(tenant)
    wait_for(lambda: tenant.trace(other))
    assert tenant.trace(trace_id) is None


def test_a_wrong_key_is_unauthenticated_over_grpc(server: Serving) -> None:
    with grpc.insecure_channel(server.grpc) as channel:
        export = TraceServiceStub(channel).Export
        with pytest.raises(grpc.RpcError) as refused:
            export(ExportTraceServiceRequest(), metadata=(("authorization", "Bearer wrong"),))

    assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED


def test_an_empty_request_is_fine(tenant: Tenant) -> None:
    answer = tenant.send(b"")

    assert answer.status_code == 200
    assert answer.content == b""


def test_logs_and_metrics_can_be_asked_for(tenant: Tenant) -> None:
    now_ns = str(time.time_ns())
    record = {"timeUnixNano": now_ns, "severityText": "WARN", "body": {"stringValue": "slow"}}
    point = {"timeUnixNano": now_ns, "asDouble": 0.5}
    logs = {"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]}
    gauge = {"name": "queue.depth", "gauge": {"dataPoints": [point]}}
    metrics = {"resourceMetrics": [{"scopeMetrics": [{"metrics": [gauge]}]}]}

    assert tenant.send(logs, signal="logs").status_code == 200
    assert tenant.send(metrics, signal="metrics").status_code == 200

    said = wait_for(lambda: tenant.sql("SELECT severity, body FROM logs") or None)
    measured = wait_for(lambda: tenant.sql("SELECT metric, value FROM metric_points") or None)
    assert said == [["WARN", "slow"]]
    assert measured == [["queue.depth", 0.5]]


def test_a_score_shows_on_its_trace(tenant: Tenant) -> None:
    trace_id = _send_one(tenant)
    score = {"trace_id": trace_id, "name": "helpful", "passed": False, "explanation": "off topic"}

    answer = tenant.api.post("/api/v1/scores", json=score)

    assert (answer.status_code, answer.json()) == (202, {"accepted": 1})

    def told() -> dict[str, Any] | None:
        found = tenant.settled(trace_id)
        named = [one for one in (found or {}).get("scores", []) if one["name"] == "helpful"]
        return named[0] if named else None

    shown = wait_for(told)
    assert shown["passed"] is False
    assert shown["explanation"] == "off topic"


def test_a_change_that_was_told_is_listed(tenant: Tenant) -> None:
    change = {"kind": "deploy", "title": "Deploy 2.0", "before": "1.9", "after": "2.0"}

    assert tenant.api.post("/api/v1/changes", json=change).status_code == 201

    (listed,) = tenant.api.get("/api/v1/changes").json()
    assert {key: listed[key] for key in change} == change
    assert listed["source"] == "told"


def test_one_project_sees_nothing_of_another(server: Serving, tenant: Tenant) -> None:
    other = server.tenant(f"{tenant.project}-other")
    trace_id = _send_one(tenant)
    wait_for(lambda: tenant.settled(trace_id))

    assert other.trace(trace_id) is None
    assert other.sql("SELECT trace_id FROM spans") == []
    assert other.sql("SELECT trace_id FROM traces") == []
    assert other.api.get("/api/v1/traces").json()["rows"] == []
    foreign = {"project": tenant.project}
    assert other.api.get("/api/v1/traces", params=foreign).status_code in (403, 404)
    header = {"x-vagus-project": tenant.project, "authorization": f"Bearer {other.ingest_key}"}
    refused = other.api.post("/v1/traces", json=_request(_span(trace_id)), headers=header)
    assert refused.status_code in (403, 404)


def test_an_ingest_key_reads_nothing(server: Serving, tenant: Tenant) -> None:
    client = server.client(tenant.ingest_key)

    assert client.get("/api/v1/traces").status_code == 403
    assert client.post("/api/v1/sql", json={"query": "SELECT 1"}).status_code == 403


def test_a_key_made_after_signing_in_works_until_it_is_revoked(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as server:
        person = server.client()
        assert person.get("/api/v1/keys").status_code == 401
        assert person.get(server.sign_in_url).status_code == 303
        person.headers["origin"] = server.url
        made = person.post("/api/v1/keys", json={"name": "CI", "kind": "api"}).json()
        program = server.client(made["text"])

        assert program.get("/api/v1/me").json()["project"] == "default"
        assert person.delete(f"/api/v1/keys/{made['id']}").status_code == 200
        assert program.get("/api/v1/me").status_code == 401


def test_a_second_server_on_the_directory_is_refused_in_a_sentence(server: Serving) -> None:
    command = [sys.executable, "-m", "vagus.cli.main", "serve", "--port", "0", "--grpc-port", "0"]
    done = subprocess.run(
        [*command, "--data", str(server.process.data)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert done.returncode == 1
    assert f"is in use by process {server.process.facts['pid']}" in done.stderr
    assert done.stderr.count("\n") == 1
    assert httpx.get(f"{server.url}/healthz", timeout=30).status_code == 200


def test_a_restart_keeps_telemetry_keys_scores_and_changes(tmp_path: Path) -> None:
    server = Serving(tmp_path / "data")
    server.start()
    tenant = server.tenant("kept")
    trace_id = _send_one(tenant)
    score = {"trace_id": trace_id, "name": "helpful", "passed": True}
    assert tenant.api.post("/api/v1/scores", json=score).status_code == 202
    assert tenant.api.post("/api/v1/changes", json={"kind": "deploy"}).status_code == 201
    before = wait_for(lambda: tenant.settled(trace_id))
    unseen = _send_one(tenant)
    server.stop()

    server.start()
    try:
        tenant.api = server.client(tenant.api_key)

        after = wait_for(lambda: tenant.settled(trace_id))
        assert after["trace"] == before["trace"]
        assert "helpful" in {one["name"] for one in after["scores"]}
        assert len(tenant.api.get("/api/v1/changes").json()) == 1
        assert wait_for(lambda: tenant.settled(unseen))["trace"]["span_count"] == 1
    finally:
        server.stop()


PROGRAM = """
import vagus

vagus.init("shop", instrument=False)

@vagus.observe(name="find", kind="retrieval")
def find(question):
    return ["a", "b"]

@vagus.observe(name="answer")
def answer(question):
    find(question)
    vagus.score("helpful", passed=True)
    return "yes"

with vagus.context(user="ada", team="search"):
    answer("does it work?")
assert vagus.flush(20)
vagus.shutdown(10)
"""


def test_a_program_with_the_sdk_shows_its_steps_and_its_score(
    server: Serving, tenant: Tenant
) -> None:
    environ = os.environ | {"VAGUS_URL": server.url, "VAGUS_API_KEY": tenant.ingest_key}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environ, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")

    def scored() -> dict[str, Any] | None:
        rows = tenant.api.get("/api/v1/traces").json()["rows"]
        return rows[0] if rows and "helpful" in rows[0]["scores"] else None

    row = wait_for(scored)
    assert (row["service"], row["user"], row["team"]) == ("shop", "ada", "search")
    assert row["scores"]["helpful"]["passed"] is True
    found = tenant.trace(row["trace_id"])
    assert found is not None
    assert found["columns"]["name"] == ["answer", "find"]
    assert found["columns"]["kind"][1] == "retrieval"
