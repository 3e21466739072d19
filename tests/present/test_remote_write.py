"""Remote-write: a real Prometheus takes every measure, once, in order, also after trouble."""

from __future__ import annotations

import cramjam
import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from prometheus_client import REGISTRY

from support.house import NOW_MS
from support.prometheus import NEEDS_PROMETHEUS, listening, prometheus
from vagus.errors import ConfigError, Unavailable
from vagus.measures.catalogue import load_catalogue
from vagus.present.export.names import counter_names
from vagus.present.export.remotewrite import RemoteWriter
from vagus.present.export.sender import Sender, parse_headers
from vagus.present.export.wire import Mark, TimeSeries, encode
from vagus.store.meta.access.projects import ensure_project
from vagus.store.meta.db import Meta
from vagus.store.meta.migrate import upgrade

BEGIN_S = NOW_MS // 60_000 * 60
CATALOGUE = load_catalogue()


class Clock:
    """The watermark, moved by hand."""

    def __init__(self) -> None:
        self.now_s = float(BEGIN_S)

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def meta(tmp_path, project):
    meta = Meta.at(tmp_path / "meta.db")
    upgrade(meta)
    with meta.begin() as connection:
        ensure_project(connection, project, project, NOW_MS)
    yield meta
    meta.close()


def fill(engine, project, minute, *, ok, failed=0, service="shop"):
    """Settled requests of a minute after the beginning."""
    start_s = BEGIN_S + minute * 60
    row = {"project": project, "minute": start_s, "version": 1, "sign": 1, "service": service}
    engine.insert(
        "traces",
        [
            row
            | {
                "trace_id": f"{minute:015x}a{number:016x}",
                "status": "error" if number >= ok else "ok",
                "start": start_s + 1,
                "duration_ms": 200.0,
                "billable_calls": 1,
                "span_count": 2,
                "cost_usd": 0.002,
            }
            for number in range(ok + failed)
        ],
    )


def dropped(reason):
    name = "vagus_remote_write_dropped_samples_total"
    return REGISTRY.get_sample_value(name, {"reason": reason}) or 0.0


@NEEDS_PROMETHEUS
def test_prometheus_holds_what_settled_minute_by_minute(engine, project, meta, tmp_path):
    clock = Clock()
    with prometheus(tmp_path / "prometheus") as server:
        sender = Sender(f"{server.url}/api/v1/write", headers={})
        writer = RemoteWriter(engine, meta, CATALOGUE, sender, clock)
        writer.tick()
        for minute in range(6):
            fill(engine, project, minute, ok=9, failed=1)
            clock.now_s = BEGIN_S + (minute + 1) * 60
            writer.tick()
        at_s = BEGIN_S + 6 * 60
        scope = f'{{project="{project}"}}'
        total = server.value(f"sum(vagus_sum_requests_total{scope})", at_s)
        grown = server.value(f"sum(increase(vagus_sum_requests_total{scope}[6m]))", at_s)
        failed = server.value(
            f"sum(rate(vagus_sum_error_rate_numerator_total{scope}[5m])) / "
            f"sum(rate(vagus_sum_error_rate_denominator_total{scope}[5m]))",
            at_s,
        )
        names = server.get("label/__name__/values", start=BEGIN_S - 60, end=at_s)
        p50 = server.value(
            "histogram_quantile(0.5, sum by (le) "
            f"(rate(vagus_request_duration_seconds_bucket{scope}[5m])))",
            at_s,
        )
        marks = server.get(
            "query_exemplars",
            query=f"vagus_request_duration_seconds_bucket{scope}",
            start=BEGIN_S,
            end=at_s,
        )
        sender.close()

    assert (total, grown) == (60, pytest.approx(60, rel=0.01))
    assert failed == pytest.approx(0.1)
    assert {f"vagus_measure_{name}" for name in ("requests", "error_rate", "latency_p95")} <= {
        *names
    }
    assert 0.1 < p50 < 0.25
    found = {mark["labels"]["trace_id"] for series in marks for mark in series["exemplars"]}
    assert len(found) == 6
    assert all(trace_id[15] == "a" for trace_id in found)


@NEEDS_PROMETHEUS
def test_every_measure_with_data_is_there(engine, project, meta, tmp_path):
    clock = Clock()
    fill(engine, project, 0, ok=5)
    with prometheus(tmp_path / "prometheus") as server:
        sender = Sender(f"{server.url}/api/v1/write", headers={})
        writer = RemoteWriter(engine, meta, CATALOGUE, sender, clock)
        writer.tick()
        clock.now_s += 60
        writer.tick()
        names = set(server.get("label/__name__/values", start=BEGIN_S - 60, end=BEGIN_S + 60))
        sender.close()

    shares = ("error_rate", "orphan_rate", "clock_skew_share", "latency_p95", "requests")
    assert {f"vagus_measure_{name}" for name in shares} <= names
    assert {f"vagus_measure_{name}_by_service" for name in shares} <= names
    assert {n for m in CATALOGUE if m.id in shares[:3] for n in counter_names(m).values()} <= names
    assert "vagus_sum_requests_total" in names
    assert "vagus_request_cost_dollars_bucket" in names


def test_a_receiver_that_fails_gets_the_same_minute_again(engine, project, meta):
    clock = Clock()
    with listening() as sink:
        writer = RemoteWriter(engine, meta, CATALOGUE, Sender(sink.url, headers={}), clock)
        writer.tick()
        fill(engine, project, 0, ok=3)
        clock.now_s += 60
        sink.answers, sink.bodies = [503, 429], []
        waits = [writer.tick(), writer.tick(), writer.tick()]
        bodies = list(sink.bodies)

    assert waits[0] < waits[1]
    assert bodies[0] == bodies[1] == bodies[2]
    assert b"vagus_sum_requests_total" in cramjam.snappy.decompress_raw(bodies[2]).read()


def test_what_is_refused_for_good_is_counted_and_not_repeated(engine, project, meta):
    clock = Clock()
    before = dropped("refused")
    with listening() as sink:
        writer = RemoteWriter(engine, meta, CATALOGUE, Sender(sink.url, headers={}), clock)
        writer.tick()
        fill(engine, project, 0, ok=3)
        clock.now_s += 60
        sink.answers = [400] * 20
        writer.tick()
        asked = len(sink.bodies)
        writer.tick()

    assert dropped("refused") > before
    assert len(sink.bodies) == asked


def test_counters_go_on_where_they_stood_after_a_restart(engine, project, meta):
    clock, sent = Clock(), []

    def take(body):
        sent.append(cramjam.snappy.decompress_raw(body).read())
        return 200

    first = RemoteWriter(engine, meta, CATALOGUE, take, clock)
    first.tick()
    for minute in range(2):
        fill(engine, project, minute, ok=4)
    clock.now_s += 60
    first.tick()
    second = RemoteWriter(engine, meta, CATALOGUE, take, clock)
    clock.now_s += 60
    second.tick()

    last = next(b for b in reversed(sent) if b"vagus_sum_requests_total" in b)
    wanted = encode(
        [
            TimeSeries(
                {"__name__": "vagus_sum_requests_total", "project": project, "service": "shop"},
                [((BEGIN_S + 120) * 1000, 8.0)],
            )
        ]
    )
    assert cramjam.snappy.decompress_raw(wanted).read() in last


def test_nobody_waits_for_a_receiver_that_is_not_there():
    sender = Sender("http://127.0.0.1:9/api/v1/write", headers={})

    with pytest.raises(Unavailable):
        sender(b"")


def test_the_request_says_what_it_is():
    with listening() as sink:
        sender = Sender(sink.url, bearer="hush", headers=parse_headers("X-Scope-OrgID=team, A=b"))
        status = sender(encode([TimeSeries({"__name__": "up"}, [(-1, 1.5)])]))

    head = sink.heads[0]
    assert status == 200
    assert (head["content-encoding"], head["x-prometheus-remote-write-version"]) == (
        "snappy",
        "0.1.0",
    )
    assert (head["authorization"], head["x-scope-orgid"], head["a"]) == ("Bearer hush", "team", "b")


@pytest.mark.parametrize("text", ["nonsense", "=x", "A=b\r\nC: d"])
def test_headers_that_cannot_be_read_are_refused(text):
    with pytest.raises(ConfigError):
        parse_headers(text)


def write_request():
    """The message class of remote-write 1.0, from its field numbers."""
    file = FileDescriptorProto(name="remote.proto", package="p", syntax="proto3")

    def message(name, *fields):
        made = file.message_type.add(name=name)
        for number, (field, kind, of) in enumerate(fields, 1):
            made.field.add(
                name=field,
                number=number,
                type=kind,
                type_name=f".p.{of}" if of else None,
                label=3 if of else 1,
            )

    message("Label", ("name", 9, ""), ("value", 9, ""))
    message("Sample", ("value", 1, ""), ("timestamp", 3, ""))
    message("Exemplar", ("labels", 11, "Label"), ("value", 1, ""), ("timestamp", 3, ""))
    parts = [("labels", 11, "Label"), ("samples", 11, "Sample"), ("exemplars", 11, "Exemplar")]
    message("TimeSeries", *parts)
    message("WriteRequest", ("timeseries", 11, "TimeSeries"))
    pool = DescriptorPool()
    pool.Add(file)
    return GetMessageClass(pool.FindMessageTypeByName("p.WriteRequest"))


def test_a_body_is_what_the_protocol_says():
    series = TimeSeries(
        {"job": "a", "__name__": "up", "none": ""},
        [(-1, 1.5), (2**41, 2.0)],
        [Mark({"trace_id": "x"}, 2.0, 3)],
    )

    raw = bytes(cramjam.snappy.decompress_raw(encode([series, series])))
    first, second = write_request().FromString(raw).timeseries

    assert first == second
    assert [(label.name, label.value) for label in first.labels] == [
        ("__name__", "up"),
        ("job", "a"),
    ]
    assert [(s.timestamp, s.value) for s in first.samples] == [(-1, 1.5), (2**41, 2.0)]
    mark = first.exemplars[0]
    assert (mark.labels[0].value, mark.value, mark.timestamp) == ("x", 2.0, 3)
