"""Against Debian's real Alertmanager: alerts live and end, its silences and inhibition hold."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from vagus.respond.channels.alertmanager import alert_of, post_alerts
from vagus.respond.channels.base import Notice
from vagus.respond.courier import Courier
from vagus.respond.egress import Egress

_BINARY = "prometheus-alertmanager"
pytestmark = pytest.mark.skipif(shutil.which(_BINARY) is None, reason=f"{_BINARY} is not installed")


class Alertmanager:
    """A running Alertmanager that delivers to a receiver of the test."""

    def __init__(self, folder: Path, hook: str) -> None:
        route = {"receiver": "hook", "group_by": ["incident"], "repeat_interval": "1h"}
        route |= {"group_wait": "100ms", "group_interval": "300ms"}
        inhibit = {
            "source_matchers": ['severity="page"'],
            "target_matchers": ['severity="ticket"'],
            "equal": ["provider"],
        }
        hooks = [{"url": hook, "send_resolved": True}]
        config = {
            "route": route,
            "inhibit_rules": [inhibit],
            "receivers": [{"name": "hook", "webhook_configs": hooks}],
        }
        (folder / "am.json").write_text(json.dumps(config))
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self._process = subprocess.Popen(
            [
                _BINARY,
                f"--config.file={folder}/am.json",
                f"--storage.path={folder}/am",
                f"--web.listen-address=127.0.0.1:{port}",
                "--cluster.listen-address=",
            ],
            stderr=subprocess.DEVNULL,
        )

    def get(self, path: str) -> Any:
        answer = httpx.get(self.url + path, timeout=5)
        assert answer.status_code == 200
        return answer.json()

    def alerts(self) -> dict[str, Any]:
        return {alert["labels"]["incident"]: alert for alert in self.get("/api/v2/alerts")}

    def is_ready(self) -> bool:
        try:
            return httpx.get(self.url + "/-/ready", timeout=1).status_code == 200
        except httpx.HTTPError:
            return False

    def close(self) -> None:
        self._process.terminate()
        self._process.wait()


def _until(what: Callable[[], bool], seconds: float = 15) -> None:
    end_s = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end_s, "it did not come"
        time.sleep(0.05)


@pytest.fixture
def hook(make_receiver: Callable[[], Any]) -> Any:
    return make_receiver()


@pytest.fixture
def alertmanager(tmp_path: Path, hook: Any) -> Iterator[Alertmanager]:
    running = Alertmanager(tmp_path, hook.url)
    try:
        _until(running.is_ready)
        yield running
    finally:
        running.close()


def _notice(
    address: str, incident: str, kind: str, severity: str = "page", before: str = ""
) -> Notice:
    now_ms = int(time.time() * 1000)
    data = {
        "id": incident,
        "number": 1,
        "title": "T",
        "severity": severity,
        "severity_before": before,
        "project": "p",
        "opened_ms": now_ms - 60_000,
        "resolved_ms": now_ms if kind == "resolved" else None,
        "labels": {"project": "p", "provider": "acme"},
    }
    return Notice("k", address, "", {"type": f"incident.{kind}", "data": data}, now_ms)


def _tell(address: str, incident: str, kind: str = "opened", *severities: str) -> None:
    courier = Courier(Egress(allow_private=["127.0.0.1/32"]))
    receipt = anyio.run(courier.send, "alertmanager", _notice(address, incident, kind, *severities))
    assert receipt.status == 200


def _delivered(hook: Any) -> list[tuple[str, str]]:
    bodies = [json.loads(request["body"]) for request in hook.accepted()]
    return [(a["labels"]["incident"], a["status"]) for b in bodies for a in b["alerts"]]


def test_incident_is_one_alert_from_its_opening_to_its_end(
    alertmanager: Alertmanager, hook: Any
) -> None:
    _tell(alertmanager.url, "i1")
    _until(lambda: ("i1", "firing") in _delivered(hook))
    for kind in ("opened", "opened", "updated", "acknowledged"):
        _tell(alertmanager.url, "i1", kind)
    assert list(alertmanager.alerts()) == ["i1"]

    for _ in range(2):
        _tell(alertmanager.url, "i1", "resolved")
    _until(lambda: ("i1", "resolved") in _delivered(hook))
    assert sorted(set(_delivered(hook))) == [("i1", "firing"), ("i1", "resolved")]
    assert len(_delivered(hook)) == 2
    assert alertmanager.alerts() == {}


def test_alert_whose_severity_rises_is_not_left_behind_as_a_second_one(
    alertmanager: Alertmanager,
) -> None:
    _tell(alertmanager.url, "i1", "opened", "ticket")
    _tell(alertmanager.url, "i1", "updated", "page", "ticket")
    severities = [a["labels"]["severity"] for a in alertmanager.get("/api/v2/alerts")]
    assert severities == ["page"]


def test_inhibition_of_alertmanager_holds_over_our_labels(
    alertmanager: Alertmanager, hook: Any
) -> None:
    _tell(alertmanager.url, "i1", "opened", "page")
    _tell(alertmanager.url, "i2", "opened", "ticket")
    _until(lambda: alertmanager.alerts()["i2"]["status"]["state"] == "suppressed")
    assert len(alertmanager.alerts()["i2"]["status"]["inhibitedBy"]) == 1
    _until(lambda: ("i1", "firing") in _delivered(hook))
    assert ("i2", "firing") not in _delivered(hook)


def test_silence_of_alertmanager_holds_over_our_labels(
    alertmanager: Alertmanager, hook: Any
) -> None:
    begin = datetime.now(UTC) - timedelta(seconds=5)
    silence = {
        "matchers": [{"name": "incident", "value": "i1", "isRegex": False, "isEqual": True}],
        "startsAt": begin.isoformat(),
        "endsAt": (begin + timedelta(hours=1)).isoformat(),
        "createdBy": "test",
        "comment": "known",
    }
    made = httpx.post(alertmanager.url + "/api/v2/silences", json=silence, timeout=5)
    assert made.status_code == 200
    _tell(alertmanager.url, "i1")
    _tell(alertmanager.url, "i2")
    _until(lambda: ("i2", "firing") in _delivered(hook))
    _until(lambda: alertmanager.alerts()["i1"]["status"]["state"] == "suppressed")
    assert alertmanager.alerts()["i1"]["status"]["silencedBy"] == [made.json()["silenceID"]]
    assert ("i1", "firing") not in _delivered(hook)


def test_many_alerts_go_in_one_request(alertmanager: Alertmanager) -> None:
    notices = [_notice(alertmanager.url, f"i{n}", "opened") for n in range(50)]
    parcel = post_alerts(alertmanager.url, "", [alert_of(notice) for notice in notices])
    courier = Courier(Egress(allow_private=["127.0.0.1/32"]))
    assert anyio.run(courier.carry, parcel, 0).status == 200
    assert len(alertmanager.alerts()) == 50
