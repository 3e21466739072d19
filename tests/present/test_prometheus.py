"""Prometheus reads the page, and finds in it what the measures say."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import threading
import time
import urllib.request

import pytest
import uvicorn
from prometheus_client.parser import text_string_to_metric_families

from support.house import NOW_MS, a_trace
from vagus.present.export.prometheus import MAX_GROUPS, OTHER, PrometheusPage


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
    page = PrometheusPage(house.engine, house.services.catalogue)
    now_s = NOW_MS // 1000
    before = page._measures(desk.project, now_s)
    desk.send(a_trace()[1])

    assert page._measures(desk.project, now_s + 1) == before
    assert page._measures(desk.project, now_s + 60) != before


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
