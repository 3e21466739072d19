"""Prometheus reads the page, and finds in it what the measures say."""

from __future__ import annotations

import io
import json
import shutil
import socket
import subprocess
import threading
import time
import urllib.request

import pytest
import uvicorn
from prometheus_client.openmetrics.parser import text_fd_to_metric_families
from prometheus_client.parser import text_string_to_metric_families

from support.house import NOW_MS, a_trace
from vagus.present.export.names import MAX_GROUPS, OTHER
from vagus.present.export.prometheus import PrometheusPage
from vagus.store.meta.tables import slos
from vagus.store.meta.write import upsert


def samples(text):
    """Every sample of a page by name and labels."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_measures_are_gauges_of_the_project(desk):
    for _ in range(3):
        desk.send(a_trace()[1])

    found = samples(desk.client.get("/metrics").text)

    project = ("project", desk.project)
    assert found["vagus_measure_requests", (project,)] == 3
    by_service = "vagus_measure_requests_by_service"
    assert found[by_service, (project, ("service", "shop"))] == 3
    assert found["vagus_measure_failed", (project,)] == 0
    assert any(name.startswith("process_") for name, _ in found)


def test_what_is_unknown_has_no_sample(desk):
    found = samples(desk.client.get("/metrics").text)

    mine = {name for name, labels in found if ("project", desk.project) in labels}
    assert "vagus_measure_requests" in mine
    assert "vagus_measure_error_rate" not in mine
    assert "vagus_measure_latency_p95" not in mine


def test_cardinality_is_bounded_and_the_rest_is_summed_up(house, desk):
    then_s = NOW_MS // 1000 - 120
    row = {"project": desk.project, "minute": then_s, "start": then_s, "status": "ok"}
    row |= {"version": 1, "sign": 1}
    house.engine.insert(
        "traces",
        [
            row | {"trace_id": f"{number:032x}", "service": f"service-{number}"}
            for number in range(MAX_GROUPS + 7)
        ],
    )

    found = samples(desk.client.get("/metrics").text)

    name, project = "vagus_measure_requests_by_service", ("project", desk.project)
    mine = [labels for sample, labels in found if sample == name and project in labels]
    assert len(mine) == MAX_GROUPS + 1
    assert found[name, (project, ("service", OTHER))] == 7
    left_out = ("vagus_measure_groups_left_out", (("measure", "requests"), project))
    assert found[left_out] == 7


def test_a_page_is_asked_for_once_a_minute(house, desk):
    page = PrometheusPage(house.engine, house.meta, house.services.catalogue)
    now_s, requests = NOW_MS // 1000, f'vagus_measure_requests{{project="{desk.project}"}}'
    desk.send(a_trace()[1])
    first = page.render(desk.project, now_s)[0].decode()
    desk.send(a_trace()[1])

    assert f"{requests} 1.0" in first
    assert f"{requests} 1.0" in page.render(desk.project, now_s + 1)[0].decode()
    assert f"{requests} 2.0" in page.render(desk.project, now_s + 60)[0].decode()


OPEN_METRICS = {"Accept": "application/openmetrics-text; version=1.0.0"}


def open_samples(desk):
    """Every sample of the page in OpenMetrics, by the reference parser."""
    answer = desk.client.get("/metrics", headers=OPEN_METRICS)
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    return [
        sample
        for family in text_fd_to_metric_families(io.StringIO(answer.text))
        for sample in family.samples
        if sample.labels.get("project") == desk.project
    ]


def test_a_bucket_of_latency_names_a_trace_that_fell_into_it(desk):
    trace_id, message = a_trace()
    desk.send(message)

    found = [s for s in open_samples(desk) if s.name == "vagus_request_duration_seconds_bucket"]

    named = {float(s.labels["le"]): s.exemplar.labels for s in found if s.exemplar}
    assert named == {0.1: {"trace_id": trace_id}}
    assert {float(s.labels["le"]): s.value for s in found}[float("inf")] == 1


def test_a_cost_bucket_names_a_trace_too(desk):
    trace_id, message = a_trace()
    desk.send(message)

    found = [s for s in open_samples(desk) if s.name == "vagus_call_cost_dollars_bucket"]

    assert [s.exemplar.labels["trace_id"] for s in found if s.exemplar] == [trace_id]


def test_every_measure_made_of_sums_is_a_counter(house, desk):
    desk.send(a_trace()[1])

    found = {s.name: s.value for s in open_samples(desk)}

    assert found["vagus_sum_requests_total"] == 1
    assert found["vagus_sum_error_rate_numerator_total"] == 0
    assert found["vagus_sum_error_rate_denominator_total"] == 1
    assert found["vagus_sum_cost_total"] > 0


def test_a_counter_grows_by_what_settled_since_the_scrape_before(house, desk):
    page = PrometheusPage(house.engine, house.meta, house.services.catalogue)
    name = f'vagus_sum_requests_total{{project="{desk.project}",service="shop"}}'
    desk.send(a_trace()[1])
    now_s = NOW_MS // 1000
    first = page.render(desk.project, now_s)[0].decode()
    for minute in range(3):
        row = {"project": desk.project, "minute": now_s // 60 * 60, "start": now_s, "sign": 1}
        row |= {"version": 1, "status": "ok", "service": "shop", "trace_id": f"{minute:032x}"}
        house.engine.insert("traces", [row])
    later = page.render(desk.project, now_s + 60)[0].decode()

    assert f"{name} 1.0" in first
    assert f"{name} 4.0" in later


def keep_slo(house, desk, id, measure, filter=""):
    """An objective as it lies in the database, checked or not."""
    spec = {"id": id, "name": id, "project": desk.project, "measure": measure, "filter": filter}
    row = {"id": id, "project": desk.project, "spec": spec | {"target": 0.99}, "created_ms": 1}
    with house.meta.begin() as connection:
        upsert(connection, slos, row)


def test_an_objective_has_counters_of_its_own(house, desk):
    keep_slo(house, desk, "calls", "error_rate", "service:shop")
    keep_slo(house, desk, "fast", "latency_ms_over_50")
    keep_slo(house, desk, "cheap", "cost_usd_over_0.5")
    desk.send(a_trace()[1])

    found = {(s.name, s.labels.get("sloth_slo")): s.value for s in open_samples(desk)}

    bad = {id: found["vagus_slo_bad_events_total", id] for id in ("calls", "fast", "cheap")}
    assert bad == {"calls": 0, "fast": 1, "cheap": 0}
    assert {found["vagus_slo_events_total", id] for id in bad} == {1}


def test_an_objective_that_cannot_be_asked_hides_no_other(house, desk):
    keep_slo(house, desk, "gone", "no_such_measure")
    keep_slo(house, desk, "odd", "error_rate", "nothing_there:a")
    keep_slo(house, desk, "good", "error_rate")
    desk.send(a_trace()[1])

    named = {s.labels.get("sloth_slo") for s in open_samples(desk)}

    assert named == {None, "good"}


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
def test_promtool_finds_nothing_wrong(desk):
    desk.send(a_trace()[1])
    page = desk.client.get("/metrics").content

    done = subprocess.run(
        ["promtool", "check", "metrics"], input=page, capture_output=True, check=False
    )

    problems = [line for line in done.stderr.decode().splitlines() if "vagus" in line]
    assert (done.returncode in (0, 3), problems) == (True, [])


@pytest.mark.skipif(shutil.which("prometheus") is None, reason="prometheus is not installed")
def test_a_real_prometheus_scrapes_us(house, desk, tmp_path):
    desk.send(a_trace()[1])
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(house.app, log_level="warning", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    target = f"127.0.0.1:{listening.getsockname()[1]}"
    scrape = {"job_name": "vagus", "static_configs": [{"targets": [target]}]}
    scrape |= {"authorization": {"credentials": desk.key}, "scrape_interval": "1s"}
    (tmp_path / "prometheus.yml").write_text(json.dumps({"scrape_configs": [scrape]}))
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    prometheus = subprocess.Popen(
        [
            "prometheus",
            f"--config.file={tmp_path}/prometheus.yml",
            f"--storage.tsdb.path={tmp_path}/data",
            f"--web.listen-address=127.0.0.1:{port}",
        ],
        stderr=subprocess.DEVNULL,
    )
    try:
        value = _ask(port, f'vagus_measure_requests{{project="{desk.project}"}}')
    finally:
        prometheus.terminate()
        prometheus.wait()
        server.should_exit = True
        thread.join()

    assert value == "1"


def _ask(port, query):
    deadline = time.monotonic() + 30
    address = f"http://127.0.0.1:{port}/api/v1/query?query={urllib.request.quote(query)}"
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(address, timeout=5) as answer:
                found = json.load(answer)["data"]["result"]
        except OSError:
            found = []
        if found:
            return found[0]["value"][1]
        time.sleep(0.1)
    return None
