"""Firehose and Helicone deliver to a running server and find their calls in the ledger."""

from __future__ import annotations

import base64
import gzip
import json
import time
from datetime import UTC, datetime
from typing import Any

from support.serving import Serving, Tenant, wait_for

CHUNKS = [
    {"messageStart": {"role": "assistant"}},
    {"contentBlockDelta": {"delta": {"text": "hello"}, "contentBlockIndex": 0}},
    {"messageStop": {"stopReason": "end_turn"}},
    {
        "metadata": {
            "usage": {"inputTokens": 50, "outputTokens": 20, "cacheReadInputTokens": 1000},
            "metrics": {"latencyMs": 700},
        }
    },
]


def ledger(tenant: Tenant, columns: str) -> list[Any] | None:
    return tenant.sql(f"SELECT {columns} FROM ledger") or None


def test_a_firehose_stream_reaches_the_ledger_once_also_when_it_delivers_again(server: Serving):
    tenant = server.tenant("firehose")
    record = {
        "schemaType": "ModelInvocationLog",
        "timestamp": datetime.now(UTC).isoformat(),
        "requestId": "5f0c6f5c-0000-4000-8000-000000000001",
        "operation": "ConverseStream",
        "modelId": "us.anthropic.claude-sonnet-4-20250514-v1:0",
        "requestMetadata": {"session_id": "s9", "tenant": "acme"},
        "input": {"inputBodyJson": {"messages": [{"role": "user", "content": [{"text": "hi"}]}]}},
        "output": {"outputBodyJson": CHUNKS},
    }
    events = {
        "messageType": "DATA_MESSAGE",
        "logEvents": [{"id": "1", "message": json.dumps(record)}],
    }
    probe = {"messageType": "CONTROL_MESSAGE", "logEvents": [{"id": "", "message": "health"}]}
    datas = [gzip.compress(json.dumps(part).encode()) for part in (probe, events)]
    body = {
        "requestId": "r-1",
        "timestamp": 1,
        "records": [{"data": base64.b64encode(data).decode()} for data in datas],
    }
    headers = {
        "content-type": "application/json",
        "content-encoding": "gzip",
        "x-amz-firehose-protocol-version": "1.0",
        "x-amz-firehose-request-id": "r-1",
        "x-amz-firehose-access-key": tenant.ingest_key,
    }
    client = server.client()
    for turn in range(2):
        sent = gzip.compress(json.dumps(body | {"timestamp": turn}).encode())
        answer = client.post("/aws/firehose", content=sent, headers=headers)
        assert answer.status_code == 200
        assert answer.json()["requestId"] == "r-1"
    refused = client.post(
        "/aws/firehose", content=sent, headers=headers | {"x-amz-firehose-access-key": "wrong"}
    )

    assert refused.status_code == 401
    assert "errorMessage" in refused.json()
    columns = "input_tokens, cache_read_tokens, output_tokens, session, tenant, provider"
    assert wait_for(lambda: ledger(tenant, columns)) == [
        [1050, 1000, 20, "s9", "acme", "aws.bedrock"]
    ]


def test_what_helicones_client_sends_reaches_the_ledger(server: Serving):
    tenant = server.tenant("helicone")
    now = time.time()
    moment = {"seconds": int(now), "milliseconds": int(now % 1 * 1000)}
    chat = {
        "id": "chatcmpl-h1",
        "model": "gpt-4o-2024-08-06",
        "choices": [
            {"finish_reason": "stop", "message": {"role": "assistant", "content": "hello"}}
        ],
        "usage": {"prompt_tokens": 20, "completion_tokens": 4, "total_tokens": 24},
        "_type": "unknown",
        "toolName": "unknown",
    }
    body = {
        "providerRequest": {
            "url": "custom-model-nopath",
            "json": {"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}]},
            "meta": {},
        },
        "providerResponse": {"headers": {}, "status": 200, "json": chat, "textBody": None},
        "timing": {"startTime": moment, "endTime": moment, "timeToFirstToken": None},
    }
    headers = {
        "authorization": f"Bearer {tenant.ingest_key}",
        "Helicone-User-Id": "u7",
        "Helicone-Session-Id": "s7",
    }
    answer = server.client().post("/oai/v1/log", json=body, headers=headers)

    assert answer.status_code == 200
    columns = "input_tokens, output_tokens, user, session, model, provider"
    assert wait_for(lambda: ledger(tenant, columns)) == [
        [20, 4, "u7", "s7", "gpt-4o-2024-08-06", "openai"]
    ]
