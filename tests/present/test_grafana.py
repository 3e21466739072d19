"""Grafana's files: every query in them runs in a real Prometheus that holds our series."""

from __future__ import annotations

import json
import time

import pytest
import yaml

from support.prometheus import NEEDS_PROMETHEUS, prometheus
from vagus.cli.main import main
from vagus.measures.catalogue import load_catalogue
from vagus.present.export.grafana import ALERTS, dashboard_json, dashboards, expressions
from vagus.present.export.remotewrite import RemoteWriter
from vagus.present.export.sender import Sender
from vagus.store.meta.access.projects import ensure_project
from vagus.store.meta.db import Meta
from vagus.store.meta.migrate import upgrade
from vagus.watch.defaults import ensure_defaults

CATALOGUE = load_catalogue()
BOARDS = dashboards(CATALOGUE)


def asked(expression, project):
    """A query as Grafana sends it, with the variables filled in."""
    return expression.replace("$project", project).replace("$__rate_interval", "5m")


def serve(engine, project, end_s):
    """Ten minutes of requests and their calls."""
    shared = {"project": project, "version": 1, "sign": 1, "service": "shop", "status": "ok"}
    traces, steps = [], []
    for minute_s in range(end_s - 600, end_s, 60):
        for number in range(10):
            row = shared | {"minute": minute_s, "start": minute_s + 1, "duration_ms": 200.0}
            row |= {"trace_id": f"{minute_s:015x}c{number:016x}", "cost_usd": 0.002}
            traces.append(row | {"billable_calls": 1, "span_count": 2})
            call = {"span_id": f"{number:016x}", "kind": "llm", "is_billable": 1, "model": "m"}
            call |= {"ttft_ms": 50.0, "has_usage": 1, "input_tokens": 10, "cost_source": "computed"}
            steps.append(row | call)
    engine.insert("traces", traces)
    engine.insert("steps", steps)


@NEEDS_PROMETHEUS
def test_every_query_runs_and_finds_what_is_there(engine, project, tmp_path):
    end_s = int(time.time()) // 60 * 60
    serve(engine, project, end_s)
    moment = [float(end_s - 600)]
    meta = Meta.at(tmp_path / "meta.db")
    upgrade(meta)
    with meta.begin() as connection:
        ensure_project(connection, project, project, 1)
    ensure_defaults(meta, project, 1)
    with prometheus(tmp_path / "prometheus") as server:
        sender = Sender(f"{server.url}/api/v1/write", headers={})
        writer = RemoteWriter(engine, meta, CATALOGUE, sender, lambda: moment[0])
        writer.tick()
        moment[0] = float(end_s)
        writer.tick()
        sender.close()
        found = {
            expression: server.query(asked(expression, project), end_s)
            for expression in expressions(BOARDS)
        }
        alerts = [server.query(alert[2], end_s) for alert in ALERTS]
    meta.close()

    named = {panel.title: panel.queries[0][0] for panel in BOARDS[0].panels}
    for title in ("Requests a second", "Error rate", "Duration", "First token", "Cost an hour"):
        assert found[named[title]], title
    assert found['vagus_measure_requests{project=~"$project"}'][0]["value"][1] == "50"
    assert found[named["What fires"]] == []
    assert [bool(alert) for alert in alerts] == [True, True, False]


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.uid)
def test_a_dashboard_is_what_grafana_reads(board):
    made = dashboard_json(board)
    panels = made["panels"]

    assert made["uid"] == board.uid
    assert made["schemaVersion"] == 39
    assert [variable["name"] for variable in made["templating"]["list"]] == [
        "datasource",
        "project",
    ]
    assert len({panel["id"] for panel in panels}) == len(panels)
    for panel in panels:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        for target in (panel, *panel["targets"]):
            assert target["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
    places = {(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels}
    assert len(places) == len(panels)


def test_every_measure_has_a_panel():
    assert len(BOARDS[2].panels) == len(list(CATALOGUE))


def test_the_command_writes_files_that_refer_to_each_other(tmp_path, capsys):
    folder = tmp_path / "grafana"

    status = main(["export", "grafana", str(folder), "--dashboards", "/boards"])

    assert status == 0
    written = [folder.joinpath(line) for line in capsys.readouterr().out.splitlines()]
    boards = [json.loads(path.read_text()) for path in written if path.suffix == ".json"]
    sources, providers, alerting = (
        yaml.safe_load((folder / "provisioning" / kind / "vagus.yaml").read_text())
        for kind in ("datasources", "dashboards", "alerting")
    )
    uids = [source["uid"] for source in sources["datasources"]]
    rules = alerting["groups"][0]["rules"]
    every = [*uids, *(board["uid"] for board in boards), *(rule["uid"] for rule in rules)]
    assert len(set(every)) == len(every)
    assert all(len(uid) <= 40 for uid in every)
    assert providers["providers"][0]["options"]["path"] == "/boards"
    assert {part["datasourceUid"] for rule in rules for part in rule["data"]} <= {
        *uids,
        "__expr__",
    }
    exemplars = sources["datasources"][0]["jsonData"]["exemplarTraceIdDestinations"]
    assert exemplars[0]["datasourceUid"] in uids


def test_a_place_that_cannot_be_written_is_an_error_with_words(tmp_path, capsys):
    taken = tmp_path / "file"
    taken.write_text("")

    assert main(["export", "grafana", str(taken)]) == 1
    assert "cannot write into" in capsys.readouterr().err
