from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.door import NOW_NS, Door, spans_of, verdicts_of
from vagus.errors import BadInput
from vagus.receive.dialects import generic
from vagus.receive.dialects.build import span_id_of, trace_id_of

FULL = {
    "id": "call-1",
    "trace_id": "request-1",
    "parent_id": "root-1",
    "name": "answer",
    "kind": "llm",
    "service": "shop",
    "start": "2026-11-23T10:00:00.000000001Z",
    "duration_ms": 1500,
    "ttft_ms": 250,
    "input": [{"role": "user", "content": "hi"}],
    "output": "hello",
    "model": "gpt-4o-mini",
    "provider": "openai",
    "usage": {"input_tokens": 11, "output_tokens": 4, "cache_read_tokens": 3},
    "cost_usd": 0.002,
    "user": "u1",
    "session": "s1",
    "team": "search",
    "feature": "faq",
    "tenant": "acme",
    "prompt": "greet",
    "prompt_version": "7",
    "error": {"type": "ValueError", "message": "no"},
    "metadata": {"region": "eu"},
    "attributes": {"shop.basket": 3},
    "colour": "blue",
    "scores": [{"name": "helpful", "value": -1, "source": "human", "explanation": "rude"}],
}


def send(body: object, **headers: str) -> tuple[dict, list[dict], list[dict]]:
    answer = Door(generic.ROUTES).ask("POST", "/api/v1/spans", body, headers=headers)
    return answer.body, spans_of(answer.telemetry), verdicts_of(answer.telemetry)


def test_every_field_becomes_the_attribute_of_its_convention():
    body, (span,), _ = send(FULL)
    assert body == {"accepted": 1, "rejected": 0, "errors": []}
    assert (span["trace_id"], span["span_id"], span["parent"]) == (
        trace_id_of("request-1").hex(),
        span_id_of("call-1").hex(),
        span_id_of("root-1").hex(),
    )
    assert (span["service"], span["name"]) == ("shop", "answer")
    assert span["end_ns"] - span["start_ns"] == 1_500_000_000
    assert span["start_ns"] % 10**9 == 1
    assert (span["status"], span["message"]) == (2, "no")
    assert span["attributes"] == {
        "vagus.native.id": "call-1",
        "vagus.native.trace_id": "request-1",
        "vagus.span.kind": "llm",
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "gpt-4o-mini",
        "gen_ai.provider.name": "openai",
        "gen_ai.response.time_to_first_chunk": 0.25,
        "input.value": '[{"role":"user","content":"hi"}]',
        "output.value": "hello",
        "gen_ai.usage.input_tokens": 11,
        "gen_ai.usage.output_tokens": 4,
        "gen_ai.usage.cache_read.input_tokens": 3,
        "vagus.cache_accounting": "inclusive",
        "gen_ai.usage.cost": 0.002,
        "user.id": "u1",
        "session.id": "s1",
        "vagus.team": "search",
        "vagus.feature": "faq",
        "vagus.tenant": "acme",
        "gen_ai.prompt.name": "greet",
        "gen_ai.prompt.version": "7",
        "error.type": "ValueError",
        "metadata": '{"region":"eu"}',
        "shop.basket": 3,
        "colour": "blue",
    }


def test_scores_are_verdicts_on_their_span():
    _, _, (verdict,) = send(FULL)
    assert verdict == {
        "trace_id": trace_id_of("request-1").hex(),
        "span_id": span_id_of("call-1").hex(),
        "name": "helpful",
        "score.value": -1.0,
        "explanation": "rude",
        "id": verdict["id"],
        "source": "human",
    }
    assert send(FULL)[2][0]["id"] == verdict["id"]


def test_an_update_names_the_same_span_and_says_nothing_about_the_end():
    first = {"id": "a", "name": "x", "start": 1_790_000_000}
    _, (begun,), _ = send(first)
    _, (ended,), _ = send({"id": "a", "end": 1_790_000_001, "output": "done"})
    assert (begun["span_id"], begun["trace_id"]) == (ended["span_id"], ended["trace_id"])
    assert (begun["end_ns"], ended["end_ns"]) == (0, 1_790_000_001 * 10**9)


def test_lines_are_items_and_a_broken_line_is_reported_with_its_place():
    lines = b'{"id": "a", "name": "x"}\n\n{"id": \n{"id": "b", "name": "y"}\n'
    body, spans, _ = send(lines, **{"content-type": "application/x-ndjson"})
    assert [span["name"] for span in spans] == ["x", "y"]
    assert (body["accepted"], body["rejected"]) == (2, 1)
    assert body["errors"][0]["index"] == 1


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"usage": {"input_tokens": "11"}}, "usage.input_tokens"),
        ({"usage": {"input_tokens": -1}}, "usage.input_tokens"),
        ({"usage": {"input_tokens": True}}, "usage.input_tokens"),
        ({"usage": {"prompt_tokens": 1}}, "usage.prompt_tokens"),
        ({"usage": [1]}, "usage"),
        ({"model": 3}, "model"),
        ({"kind": "banana"}, "kind"),
        ({"start": "yesterday"}, "start"),
        ({"start": True}, "start"),
        ({"start": 1_790_000_001, "end": 1_790_000_000}, "end"),
        ({"duration_ms": -1}, "duration_ms"),
        ({"duration_ms": 1e300}, "duration_ms"),
        ({"cost_usd": "1"}, "cost_usd"),
        ({"cost_usd": -1}, "cost_usd"),
        ({"parent_id": "p"}, "trace_id"),
        ({"scores": [{"name": "a", "value": 1}, {"value": 1}]}, "scores[1].name"),
        ({"scores": [{"name": "a"}]}, "scores[0].value"),
        ({"scores": [{"name": "a", "value": 1, "source": "me"}]}, "scores[0].source"),
        ({"scores": [{"name": "a", "value": 1}] * 101}, "scores"),
        ({"error": 3}, "error"),
        ({"documents": {}}, "documents"),
        ({"tags": [1]}, "tags"),
        ({"attributes": []}, "attributes"),
        ({"name": "n" * 1_000_001}, "name"),
    ],
)
def test_a_bad_field_is_named_and_the_good_items_are_kept(wrong: dict, field: str):
    body, spans, verdicts = send([{"id": "a"}, {"id": "b", **wrong}, {"id": "c"}])
    assert [span["attributes"]["vagus.native.id"] for span in spans] == ["a", "c"]
    assert verdicts == []
    assert [(e["index"], e["field"]) for e in body["errors"]] == [(1, field)]


def test_a_request_with_nothing_good_in_it_is_a_bad_request():
    answer = Door(generic.ROUTES).ask("POST", "/api/v1/spans", [3])
    assert (answer.status, answer.body["errors"][0]["index"]) == (400, 0)


def test_too_many_spans_are_refused_with_the_limit():
    with pytest.raises(BadInput) as e:
        send([{}] * (generic.MAX_ITEMS + 1))
    assert (e.value.field, e.value.limit) == ("body", "10000")


def test_spans_without_ids_are_told_apart():
    _, spans, _ = send([{"name": "x"}, {"name": "x"}])
    assert len({span["span_id"] for span in spans}) == 2
    assert spans[0]["start_ns"] == NOW_NS


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.sampled_from([*FULL, "end", "documents", "tags", "x"]), JSON))
def test_any_json_gives_a_span_or_an_error_that_names_a_field(item: dict):
    text = json.dumps([item, {"id": "good"}], allow_nan=False) if _is_plain(item) else None
    if text is None:
        return
    body, spans, _ = send(text.encode())
    assert body["accepted"] + body["rejected"] == 2
    assert spans[-1]["attributes"]["vagus.native.id"] == "good"
    assert all(error["field"] for error in body["errors"])


@given(st.binary(max_size=200))
def test_any_bytes_give_an_answer_or_bad_input(data: bytes):
    with contextlib.suppress(BadInput):
        answer = Door(generic.ROUTES).ask("POST", "/api/v1/spans", data)
        assert answer.status in (200, 400)


def _is_plain(item: object) -> bool:
    try:
        json.dumps(item, allow_nan=False)
    except ValueError:
        return False
    return True
