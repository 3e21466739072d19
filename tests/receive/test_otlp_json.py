from __future__ import annotations

import base64
import json

import pytest
from google.protobuf import json_format
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from receive.samples_of_otlp import trace_request
from vagus.errors import BadInput
from vagus.receive.otlp_json import json_to_protobuf


def _traces(span: str) -> bytes:
    return f'{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{span}]}}]}}]}}'.encode()


def _span(text: str):
    body = json_to_protobuf("traces", _traces(text))
    return ExportTraceServiceRequest.FromString(body).resource_spans[0].scope_spans[0].spans[0]


def _otlp_json(message) -> bytes:
    """Google's JSON with ids turned from base64 to hex, which is what OTLP says."""

    def hex_ids(tree):
        if isinstance(tree, list):
            return [hex_ids(one) for one in tree]
        if not isinstance(tree, dict):
            return tree
        ids = ("traceId", "spanId", "parentSpanId")
        return {
            key: base64.b64decode(one).hex() if key in ids else hex_ids(one)
            for key, one in tree.items()
        }

    return json.dumps(hex_ids(json_format.MessageToDict(message))).encode()


@given(
    name=st.text(max_size=10),
    start=st.integers(0, 2**64 - 1),
    flags=st.integers(0, 2**32 - 1),
    number=st.integers(-(2**63), 2**63 - 1),
    real=st.floats(),
    raw=st.binary(max_size=20),
    status=st.integers(0, 2),
)
def test_the_json_of_a_span_is_the_same_span(name, start, flags, number, real, raw, status) -> None:
    request = trace_request(2, name=name)
    span = request.resource_spans[0].scope_spans[0].spans[1]
    span.start_time_unix_nano, span.flags, span.status.code = start, flags, status
    span.attributes.add(key="i").value.int_value = number
    span.attributes.add(key="d").value.double_value = real
    span.attributes.add(key="b").value.bytes_value = raw
    inner = span.attributes.add(key="n").value.kvlist_value.values.add(key="a").value
    inner.array_value.values.add().string_value = name
    span.events.add(name="e", time_unix_nano=start)
    span.links.add(trace_id=b"t" * 16, span_id=b"s" * 8)

    body = json_to_protobuf("traces", _otlp_json(request))

    assert str(ExportTraceServiceRequest.FromString(body)) == str(request)


def test_the_json_of_every_kind_of_metric_is_the_same_metric() -> None:
    request = ExportMetricsServiceRequest()
    metrics = request.resource_metrics.add().scope_metrics.add().metrics
    metrics.add(name="g").gauge.data_points.add(as_int=-5, time_unix_nano=7)
    metrics.add(name="s").sum.data_points.add(as_double=0.0)
    metrics[1].sum.aggregation_temporality = 2
    metrics[1].sum.is_monotonic = True
    point = metrics.add(name="h").histogram.data_points.add(count=3, sum=1.5, min=0.0)
    point.bucket_counts.extend([1, 2, 2**60])
    point.explicit_bounds.extend([0.1, 2.5])
    point.exemplars.add(as_double=1.0, trace_id=b"t" * 16, span_id=b"s" * 8)
    point = metrics.add(name="e").exponential_histogram.data_points.add(scale=-3, zero_count=1)
    point.positive.offset = -7
    point.positive.bucket_counts.extend([1, 300])
    summary = metrics.add(name="q").summary.data_points.add(count=1)
    summary.quantile_values.add(quantile=0.5, value=3.0)

    body = json_to_protobuf("metrics", _otlp_json(request))

    assert ExportMetricsServiceRequest.FromString(body) == request


def test_the_json_of_a_log_record_is_the_same_log_record() -> None:
    request = ExportLogsServiceRequest()
    record = request.resource_logs.add().scope_logs.add().log_records.add(severity_number=9)
    record.body.kvlist_value.values.add(key="k").value.bool_value = False
    record.trace_id = b"t" * 16

    body = json_to_protobuf("logs", _otlp_json(request))

    assert ExportLogsServiceRequest.FromString(body) == request


@pytest.mark.parametrize("said", ["123", '"123"', "123.0"])
def test_integers_may_be_numbers_or_strings(said: str) -> None:
    assert _span(f'{{"startTimeUnixNano":{said}}}').start_time_unix_nano == 123


@pytest.mark.parametrize("said", ["3", '"3"', '"SPAN_KIND_CLIENT"'])
def test_enums_may_be_numbers_or_names(said: str) -> None:
    assert _span(f'{{"kind":{said}}}').kind == 3


def test_snake_case_is_understood() -> None:
    body = b'{"resource_spans":[{"scope_spans":[{"spans":[{"trace_id":"0102"}]}]}]}'

    request = ExportTraceServiceRequest.FromString(json_to_protobuf("traces", body))

    assert request.resource_spans[0].scope_spans[0].spans[0].trace_id == b"\x01\x02"


def test_hex_ids_may_be_upper_case() -> None:
    assert _span('{"spanId":"ABCDEF0123456789"}').span_id.hex() == "abcdef0123456789"


def test_unknown_fields_and_nulls_are_ignored() -> None:
    span = _span('{"name":"n","brandNew":{"a":[1]},"traceState":null}')

    assert span.name == "n"


def test_zero_and_empty_values_of_attributes_are_kept() -> None:
    span = _span(
        '{"attributes":[{"key":"a","value":{"intValue":"0"}},{"key":"b","value":{"stringValue":""}},'
        '{"key":"c","value":{"boolValue":false}},{"key":"d","value":{}}]}'
    )

    kinds = [attribute.value.WhichOneof("value") for attribute in span.attributes]
    assert kinds == ["int_value", "string_value", "bool_value", None]


def test_half_an_emoji_costs_one_character_and_not_the_request() -> None:
    assert _span('{"name":"cut \\ud83d here \\ud83d\\ude00"}').name == "cut \ufffd here \U0001f600"


@pytest.mark.parametrize(
    ("span", "said"),
    [
        (
            '{"startTimeUnixNano":"soon"}',
            'spans[0].startTimeUnixNano must be an integer, not "soon"',
        ),
        ('{"startTimeUnixNano":-1}', "spans[0].startTimeUnixNano is -1, outside 0 to"),
        ('{"startTimeUnixNano":1.5}', "must be an integer, not 1.5"),
        ('{"kind":"WRONG"}', "spans[0].kind must be one of SPAN_KIND_UNSPECIFIED"),
        ('{"traceId":"xyz"}', 'spans[0].traceId must be 32 hex digits, not "xyz"'),
        ('{"traceId":7}', "spans[0].traceId must be hex text, not 7"),
        ('{"name":7}', "spans[0].name must be a string, not 7"),
        ('{"events":{}}', "spans[0].events must be an array, not {}"),
        ('{"events":[[]]}', "spans[0].events[0] must be an object, not []"),
        ('{"attributes":[{"value":{"boolValue":"maybe"}}]}', "must be true or false"),
        ('{"attributes":[{"value":{"doubleValue":"much"}}]}', 'must be a number, not "much"'),
        (
            '{"attributes":[{"value":{"bytesValue":"?"}}]}',
            "attributes[0].value.bytesValue is not base",
        ),
    ],
)
def test_a_value_that_does_not_fit_is_named_with_its_path(span: str, said: str) -> None:
    with pytest.raises(BadInput) as caught:
        json_to_protobuf("traces", _traces(span))

    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"[1,2]", "the body must be an object, not [1, 2]"),
        (b'{"a":1,\n"b"}', "at line 2, column 4"),
        (b'{"a":"\xff"}', "not valid UTF-8 at byte 6"),
        (b"[" * 100_000, "nests too deeply"),
        (b"", "line 1, column 1"),
        (b"1" * 5000, "not JSON"),
    ],
)
def test_what_is_not_json_is_named_with_its_place(body: bytes, said: str) -> None:
    with pytest.raises(BadInput) as caught:
        json_to_protobuf("traces", body)

    assert said in str(caught.value)


def test_values_that_nest_too_deeply_are_refused_with_a_short_sentence() -> None:
    value = '{"stringValue":"x"}'
    for _ in range(100):
        value = f'{{"arrayValue":{{"values":[{value}]}}}}'

    with pytest.raises(BadInput, match="nests deeper than 128 levels") as caught:
        json_to_protobuf("traces", _traces(f'{{"attributes":[{{"key":"k","value":{value}}}]}}'))

    assert len(str(caught.value)) < 500


def _outcome(body: bytes) -> str:
    try:
        protobuf = json_to_protobuf("traces", body)
    except BadInput as e:
        return str(e)
    request = ExportTraceServiceRequest.FromString(protobuf)
    return f"a request of {len(request.resource_spans)} resources"


json_trees = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["resourceSpans", "scopeSpans", "spans", "traceId", "name", "kind"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=20,
)


@given(json_trees)
def test_any_json_is_taken_or_refused_with_a_sentence(tree) -> None:
    assert _outcome(json.dumps(tree).encode()).startswith(("the JSON body", "a request of"))
