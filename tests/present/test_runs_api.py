"""Runs of runbooks over the API, with checks against real telemetry."""

from __future__ import annotations

import os
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from support.house import NOW_MS, add_span
from vagus.respond.egress import Egress
from vagus.respond.hands import Hands
from vagus.respond.runner import Runner

_RUNS = "/api/v1/runbook-runs"
_TEXT = """# Ours

## Prove recovery

```check
error_rate
expect < 0.5
```

```check
error_rate by service
expect within baseline
```

```action
webhook: https://deploy.example/${to}
mutates: true
```
"""


def _send(desk: Any, *, failing: int, of: int, before_ms: float = 0) -> None:
    message = ExportTraceServiceRequest()
    for n in range(of):
        error = "broken" if n < failing else ""
        attributes = {"gen_ai.operation.name": "invoke_agent"}
        trace = os.urandom(16)
        add_span(message, trace, 1, start_ms=-before_ms, error=error, attributes=attributes)
    desk.send(message)


@pytest.fixture
def tick(house: Any) -> Any:
    """Takes the steps of all runs that are due."""
    runner = Runner(
        house.meta,
        house.engine,
        house.services.catalogue,
        Hands(Egress()),
        lambda: NOW_MS / 1000,
    )
    return lambda: runner.tick(NOW_MS)


def _started(desk: Any, tick: Any, **more: Any) -> dict[str, Any]:
    desk.client.put("/api/v1/runbooks/ours", json={"markdown": _TEXT})
    body = {"runbook": "ours", "parameters": {"to": "b"}, **more}
    made = desk.post(_RUNS, body)
    tick()
    run: dict[str, Any] = desk.get(f"{_RUNS}/{made['id']}")
    return run


def test_checks_compare_real_telemetry_with_a_number_and_with_the_day_before(
    desk: Any, tick: Any
) -> None:
    _send(desk, failing=2, of=100, before_ms=6 * 3_600_000)
    _send(desk, failing=30, of=100)
    run = _started(desk, tick)

    assert (run["state"], run["outcome"], run["steps"]) == ("done", "practised", 3)
    number, baseline, action = run["results"]
    assert (number["state"], baseline["state"]) == ("met", "unmet")
    (row,) = number["output"]["rows"]
    assert (row["n"], row["value"]) == (100, 0.3)
    (row,) = baseline["output"]["rows"]
    assert (row["group"], row["before"]["value"]) == ({"service": "shop"}, 0.02)
    assert action["inputs"]["webhook"] == "https://deploy.example/b"
    assert baseline["section"] == "Prove recovery"


def test_key_cannot_start_for_real_or_approve_and_may_stop(
    house: Any, desk: Any, tick: Any
) -> None:
    _send(desk, failing=2, of=100, before_ms=6 * 3_600_000)
    _send(desk, failing=2, of=100)
    desk.client.put("/api/v1/runbooks/ours", json={"markdown": _TEXT})
    body = {"runbook": "ours", "parameters": {"to": "b"}, "mode": "live"}
    assert desk.client.post(_RUNS, json=body).status_code == 403
    made = house.owner().post(_RUNS, json=body, params={"project": desk.project})
    assert made.status_code == 201, made.text
    tick()
    run = desk.get(f"{_RUNS}/{made.json()['id']}")
    assert (run["state"], run["waits_for"], run["step"]) == ("waiting", "approval", 2)
    decide = f"{_RUNS}/{run['id']}/decide"

    assert desk.client.post(decide, json={"decision": "approve"}).status_code == 403
    assert desk.client.post(decide, json={"decision": "retry"}).status_code == 400
    stranger = house.client(house.key("runs-stranger"))
    assert stranger.post(decide, json={"decision": "stop"}).status_code == 404
    assert stranger.get(f"{_RUNS}/{run['id']}").status_code == 404
    desk.post(decide, {"decision": "stop"})
    assert desk.get(_RUNS)[0]["outcome"] == "stopped"


def test_drill_is_remembered_with_its_runbook(desk: Any, tick: Any) -> None:
    assert desk.get("/api/v1/runbooks/stale_index")["is_drill_due"]
    _started(desk, tick, mode="drill")

    (ours,) = [one for one in desk.get("/api/v1/runbooks") if one["name"] == "ours"]
    assert (ours["last_drill_ms"], ours["is_drill_due"]) == (NOW_MS, False)


def test_run_that_could_not_make_its_calls_is_not_started(desk: Any, tick: Any) -> None:
    desk.client.put("/api/v1/runbooks/ours", json={"markdown": _TEXT})
    missing = desk.client.post(_RUNS, json={"runbook": "ours"})
    unknown = desk.client.post(_RUNS, json={"runbook": "no_such"})

    assert missing.json()["error"]["field"] == "parameters.to"
    assert unknown.status_code == 404
    assert desk.get(_RUNS) == []
