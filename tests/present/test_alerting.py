"""From an error in an application to a message: Vagus, Prometheus, Alertmanager, a webhook."""

from __future__ import annotations

import json
import time

import pytest
import yaml

from support.prometheus import NEEDS_ALERTMANAGER, NEEDS_PROMETHEUS, alertmanager, listening
from support.prometheus import prometheus as running
from support.serving import wait_for
from vagus.measures.catalogue import load_catalogue
from vagus.present.export.remotewrite import RemoteWriter
from vagus.present.export.rules import rule_groups, rules_yaml
from vagus.present.export.sender import Sender
from vagus.present.export.watched import read_watched
from vagus.store.meta.access.projects import ensure_project
from vagus.store.meta.db import Meta
from vagus.store.meta.migrate import upgrade
from vagus.store.meta.tables import slos
from vagus.store.meta.write import upsert

CATALOGUE = load_catalogue()


@pytest.fixture
def meta(tmp_path, project):
    meta = Meta.at(tmp_path / "meta.db")
    upgrade(meta)
    slo = {"id": "good", "name": "Good answers", "project": project, "measure": "error_rate"}
    slo |= {"target": 0.99}
    row = {"id": "good", "project": project, "spec": slo, "created_ms": 1}
    with meta.begin() as connection:
        ensure_project(connection, project, project, 1)
        upsert(connection, slos, row)
    yield meta
    meta.close()


def at_once(rules):
    """The rules without their holds and looked at every second: a test cannot wait for minutes.

    Silence is left out: without its hold it would be an alert from the first second.
    """
    parsed = yaml.safe_load(rules)
    for group in parsed["groups"]:
        group["interval"] = "1s"
        group["rules"] = [r for r in group["rules"] if r.get("alert") != "VagusSilent"]
        for rule in group["rules"]:
            rule.pop("for", None)
    return yaml.safe_dump(parsed)


def fail_for_an_hour(engine, project, end_s):
    """Requests of the last hour, half of them failed."""
    engine.insert(
        "traces",
        [
            {
                "project": project,
                "minute": minute_s,
                "start": minute_s + 1,
                "version": 1,
                "sign": 1,
                "trace_id": f"{minute_s:015x}b{number:016x}",
                "status": "error" if number % 2 else "ok",
                "service": "shop",
            }
            for minute_s in range(end_s - 3600, end_s, 60)
            for number in range(10)
        ],
    )


@NEEDS_PROMETHEUS
@NEEDS_ALERTMANAGER
def test_a_burning_budget_reaches_a_webhook_through_alertmanager(engine, project, meta, tmp_path):
    end_s = int(time.time()) // 60 * 60
    fail_for_an_hour(engine, project, end_s)
    groups = rule_groups(read_watched(meta, project), CATALOGUE, "https://vagus.example")
    rules = tmp_path / "rules.yaml"
    rules.write_text(at_once(rules_yaml(groups)))
    moment = [float(end_s - 3600)]
    route = {"receiver": "hook", "group_by": ["alertname"], "group_wait": "0s"}
    with listening(500) as sink:
        hook = {"name": "hook", "webhook_configs": [{"url": sink.url}]}
        config = {"route": route, "receivers": [hook]}
        with alertmanager(tmp_path / "am", config) as address:
            managers = [{"static_configs": [{"targets": [address]}]}]
            config = {"rule_files": [str(rules)], "alerting": {"alertmanagers": managers}}
            with running(tmp_path / "prometheus", config) as server:
                sender = Sender(f"{server.url}/api/v1/write", headers={})
                writer = RemoteWriter(engine, meta, CATALOGUE, sender, lambda: moment[0])
                writer.tick()
                moment[0] = float(end_s)
                writer.tick()
                sender.close()
                bodies = wait_for(lambda: sink.bodies[1:] or None)
                firing = server.query('ALERTS{alertstate="firing", alertname="VagusSloBurn"}')
                ratio = server.value(f'slo:sli_error:ratio_rate1h{{sloth_service="{project}"}}')

    # The first delivery was refused, so the same alerts came again.
    alerts = json.loads(bodies[0])["alerts"]
    assert {alert["labels"]["window"] for alert in alerts} <= {"1h", "6h", "1d", "3d"}
    assert {alert["labels"]["sloth_slo"] for alert in alerts} == {"good"}
    assert alerts[0]["annotations"]["dashboard_url"].startswith("https://vagus.example/")
    assert {found["metric"]["severity"] for found in firing} == {"page", "ticket"}
    assert ratio == pytest.approx(0.5)
