"""`vagus diagnose` against a real server."""

from __future__ import annotations

import json
import socket
import threading

import pytest
import uvicorn

from diagnose.faults import FAULTS, ONSET_S, App, simulate
from support.house import House
from vagus.cli.diagnose import told
from vagus.cli.main import main

FAULT = "provider_rate_limit"
MEASURE, BEFALL = FAULTS[FAULT]
ASK = ["diagnose", "--from", str(ONSET_S), "--to", str(ONSET_S + 1800), "--measure", MEASURE]


@pytest.fixture(scope="module")
def house(engine, tmp_path_factory):
    """An instance behind a real port, with an application that a fault befell."""
    house = House(engine, tmp_path_factory.mktemp("cli-diagnose"))
    for table, rows in simulate("cli-faulty", App(), BEFALL(App()), 1).items():
        engine.insert(table, rows)
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(house.app, log_level="warning", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    house.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    yield house
    server.should_exit = True
    thread.join()
    house.meta.close()


@pytest.fixture(autouse=True)
def served(house, monkeypatch):
    """The server's address and a key, where the command line looks for them."""
    monkeypatch.setenv("VAGUS_URL", house.url)
    monkeypatch.setenv("VAGUS_API_KEY", house.key("cli-faulty"))


def test_the_causes_are_printed_with_their_reasons(capsys):
    assert main(ASK) == 0

    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("1. ") and line.endswith("%)") for line in lines)
    assert any(line.startswith("   + ") for line in lines)
    assert f"   runbook: {FAULT}" in lines


def test_json_is_the_finding_of_the_api(capsys):
    assert main([*ASK, "--json"]) == 0

    finding = json.loads(capsys.readouterr().out)
    assert finding["hypotheses"][0]["cause"] == FAULT


def test_no_named_cause_and_a_failure_are_other_statuses(capsys):
    quiet = ["diagnose", "--from", "2h", "--to", "1h", "--measure", "error_rate"]
    assert main(quiet) == 3
    assert main(["diagnose", "--from", "1h", "--measure", "no_such"]) == 1
    assert capsys.readouterr().err.startswith("vagus: ")
    with pytest.raises(SystemExit, match="2"):
        main(["diagnose"])


def test_every_line_of_a_finding_is_text_that_stands_alone():
    finding = {
        "summary": "s", "measure": "m", "window": [0, 1], "examples": ["t"], "verdict": "none",
        "hypotheses": [{
            "title": "T", "probability": 0.5, "runbook": "",
            "evidence": [{"statement": f"e{n}", "weight": n} for n in range(9)],
            "against": [{"statement": "a", "weight": -1.0}],
        }],
        "changes": [{"time_ms": 60_000, "title": "deploy"}],
    }  # fmt: skip

    lines = list(told(finding))

    assert lines[4:10] == ["1. T (50%)", *(f"   + e{n}" for n in (8, 7, 6, 5)), "   - a"]
    assert "   1970-01-01 00:01 UTC  deploy" in lines
    assert all("\n" not in line for line in lines)
