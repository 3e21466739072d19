"""`vagus import` sends what files hold, names what it cannot use, and goes on where it stopped."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from support.calls import ask
from support.serving import Serving, wait_for
from vagus.cli.importing import Memory, Tally, find_files, send_file
from vagus.cli.main import main
from vagus.receive.dialects import bedrock

RECORD = {
    "schemaType": "ModelInvocationLog",
    "timestamp": datetime.now(UTC).isoformat(),
    "operation": "Converse",
    "modelId": "amazon.nova-lite-v1:0",
    "input": {"inputTokenCount": 100},
    "output": {"outputTokenCount": 10},
}


def line(number: int) -> str:
    return json.dumps(RECORD | {"requestId": f"00000000-0000-0000-0000-{number:012d}"})


class Taker:
    """The server's side of an import, with the real route behind it."""

    def __init__(self) -> None:
        self.batches: list[int] = []

    def __call__(self, body: bytes) -> dict[str, Any]:
        answer = ask(bedrock.ROUTES, "/aws/bedrock", body)
        self.batches.append(answer.body["accepted"])
        return dict(answer.body)


def test_plain_and_gzip_files_are_sent(tmp_path):
    plain, packed = tmp_path / "a.json", tmp_path / "b.json.gz"
    plain.write_text("\n".join(line(n) for n in range(3)))
    packed.write_bytes(gzip.compress("\n".join(line(n) for n in range(4)).encode()))
    tally, taker = Tally(), Taker()
    for file in (plain, packed):
        send_file(file, taker, Memory(None), tally)

    assert (tally.taken, tally.refused) == (7, 0)


def test_a_directory_is_its_logs_without_the_bodies_beside_them(tmp_path):
    for name in ("2026/11/b.json.gz", "2026/11/a.json", "2026/11/data/x_input.json.gz", "note.txt"):
        file = tmp_path / "data" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(line(1))

    found = [str(p.relative_to(tmp_path)) for p in find_files([tmp_path / "data"])]
    assert found == ["data/2026/11/a.json", "data/2026/11/b.json.gz"]


def test_bad_lines_are_named_by_file_and_line_across_batches(tmp_path):
    file = tmp_path / "a.json"
    lines = [line(n) for n in range(2_500)]
    lines[1_700], lines[2_400] = "{broken", '{"requestId": "x"}'
    file.write_text("\n".join(lines))
    tally, taker = Tally(), Taker()
    send_file(file, taker, Memory(None), tally)

    assert taker.batches == [1000, 999, 499]
    assert tally.refused == 2
    assert [c.split(": ")[0] for c in tally.complaints] == [f"{file}:1701", f"{file}:2401"]


def test_a_second_run_goes_on_where_the_first_stopped(tmp_path):
    file, kept = tmp_path / "a.json", tmp_path / "sent.json"
    file.write_text("\n".join(line(n) for n in range(2_500)))
    taker, tally = Taker(), Tally()

    def fail(body: bytes) -> dict[str, Any]:
        if len(taker.batches) == 2:
            raise KeyboardInterrupt
        return taker(body)

    with pytest.raises(KeyboardInterrupt):
        send_file(file, fail, Memory(kept), tally)
    send_file(file, taker, Memory(kept), tally)
    send_file(file, taker, Memory(kept), tally)

    assert taker.batches == [1000, 1000, 500]


def test_a_file_that_changed_is_sent_from_its_start(tmp_path):
    file, kept = tmp_path / "a.json", tmp_path / "sent.json"
    taker, tally = Taker(), Tally()
    for count in (2, 5):
        file.write_text("\n".join(line(n) for n in range(count)))
        send_file(file, taker, Memory(kept), tally)

    assert taker.batches == [2, 5]


def test_a_torn_file_gives_what_it_has_and_is_named(tmp_path):
    file = tmp_path / "a.json.gz"
    file.write_bytes(gzip.compress("\n".join(line(n) for n in range(5000)).encode())[:-200])
    tally, taker = Tally(), Taker()
    send_file(file, taker, Memory(None), tally)

    assert tally.taken >= 1000
    assert tally.complaints[-1].startswith(f"{file}:0: the file cannot be read to its end")


class Busy(BaseHTTPRequestHandler):
    """A server that is busy once and then takes everything."""

    asked = 0

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        type(self).asked += 1
        is_busy = type(self).asked == 1
        self.send_response(429 if is_busy else 200)
        self.send_header("Retry-After", "0")
        self.end_headers()
        self.wfile.write(b"{}" if is_busy else b'{"accepted": 1, "rejected": 0, "refused": []}')

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def busy() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Busy)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_busy_server_is_asked_again(busy, tmp_path, capsys):
    file = tmp_path / "a.json"
    file.write_text(line(1))

    assert main(["import", "bedrock", str(file), "--url", busy]) == 0
    assert "1 records of 1 files were taken, 0 refused." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["no-such-file", "--url", "http://127.0.0.1:9"], "no-such-file is no file"),
        ([__file__, "--url", "ftp://x"], "is not the address of a server"),
        ([__file__, "--url", "http://127.0.0.1:9"], "no server answers at"),
    ],
)
def test_what_is_wrong_is_one_sentence(words, reason, capsys):
    assert main(["import", "bedrock", *words]) == 1
    assert reason in capsys.readouterr().err


def test_an_imported_file_is_in_the_ledger_once_however_often(
    server: Serving, tmp_path, monkeypatch, capsys
):
    tenant = server.tenant("bedrock-files")
    file = tmp_path / "log.json.gz"
    file.write_bytes(gzip.compress("\n".join([*(line(n) for n in range(20)), "{}"]).encode()))
    monkeypatch.setenv("VAGUS_API_KEY", tenant.ingest_key)
    words = ["import", "bedrock", str(file), "--url", server.url]

    assert main(words) == 1
    assert main(words) == 1
    printed = capsys.readouterr()
    assert "20 records of 1 files were taken, 1 refused." in printed.out
    assert f"{file}:21: this is no model invocation record" in printed.err

    def ledger() -> list[Any] | None:
        rows = tenant.sql("SELECT count(), sum(input_tokens), sum(output_tokens) FROM ledger")
        return rows if rows[0][0] >= 20 else None

    assert wait_for(ledger) == [[20, 2000, 200]]
