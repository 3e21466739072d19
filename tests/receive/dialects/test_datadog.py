"""Datadog's spans and evaluations, from its intake and from its agent."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.door import Door, spans_of, verdicts_of
from vagus.errors import BadInput, NotFound
from vagus.receive.dialects.datadog.ids import joined_trace_id, span_id, trace_id
from vagus.receive.dialects.datadog.routes import ROUTES

SAMPLES = Path(__file__).parent / "samples"
PACKED = {"content-type": "application/msgpack"}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
SPAN = st.dictionaries(
    st.sampled_from(("span_id", "trace_id", "parent_id", "name", "start_ns", "duration", "start",
                     "tags", "meta", "metrics", "meta_struct", "status", "error", "session_id",
                     "service")),
    JSON,
)  # fmt: skip


def check_the_tree(spans):
    app, chat, search, boom = (spans[name] for name in ("app", "chat", "search", "boom"))
    assert {s["parent"] for s in spans.values()} == {"", app["span_id"]}
    assert len({s["trace_id"] for s in spans.values()}) == 1
    assert {s["service"] for s in spans.values()} == {"svc"}
    assert {s["attributes"]["vagus.span.kind"] for s in spans.values()} == {
        "workflow", "retrieval", "embedding", "llm", "tool"}  # fmt: skip
    assert (
        chat["attributes"].items()
        >= {
            "gen_ai.request.model": "gpt-4o-mini",
            "gen_ai.provider.name": "openai",
            "gen_ai.usage.input_tokens": 11,
            "gen_ai.usage.output_tokens": 4,
            "gen_ai.usage.cache_read.input_tokens": 3,
            "session.id": "s1",
            "vagus.tenant": "acme",
        }.items()
    )
    assert json.loads(chat["attributes"]["gen_ai.output.messages"])[0]["content"] == "hello"
    assert json.loads(search["attributes"]["gen_ai.retrieval.documents"])[0]["score"] == 0.8
    assert (boom["status"], boom["message"]) == (2, "bad tool")
    assert boom["attributes"]["error.type"] == "ValueError"
    assert chat["end_ns"] > chat["start_ns"] > app["start_ns"]


def test_a_recorded_body_of_the_intake_is_one_tree():
    body = (SAMPLES / "datadog_llmobs.json").read_bytes()
    for path in ("/api/v2/llmobs", "/evp_proxy/v2/api/v2/llmobs", "/evp_proxy/v4/api/v2/llmobs"):
        answer = Door(ROUTES).ask("POST", path, body)
        assert answer.status == 202
        check_the_tree({s["name"]: s for s in spans_of(answer.telemetry)})


def test_a_recorded_body_of_the_agent_is_the_same_tree():
    body = (SAMPLES / "datadog_agent.msgpack").read_bytes()
    answer = Door(ROUTES).ask("PUT", "/v0.4/traces", body, headers=PACKED)
    assert answer.body["rate_by_service"]
    spans = {s["name"]: s for s in spans_of(answer.telemetry)}
    check_the_tree(spans)
    whole = msgspec.msgpack.decode(body)
    assert spans["app"]["start_ns"] == whole[0][0]["start"]


def test_a_recorded_evaluation_is_a_verdict_on_its_span():
    body = json.loads((SAMPLES / "datadog_evaluation.json").read_text())
    span = body["data"]["attributes"]["metrics"][0]["join_on"]["span"]
    answer = Door(ROUTES).ask("POST", "/api/intake/llm-obs/v2/eval-metric", body)
    (verdict,) = verdicts_of(answer.telemetry)
    assert (verdict["name"], verdict["score.value"]) == ("helpful", 1.0)
    assert verdict["trace_id"] == span["trace_id"]
    assert int(verdict["span_id"], 16) == int(span["span_id"])


@pytest.mark.parametrize(
    ("metric", "wanted"),
    [
        ({"boolean_value": True}, {"score.value": 1.0, "passed": True}),
        ({"categorical_value": "good", "assessment": "fail", "reasoning": "dull"},
         {"score.label": "good", "passed": False, "explanation": "dull"}),
        ({"json_value": {"a": 1}}, {"score.label": '{"a":1}'}),
        ({"score_value": 2, "eval_scope": "trace"}, {"span_id": ""}),
        ({"score_value": 2, "event_kind": "feedback"}, {"source": "user"}),
        ({"score_value": 2, "join_on": {"tag": {"key": "session_id", "value": "s1"}}},
         {"session.id": "s1", "trace_id": ""}),
    ],
)  # fmt: skip
def test_an_evaluation_has_the_value_of_its_type(metric, wanted):
    said = {"label": "tone", "join_on": {"span": {"span_id": "7", "trace_id": "9"}}} | metric
    body = {"data": {"attributes": {"metrics": [said]}}}
    answer = Door(ROUTES).ask("POST", "/api/intake/llm-obs/v1/eval-metric", body)
    assert answer.status == 202
    (verdict,) = verdicts_of(answer.telemetry)
    assert verdict.items() >= wanted.items()


def plain(**more):
    return {"service": "web", "name": "web.request", "trace_id": 5, "span_id": 6, "parent_id": 0,
            "start": 10**18, "duration": 1000, "meta": {"_dd.p.tid": "6b04b0c300000000"},
            "metrics": {}} | more  # fmt: skip


def send(traces, path="/v0.4/traces"):
    body = msgspec.msgpack.encode(traces)
    return spans_of(Door(ROUTES).ask("POST", path, body, headers=PACKED).telemetry)


def test_a_plain_span_of_the_tracer_is_an_ordinary_span():
    meta = {"http.method": "GET", "error.message": "no", "_dd.p.tid": "6b04b0c300000000"}
    (span,) = send([[plain(meta=meta, metrics={"http.status_code": 500.0}, error=1)]])
    assert span["trace_id"] == "6b04b0c3000000000000000000000005"
    assert span["span_id"] == "0000000000000006"
    assert (span["status"], span["message"]) == (2, "no")
    assert span["attributes"]["http.method"] == "GET"
    assert span["attributes"]["http.status_code"] == 500.0


def test_the_spans_around_one_llm_trace_join_it():
    part = {"name": "app", "trace_id": "a" * 32, "parent_id": "undefined",
            "meta": {"span": {"kind": "workflow"}}}  # fmt: skip
    inner = plain(span_id=7, parent_id=6, meta_struct={"_llmobs": msgspec.msgpack.encode(part)})
    outer, app = send([[plain(), inner]])
    assert outer["trace_id"] == app["trace_id"] == "a" * 32
    assert app["parent"] == outer["span_id"]


def test_a_table_of_texts_is_read():
    texts = ["", "web", "web.request", "GET /", "http.method", "GET"]
    row = [1, 2, 3, 5, 6, 0, 10**18, 1000, 0, {4: 5}, {}, 0]
    (span,) = send([texts, [[row]]], "/v0.5/traces")
    assert (span["name"], span["service"]) == ("web.request", "web")
    assert span["attributes"]["http.method"] == "GET"
    with pytest.raises(BadInput):
        send([texts, [[[99, *row[1:]]]]], "/v0.5/traces")


def test_cached_tokens_beside_the_input_are_added_to_it():
    metrics = {"input_tokens": 5, "output_tokens": 1, "cache_read_input_tokens": 100}
    span = {"span_id": "7", "trace_id": "9", "meta": {"span": {"kind": "llm"}}, "metrics": metrics}
    answer = Door(ROUTES).ask("POST", "/api/v2/llmobs", [{"spans": [span]}])
    (found,) = spans_of(answer.telemetry)
    assert found["attributes"]["gen_ai.usage.input_tokens"] == 105


def test_bad_spans_are_named_and_the_good_ones_kept():
    spans = [{"span_id": "7", "trace_id": "9", "name": "good"}, {"span_id": "8"}, 3]
    answer = Door(ROUTES).ask("POST", "/api/v2/llmobs", [{"spans": spans}])
    assert answer.status == 400
    assert [e["source"]["pointer"] for e in answer.body["errors"]] == ["trace_id", "span_id"]
    assert [s["name"] for s in spans_of(answer.telemetry)] == ["good"]


def test_the_first_intake_is_spoken_too():
    span = {"span_id": "x-1", "trace_id": "t-1", "name": "chat", "meta": {"kind": "llm"}}
    body = {"data": {"attributes": {"ml_app": "shop", "tags": ["env:test"], "spans": [span]}}}
    answer = Door(ROUTES).ask("POST", "/api/intake/llm-obs/v1/trace/spans", body)
    (found,) = spans_of(answer.telemetry)
    assert (found["service"], found["attributes"]["gen_ai.operation.name"]) == ("shop", "chat")


@pytest.mark.parametrize(
    "path", ["/telemetry/proxy/api/v2/apmtelemetry", "/v0.6/stats", "/evp_proxy/v2/api/v2/logs"]
)
def test_side_traffic_is_answered(path):
    assert Door(ROUTES).ask("POST", path, {}).status == 202


def test_datasets_are_said_not_to_be_kept():
    with pytest.raises(NotFound):
        Door(ROUTES).ask("GET", "/evp_proxy/v2/api/unstable/llm-obs/v1/projects")


@given(number=st.integers(1, 2**64 - 1))
def test_a_decimal_id_is_its_number(number):
    assert int.from_bytes(span_id(str(number)), "big") == number
    assert joined_trace_id(number, "") == f"{number:032x}"
    assert trace_id(f"{number:032x}") == number.to_bytes(16, "big")


@settings(max_examples=200, deadline=None)
@given(spans=st.lists(SPAN | JSON, max_size=4))
def test_any_spans_are_answered(spans):
    answer = Door(ROUTES).ask("POST", "/api/v2/llmobs", [{"spans": spans}])
    assert answer.status in (202, 400)
    spans_of(answer.telemetry)
    send([spans])


@settings(max_examples=200, deadline=None)
@given(body=st.binary(max_size=100), metrics=st.lists(JSON, max_size=3))
def test_any_bytes_are_answered(body, metrics):
    asked = {"data": {"attributes": {"metrics": metrics}}}
    for path, data in (
        ("/v0.4/traces", body),
        ("/v0.5/traces", body),
        ("/api/v2/llmobs", body),
        ("/api/intake/llm-obs/v2/eval-metric", asked),
    ):
        try:
            named = Door(ROUTES).ask("POST", path, data, headers=PACKED).status
        except BadInput as e:
            named = e.field
        assert named
