from __future__ import annotations

import hashlib
import json
import math

from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList

from receive.samples_of_otlp import trace_request
from vagus.receive.nested import MOST_LEVELS, may_nest
from vagus.receive.parse import check_request


def _any(value) -> AnyValue:
    """Plain Python to AnyValue, as SDKs do it."""
    match value:
        case None:
            return AnyValue()
        case bool():
            return AnyValue(bool_value=value)
        case int():
            return AnyValue(int_value=value)
        case float():
            return AnyValue(double_value=value)
        case str():
            return AnyValue(string_value=value)
        case bytes():
            return AnyValue(bytes_value=value)
        case list():
            return AnyValue(array_value=ArrayValue(values=map(_any, value)))
    return AnyValue(kvlist_value=_kvlist(value))


def _kvlist(value: dict) -> KeyValueList:
    return KeyValueList(values=[KeyValue(key=key, value=_any(one)) for key, one in value.items()])


def _nested_of(value) -> dict[bytes, object]:
    request = trace_request()
    request.resource_spans[0].scope_spans[0].spans[0].attributes.add(key="x").value.CopyFrom(
        _any(value)
    )
    found = check_request("traces", request.SerializeToString()).nested
    return {digest: json.loads(text) for digest, text in found}


def _digest(message) -> bytes:
    return hashlib.md5(message.SerializeToString()).digest()


scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
)
trees = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.text(max_size=5), trees, max_size=4))
def test_a_kvlist_becomes_json_under_the_digest_of_its_bytes(value: dict) -> None:
    found = _nested_of(value)

    assert found == {_digest(_kvlist(value)): value}


@given(st.lists(trees, max_size=4))
def test_only_what_nests_in_an_array_becomes_json(value: list) -> None:
    found = _nested_of(value)

    expected = {}
    for one in value:
        if isinstance(one, dict):
            expected.setdefault(_digest(_kvlist(one)), one)
        elif isinstance(one, list):
            expected.setdefault(_digest(_any(one).array_value), one)
    assert found == expected


@given(trees)
def test_the_cheap_look_never_misses_a_nested_value(value) -> None:
    request = trace_request()
    span = request.resource_spans[0].scope_spans[0].spans[0]
    span.attributes.add(key="x").value.CopyFrom(_any(value))
    parts = value if isinstance(value, list) else [value] if isinstance(value, dict) else []
    is_nested = isinstance(value, dict) or any(isinstance(one, dict | list) for one in parts)

    if is_nested:
        assert may_nest("traces", request.SerializeToString())


def test_the_cheap_look_sees_lengths_written_with_padding() -> None:
    # Some encoders reserve four bytes for every length.
    kvlist = KeyValueList(values=[KeyValue(key="k")]).SerializeToString()
    inner = b"\x32" + bytes((len(kvlist) | 0x80, 0x80, 0x80, 0x00)) + kvlist
    attribute = b"\x0a\x01x\x12" + bytes((len(inner) | 0x80, 0x80, 0x80, 0x00)) + inner

    assert may_nest("traces", attribute)


@given(st.binary(min_size=8, max_size=8), st.binary(max_size=3), st.text(max_size=60))
def test_no_bytes_in_front_hide_a_nested_value(span_id: bytes, state: bytes, key: str) -> None:
    request = ExportLogsServiceRequest()
    record = request.resource_logs.add().scope_logs.add().log_records.add(span_id=span_id)
    record.body.CopyFrom(_any({key: 1}))
    attribute = KeyValue(key="k", value=_any({key: 1})).SerializeToString()

    assert may_nest("logs", request.SerializeToString())
    for chance in (b"\x12", b"\x12\x12", b"\x2a\x12", span_id, state):
        assert may_nest("traces", chance + attribute)


def test_flat_requests_cost_no_walk() -> None:
    request = trace_request(50)
    for span in request.resource_spans[0].scope_spans[0].spans:
        span.attributes.add(key="a").value.CopyFrom(_any(["stop", "length"]))
        span.attributes.add(key="b").value.CopyFrom(_any([1, 2.5, True]))

    assert not may_nest("traces", request.SerializeToString())


def test_what_json_has_no_word_for_is_written_in_words() -> None:
    value = {
        "nan": math.nan,
        "up": math.inf,
        "down": -math.inf,
        "raw": b"\x00\xff",
        "none": None,
        "big": 2**63 - 1,
    }

    (found,) = _nested_of(value).values()

    assert found == {
        "nan": "NaN",
        "up": "Infinity",
        "down": "-Infinity",
        "raw": {"$bytes": "AP8="},
        "none": None,
        "big": 2**63 - 1,
    }


def test_a_key_said_twice_keeps_both_values() -> None:
    request = trace_request()
    value = request.resource_spans[0].resource.attributes.add(key="x").value
    for number in (1, 2):
        value.kvlist_value.values.add(key="same").value.int_value = number

    ((_, text),) = check_request("traces", request.SerializeToString()).nested

    assert json.loads(text) == {"$pairs": [["same", 1], ["same", 2]]}


def _deep(levels: int) -> bytes:
    """A request with one value that many levels deep, put together by hand."""
    value = AnyValue(string_value="bottom").SerializeToString()
    for _ in range(levels):
        pair = b"\x0a\x01k\x12" + _varint(len(value)) + value
        kvlist = b"\x0a" + _varint(len(pair)) + pair
        value = b"\x32" + _varint(len(kvlist)) + kvlist
    request = trace_request()
    request.resource_spans[0].resource.attributes.add(key="x")
    attribute = b"\x0a\x01x\x12" + _varint(len(value)) + value
    resource = b"\x0a" + _varint(len(attribute)) + attribute
    inside = b"\x0a" + _varint(len(resource)) + resource
    return trace_request().SerializeToString() + b"\x0a" + _varint(len(inside)) + inside


def _varint(value: int) -> bytes:
    out = b""
    while value >= 0x80:
        out += bytes((value & 0x7F | 0x80,))
        value >>= 7
    return out + bytes((value,))


def test_ten_thousand_levels_are_bounded_and_nothing_is_dropped() -> None:
    body = _deep(10_000)

    checked = check_request("traces", body)

    assert checked.request is body
    ((_, text),) = checked.nested
    value = json.loads(text)
    for _ in range(MOST_LEVELS):
        value = value["k"]
    assert value["$depth"] == MOST_LEVELS
    assert "Ym90dG9t" in value["$bytes"] or len(value["$bytes"]) > 10_000


def test_exactly_the_allowed_depth_is_plain_json() -> None:
    ((_, text),) = check_request("traces", _deep(MOST_LEVELS)).nested

    assert "$depth" not in text
    assert text.count('{"k":') == MOST_LEVELS


def test_every_place_of_a_trace_is_looked_at() -> None:
    request = trace_request()
    resource = request.resource_spans[0]
    scope = resource.scope_spans[0]
    span = scope.spans[0]
    places = (
        resource.resource,
        scope.scope,
        span,
        span.events.add(name="e"),
        span.links.add(trace_id=b"t" * 16, span_id=b"s" * 8),
    )
    for number, place in enumerate(places):
        place.attributes.add(key="x").value.CopyFrom(_any({"place": number}))

    found = check_request("traces", request.SerializeToString()).nested

    assert [json.loads(text)["place"] for _, text in found] == [0, 1, 2, 3, 4]


def test_log_bodies_and_attributes_are_looked_at() -> None:
    request = ExportLogsServiceRequest()
    record = request.resource_logs.add().scope_logs.add().log_records.add()
    record.body.CopyFrom(_any({"event": "x"}))
    record.attributes.add(key="a").value.CopyFrom(_any([["b"]]))

    checked = check_request("logs", request.SerializeToString())

    assert [text for _, text in checked.nested] == ['{"event":"x"}', '["b"]']
    assert checked.items == 1


def test_metric_points_and_exemplars_are_looked_at() -> None:
    request = ExportMetricsServiceRequest()
    metrics = request.resource_metrics.add().scope_metrics.add().metrics
    points = [
        metrics.add(name="g").gauge.data_points.add(),
        metrics.add(name="s").sum.data_points.add(),
        metrics.add(name="h").histogram.data_points.add(),
        metrics.add(name="e").exponential_histogram.data_points.add(),
        metrics.add(name="q").summary.data_points.add(),
    ]
    for number, point in enumerate(points):
        point.attributes.add(key="x").value.CopyFrom(_any({"n": number}))
    exemplar = points[2].exemplars.add()
    exemplar.filtered_attributes.add(key="x").value.CopyFrom(_any({"n": 9}))

    checked = check_request("metrics", request.SerializeToString())

    assert [json.loads(text)["n"] for _, text in checked.nested] == [0, 1, 2, 9, 3, 4]
    assert checked.items == 5
