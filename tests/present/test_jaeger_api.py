"""Jaeger's query API: the shape that its UI and Grafana's data source read."""

from __future__ import annotations

import json

import pytest

from support.house import NOW_MS, a_trace, pairs

BEGIN_US = (NOW_MS - 60_000) * 1000


def tags_of(span):
    """The tags by key, each with its type."""
    return {tag["key"]: (tag["type"], tag["value"]) for tag in span["tags"]}


def send(desk, **attributes):
    """A request with an event, a failure and values of every type; gives its id."""
    trace_id, message = a_trace(**attributes)
    root, call = message.resource_spans[0].scope_spans[0].spans
    root.kind, call.kind = 2, 3
    call.status.code, call.status.message = 2, "too many"
    event = call.events.add(name="exception", time_unix_nano=call.start_time_unix_nano)
    event.attributes.extend(pairs({"exception.type": "RateLimit", "attempt": 2}))
    link = call.links.add(trace_id=b"\1" * 16, span_id=b"\2" * 8)
    assert link.trace_id
    desk.send(message)
    return trace_id


def test_a_trace_has_spans_that_refer_to_their_parents_and_processes(desk):
    trace_id = send(desk, **{"a.bool": True, "an.int": 7, "a.float": 0.5, "a.text": "x"})

    body = desk.get(f"/jaeger/api/traces/{trace_id}")
    (trace,) = body["data"]
    root, call = trace["spans"]

    assert set(body) == {"data", "total", "limit", "offset", "errors"}
    assert (trace["traceID"], root["operationName"], root["references"]) == (trace_id, "answer", [])
    assert (root["startTime"], root["duration"]) == (BEGIN_US, 100_000)
    assert call["references"] == [
        {"refType": "CHILD_OF", "traceID": trace_id, "spanID": root["spanID"]},
        {"refType": "FOLLOWS_FROM", "traceID": "01" * 16, "spanID": "02" * 8},
    ]
    assert trace["processes"][root["processID"]]["serviceName"] == "shop"
    assert root["processID"] == call["processID"]


def test_tags_keep_their_types(desk):
    trace_id = send(desk, **{"a.bool": True, "an.int": 7, "a.float": 0.5, "a.text": "x"})

    (trace,) = desk.get(f"/jaeger/api/traces/{trace_id}")["data"]
    root, call = map(tags_of, trace["spans"])

    assert root["a.bool"] == ("bool", True)
    assert root["an.int"] == ("int64", 7)
    assert root["a.float"] == ("float64", 0.5)
    assert root["a.text"] == ("string", "x")
    assert root["span.kind"] == ("string", "server")
    assert call["error"] == ("bool", True)
    assert call["otel.status_code"] == ("string", "ERROR")
    assert call["otel.status_description"] == ("string", "too many")


def test_events_are_logs(desk):
    trace_id = send(desk)

    (trace,) = desk.get(f"/jaeger/api/traces/{trace_id}")["data"]
    (log,) = trace["spans"][1]["logs"]

    fields = {field["key"]: field["value"] for field in log["fields"]}
    assert log["timestamp"] == trace["spans"][1]["startTime"]
    assert (fields["event"], fields["exception.type"]) == ("exception", "RateLimit")
    assert str(fields["attempt"]) == "2"


def test_services_and_operations_are_listed(desk):
    send(desk)

    assert desk.get("/jaeger/api/services")["data"] == ["shop"]
    assert desk.get("/jaeger/api/services/shop/operations")["data"] == ["answer", "chat"]
    assert desk.get("/jaeger/api/operations", service="shop")["data"] == [
        {"name": "answer", "spanKind": "server"},
        {"name": "chat", "spanKind": "client"},
    ]
    only = desk.get("/jaeger/api/operations", service="shop", spanKind="client")["data"]
    assert [operation["name"] for operation in only] == ["chat"]


@pytest.mark.parametrize(
    ("asked", "is_found"),
    [
        ({}, True),
        ({"operation": "chat"}, True),
        ({"operation": "nothing"}, False),
        ({"service": "other"}, False),
        ({"minDuration": "90ms"}, True),
        ({"minDuration": "1s"}, False),
        ({"maxDuration": "1us"}, False),
        ({"tags": '{"a.text":"x"}'}, True),
        ({"tags": '{"a.text":"y"}'}, False),
        ({"tags": '{"error":"true"}'}, True),
        ({"tags": '{"error":"true"}', "operation": "answer"}, False),
        ({"tags": '{"service.name":"shop"}'}, True),
        ({"end": BEGIN_US - 1_000_000}, False),
    ],
)
def test_traces_are_found_by_what_their_spans_are(desk, asked, is_found):
    trace_id = send(desk, **{"a.text": "x"})
    window = {"service": "shop", "start": 0, "end": BEGIN_US + 3_600_000_000}

    found = desk.get("/jaeger/api/traces", **{**window, **asked})["data"]

    assert [trace["traceID"] for trace in found] == ([trace_id] if is_found else [])


def test_the_newest_come_first_and_the_limit_holds(desk):
    sent = [send(desk) for _ in range(3)]
    window = {"service": "shop", "start": 0, "end": BEGIN_US + 3_600_000_000}

    found = desk.get("/jaeger/api/traces", limit=2, **window)["data"]
    named = desk.get("/jaeger/api/traces", traceID=sent)["data"]

    assert len(found) == 2
    assert [trace["traceID"] for trace in named] == sent


def test_calls_between_services_are_dependencies(desk):
    trace_id, message = a_trace()
    other = message.resource_spans.add()
    other.resource.attributes.extend(pairs({"service.name": "index"}))
    made = other.scope_spans.add().spans.add()
    made.CopyFrom(message.resource_spans[0].scope_spans[0].spans[1])
    made.span_id, made.parent_span_id = (3).to_bytes(8, "big"), (2).to_bytes(8, "big")
    desk.send(message)

    found = desk.get("/jaeger/api/dependencies", endTs=NOW_MS, lookback=3_600_000)["data"]

    assert trace_id
    assert found == [{"parent": "shop", "child": "index", "callCount": 1}]


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({}, "service"),
        ({"service": "shop", "tags": "nonsense"}, "tags"),
        ({"service": "shop", "tags": json.dumps({"a": 1})}, "tags"),
        ({"service": "shop", "minDuration": "soon"}, "minDuration"),
        ({"service": "shop", "limit": 1_000_000}, "limit"),
    ],
)
def test_a_question_that_cannot_be_asked_names_its_field(desk, asked, field):
    answer = desk.client.get("/jaeger/api/traces", params=asked)

    assert (answer.status_code, answer.json()["error"]["field"]) == (400, field)


def test_a_trace_of_another_project_is_not_there(house, desk):
    trace_id = send(desk)
    stranger = house.client(house.key("stranger"))

    assert stranger.get(f"/jaeger/api/traces/{trace_id}").status_code == 404
    assert stranger.get("/jaeger/api/services").json()["data"] == []
