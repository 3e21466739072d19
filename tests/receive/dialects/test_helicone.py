"""Helicone's logging requests become calls, tools, searches and events of their session."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.calls import ask, said, spans_of
from vagus.errors import BadInput
from vagus.receive.dialects.helicone import ROUTES

TIMING = {
    "startTime": {"seconds": 1_700_000_000, "milliseconds": 250},
    "endTime": {"seconds": 1_700_000_001, "milliseconds": 750},
    "timeToFirstToken": 120,
}
CHAT = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "model": "gpt-4o-2024-08-06",
    "choices": [{"finish_reason": "stop", "message": {"role": "assistant", "content": "hello"}}],
    "usage": {
        "prompt_tokens": 20,
        "completion_tokens": 4,
        "total_tokens": 24,
        "prompt_tokens_details": {"cached_tokens": 8},
    },
}
ASKED = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}]}


def body_of(request=ASKED, response=CHAT, url="https://api.openai.com/v1/chat/completions", **more):
    answered = {"headers": {}, "status": 200, "json": response} | more
    return {
        "providerRequest": {"url": url, "json": request, "meta": {}},
        "providerResponse": answered,
        "timing": TIMING,
    }


def span_of(body, path="/custom/v1/log", **headers):
    answer = ask(ROUTES, path, body, **headers)
    assert answer.status == 200
    (span,) = spans_of(answer)
    return span


def test_a_logged_call_has_its_model_tokens_messages_and_times():
    span = span_of(body_of(), "/oai/v1/log")
    attributes = said(span)

    assert span.start_time_unix_nano == 1_700_000_000_250_000_000
    assert span.end_time_unix_nano == 1_700_000_001_750_000_000
    assert attributes["gen_ai.provider.name"] == "openai"
    assert attributes["gen_ai.response.model"] == "gpt-4o-2024-08-06"
    assert attributes["gen_ai.usage.input_tokens"] == 20
    assert attributes["gen_ai.usage.cache_read.input_tokens"] == 8
    assert attributes["gen_ai.usage.output_tokens"] == 4
    assert attributes["gen_ai.response.time_to_first_chunk"] == 0.12
    assert "hello" in attributes["gen_ai.output.messages"]


@pytest.mark.parametrize(
    "path", ["/oai/v1/log", "/anthropic/v1/log", "/custom/v1/log", "/v1/log/request"]
)
def test_every_path_is_answered_with_200(path):
    assert ask(ROUTES, path, body_of()).status == 200


def test_headers_say_whose_call_it_was():
    attributes = said(
        span_of(
            body_of(),
            helicone_user_id="u1",
            helicone_session_id="s1",
            helicone_session_path="/plan/search",
            helicone_prompt_id="greeting",
            helicone_property_environment="prod",
            helicone_property_team="search",
        )
    )

    assert attributes["user.id"] == "u1"
    assert attributes["session.id"] == "s1"
    assert attributes["helicone.session.path"] == "/plan/search"
    assert attributes["gen_ai.prompt.name"] == "greeting"
    assert attributes["deployment.environment.name"] == "prod"
    assert attributes["vagus.team"] == "search"
    assert attributes["helicone.property.team"] == "search"


def test_the_same_names_count_in_meta_and_the_secret_among_them_is_not_kept():
    body = body_of()
    body["providerRequest"]["meta"] = {
        "Helicone-Auth": "Bearer sk-secret",
        "helicone_user_id": "u2",
        "Helicone-Property-Plan": "gold",
    }
    span = span_of(body)

    assert said(span)["user.id"] == "u2"
    assert said(span)["helicone.property.plan"] == "gold"
    assert b"sk-secret" not in span.SerializeToString()


def test_a_stream_that_the_client_joined_line_by_line_is_read():
    chunks = [
        {"id": "c", "model": "gpt-4o", "choices": [{"index": 0, "delta": {"content": "he"}}]},
        {
            "id": "c",
            "model": "gpt-4o",
            "choices": [{"index": 0, "delta": {"content": "llo"}, "finish_reason": "stop"}],
        },
        {"id": "c", "choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 2}},
    ]
    text = "\n".join(json.dumps(chunk) for chunk in chunks)
    body = body_of(ASKED | {"stream": True}, {}, "custom-model-nopath", textBody=text)
    attributes = said(span_of(body))

    assert "hello" in attributes["gen_ai.output.messages"]
    assert attributes["gen_ai.usage.input_tokens"] == 9
    assert attributes["gen_ai.request.stream"] is True
    assert "vagus.stream.cut_off" not in attributes


def test_the_clients_own_marks_in_an_answer_do_not_hide_it():
    marked = CHAT | {"_type": "unknown", "toolName": "unknown"}
    attributes = said(span_of(body_of(response=marked, url="custom-model-nopath")))

    assert attributes["gen_ai.usage.output_tokens"] == 4
    assert attributes["gen_ai.provider.name"] == "openai"


def test_a_traceback_before_the_answer_is_an_error():
    text = 'Traceback (most recent call last):\n  File "a.py", line 1\nValueError: no\n\n'
    span = span_of(body_of(response={}, textBody=text))

    assert span.status.message
    assert said(span)["error.type"] == "ValueError"


@pytest.mark.parametrize(("status", "kind"), [(429, "429"), (500, "500")])
def test_a_failed_status_is_an_error(status, kind):
    span = span_of(body_of(response={}, status=status, textBody="slow down"))

    assert span.status.message == "slow down"
    assert said(span)["error.type"] == kind
    assert said(span)["http.response.status_code"] == status


def test_a_tool_is_a_tool_call_with_arguments_and_result():
    request = {"_type": "tool", "toolName": "weather", "input": {"city": "Oslo"}}
    attributes = said(span_of(body_of(request, {"degrees": 3, "_type": "tool"})))

    assert attributes["gen_ai.operation.name"] == "execute_tool"
    assert attributes["gen_ai.tool.name"] == "weather"
    assert attributes["gen_ai.tool.call.arguments"] == '{"city":"Oslo"}'
    assert attributes["gen_ai.tool.call.result"] == '{"degrees":3}'


def test_a_vector_search_is_a_retrieval_with_its_documents():
    request = {
        "_type": "vector_db",
        "operation": "search",
        "text": "cats",
        "topK": 3,
        "databaseName": "kb",
    }
    found = {"results": [{"id": "d1", "score": 0.9, "content": "a cat"}]}
    attributes = said(span_of(body_of(request, found)))

    assert attributes["gen_ai.operation.name"] == "retrieval"
    assert attributes["gen_ai.retrieval.query.text"] == "cats"
    assert attributes["gen_ai.retrieval.top_k"] == 3
    assert attributes["db.collection.name"] == "kb"
    assert '"id":"d1"' in attributes["gen_ai.retrieval.documents"]


def test_an_event_keeps_its_name_and_data():
    request = {"_type": "data", "name": "checkout", "meta": {"cart": 2}}
    span = span_of(body_of(request, {"total": 9}))

    assert span.name == "checkout"
    assert said(span)["input.value"] == '{"cart":2}'


def test_litellms_stand_in_for_an_unknown_model_is_not_believed():
    body = body_of(
        {"model": "gpt-3.5-turbo", "messages": []},
        CHAT | {"model": "mistral-large-2411"},
        "https://api.openai.com/v1",
        headers={"openai-version": "2020-10-01"},
    )
    attributes = said(span_of(body, "/oai/v1/log"))

    assert attributes["gen_ai.request.model"] == "mistral-large-2411"
    assert attributes["gen_ai.provider.name"] == "mistral_ai"


def test_a_request_that_is_sent_again_is_the_same_span():
    first, second = span_of(body_of()), span_of(body_of())

    assert (first.trace_id, first.span_id) == (second.trace_id, second.span_id)


@pytest.mark.parametrize(
    ("part", "field"),
    [("providerRequest", "providerRequest.json"), ("timing", "timing.startTime")],
)
def test_what_is_missing_is_named(part, field):
    body = body_of()
    del body[part]

    with pytest.raises(BadInput) as refused:
        ask(ROUTES, "/oai/v1/log", body)
    assert refused.value.field == field


HOSTILE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from([*CHAT, *TIMING, "_type", "json", "headers", "meta", "status", "url"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=10,
)


@settings(max_examples=300, deadline=None)
@given(
    request=HOSTILE, response=HOSTILE, timing=HOSTILE, kind=st.sampled_from(["", "tool", "data"])
)
def test_any_body_is_a_span_or_bad_input(request, response, timing, kind):
    asked = {"_type": kind, "model": request, "input": request, "meta": request}
    body = {
        "providerRequest": {"json": asked, "url": "", "meta": request},
        "providerResponse": {"json": response, "status": request, "headers": response},
        "timing": timing if isinstance(timing, dict) and "startTime" in timing else TIMING,
    }
    try:
        answer = ask(ROUTES, "/custom/v1/log", body)
    except BadInput:
        return
    assert len(spans_of(answer)) == 1


@pytest.mark.parametrize("depth", [100, 900, *range(930, 1001, 3), 5000])
def test_a_body_that_nests_without_end_is_bad_input_at_any_depth(depth):
    deep = '{"a":' * depth + "1" + "}" * depth
    body = json.dumps(body_of(ASKED | {"tools": [{"name": "f", "parameters": "DEEP"}]}))
    refused, spans = "", 1
    try:
        answer = ask(ROUTES, "/custom/v1/log", body.replace('"DEEP"', deep).encode())
        spans = len(spans_of(answer))
    except BadInput as e:
        refused = str(e)

    assert spans == 1
    assert not refused or "nests too deeply" in refused or "recursion" in refused
    assert bool(refused) or depth < 1000
