"""`vagus reprice` asks the server, waits for the end and says what changed."""

from __future__ import annotations

import pytest

from support.serving import Serving
from vagus.cli.main import main
from vagus.cli.reprice import told


def test_it_waits_for_the_job_and_says_what_it_did(
    server: Serving,
    project: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tenant = server.tenant(project)
    monkeypatch.setenv("VAGUS_API_KEY", tenant.api_key)
    url = str(tenant.api.base_url)
    assert main(["reprice", "--url", url, "--from", "2h", "--why", "a contract"]) == 0
    assert "looked at 0 calls of 0 traces, changed 0 rows." in capsys.readouterr().out
    (job,) = tenant.api.get("/api/v1/prices/reprice").json()
    assert (job["state"], job["why"], job["end_s"] - job["start_s"]) == ("done", "a contract", 7200)


def test_what_it_says_has_both_amounts() -> None:
    job = {
        "id": "rp_1", "dry_run": True, "calls": 9, "traces": 4, "changed": 3, "before_usd": 1.0,
        "after_usd": 2.5, "unknown_before": 2, "unknown_after": 0,
    }  # fmt: skip
    assert told(job) == [
        "rp_1: looked at 9 calls of 4 traces, would change 3 rows.",
        "Their cost: 1.000000 USD before, 2.500000 USD after; unknown: 2 before, 0 after.",
    ]
