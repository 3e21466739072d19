"""Bedrock's invocation log as a Firehose stream delivers it to an HTTP endpoint (simulated)."""

import base64
import datetime
import gzip
import json
import os
import time
import urllib.request

BASE = {
    "schemaType": "ModelInvocationLog",
    "schemaVersion": "1.0",
    "timestamp": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    "accountId": "123456789012",
    "region": "us-east-1",
    "identity": {"arn": "arn:aws:sts::123456789012:assumed-role/app/session"},
    "requestMetadata": {"tenant": "acme", "session_id": "s1", "user_id": "u1"},
}
ASKED = {
    "system": [{"text": "Be brief."}],
    "messages": [{"role": "user", "content": [{"text": "Weather in Paris?"}]}],
    "inferenceConfig": {"maxTokens": 300, "temperature": 0},
}
SAID = {"role": "assistant", "content": [{"text": "Paris is sunny."}]}
RECORDS = [
    BASE
    | {
        "requestId": "11111111-2222-3333-4444-555555555555",
        "operation": "Converse",
        "modelId": "anthropic.claude-sonnet-4-20250514-v1:0",
        "input": {
            "inputContentType": "application/json",
            "inputBodyJson": ASKED,
            "inputTokenCount": 500,
            "cacheReadInputTokenCount": 400,
            "cacheWriteInputTokenCount": 100,
        },
        "output": {
            "outputContentType": "application/json",
            "outputBodyJson": {
                "output": {"message": SAID},
                "stopReason": "end_turn",
                "metrics": {"latencyMs": 321},
                "usage": {
                    "inputTokens": 500,
                    "outputTokens": 200,
                    "totalTokens": 1200,
                    "cacheReadInputTokens": 400,
                    "cacheWriteInputTokens": 100,
                },
            },
            "outputTokenCount": 200,
        },
    },
    BASE
    | {
        "requestId": "99999999-2222-3333-4444-555555555555",
        "operation": "InvokeModel",
        "modelId": "meta.llama3-8b-instruct-v1:0",
        "errorCode": "ThrottlingException",
        "input": {
            "inputContentType": "application/json",
            "inputBodyJson": {"prompt": "Weather in Paris?", "max_gen_len": 9},
        },
    },
]
now_ms = int(time.time() * 1000)
envelope = {
    "messageType": "DATA_MESSAGE",
    "owner": "123456789012",
    "logGroup": "/aws/bedrock/modelinvocations",
    "logStream": "aws/bedrock/modelinvocations",
    "subscriptionFilters": ["all"],
    "logEvents": [
        {"id": str(n), "timestamp": now_ms, "message": json.dumps(record)}
        for n, record in enumerate(RECORDS)
    ],
}
data = base64.b64encode(gzip.compress(json.dumps(envelope).encode())).decode()
body = {"requestId": "request-1", "timestamp": now_ms, "records": [{"data": data}]}
request = urllib.request.Request(
    os.environ["FIREHOSE_URL"],
    gzip.compress(json.dumps(body).encode()),
    {
        "Content-Type": "application/json",
        "Content-Encoding": "gzip",
        "X-Amz-Firehose-Protocol-Version": "1.0",
        "X-Amz-Firehose-Request-Id": "request-1",
        "X-Amz-Firehose-Source-Arn": "arn:aws:firehose:us-east-1:123456789012:deliverystream/d",
        "X-Amz-Firehose-Access-Key": os.environ["FIREHOSE_ACCESS_KEY"],
    },
)
with urllib.request.urlopen(request) as answer:
    assert json.load(answer)["requestId"] == "request-1"
