from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.door import Door, replay, spans_of, verdicts_of
from vagus.errors import BadInput, NotFound
from vagus.receive.dialects.build import span_id_of, trace_id_of
from vagus.receive.dialects.opik.routes import ROUTES

SAMPLE = Path(__file__).parent / "samples" / "opik.json"
TRACE = "01a20a57-377d-7b58-800f-fb10e24aeb39"
SPAN = "01a20a57-37ad-7529-9c7c-766d6680c75f"
START = "2026-11-23T21:36:57.773809Z"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


def send(path: str, body: Any, method: str = "POST") -> tuple[Any, list[dict], list[dict]]:
    answer = Door(ROUTES).ask(method, f"/api/v1/private/{path}", body)
    return answer, spans_of(answer.telemetry), verdicts_of(answer.telemetry)


def span(**more: Any) -> dict[str, Any]:
    return {"id": SPAN, "trace_id": TRACE, "name": "llm", "start_time": START, **more}


def test_a_recorded_session_gives_one_tree_under_the_trace():
    _, telemetry = replay(ROUTES, SAMPLE)
    spans = {s["name"]: s for s in spans_of(telemetry) if s["attributes"].get("opik.span.type")}
    (root,) = (s for s in spans_of(telemetry) if not s["parent"])
    assert (root["name"], root["attributes"]["session.id"]) == ("app", "s1")
    assert (root["trace_id"], root["span_id"]) == (
        trace_id_of(TRACE).hex(),
        span_id_of(TRACE).hex(),
    )
    assert spans["app"]["parent"] == root["span_id"]
    assert {spans["llm"]["parent"], spans["boom"]["parent"]} == {spans["app"]["span_id"]}
    assert {s["service"] for s in spans.values()} == {"demo"}


def test_a_recorded_call_keeps_model_tokens_and_messages():
    _, telemetry = replay(ROUTES, SAMPLE)
    (llm,) = (s for s in spans_of(telemetry) if s["name"] == "llm")
    found = llm["attributes"]
    assert {key: found[key] for key in found if key.startswith("gen_ai.")} == {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "gpt-4o-mini",
        "gen_ai.provider.name": "openai",
        "gen_ai.usage.input_tokens": 11,
        "gen_ai.usage.output_tokens": 4,
    }
    assert found["input.value"] == '{"messages":[{"role":"user","content":"hi"}]}'
    assert found["output.value"] == '{"role":"assistant","content":"hello"}'
    assert llm["end_ns"] - llm["start_ns"] == 128_000


def test_a_recorded_error_and_score_are_kept():
    _, telemetry = replay(ROUTES, SAMPLE)
    (boom,) = (s for s in spans_of(telemetry) if s["name"] == "boom")
    assert (boom["status"], boom["message"]) == (2, "bad tool")
    assert boom["attributes"]["error.type"] == "ValueError"
    assert boom["events"][0][1]["exception.stacktrace"].startswith("Traceback")
    (score,) = verdicts_of(telemetry)
    assert (score["trace_id"], score["span_id"]) == (trace_id_of(TRACE).hex(), "")
    assert (score["name"], score["score.value"], score["explanation"]) == ("helpful", 1.0, "nice")


def test_a_prompt_is_given_back_by_name_and_by_commit():
    door = Door(ROUTES)
    path = "/v1/private/prompts/versions"
    with pytest.raises(NotFound):
        door.ask("POST", f"{path}/retrieve", {"name": "greet"})
    first = {"name": "greet", "version": {"template": "hi {{x}}", "type": "mustache"}}
    made = door.ask("POST", path, first).body
    second = {"name": "greet", "version": {"template": "hello {{x}}", "type": "mustache"}}
    door.ask("POST", path, second)
    newest = door.ask("POST", f"{path}/retrieve", {"name": "greet"}).body
    older = door.ask("POST", f"{path}/retrieve", {"name": "greet", "commit": made["commit"]}).body
    assert (newest["template"], older["template"]) == ("hello {{x}}", "hi {{x}}")
    assert newest["prompt_id"] == older["prompt_id"]


def test_an_update_says_only_what_it_knows():
    answer, (found,), _ = send(
        f"spans/{SPAN}", {"trace_id": TRACE, "end_time": START, "usage": {}}, "PATCH"
    )
    assert answer.status == 204
    assert (found["span_id"], found["parent"], found["start_ns"]) == (
        span_id_of(SPAN).hex(),
        "",
        0,
    )
    assert "opik.span.type" not in found["attributes"]


def test_cached_tokens_are_part_of_the_input_whoever_the_provider():
    usage = {
        "prompt_tokens": 115,
        "completion_tokens": 4,
        "original_usage.input_tokens": 5,
        "original_usage.cache_read_input_tokens": 100,
        "original_usage.cache_creation_input_tokens": 10,
    }
    _, (found,), _ = send("spans", span(type="llm", usage=usage))
    assert {k: v for k, v in found["attributes"].items() if "usage" in k or "accounting" in k} == {
        "gen_ai.usage.input_tokens": 115,
        "gen_ai.usage.output_tokens": 4,
        "gen_ai.usage.cache_read.input_tokens": 100,
        "gen_ai.usage.cache_write.input_tokens": 10,
        "vagus.cache_accounting": "inclusive",
    }


@pytest.mark.parametrize(
    ("path", "native", "where"),
    [
        ("traces", {"id": TRACE}, ("trace_id", trace_id_of(TRACE).hex())),
        ("spans", {"id": SPAN}, ("span_id", span_id_of(SPAN).hex())),
        ("traces/threads", {"thread_id": "s1"}, ("session.id", "s1")),
    ],
)
def test_a_score_is_on_what_it_is_about(path: str, native: dict, where: tuple[str, str]):
    score = {**native, "name": "good", "value": 0.5, "source": "ui"}
    _, _, (found,) = send(f"{path}/feedback-scores", {"scores": [score]}, "PUT")
    assert (found[where[0]], found["source"]) == (where[1], "human")


def test_a_score_that_is_taken_back_names_the_one_that_was_given():
    _, _, (given_,) = send(f"spans/{SPAN}/feedback-scores", {"name": "good", "value": 1}, "PUT")
    _, _, (taken,) = send(f"spans/{SPAN}/feedback-scores/delete", {"name": "good"})
    assert (given_["id"], taken["deleted"]) == (taken["id"], True)


def test_good_spans_of_a_batch_are_kept_and_the_bad_field_is_named():
    bad = [{"trace_id": TRACE}, span(start_time="soon"), 3]
    answer, spans, _ = send("spans/batch", {"spans": [span(), *bad]})
    assert (answer.status, len(spans)) == (400, 1)
    assert answer.body["fields"] == ["spans[1].id", "spans[2].start_time", "spans[3].span"]


@pytest.mark.parametrize("path", ["datasets", "experiments", "attachment/upload-start"])
def test_what_is_not_kept_is_refused_and_not_silently_dropped(path: str):
    with pytest.raises(BadInput, match="nothing was stored"):
        send(path, {"name": "ds"})


@pytest.mark.parametrize("base", ["", "/api", "/opik", "/opik/api"])
def test_health_is_told_under_every_base(base: str):
    assert Door(ROUTES).ask("GET", f"{base}/is-alive/ping").body["healthy"] is True


FIELDS = ["name", "type", "input", "output", "usage", "metadata", "tags", "error_info", "ttft",
          "parent_span_id", "start_time", "end_time", "thread_id", "model", "id"]  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.sampled_from(FIELDS), JSON))
def test_any_fields_give_a_span_or_bad_input_that_names_one(more: dict):
    for path in ("spans", "traces"):
        try:
            _, spans, _ = send(path, {**span(), **more})
        except BadInput as e:
            assert e.field  # noqa: PT017 - an answer is as good as a refusal here
        else:
            assert len(spans) == 1


@given(JSON)
def test_any_body_is_answered_or_refused(body: Any):
    for method, path in (
        ("POST", "spans/batch"), ("POST", "traces"), ("PUT", "spans/feedback-scores"),
        ("POST", "guardrails"), ("POST", "prompts"), ("POST", "projects"),
    ):  # fmt: skip
        with contextlib.suppress(BadInput):
            send(path, body, method)
