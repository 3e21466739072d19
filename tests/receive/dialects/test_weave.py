from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.door import Door, replay, spans_of, verdicts_of
from vagus.errors import BadInput, NotFound
from vagus.receive.dialects.build import span_id_of, trace_id_of
from vagus.receive.dialects.weave.routes import ROUTES

SAMPLE = Path(__file__).parent / "samples" / "weave.json"
TRACE = "01a20a75-9c5d-7819-b3ff-5a8125a4bfe8"
CALL = "01a20a75-9c5f-7a80-96f0-faaa4b27ab14"
REF = f"weave:///acme/demo/call/{CALL}"
COMPLETE = "/v2/acme/demo/calls/complete"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


def call(**more: Any) -> dict[str, Any]:
    return {"id": CALL, "trace_id": TRACE, "op_name": "weave:///acme/demo/op/app:digest",
            "started_at": "2026-11-23T22:10:09Z", "ended_at": "2026-11-23T22:10:10Z",
            "inputs": {}, "attributes": {}, "summary": {}, **more}  # fmt: skip


def send(*batch: Any) -> tuple[Any, list[dict]]:
    answer = Door(ROUTES).ask("POST", COMPLETE, {"batch": list(batch)})
    return answer, spans_of(answer.telemetry)


def test_recorded_calls_are_one_tree_with_the_usage_where_the_model_answered():
    _, telemetry = replay(ROUTES, SAMPLE)
    spans = {s["name"]: s for s in spans_of(telemetry)}
    assert set(spans) == {"app", "llm", "boom"}
    assert {s["trace_id"] for s in spans.values()} == {trace_id_of(TRACE).hex()}
    assert {spans["llm"]["parent"], spans["boom"]["parent"]} == {spans["app"]["span_id"]}
    used = {
        name: s["attributes"]["gen_ai.usage.input_tokens"]
        for name, s in spans.items()
        if "gen_ai.usage.input_tokens" in s["attributes"]
    }
    assert used == {"llm": 11}
    assert spans["llm"]["attributes"]["gen_ai.response.model"] == "gpt-4o-mini"
    assert (spans["boom"]["status"], spans["boom"]["message"]) == (2, "bad tool")
    assert spans["app"]["attributes"]["vagus.tenant"] == "acme"


def test_recorded_feedback_is_on_its_call():
    _, telemetry = replay(ROUTES, SAMPLE)
    reaction, helpful = verdicts_of(telemetry)
    assert reaction["span_id"] == helpful["span_id"] == span_id_of(CALL).hex()
    assert (reaction["name"], reaction["score.label"], reaction["passed"]) == (
        "reaction",
        "👍",
        True,
    )
    assert (helpful["name"], helpful["score.value"]) == ("helpful", 1.0)


def test_the_digests_are_those_that_the_client_works_out():
    answers, _ = replay(ROUTES, SAMPLE)
    digests = {a["object_id"]: a["digest"] for a in answers if a and "object_id" in a}
    assert digests == {
        "app": "yNMtWRzgH7NqPtP6RYtP7LY3eDzHmemmJODMYIfXFwM",
        "llm": "ASSztl1JlbQ2wboUr0nWjoZ0VNKjBNAExX68dCYJTKk",
        "boom": "MKMKDxMse0PjCzpaHsDL6P23sMpOqIVtaOv04YrL8fs",
    }
    files = [a["digest"] for a in answers if a and set(a) == {"digest"}]
    assert files == ["8D2DXPZcvfY0JxtzOYxnwHydXhekUW6zTLh3JFCXGTI"]


def test_an_object_is_read_again_by_its_digest_and_as_the_latest():
    door, named = Door(ROUTES), {"project_id": "acme/demo", "object_id": "o"}
    made = door.ask("POST", "/obj/create", {"obj": {**named, "val": {"b": 1, "a": [2.5]}}}).body
    for digest in (made["digest"], "latest"):
        read = door.ask("POST", "/obj/read", {**named, "digest": digest}).body
        assert read["obj"]["val"] == {"b": 1, "a": [2.5]}
    with pytest.raises(NotFound):
        door.ask("POST", "/obj/read", {**named, "digest": "x"})


def test_a_parent_that_sums_up_its_children_is_not_charged():
    summary = {"usage": {"gpt-4o": {"prompt_tokens": 5, "completion_tokens": 1}}}
    _, (plain,) = send(call(summary=summary))
    _, (model,) = send(call(summary=summary, attributes={"weave": {"kind": "llm"}}))
    assert "gen_ai.usage.input_tokens" not in plain["attributes"]
    assert model["attributes"]["gen_ai.usage.input_tokens"] == 5


def test_a_thread_is_the_session():
    _, (found,) = send(call(thread_id="s1", wb_user_id="u1"))
    assert (found["attributes"]["session.id"], found["attributes"]["user.id"]) == ("s1", "u1")


def test_a_start_and_an_end_are_one_span():
    door = Door(ROUTES)
    start = call()
    del start["ended_at"]
    end = {"id": CALL, "ended_at": "2026-11-23T22:10:10Z", "output": "done", "summary": {}}
    begun = spans_of(door.ask("POST", "/call/start", {"start": start}).telemetry)[0]
    ended = spans_of(door.ask("POST", "/call/end", {"end": end}).telemetry)[0]
    assert (begun["trace_id"], begun["span_id"]) == (ended["trace_id"], ended["span_id"])
    assert (begun["end_ns"], ended["start_ns"]) == (0, 0)
    both = {"batch": [{"mode": "start", "req": {"start": start}}, {"req": {"end": end}}]}
    answer = Door(ROUTES).ask("POST", "/call/upsert_batch", both)
    assert len(spans_of(answer.telemetry)) == 2


@pytest.mark.parametrize(
    ("kind", "payload", "name", "value", "words"),
    [
        ("wandb.reaction.1", {"emoji": "👎"}, "reaction", 0.0, None),
        ("wandb.note.1", {"note": "odd"}, "note", None, "odd"),
        ("wandb.runnable.toxic", {"output": {"score": 0.5, "reason": "w"}}, "toxic", 0.5, "w"),
        ("wandb.annotation.good", {"value": True}, "good", 1.0, None),
    ],
)
def test_every_kind_of_feedback_is_kept(
    kind: str, payload: dict, name: str, value: Any, words: Any
):
    said = {"weave_ref": REF, "feedback_type": kind, "payload": payload}
    answer = Door(ROUTES).ask("POST", "/feedback/create", said)
    (verdict,) = verdicts_of(answer.telemetry)
    found = (verdict["name"], verdict.get("score.value"), verdict.get("explanation"))
    assert found == (name, value, words)


def test_good_calls_are_kept_and_bad_fields_named():
    answer, spans = send(call(), call(id=3), call(started_at="x"), call(trace_id=""), 4)
    assert (answer.status, len(spans)) == (400, 1)
    assert answer.body["fields"] == [
        "batch[1].id", "batch[2].started_at", "batch[3].trace_id", "batch[4].call",
    ]  # fmt: skip


@given(JSON, st.sampled_from(["inputs", "output", "summary", "attributes", "exception", "id"]))
def test_any_body_is_answered_or_refused(inner: Any, name: str):
    door = Door(ROUTES)
    said = {"weave_ref": REF, "feedback_type": "a", "payload": inner}
    for path, body in (
        (COMPLETE, inner), (COMPLETE, {"batch": [call(**{name: inner})]}),
        ("/call/upsert_batch", {"batch": [{"req": inner}]}), ("/call/end", {"end": inner}),
        ("/feedback/create", said), ("/obj/create", {"obj": inner}), ("/graphql", inner),
        ("/table/create", {"table": {"rows": [inner]}}), ("/file/create", inner),
    ):  # fmt: skip
        with contextlib.suppress(BadInput):
            door.ask("POST", path, body)
