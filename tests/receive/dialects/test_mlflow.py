from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.door import Door, replay, spans_of, verdicts_of
from vagus.errors import BadInput, NotFound
from vagus.receive.dialects import mlflow

SAMPLE = Path(__file__).parent / "samples" / "mlflow.json"
HEX = "7ff98c123488b07c54dcceee83b42ad4"
TRACES = "/api/3.0/mlflow/traces"
ASSESSMENTS = f"{TRACES}/tr-{HEX}/assessments"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


def assess(**more: Any) -> tuple[Any, list[dict]]:
    said = {
        "assessment_name": "helpful",
        "source": {"source_type": "HUMAN", "source_id": "ann"},
        "feedback": {"value": True},
        **more,
    }
    answer = Door(mlflow.ROUTES).ask("POST", ASSESSMENTS, {"assessment": said})
    return answer.body["assessment"], verdicts_of(answer.telemetry)


def test_what_a_recorded_trace_says_of_itself_is_on_a_span_behind_its_end():
    _, telemetry = replay(mlflow.ROUTES, SAMPLE)
    (span,) = spans_of(telemetry)
    assert (span["trace_id"], span["parent"]) == (HEX, "")
    assert span["attributes"]["session.id"] == "s1"
    assert span["attributes"]["user.id"] == "u1"
    assert span["attributes"]["mlflow.traceTag.t1"] == "x"
    # It must not begin before the root does, which began within the same millisecond.
    assert span["start_ns"] == span["end_ns"] == 1_795_471_302_939_000_000 + 69_000_000


def test_a_recorded_feedback_is_a_verdict_on_its_trace():
    _, telemetry = replay(mlflow.ROUTES, SAMPLE)
    (verdict,) = verdicts_of(telemetry)
    assert (verdict["trace_id"], verdict["span_id"]) == (HEX, "")
    assert (verdict["name"], verdict["score.value"], verdict["passed"]) == ("helpful", 1.0, True)
    assert (verdict["source"], verdict["explanation"]) == ("code", "nice")


def test_a_trace_is_echoed_and_told_that_its_spans_are_here():
    info = {"trace_id": f"tr-{HEX}", "request_time": "2026-11-23T22:01:42.939Z", "state": "OK"}
    answer = Door(mlflow.ROUTES).ask("POST", TRACES, {"trace": {"trace_info": info}})
    assert answer.body["trace"]["trace_info"] == {
        **info,
        "tags": {"mlflow.trace.spansLocation": "TRACKING_STORE"},
    }


@pytest.mark.parametrize(
    ("said", "value", "label", "passed"),
    [
        ({"feedback": {"value": 0.25}}, 0.25, None, None),
        ({"feedback": {"value": False}}, 0.0, None, False),
        ({"feedback": {"value": "yes"}}, None, "yes", True),
        ({"feedback": {"value": ["a", 1]}}, None, '["a",1]', None),
        ({"feedback": {"error": {"error_code": "E"}}}, None, "error: E", None),
        ({"feedback": None, "expectation": {"value": "Paris"}}, None, "Paris", None),
    ],
)
def test_every_shape_of_feedback_is_kept(said: dict, value: Any, label: Any, passed: Any):
    _, (verdict,) = assess(**said)
    found = (verdict.get("score.value"), verdict.get("score.label"), verdict.get("passed"))
    assert found == (value, label, passed)


@pytest.mark.parametrize(
    ("kind", "source"),
    [("HUMAN", "human"), ("LLM_JUDGE", "model"), ("CODE", "code"), ("?", "external")],
)
def test_a_source_is_told(kind: str, source: str):
    _, (verdict,) = assess(source={"source_type": kind}, span_id="00000000000000ab")
    assert (verdict["source"], verdict["span_id"]) == (source, "00000000000000ab")


def test_an_update_and_a_deletion_are_about_the_same_score():
    made, (first,) = assess()
    path = f"{ASSESSMENTS}/{made['assessment_id']}"
    door = Door(mlflow.ROUTES)
    updated = door.ask("PATCH", path, {"assessment": {"feedback": {"value": False}}})
    deleted = door.ask("DELETE", path)
    (second,), (third,) = verdicts_of(updated.telemetry), verdicts_of(deleted.telemetry)
    assert first["id"] == second["id"] == third["id"]
    assert (second["name"], second["score.value"], third["deleted"]) == ("helpful", 0.0, True)


def test_an_assessment_that_overrides_another_takes_it_back():
    made, _ = assess()
    _, (new, old) = assess(overrides=made["assessment_id"], feedback={"value": 0.5})
    assert (new["score.value"], old["id"]) == (0.5, f"mlflow:{made['assessment_id']}")


def test_an_experiment_has_one_number_and_is_found_by_it_and_by_its_name():
    door, base = Door(mlflow.ROUTES), "/api/2.0/mlflow/experiments"
    with pytest.raises(NotFound) as e:
        door.ask("GET", f"{base}/get-by-name?experiment_name=shop")
    assert mlflow.refuse(e.value)["error_code"] == "RESOURCE_DOES_NOT_EXIST"
    made = door.ask("POST", f"{base}/create", {"name": "shop"}).body["experiment_id"]
    by_name = door.ask("GET", f"{base}/get-by-name?experiment_name=shop").body["experiment"]
    by_number = door.ask("GET", f"{base}/get?experiment_id={made}").body["experiment"]
    assert by_name == by_number
    assert (by_name["experiment_id"], by_name["name"]) == (made, "shop")


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        (TRACES, {"trace": {}}, "trace_info"),
        (TRACES, {"trace": {"trace_info": {"trace_id": 3}}}, "trace_id"),
        (TRACES, {"trace": {"trace_info": {"trace_id": "tr-1", "tags": 3}}}, "tags"),
        (ASSESSMENTS, {}, "assessment"),
        (ASSESSMENTS, {"assessment": {"feedback": {"value": 1}}}, "assessment.assessment_name"),
        (ASSESSMENTS, {"assessment": {"assessment_name": "a"}}, "assessment.feedback"),
    ],
)
def test_a_bad_field_is_named(path: str, body: Any, field: str):
    with pytest.raises(BadInput) as e:
        Door(mlflow.ROUTES).ask("POST", path, body)
    assert e.value.field == field


@given(JSON, JSON)
def test_any_body_is_answered_or_refused(inner: Any, other: Any):
    door = Door(mlflow.ROUTES)
    info = {"trace_id": "tr-1", "trace_metadata": inner, "execution_duration": other}
    said = {"assessment_name": "a", "feedback": {"value": inner}, "source": other}
    for path, body in (
        (TRACES, inner), (TRACES, {"trace": {"trace_info": info}}), (ASSESSMENTS, other),
        (ASSESSMENTS, {"assessment": said}), ("/api/2.0/mlflow/experiments/create", inner),
    ):  # fmt: skip
        with contextlib.suppress(BadInput):
            door.ask("POST", path, body)
