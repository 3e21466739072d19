from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.door import Door, replay, spans_of, verdicts_of
from vagus.errors import BadInput, NotFound
from vagus.receive.dialects import phoenix

SAMPLE = Path(__file__).parent / "samples" / "phoenix.json"
TRACE, SPAN = "5b8efff798038103d269b633813fc60c", "eee19b7ec3c1b174"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


def span(**more: Any) -> dict[str, Any]:
    return {
        "name": "x",
        "context": {"trace_id": TRACE, "span_id": SPAN},
        "span_kind": "LLM",
        "start_time": "2026-11-23T00:00:00Z",
        "end_time": "2026-11-23T00:00:01Z",
        "status_code": "OK",
        **more,
    }


def test_recorded_spans_keep_their_ids_kind_times_and_attributes():
    _, telemetry = replay(phoenix.ROUTES, SAMPLE)
    (found,) = spans_of(telemetry)
    assert (found["trace_id"], found["span_id"], found["service"]) == (TRACE, SPAN, "demo")
    assert found["end_ns"] - found["start_ns"] == 10**9
    assert found["status"] == 1
    assert found["attributes"] == {"openinference.span.kind": "LLM", "llm.model_name": "m"}


def test_a_recorded_annotation_is_a_verdict_on_its_span():
    _, telemetry = replay(phoenix.ROUTES, SAMPLE)
    (verdict,) = verdicts_of(telemetry)
    assert (verdict["span_id"], verdict["name"], verdict["source"]) == (SPAN, "helpful", "human")
    assert (verdict["score.value"], verdict["score.label"]) == (1.0, "yes")


@pytest.mark.parametrize(
    ("path", "named", "where"),
    [
        ("trace_annotations", {"trace_id": TRACE}, ("trace_id", TRACE)),
        ("session_annotations", {"session_id": "s1"}, ("session.id", "s1")),
        ("document_annotations", {"span_id": SPAN, "document_position": 2}, ("span_id", SPAN)),
        ("span_notes", {"span_id": SPAN, "note": "odd"}, ("explanation", "odd")),
    ],
)
def test_an_annotation_is_on_what_it_is_about(path: str, named: dict, where: tuple[str, str]):
    said = {"name": "good", "annotator_kind": "LLM", "result": {"score": 0.5}, **named}
    answer = Door(phoenix.ROUTES).ask("POST", f"/v1/{path}", {"data": [said]})
    (verdict,) = verdicts_of(answer.telemetry)
    assert (verdict[where[0]], verdict["source"]) == (where[1], "model")


def test_the_same_annotation_again_replaces_the_first():
    door, said = Door(phoenix.ROUTES), {"name": "good", "span_id": SPAN, "identifier": "i"}
    ids = {
        verdicts_of(
            door.ask(
                "POST", "/v1/span_annotations", {"data": [{**said, "result": {"score": score}}]}
            ).telemetry
        )[0]["id"]
        for score in (0, 1)
    }
    assert len(ids) == 1


def test_good_spans_are_kept_and_bad_ones_named():
    bad = [span(context={}), span(start_time="x"), span(attributes=3), 4]
    answer = Door(phoenix.ROUTES).ask("POST", "/v1/projects/demo/spans", {"data": [span(), *bad]})
    assert (answer.status, len(spans_of(answer.telemetry))) == (400, 1)
    assert (answer.body["total_queued"], answer.body["total_invalid"]) == (1, 4)
    assert [s["field"] for s in answer.body["invalid_spans"]] == [
        "trace_id", "start_time", "attributes", "span",
    ]  # fmt: skip


def test_an_error_keeps_its_words_and_events():
    event = {"name": "exception", "timestamp": "2026-11-23T00:00:01Z", "attributes": {"a": "b"}}
    body = {"data": [span(status_code="ERROR", status_message="no", events=[event])]}
    answer = Door(phoenix.ROUTES).ask("POST", "/v1/projects/demo/spans", body)
    (found,) = spans_of(answer.telemetry)
    assert (found["status"], found["message"]) == (2, "no")
    assert found["events"] == [("exception", {"a": "b"})]


def test_datasets_are_refused_and_not_silently_dropped():
    with pytest.raises(BadInput, match="nothing was stored"):
        Door(phoenix.ROUTES).ask("POST", "/v1/datasets/upload", {"name": "ds"})
    with pytest.raises(NotFound):
        Door(phoenix.ROUTES).ask("GET", "/v1/projects/demo/spans?limit=5")


@given(JSON, st.sampled_from(["context", "events", "attributes", "start_time", "parent_id"]))
def test_any_body_is_answered_or_refused(inner: Any, name: str):
    door = Door(phoenix.ROUTES)
    said = {"name": "a", "span_id": "x", "result": inner, "identifier": inner}
    for path, body in (
        ("projects/p/spans", inner), ("projects/p/spans", {"data": inner}),
        ("projects/p/spans", {"data": [span(**{name: inner})]}), ("span_annotations", inner),
        ("span_annotations", {"data": [said]}), ("session_annotations", {"data": [inner]}),
    ):  # fmt: skip
        with contextlib.suppress(BadInput):
            door.ask("POST", f"/v1/{path}", body)
