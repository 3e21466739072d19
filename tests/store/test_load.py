"""Segments of OTLP become rows: nothing lost, nothing twice, every kind of value kept."""

from __future__ import annotations

import base64
import hashlib
import os
from pathlib import Path

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValueList

from support.segments import load, write
from vagus.errors import StoreError
from vagus.store.chdb import ChdbEngine


def request(count: int = 1) -> ExportTraceServiceRequest:
    message = ExportTraceServiceRequest()
    resource = message.resource_spans.add()
    service = resource.resource.attributes.add(key="service.name")
    service.value.string_value = "shop"
    spans = resource.scope_spans.add().spans
    for number in range(count):
        span = spans.add(name="chat", start_time_unix_nano=10**18, end_time_unix_nano=10**18 + 5)
        span.trace_id = os.urandom(16)
        span.span_id = (number + 1).to_bytes(8, "big")
    return message


def test_every_kind_of_value_is_kept(engine: ChdbEngine, project: str, tmp_path: Path) -> None:
    message = request()
    attributes = message.resource_spans[0].scope_spans[0].spans[0].attributes
    attributes.add(key="text").value.string_value = "it's \\ \n 'ß'"
    attributes.add(key="yes").value.bool_value = True
    attributes.add(key="no").value.bool_value = False
    attributes.add(key="zero").value.int_value = 0
    attributes.add(key="big").value.int_value = -(2**63)
    attributes.add(key="half").value.double_value = 0.5
    attributes.add(key="bytes").value.bytes_value = b"\x00\xff"
    attributes.add(key="empty").value.SetInParent()
    attributes.add(key="text2").value.string_value = ""
    array = attributes.add(key="array").value.array_value.values
    array.add().string_value = 'a"b'
    array.add().int_value = 2**60
    array.add().bool_value = True
    array.add()
    write(tmp_path / "a.seg", project, message.SerializeToString())
    load(engine, tmp_path / "a.seg")
    found = engine.query(
        "SELECT attr_keys, attr_kinds, attr_values FROM spans WHERE project = {p:String}",
        {"p": project},
    )
    (keys,), (kinds,), (values,) = found.data.values()
    assert dict(zip(keys, zip(kinds, values, strict=True), strict=True)) == {
        "text": (1, "it's \\ \n 'ß'"),
        "yes": (2, "true"),
        "no": (2, "false"),
        "zero": (3, "0"),
        "big": (3, "-9223372036854775808"),
        "half": (4, "0.5"),
        "bytes": (7, base64.b64encode(b"\x00\xff").decode()),
        "empty": (0, ""),
        "text2": (1, ""),
        "array": (5, f'["a\\"b",{2**60},true,null]'),
    }


def test_nested_values_come_as_the_json_the_receiver_made(
    engine: ChdbEngine, project: str, tmp_path: Path
) -> None:
    message = request()
    inner = KeyValueList()
    inner.values.add(key="k").value.int_value = 1
    attributes = message.resource_spans[0].scope_spans[0].spans[0].attributes
    attributes.add(key="map").value.kvlist_value.CopyFrom(inner)
    attributes.add(key="list").value.array_value.values.add().kvlist_value.CopyFrom(inner)
    digest = hashlib.md5(inner.SerializeToString()).digest()
    body = message.SerializeToString()
    write(tmp_path / "a.seg", project, body, ((digest, '{"k":1}'),))
    load(engine, tmp_path / "a.seg")
    found = engine.query(
        "SELECT attributes['map'] AS m, attributes['list'] AS l FROM spans "
        "WHERE project = {p:String}",
        {"p": project},
    )
    assert list(found.rows()) == [('{"k":1}', '[{"k":1}]')]


def test_a_nested_value_nobody_decoded_keeps_its_bytes(
    engine: ChdbEngine, project: str, tmp_path: Path
) -> None:
    message = request()
    attributes = message.resource_spans[0].scope_spans[0].spans[0].attributes
    attributes.add(key="map").value.kvlist_value.values.add(key="k")
    write(tmp_path / "a.seg", project, message.SerializeToString())
    load(engine, tmp_path / "a.seg")
    found = engine.query(
        "SELECT attributes['map'] AS m FROM spans WHERE project = {p:String}", {"p": project}
    )
    raw = base64.b64encode(attributes[0].value.kvlist_value.SerializeToString()).decode()
    assert found.one() == f'{{"$protobuf":"{raw}"}}'


def test_true_is_true_whatever_number_stands_for_it(
    engine: ChdbEngine, project: str, tmp_path: Path
) -> None:
    message = request()
    attributes = message.resource_spans[0].scope_spans[0].spans[0].attributes
    attributes.add(key="yes").value.bool_value = True
    body = message.SerializeToString()
    assert body.count(b"\x12\x02\x10\x01") == 1
    write(tmp_path / "a.seg", project, body.replace(b"\x12\x02\x10\x01", b"\x12\x02\x10\x07"))
    load(engine, tmp_path / "a.seg")
    found = engine.query(
        "SELECT attributes['yes'] AS yes FROM spans WHERE project = {p:String}", {"p": project}
    )
    assert found.one() == "true"


def test_logs_are_kept_with_their_body(engine: ChdbEngine, project: str, tmp_path: Path) -> None:
    message = ExportLogsServiceRequest()
    records = message.resource_logs.add().scope_logs.add().log_records
    first = records.add(
        time_unix_nano=7, severity_number=9, severity_text="INFO", trace_id=b"t" * 16
    )
    first.body.string_value = "hello"
    second = records.add(observed_time_unix_nano=8, event_name="gen_ai.choice")
    second.body.array_value.values.add().int_value = 1
    write(tmp_path / "a.seg", project, message.SerializeToString(), signal="logs")
    load(engine, tmp_path / "a.seg", signal="logs")
    found = engine.query(
        "SELECT time_ns, severity, event_name, body_kind, body, trace_id != '' AS traced "
        "FROM logs WHERE project = {p:String} ORDER BY time_ns",
        {"p": project},
    )
    assert list(found.rows()) == [
        (7, "INFO", "", 1, "hello", 1),
        (8, "", "gen_ai.choice", 5, "[1]", 0),
    ]


def test_every_kind_of_metric_point_is_kept(
    engine: ChdbEngine, project: str, tmp_path: Path
) -> None:
    message = ExportMetricsServiceRequest()
    metrics = message.resource_metrics.add().scope_metrics.add().metrics
    metrics.add(name="gauge").gauge.data_points.add(as_int=-3, time_unix_nano=1)
    total = metrics.add(name="sum", unit="By")
    total.sum.is_monotonic, total.sum.aggregation_temporality = True, 2
    total.sum.data_points.add(as_double=1.5).attributes.add(key="k").value.string_value = "v"
    metrics.add(name="histogram").histogram.data_points.add(
        count=3, sum=6.0, bucket_counts=[1, 2], explicit_bounds=[2.0], max=4.0
    )
    exponential = metrics.add(name="exponential").exponential_histogram.data_points.add(
        count=2, sum=3.0, scale=1, zero_count=1
    )
    exponential.positive.bucket_counts.append(1)
    summary = metrics.add(name="summary").summary.data_points.add(count=2, sum=5.0)
    summary.quantile_values.add(quantile=0.5, value=2.5)
    write(tmp_path / "a.seg", project, message.SerializeToString(), signal="metrics")
    load(engine, tmp_path / "a.seg", signal="metrics")
    found = engine.query(
        "SELECT metric, type, value, count, sum, min, max, bounds, buckets, attr_values "
        "FROM metric_points WHERE project = {p:String} ORDER BY type",
        {"p": project},
    )
    assert list(found.rows()) == [
        ("gauge", "gauge", -3.0, 1, -3.0, None, None, [], [], []),
        ("sum", "sum", 1.5, 1, 1.5, None, None, [], [], ["v"]),
        ("histogram", "histogram", 6.0, 3, 6.0, None, 4.0, [2.0], [1, 2], []),
        ("exponential", "exponential_histogram", 3.0, 2, 3.0, None, None, [], [1], []),
        ("summary", "summary", 5.0, 2, 5.0, None, None, [], [], []),
    ]


def test_a_replayed_segment_adds_nothing(engine: ChdbEngine, project: str, tmp_path: Path) -> None:
    for _ in range(3):
        write(tmp_path / "a.seg", project, request(50).SerializeToString())
    for _ in range(3):
        load(engine, tmp_path / "a.seg", token=project)
    count = engine.query(
        "SELECT count() FROM spans WHERE project = {p:String}", {"p": project}
    ).one()
    assert count == 150


def test_a_truncated_segment_inserts_nothing(
    engine: ChdbEngine, project: str, tmp_path: Path
) -> None:
    for _ in range(2):
        write(tmp_path / "a.seg", project, request(50).SerializeToString())
    whole = (tmp_path / "a.seg").read_bytes()
    (tmp_path / "a.seg").write_bytes(whole[:-20])
    with pytest.raises(StoreError):
        load(engine, tmp_path / "a.seg")
    count = engine.query(
        "SELECT count() FROM spans WHERE project = {p:String}", {"p": project}
    ).one()
    assert count == 0


def test_no_table_of_the_engines_own_logs_exists(engine: ChdbEngine) -> None:
    found = engine.query(
        "SELECT database, name FROM system.tables WHERE match(name, '_log(_[0-9]+)?$') "
        "AND total_bytes IS NOT NULL"
    )
    assert list(found.rows()) == []
