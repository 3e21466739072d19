"""LangSmith's runs become spans and its feedback verdicts, whichever way they are sent."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.door import Door, spans_of, verdicts_of
from vagus.errors import BadInput, NotFound
from vagus.receive.dialects.build import span_id_of, trace_id_of
from vagus.receive.dialects.langsmith.routes import ROUTES
from vagus.receive.dialects.langsmith.usage import read_usage

SAMPLES = Path(__file__).parent / "samples"
FORM = {"content-type": "multipart/form-data; boundary=boundary0"}
ROOT = "01a20a37-44b5-734e-bd2c-3a4efe42d31e"
CHILD = "01a20a37-44ba-7e52-ba35-46b619200e49"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
RUN = st.dictionaries(
    st.sampled_from(
        ("id", "trace_id", "parent_run_id", "dotted_order", "name", "run_type", "start_time",
         "end_time", "inputs", "outputs", "extra", "events", "error", "tags", "session_name")
    ),
    JSON,
)  # fmt: skip


def form(*parts, boundary="boundary0"):
    lines = []
    for name, content in parts:
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'
        lines += [head.encode(), data, b"\r\n"]
    return b"".join([*lines, f"--{boundary}--\r\n".encode()])


def run(**more):
    return {"id": ROOT, "trace_id": ROOT, "name": "app", "run_type": "chain"} | more


def replay(name):
    answer = Door(ROUTES).ask(
        "POST", "/runs/multipart", (SAMPLES / name).read_bytes(), headers=FORM
    )
    assert answer.status == 202
    return {s["name"]: s for s in spans_of(answer.telemetry)}, verdicts_of(answer.telemetry)


def test_a_recorded_trace_of_the_sdk_is_one_tree_with_kinds_usage_and_people():
    spans, (score,) = replay("langsmith_traceable.form")
    app, llm, boom = spans["app"], spans["llm"], spans["boom"]
    assert set(spans) == {"app", "retrieve", "llm", "boom"}
    assert {s["trace_id"] for s in spans.values()} == {trace_id_of(ROOT).hex()}
    assert {s["parent"] for s in spans.values()} == {"", app["span_id"]}
    assert {s["service"] for s in spans.values()} == {"demo"}
    assert app["end_ns"] > llm["end_ns"] > llm["start_ns"] > app["start_ns"] > 0
    assert {k: v for k, v in llm["attributes"].items() if k.startswith(("gen_ai", "session"))} == {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "gpt-4o-mini",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.temperature": 0.0,
        "gen_ai.usage.input_tokens": 11,
        "gen_ai.usage.output_tokens": 4,
        "gen_ai.usage.cache_read.input_tokens": 3,
        "gen_ai.usage.reasoning.output_tokens": 1,
        "gen_ai.input.messages": '[{"role":"user","content":"hi"}]',
        "gen_ai.output.messages": llm["attributes"]["gen_ai.output.messages"],
        "session.id": "s1",
    }
    assert json.loads(llm["attributes"]["gen_ai.output.messages"])[0]["content"] == "hello"
    assert "page_content" in spans["retrieve"]["attributes"]["gen_ai.retrieval.documents"]
    assert (boom["status"], boom["message"]) == (2, "ValueError('bad tool')")
    assert boom["attributes"]["error.type"] == "ValueError"
    assert boom["events"][0][1]["exception.stacktrace"].endswith("ValueError: bad tool\n")
    assert (score["name"], score["score.value"], score["explanation"]) == ("helpful", 1.0, "nice")
    assert (score["trace_id"], score["span_id"]) == (trace_id_of(ROOT).hex(), "")


def test_a_recorded_trace_of_langchain_keeps_messages_and_tool_calls():
    spans, _ = replay("langsmith_langchain.form")
    model = spans["GenericFakeChatModel"]["attributes"]
    assert (model["gen_ai.usage.input_tokens"], model["gen_ai.usage.cache_read.input_tokens"]) == (
        11,
        3,
    )
    assert model["gen_ai.response.model"] == "gpt-4o-mini"
    assert model["gen_ai.response.finish_reasons"] == ["stop"]
    asked = json.loads(model["gen_ai.input.messages"])
    assert [m["kwargs"]["content"] for m in asked] == ["be kind", "hi"]
    assert '"tool_calls":[{"name":"boom"' in model["gen_ai.output.messages"]
    assert spans["boom"]["attributes"]["gen_ai.tool.call.arguments"] == '{"x":1}'


def test_the_clients_own_settings_are_not_kept():
    spans, _ = replay("langsmith_traceable.form")
    assert not any("LANGSMITH_" in k for s in spans.values() for k in s["attributes"])


def test_a_create_and_an_update_in_two_requests_are_two_parts_of_one_span():
    door = Door(ROUTES)
    first = door.ask("POST", "/runs", run(start_time="2026-01-01T00:00:00Z", inputs={"q": "hi"}))
    last = door.ask(
        "PATCH",
        f"/runs/{ROOT}",
        {"trace_id": ROOT, "end_time": "2026-01-01T00:00:02Z", "outputs": {"a": "hello"}},
    )
    (begun,), (done,) = spans_of(first.telemetry), spans_of(last.telemetry)
    assert (begun["span_id"], begun["trace_id"]) == (done["span_id"], done["trace_id"])
    assert (begun["end_ns"], done["start_ns"]) == (0, 0)
    assert done["end_ns"] - begun["start_ns"] == 2 * 10**9
    assert "input.value" in begun["attributes"]
    assert "input.value" not in done["attributes"]


def test_the_dotted_order_says_trace_parent_and_start():
    order = f"20260101T000000123456Z{ROOT}.20260101T000001000000Z{CHILD}"
    answer = Door(ROUTES).ask("POST", "/runs", {"id": CHILD, "name": "x", "dotted_order": order})
    (span,) = spans_of(answer.telemetry)
    assert span["trace_id"] == trace_id_of(ROOT).hex()
    assert span["parent"] == span_id_of(ROOT).hex()
    assert span["start_ns"] == 1_767_225_601_000_000_000


def test_the_first_new_token_says_when_the_answer_began():
    events = [{"name": "new_token", "time": f"2026-01-01T00:00:0{s}Z"} for s in (1, 2)]
    answer = Door(ROUTES).ask(
        "POST", "/runs", run(run_type="llm", start_time="2026-01-01T00:00:00Z", events=events)
    )
    (span,) = spans_of(answer.telemetry)
    assert span["attributes"]["gen_ai.response.time_to_first_chunk"] == 1.0
    assert [name for name, _ in span["events"]] == ["new_token"]


@pytest.mark.parametrize(
    ("usage", "wanted"),
    [
        (
            {"input_tokens": 100, "output_tokens": 9,
             "input_token_details": {"cache_read": 40, "cache_creation": 0,
                                     "ephemeral_5m_input_tokens": 10,
                                     "ephemeral_1h_input_tokens": 20}},
            {"gen_ai.usage.cache_write.input_tokens": 30,
             "gen_ai.usage.cache_write_5m.input_tokens": 10,
             "gen_ai.usage.cache_write_1h.input_tokens": 20,
             "gen_ai.usage.cache_read.input_tokens": 40},
        ),
        (
            {"input_tokens": 50, "output_tokens": 9,
             "input_token_details": {"priority": 30, "priority_cache_read": 20},
             "output_token_details": {"priority": 5, "priority_reasoning": 4}},
            {"vagus.service_tier": "priority", "gen_ai.usage.cache_read.input_tokens": 20,
             "gen_ai.usage.reasoning.output_tokens": 4},
        ),
        ({"input_tokens": 5, "output_tokens": 1, "total_cost": 0}, {"vagus.local_cache": "hit"}),
    ],
)  # fmt: skip
def test_the_details_of_langchain_s_usage_are_read(usage, wanted):
    found = read_usage({"usage_metadata": usage}, {})
    assert found.items() >= wanted.items()
    assert found["gen_ai.usage.input_tokens"] == usage["input_tokens"]


def test_a_provider_s_own_usage_is_read_by_its_own_rule():
    openai = {"prompt_tokens": 20, "completion_tokens": 4,
              "prompt_tokens_details": {"cached_tokens": 8}}  # fmt: skip
    anthropic = {"input_tokens": 5, "output_tokens": 4, "cache_read_input_tokens": 100,
                 "cache_creation_input_tokens": 10}  # fmt: skip
    for usage, total, cached in ((openai, 20, 8), (anthropic, 115, 100)):
        found = read_usage({}, {"usage": usage})
        assert found["gen_ai.usage.input_tokens"] == total
        assert found["gen_ai.usage.cache_read.input_tokens"] == cached


def test_bad_parts_are_named_and_the_good_ones_kept():
    body = form(
        (f"post.{ROOT}", run()),
        ("post.b", b"{"),
        ("post.c", {"id": "c", "parent_run_id": "x"}),
        ("what.d", {}),
        ("feedback.e", {"id": "e", "run_id": ROOT}),
    )
    answer = Door(ROUTES).ask("POST", "/runs/multipart", body, headers=FORM)
    assert answer.status == 422
    assert [d["loc"][1] for d in answer.body["detail"]] == ["post.b", "name", "key", "trace_id"]
    assert [s["name"] for s in spans_of(answer.telemetry)] == ["app"]


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"", FORM),
        (b"--boundary0\r\nno", FORM),
        (form(("post.x", {}))[:-10], FORM),
        (b"{}", {"content-type": "application/json"}),
        (b"--boundary0\r\n\r\n\r\n--boundary0--", FORM),
    ],
)
def test_a_broken_form_is_refused_and_names_the_part(body, headers):
    with pytest.raises(BadInput) as error:
        Door(ROUTES).ask("POST", "/runs/multipart", body, headers=headers)
    assert error.value.field in ("body", "content-type")


def test_an_attachment_is_named_with_its_type_and_size():
    body = form((f"post.{ROOT}", run()), (f"attachment.{ROOT}.chart", b"\x89PNG\x00"))
    answer = Door(ROUTES).ask("POST", "/runs/multipart", body, headers=FORM)
    (span,) = spans_of(answer.telemetry)
    assert json.loads(span["attributes"]["langsmith.attachment.chart"])["bytes"] == 5


def test_a_run_far_too_deep_is_refused_and_its_neighbour_kept():
    deep = b'{"id":"d","inputs":' + b"[" * 5000 + b"]" * 5000 + b"}"
    body = form((f"post.{ROOT}", run()), ("post.d", deep))
    answer = Door(ROUTES).ask("POST", "/runs/multipart", body, headers=FORM)
    assert answer.status == 422
    assert len(spans_of(answer.telemetry)) == 1


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ({"run_id": CHILD, "trace_id": ROOT, "score": True},
         {"score.value": 1.0, "passed": True, "span_id": span_id_of(CHILD).hex()}),
        ({"run_id": CHILD, "value": "polite"},
         {"score.label": "polite", "trace_id": "", "span_id": span_id_of(CHILD).hex()}),
        ({"session_id": "p1", "score": 0.5, "correction": {"a": 1}},
         {"session.id": "p1", "score.value": 0.5, "explanation": 'Correction: {"a":1}'}),
        ({"trace_id": ROOT, "score": 1, "feedback_source": {"type": "model"}},
         {"source": "model", "trace_id": trace_id_of(ROOT).hex(), "span_id": ""}),
    ],
)  # fmt: skip
def test_feedback_is_a_verdict_on_what_it_names(said, wanted):
    answer = Door(ROUTES).ask("POST", "/feedback", {"id": "f1", "key": "tone", **said})
    (verdict,) = verdicts_of(answer.telemetry)
    assert verdict.items() >= (wanted | {"id": "f1", "name": "tone"}).items()


def test_deleted_feedback_is_taken_back():
    answer = Door(ROUTES).ask("DELETE", "/feedback/f1")
    (verdict,) = verdicts_of(answer.telemetry)
    assert (verdict["id"], verdict["deleted"]) == ("f1", True)


def test_a_change_of_feedback_says_what_is_new_and_nothing_else():
    answer = Door(ROUTES).ask("PATCH", "/feedback/f1", {"score": 0, "comment": "on second thought"})
    (record,) = answer.telemetry.logs.resource_logs[0].scope_logs[0].log_records
    said = {a.key: a.value for a in record.attributes}
    assert said["vagus.score.id"].string_value == "f1"
    assert said["vagus.score.updated"].bool_value
    assert said["gen_ai.evaluation.score.value"].double_value == 0
    assert said["gen_ai.evaluation.explanation"].string_value == "on second thought"
    with pytest.raises(BadInput):
        Door(ROUTES).ask("PATCH", "/feedback/f1", {})


def test_a_project_has_one_id_by_name_and_is_found_by_it():
    door = Door(ROUTES)
    (found,) = door.ask("GET", "/sessions?name=demo&limit=1").body
    assert door.ask("GET", f"/sessions/{found['id']}").body == found
    with pytest.raises(NotFound):
        door.ask("GET", "/sessions/other")


@settings(max_examples=300, deadline=None)
@given(runs=st.lists(RUN | JSON, max_size=4), patches=st.lists(RUN, max_size=3) | JSON)
def test_any_batch_is_answered(runs, patches):
    try:
        answer = Door(ROUTES).ask("POST", "/runs/batch", {"post": runs, "patch": patches})
    except BadInput as e:
        named = e.field
    else:
        named = answer.status in (202, 422)
        spans_of(answer.telemetry)
    assert named


@settings(max_examples=200, deadline=None)
@given(body=st.binary(max_size=200))
def test_any_bytes_as_a_form_are_answered(body):
    for data in (body, b"--boundary0\r\n" + body, form(("post.x", body), ("feedback.y", body))):
        try:
            answer = Door(ROUTES).ask("POST", "/runs/multipart", data, headers=FORM)
        except BadInput as e:
            named = e.field
        else:
            named = answer.status in (202, 422)
        assert named
