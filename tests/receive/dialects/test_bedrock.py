"""Bedrock's invocation logs become calls with their model, tokens, content and context."""

from __future__ import annotations

import base64
import gzip
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.calls import NOW_NS, ask, said, spans_of
from vagus.errors import BadInput, TooLarge
from vagus.receive.dialects import bedrock, firehose
from vagus.receive.dialects.bedrock import model_of

BASE = {
    "schemaType": "ModelInvocationLog",
    "schemaVersion": "1.0",
    "timestamp": "2026-11-23T12:00:00Z",
    "accountId": "123456789012",
    "region": "us-east-1",
    "identity": {"arn": "arn:aws:sts::123456789012:assumed-role/app/session"},
}
CONVERSE = BASE | {
    "requestId": "11111111-2222-3333-4444-555555555555",
    "operation": "Converse",
    "modelId": "arn:aws:bedrock:us-east-1:123456789012:inference-profile/"
    "us.anthropic.claude-sonnet-4-20250514-v1:0",
    "requestMetadata": {"tenant": "acme", "session_id": "s1", "user": "u1", "team": "search"},
    "inferenceRegion": "us-west-2",
    "input": {
        "inputContentType": "application/json",
        "inputBodyJson": {
            "system": [{"text": "be kind"}],
            "messages": [{"role": "user", "content": [{"text": "hi"}]}],
            "inferenceConfig": {"maxTokens": 99, "temperature": 0},
        },
        "inputTokenCount": 11,
        "cacheReadInputTokenCount": 3,
    },
    "output": {
        "outputContentType": "application/json",
        "outputBodyJson": {
            "output": {"message": {"role": "assistant", "content": [{"text": "hello"}]}},
            "stopReason": "end_turn",
            "metrics": {"latencyMs": 321},
            "usage": {
                "inputTokens": 11,
                "outputTokens": 4,
                "totalTokens": 18,
                "cacheReadInputTokens": 3,
            },
        },
        "outputTokenCount": 4,
    },
}
THROTTLED = BASE | {
    "requestId": "99999999-2222-3333-4444-555555555555",
    "operation": "InvokeModel",
    "modelId": "meta.llama3-8b-instruct-v1:0",
    "errorCode": "ThrottlingException",
    "input": {"inputBodyJson": {"prompt": "hi", "max_gen_len": 9}},
}


def import_lines(*records):
    return ask(bedrock.ROUTES, "/aws/bedrock", "\n".join(map(json.dumps, records)).encode())


def span_of(record):
    (span,) = spans_of(import_lines(record))
    return span


def envelope(*messages, kind="DATA_MESSAGE"):
    events = [{"id": str(n), "timestamp": 1, "message": m} for n, m in enumerate(messages)]
    return {"messageType": kind, "logGroup": "/aws/bedrock", "logEvents": events}


def delivered(*datas, request_id="req-1"):
    records = [{"data": base64.b64encode(data).decode()} for data in datas]
    body = {"requestId": request_id, "timestamp": 1, "records": records}
    return ask(firehose.ROUTES, "/aws/firehose", body)


def packed(value):
    return gzip.compress(json.dumps(value).encode())


def test_a_converse_record_becomes_a_call_with_everything_it_says():
    span = span_of(CONVERSE)
    attributes = said(span)

    assert span.trace_id.hex() == "11111111222233334444555555555555"
    assert span.end_time_unix_nano - span.start_time_unix_nano == 321_000_000
    assert {key: attributes[key] for key in sorted(attributes) if "gen_ai" in key} == {
        "gen_ai.input.messages": '[{"role":"user","parts":[{"type":"text","content":"hi"}]}]',
        "gen_ai.operation.name": "chat",
        "gen_ai.output.messages": '[{"role":"assistant","parts":'
        '[{"type":"text","content":"hello"}]}]',
        "gen_ai.provider.name": "aws.bedrock",
        "gen_ai.request.max_tokens": 99,
        "gen_ai.request.model": "us.anthropic.claude-sonnet-4-20250514-v1:0",
        "gen_ai.request.stream": False,
        "gen_ai.request.temperature": 0,
        "gen_ai.response.finish_reasons": ["stop"],
        "gen_ai.response.model": "us.anthropic.claude-sonnet-4-20250514-v1:0",
        "gen_ai.system_instructions": '[{"type":"text","content":"be kind"}]',
        "gen_ai.usage.cache_read.input_tokens": 3,
        "gen_ai.usage.input_tokens": 14,
        "gen_ai.usage.output_tokens": 4,
    }
    assert attributes["session.id"] == "s1"
    assert attributes["user.id"] == "u1"
    assert attributes["vagus.tenant"] == "acme"
    assert attributes["vagus.team"] == "search"
    assert attributes["cloud.region"] == "us-west-2"
    assert attributes["vagus.native.id"] == CONVERSE["requestId"]


def test_a_failed_record_is_an_error_with_its_code_and_no_usage():
    span = span_of(THROTTLED)

    assert span.status.message == "ThrottlingException"
    assert said(span)["error.type"] == "ThrottlingException"
    assert said(span)["http.response.status_code"] == 429
    assert "gen_ai.usage.input_tokens" not in said(span)


def test_the_chunks_of_a_stream_are_put_together():
    chunks = [
        {"messageStart": {"role": "assistant"}},
        {"contentBlockDelta": {"delta": {"text": "he"}, "contentBlockIndex": 0}},
        {"contentBlockDelta": {"delta": {"text": "llo"}, "contentBlockIndex": 0}},
        {"messageStop": {"stopReason": "end_turn"}},
        {"metadata": {"usage": {"inputTokens": 5, "outputTokens": 2}, "metrics": {"latencyMs": 7}}},
    ]
    record = CONVERSE | {"operation": "ConverseStream", "output": {"outputBodyJson": chunks}}
    attributes = said(span_of(record))

    assert "hello" in attributes["gen_ai.output.messages"]
    assert attributes["gen_ai.usage.input_tokens"] == 5
    assert attributes["gen_ai.request.stream"] is True
    assert "vagus.stream.cut_off" not in attributes


def test_the_metrics_of_an_invocation_give_its_tokens_and_times():
    metrics = {
        "inputTokenCount": 20,
        "outputTokenCount": 9,
        "cacheReadInputTokenCount": 100,
        "invocationLatency": 900,
        "firstByteLatency": 250,
    }
    chunks = [{"outputs": [{"text": "a", "stop_reason": None}]}]
    chunks.append(
        {
            "outputs": [{"text": "b", "stop_reason": "stop"}],
            "amazon-bedrock-invocationMetrics": metrics,
        }
    )
    record = THROTTLED | {
        "operation": "InvokeModelWithResponseStream",
        "modelId": "mistral.mistral-large-2402-v1:0",
        "output": {"outputBodyJson": chunks},
    }
    del record["errorCode"]
    span = span_of(record)
    attributes = said(span)

    assert attributes["gen_ai.usage.input_tokens"] == 120
    assert attributes["gen_ai.usage.cache_read.input_tokens"] == 100
    assert attributes["gen_ai.usage.output_tokens"] == 9
    assert attributes["gen_ai.response.time_to_first_chunk"] == 0.25
    assert span.end_time_unix_nano - span.start_time_unix_nano == 900_000_000


def test_a_body_in_s3_is_kept_as_its_address_and_its_counts():
    record = CONVERSE | {
        "input": {
            "inputBodyS3Path": "s3://b/data/1_input.json.gz",
            "inputTokenCount": 40_000,
            "cacheWriteInputTokenCount": 1_000,
        },
        "output": {"outputBodyS3Path": "s3://b/data/1_output.json.gz", "outputTokenCount": 800},
    }
    attributes = said(span_of(record))

    assert '"uri":"s3://b/data/1_input.json.gz"' in attributes["gen_ai.input.messages"]
    assert '"uri":"s3://b/data/1_output.json.gz"' in attributes["gen_ai.output.messages"]
    assert attributes["gen_ai.usage.input_tokens"] == 41_000
    assert attributes["gen_ai.usage.output_tokens"] == 800


def test_a_call_stands_below_the_span_that_its_metadata_names():
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    span = span_of(CONVERSE | {"requestMetadata": {"traceparent": parent}})

    assert span.trace_id.hex() == "0af7651916cd43dd8448eb211c80319c"
    assert span.parent_span_id.hex() == "b7ad6b7169203331"


@pytest.mark.parametrize(
    ("model_id", "model"),
    [
        ("amazon.nova-lite-v1:0", "amazon.nova-lite-v1:0"),
        ("arn:aws:bedrock:us-east-1::foundation-model/cohere.embed-v4:0", "cohere.embed-v4:0"),
        ("arn:aws:bedrock:us-east-1:1:inference-profile/eu.x.y-v1:0", "eu.x.y-v1:0"),
        (
            "arn:aws:bedrock:us-east-1:1:application-inference-profile/abc123",
            "application-inference-profile/abc123",
        ),
    ],
)
def test_an_arn_names_its_model_unless_its_id_is_ones_own(model_id, model):
    assert model_of(model_id) == model


def test_good_lines_are_taken_and_bad_ones_are_named():
    answer = ask(
        bedrock.ROUTES,
        "/aws/bedrock",
        b"\n".join([json.dumps(CONVERSE).encode(), b"{broken", b"", b'{"requestId": "x"}']),
    )

    assert len(spans_of(answer)) == 1
    assert (answer.status, answer.body["accepted"], answer.body["rejected"]) == (200, 1, 2)
    assert [r["line"] for r in answer.body["refused"]] == [2, 4]


def test_a_body_without_any_record_is_refused_and_says_why():
    answer = ask(bedrock.ROUTES, "/aws/bedrock", b'{"requestId": "x"}')

    assert answer.status == 400
    assert "line 1: this is no model invocation record" in answer.body["message"]


def test_firehose_is_answered_with_its_own_id_and_the_time():
    answer = delivered(packed(envelope(json.dumps(CONVERSE), json.dumps(THROTTLED))))

    assert answer.body == {"requestId": "req-1", "timestamp": NOW_NS // 1_000_000}
    assert len(spans_of(answer)) == 2


def test_control_messages_are_skipped_without_a_word():
    probe = envelope("CWL CONTROL MESSAGE: Checking health", kind="CONTROL_MESSAGE")
    answer = delivered(packed(probe), packed(envelope(json.dumps(CONVERSE))))

    assert "rejected" not in answer.body
    assert len(spans_of(answer)) == 1


def test_records_that_firehose_unpacked_itself_are_taken():
    lines = "\n".join(json.dumps(record) for record in (CONVERSE, THROTTLED)).encode()

    assert len(spans_of(delivered(lines))) == 2


def test_the_good_records_of_a_delivery_survive_the_bad_ones():
    answer = delivered(
        b"\x1f\x8bnot gzip",
        packed(envelope("no json", json.dumps({"requestId": 1}), json.dumps(CONVERSE))),
        b"[]",
    )

    assert len(spans_of(answer)) == 1
    assert answer.body["rejected"] == 4
    assert "records[0]: the gzip body" in answer.body["errorMessage"]
    assert "records[1].logEvents[0]: message is not valid JSON" in answer.body["errorMessage"]


def test_a_delivery_that_inflates_without_end_is_refused_whole(monkeypatch):
    monkeypatch.setattr(firehose, "MAX_INFLATED_BYTES", 10_000)

    with pytest.raises(TooLarge, match="make the buffer of the stream smaller"):
        delivered(gzip.compress(b" " * 1_000_000))


HOSTILE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from([*CONVERSE, *CONVERSE["input"], *CONVERSE["output"], "errorCode"]),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None)
@given(changes=st.dictionaries(st.sampled_from([*CONVERSE, "errorCode"]), HOSTILE, max_size=4))
def test_any_record_becomes_a_span_or_is_named(changes):
    record = CONVERSE | changes
    answer = import_lines(CONVERSE, record)

    assert answer.body["accepted"] + answer.body["rejected"] == 2
    assert len(spans_of(answer)) == answer.body["accepted"]


@settings(max_examples=200, deadline=None)
@given(body=HOSTILE | st.fixed_dictionaries({"records": st.lists(HOSTILE, max_size=3)}))
def test_any_delivery_is_answered_or_refused_as_bad_input(body):
    try:
        answer = ask(firehose.ROUTES, "/aws/firehose", body)
    except BadInput:
        return
    assert set(answer.body) >= {"requestId", "timestamp"}
