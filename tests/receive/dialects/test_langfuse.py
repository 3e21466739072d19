"""Langfuse's batches become spans and its scores verdicts; its questions are answered."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.door import Door, spans_of, verdicts_of
from vagus.errors import BadInput, NotFound
from vagus.receive.dialects.build import span_id_of, trace_id_of
from vagus.receive.dialects.langfuse.routes import ROUTES
from vagus.receive.dialects.langfuse.usage import read_usage

SAMPLES = Path(__file__).parent / "samples"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
KEYS = ("id", "traceId", "parentObservationId", "name", "startTime", "endTime", "type", "input",
        "output", "usage", "usageDetails", "costDetails", "modelParameters", "metadata", "level",
        "value", "dataType", "completionStartTime", "timestamp", "tags")  # fmt: skip
EVENT = st.fixed_dictionaries(
    {
        "id": st.text(max_size=4),
        "type": st.sampled_from(
            ("trace-create", "span-create", "generation-update", "score-create", "sdk-log", "what")
        ),
        "body": st.dictionaries(st.sampled_from(KEYS), JSON) | JSON,
    }
)


def event(kind, event_id="e", **body):
    return {"id": event_id, "type": kind, "timestamp": "2026-01-01T00:00:00Z", "body": body}


def ingest(*events):
    answer = Door(ROUTES).ask("POST", "/api/public/ingestion", {"batch": list(events)})
    assert answer.status == 207
    return answer


def test_a_recorded_batch_is_one_tree_under_its_trace():
    body = json.loads((SAMPLES / "langfuse_v2.json").read_text())
    answer = Door(ROUTES).ask("POST", "/api/public/ingestion", body)
    assert len(answer.body["successes"]) == len(body["batch"])
    assert answer.body["errors"] == []
    spans = {s["name"]: s for s in spans_of(answer.telemetry)}
    app, gen, note = spans["app"], spans["gen"], spans["note"]
    assert {s["parent"] for s in spans.values()} == {"", app["span_id"]}
    assert (
        app["attributes"].items()
        >= {
            "session.id": "s1",
            "user.id": "u1",
            "vagus.tenant": "acme",
            "input.value": "hi",
            "output.value": "hello",
        }.items()
    )
    assert app["end_ns"] >= gen["end_ns"] > gen["start_ns"]
    assert (
        gen["attributes"].items()
        >= {
            "gen_ai.request.model": "gpt-4o-mini",
            "gen_ai.usage.input_tokens": 11,
            "gen_ai.usage.output_tokens": 4,
            "gen_ai.input.messages": '[{"role":"user","content":"hi"}]',
            "gen_ai.output.messages": '[{"role":"assistant","content":"hello"}]',
            "session.id": "s1",
        }.items()
    )
    assert note["start_ns"] == note["end_ns"]
    (score,) = verdicts_of(answer.telemetry)
    assert (score["name"], score["score.value"], score["trace_id"]) == (
        "helpful",
        1.0,
        app["trace_id"],
    )


def test_recorded_scores_of_the_newest_sdk_are_verdicts():
    body = json.loads((SAMPLES / "langfuse_scores.json").read_text())
    answer = Door(ROUTES).ask("POST", "/api/public/scores", body)
    assert (answer.status, answer.body) == (202, {"message": "Accepted"})
    helpful, tone, late = verdicts_of(answer.telemetry)
    assert (helpful["score.value"], helpful["span_id"]) == (1.0, "")
    assert (tone["score.label"], tone["span_id"]) == ("polite", body[1]["observationId"])
    assert late["trace_id"] == body[2]["traceId"]


@pytest.mark.parametrize(
    ("score", "wanted"),
    [
        ({"value": 1, "dataType": "BOOLEAN"}, {"score.value": 1.0, "passed": True}),
        ({"value": "good"}, {"score.label": "good"}),
        ({"value": "better so", "dataType": "CORRECTION"},
         {"explanation": "Correction: better so"}),
        ({"value": 0.25, "traceId": None, "sessionId": "s1"},
         {"score.value": 0.25, "session.id": "s1", "trace_id": ""}),
        ({"value": 2, "observationId": "any text"}, {"span_id": span_id_of("any text").hex()}),
    ],
)  # fmt: skip
def test_a_score_has_the_value_of_its_type(score, wanted):
    said = {"id": "s", "traceId": "t", "name": "n"} | score
    answer = Door(ROUTES).ask("POST", "/api/public/scores", said)
    assert answer.body == {"id": "s"}
    (verdict,) = verdicts_of(answer.telemetry)
    assert verdict.items() >= wanted.items()


def test_a_deleted_score_is_taken_back():
    answer = Door(ROUTES).ask("DELETE", "/api/public/scores/s1")
    (verdict,) = verdicts_of(answer.telemetry)
    assert (verdict["id"], verdict["deleted"]) == ("s1", True)


@pytest.mark.parametrize(
    ("said", "input_tokens", "output_tokens", "cost"),
    [
        ({"usage": {"input": 11, "output": 4, "unit": "TOKENS"}}, 11, 4, None),
        ({"usage": {"promptTokens": 11, "completionTokens": 4}}, 11, 4, None),
        ({"usage": {"input": 900, "unit": "CHARACTERS"}}, None, None, None),
        ({"usage": {"input": 1, "output": 2, "inputCost": 0.5, "outputCost": 0.25}}, 1, 2, 0.75),
        ({"usageDetails": {"input": 8, "input_cached_tokens": 3, "output": 4,
                           "output_reasoning_tokens": 2, "total": 17}}, 11, 6, None),
        ({"usageDetails": {"input": 11, "cache_read_input_tokens": 3, "output": 4, "total": 15}},
         11, 4, None),
        ({"usageDetails": {"prompt_tokens": 11, "completion_tokens": 4,
                           "prompt_tokens_details": {"cached_tokens": 3}}}, 11, 4, None),
        ({"usageDetails": {"input": 1, "output": 1}, "costDetails": {"input": 0.5, "output": 1}},
         1, 1, 1.5),
        ({"costDetails": {"total": 0}}, None, None, 0.0),
    ],
)  # fmt: skip
def test_every_shape_of_usage_gives_its_totals(said, input_tokens, output_tokens, cost):
    found = read_usage(said)
    assert found.get("gen_ai.usage.input_tokens") == input_tokens
    assert found.get("gen_ai.usage.output_tokens") == output_tokens
    assert found.get("gen_ai.usage.cost") == cost


@given(details=st.dictionaries(
    st.sampled_from(("input", "output", "total", "input_cached_tokens", "cache_read_input_tokens",
                     "input_cache_creation", "output_reasoning_tokens", "input_audio", "input_x")),
    st.integers(0, 10**9)))  # fmt: skip
def test_cached_tokens_are_never_more_than_the_input_when_they_are_counted_apart(details):
    details.pop("total", None)
    found = read_usage({"usageDetails": details})
    cached = found.get("gen_ai.usage.cache_read.input_tokens", 0)
    cached += found.get("gen_ai.usage.cache_write.input_tokens", 0)
    assert cached <= found.get("gen_ai.usage.input_tokens", 0)


def test_an_error_and_the_first_token_are_kept():
    answer = ingest(
        event(
            "generation-create",
            id="g",
            traceId="t",
            name="gen",
            startTime="2026-01-01T00:00:00Z",
            completionStartTime="2026-01-01T00:00:00.500Z",
            level="ERROR",
            statusMessage="no",
            promptName="greet",
            promptVersion=3,
        )
    )
    (span,) = spans_of(answer.telemetry)
    assert (span["status"], span["message"]) == (2, "no")
    assert span["attributes"]["gen_ai.response.time_to_first_chunk"] == 0.5
    assert span["attributes"]["gen_ai.prompt.version"] == "3"
    assert span["trace_id"] == trace_id_of("t").hex()
    assert span["parent"] == span_id_of("t").hex()


def test_bad_events_are_named_and_the_good_ones_kept():
    answer = ingest(
        event("span-create", "1", id="s", traceId="t"),
        event("span-create", "2", id="s"),
        event("what-create", "3"),
        event("score-create", "4", traceId="t", name="n", value="x", dataType="NUMERIC"),
        7,
    )
    assert [s["id"] for s in answer.body["successes"]] == ["1"]
    assert [(e["id"], e["status"]) for e in answer.body["errors"]] == [
        ("2", 400), ("3", 400), ("4", 400), ("4", 400)]  # fmt: skip
    assert "traceId" in answer.body["errors"][0]["message"]
    assert len(spans_of(answer.telemetry)) == 1


def test_bad_scores_of_a_list_are_named_and_the_good_ones_kept():
    answer = Door(ROUTES).ask(
        "POST", "/api/public/scores", [{"traceId": "t", "name": "n", "value": 1}, {"value": 1}]
    )
    assert (answer.body["accepted"], answer.body["rejected"]) == (1, 1)
    assert len(verdicts_of(answer.telemetry)) == 1


def test_what_is_not_kept_is_said_so_that_fallbacks_are_used():
    door = Door(ROUTES)
    assert door.ask("GET", "/api/public/projects").body["data"][0]["name"]
    assert door.ask("GET", "/api/public/v2/prompts?page=1").body["data"] == []
    assert door.ask("POST", "/api/public/media", {"sha256Hash": "x"}).body["uploadUrl"] is None
    for path in ("v2/prompts/greet", "v2/datasets/ds"):
        with pytest.raises(NotFound):
            door.ask("GET", f"/api/public/{path}")


@settings(max_examples=300, deadline=None)
@given(events=st.lists(EVENT | JSON, max_size=5))
def test_any_batch_of_events_is_answered(events):
    answer = ingest(*events)
    assert len(answer.body["successes"]) + len(answer.body["errors"]) == len(events)
    spans_of(answer.telemetry)


@given(body=JSON)
def test_any_scores_are_answered(body):
    try:
        named = Door(ROUTES).ask("POST", "/api/public/scores", body).status
    except BadInput as e:
        named = e.field
    assert named
