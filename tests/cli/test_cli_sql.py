"""`vagus sql` and `vagus doctor` against a real server and a real data directory."""

from __future__ import annotations

import csv
import io
import json
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import uvicorn

from support.house import NOW_MS, House, a_trace
from vagus.cli.asker import Table
from vagus.cli.main import main
from vagus.cli.sql import safe_cell, write
from vagus.store.lock import DirectoryLock

HOSTILE = ["=1+1", "+1", "-1+2", "@SUM(A1)", "\tx", "\rx", "＝1", "ok", 'a"b,c']


@pytest.fixture(scope="module")
def house(engine, tmp_path_factory):
    """An instance behind a real port."""
    house = House(engine, tmp_path_factory.mktemp("cli-house"))
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(house.app, log_level="warning", lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    house.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    yield house
    server.should_exit = True
    thread.join()
    house.meta.close()


@pytest.fixture
def served(house, monkeypatch):
    """The server's address and a key, where the command line looks for them."""
    monkeypatch.setenv("VAGUS_URL", house.url)
    monkeypatch.setenv("VAGUS_API_KEY", house.key("cli-project"))
    return house


def test_sql_prints_a_table_json_and_csv(served, capsys):
    query = "SELECT 1 AS n, 'a' AS word, [1, 2] AS list"

    assert main(["sql", query]) == 0
    table = capsys.readouterr().out.splitlines()
    main(["sql", query, "--format", "json"])
    objects = json.loads(capsys.readouterr().out)
    main(["sql", query, "--format", "csv"])
    rows = list(csv.reader(io.StringIO(capsys.readouterr().out)))

    assert table == ["n  word  list", "-  ----  ------", "1  a     [1, 2]"]
    assert objects == [{"n": 1, "word": "a", "list": [1, 2]}]
    assert rows == [["n", "word", "list"], ["1", "a", "[1, 2]"]]


def test_sql_reads_the_query_from_standard_input(served, capsys, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO("SELECT 41 + 1 AS n"))

    main(["sql", "-", "--format", "json"])

    assert json.loads(capsys.readouterr().out) == [{"n": 42}]


def test_a_refused_query_is_one_sentence(served, capsys):
    assert main(["sql", "DROP TABLE spans"]) == 1

    assert capsys.readouterr().err == "vagus: only SELECT is allowed here\n"


def test_a_wrong_key_says_what_to_set(served, capsys, monkeypatch):
    monkeypatch.setenv("VAGUS_API_KEY", "wrong")

    assert main(["sql", "SELECT 1 AS a"]) == 1

    assert "VAGUS_API_KEY" in capsys.readouterr().err


def test_no_server_is_one_sentence(capsys, monkeypatch):
    monkeypatch.delenv("VAGUS_URL", raising=False)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]

    assert main(["sql", "SELECT 1 AS a", "--url", f"http://127.0.0.1:{port}"]) == 1
    assert main(["sql", "SELECT 1 AS a", "--url", "file:///etc/passwd"]) == 1

    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith("vagus: no server answers at")
    assert "is not the address of a server" in second


def test_no_spreadsheet_takes_a_cell_for_a_formula():
    out = io.StringIO()
    table = Table([("text", "String"), ("n", "Int64")], [[text, -5] for text in HOSTILE], False)

    write(table, "csv", out)

    rows = list(csv.reader(io.StringIO(out.getvalue(), newline="")))[1:]
    assert all(row[0][0] not in "=+-@\t\r＝" for row in rows)
    assert [row[0].removeprefix("'") for row in rows] == HOSTILE
    assert {row[1] for row in rows} == {"-5"}
    assert '"-5"' not in out.getvalue()
    assert safe_cell(None) == ""


def test_hostile_text_does_not_steer_the_terminal():
    out = io.StringIO()

    write(Table([("a", "String")], [["\x1b[2J\u202ex\nrow"]], False), "table", out)

    assert out.getvalue().splitlines()[2] == "\\x1b[2J\\u202ex\\nrow"


def test_doctor_of_an_empty_project_says_what_to_do(served, capsys, monkeypatch):
    monkeypatch.setenv("VAGUS_API_KEY", served.key("never-sent"))

    assert main(["doctor"]) == 1

    out = capsys.readouterr().out
    assert "ok    the key is good, for the project never-sent" in out
    assert "bad   no span has been received" in out
    assert "OTEL_EXPORTER_OTLP_ENDPOINT" in out


def test_doctor_grades_what_arrived(served, engine, capsys, monkeypatch):
    monkeypatch.setenv("VAGUS_API_KEY", served.key("graded"))
    now_s = NOW_MS // 1000 - 120
    row = {"project": "graded", "minute": now_s, "start": now_s, "version": 1, "sign": 1}
    row |= {"service": "shop\x1b[2J", "trace_id": "t", "status": "ok"}
    lag = {"received": now_s, "start_ns": now_s * 10**9, "end_ns": (now_s + 60) * 10**9}
    engine.insert("spans", [{"project": "graded", "service": "shop", "trace_id": "t"} | lag])
    engine.insert("traces", [row | {"span_count": 10, "orphan_count": 5, "session": "s"}])
    call = {"kind": "llm", "span_id": "s", "is_billable": 1, "cost_source": "unknown"}
    engine.insert("steps", [row | call | {"model": "own-model"}])

    assert main(["doctor"]) == 1

    lines = [line[:60] for line in capsys.readouterr().out.splitlines()]
    assert "ok    shop\\x1b[2J: 1 of 1 calls say their model" in lines
    assert "warn  shop\\x1b[2J: 0 of 1 calls say their tokens" in lines
    assert "ok    shop\\x1b[2J: 1 of 1 requests name their session" in lines
    assert "warn  shop\\x1b[2J: 0 of 1 requests name their user" in lines
    assert any(line.startswith("bad   shop\\x1b[2J: 5 of 10 spans have a parent") for line in lines)
    assert any("1 calls of the model own-model" in line for line in lines)
    assert any("its clock is 60 s ahead of ours" in line for line in lines)


def test_doctor_without_a_server_is_bad(capsys, monkeypatch):
    monkeypatch.delenv("VAGUS_URL", raising=False)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]

    assert main(["doctor", "--url", f"http://127.0.0.1:{port}"]) == 1

    assert "start one with `vagus serve`" in capsys.readouterr().out


def run_vagus(*words, **environ):
    """The command in a process of its own: one process opens one engine."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("VAGUS_")}
    clean |= {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)} | environ
    return subprocess.run(
        [sys.executable, "-m", "vagus.cli.main", *words],
        capture_output=True,
        text=True,
        env=clean,
        check=False,
    )


def test_a_data_directory_is_read_without_a_server(tmp_path):
    make = (
        "import sys; from pathlib import Path; from vagus.store.chdb import ChdbEngine; "
        "from vagus.store.migrate import migrate; "
        "engine = ChdbEngine(Path(sys.argv[1])); migrate(engine); "
        "engine.insert('spans', [{'project': p, 'name': p} for p in ('default', 'other')]); "
        "engine.close()"
    )
    environ = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    folder = str(tmp_path / "engine")
    subprocess.run([sys.executable, "-c", make, folder], check=True, env=environ)
    query = ["sql", "SELECT name FROM spans", "--format", "json", "--data", str(tmp_path)]

    default = run_vagus(*query)
    other = run_vagus(*query, "--project", "other")
    lock = DirectoryLock(tmp_path)
    locked = run_vagus(*query)
    lock.close()

    assert json.loads(default.stdout) == [{"name": "default"}]
    assert json.loads(other.stdout) == [{"name": "other"}]
    assert locked.returncode == 1
    assert f"in use by process {os.getpid()}" in locked.stderr
    assert "Traceback" not in locked.stderr


def test_a_directory_without_a_store_is_refused_and_left_alone(tmp_path):
    done = run_vagus("sql", "SELECT 1 AS a", "--data", str(tmp_path))

    assert done.returncode == 1
    assert "is not a data directory of Vagus" in done.stderr
    assert list(Path(tmp_path).iterdir()) == []


def test_traces_sent_to_the_server_are_found(served, capsys):
    from support.house import Desk

    key = os.environ["VAGUS_API_KEY"]
    Desk(served, "cli-project", key, served.client(key)).send(a_trace()[1])

    main(["sql", "SELECT name, span_count FROM traces", "--format", "json"])

    assert json.loads(capsys.readouterr().out) == [{"name": "answer", "span_count": 2}]
