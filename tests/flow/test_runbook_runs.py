"""A whole server runs a runbook, is killed, and goes on where it was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx

from support.serving import serving, wait_for

_RUNS = "/api/v1/runbook-runs"


def _waiting(api: httpx.Client, run_id: str) -> dict[str, Any] | None:
    run: dict[str, Any] = api.get(f"{_RUNS}/{run_id}").json()
    return run if run["state"] == "waiting" else None


def test_killed_server_knows_how_far_a_drill_was(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as server:
        tenant = server.tenant("p")
        body = {"runbook": "stale_index", "mode": "drill"}
        made = tenant.api.post(_RUNS, json=body)
        assert made.status_code == 201, made.text
        run_id = made.json()["id"]
        before = wait_for(lambda: _waiting(tenant.api, run_id))
        server.process.kill()
        server.start()
        api = server.client(tenant.api_key)
        after = wait_for(lambda: _waiting(api, run_id))

    assert before["waits_for"] == "approval"
    assert [result["kind"] for result in before["results"]] == [
        "check",
        "slice",
        "slice",
        "approve",
    ]
    assert after == before
