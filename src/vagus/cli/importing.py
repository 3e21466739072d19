"""`vagus import`: sends logs that lie in files to a running server, as an exporter would."""

from __future__ import annotations

import argparse
import gzip
import http.client
import io
import json
import os
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vagus.cli.asker import DEFAULT_URL
from vagus.cli.plain import plain
from vagus.errors import BadInput, Unavailable

#: What can be imported, and the path of the server that takes its lines.
KINDS = {"bedrock": "/aws/bedrock"}
_ENDINGS = (".json", ".jsonl", ".ndjson", ".gz", ".log")
_BATCH_BYTES = 4 * 1024 * 1024
_BATCH_LINES = 1_000
_MOST_LINE_BYTES = 32 * 1024 * 1024
_TIMEOUT_S = 120
_TRIES = 8
_MOST_WAIT_S = 60
_MOST_COMPLAINTS = 100
_BUSY = (429, 502, 503, 504)


@dataclass(slots=True)
class Tally:
    """What came of an import."""

    taken: int = 0
    refused: int = 0
    complaints: list[str] = field(default_factory=list)

    def complain(self, path: Path, line: int, why: str) -> None:
        """Count a line that cannot be used, and say why."""
        self.refused += 1
        if len(self.complaints) < _MOST_COMPLAINTS:
            self.complaints.append(f"{path}:{line}: {plain(why)}")


class Memory:
    """Which lines of which files were sent, kept in a file so that a second run goes on there."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._sent: dict[str, Any] = {}
        if path is not None and path.exists():
            try:
                found = json.loads(path.read_text())
            except (OSError, ValueError) as e:
                raise BadInput(f"{path} is no record of an import: {e}") from e
            self._sent = found if isinstance(found, dict) else {}

    def sent_lines(self, file: Path) -> int:
        """How many lines of a file, as it is now, were sent before."""
        known = self._sent.get(str(file.resolve()))
        if not isinstance(known, list) or len(known) != 3 or known[:2] != _identity(file):
            return 0
        return int(known[2])

    def keep(self, file: Path, lines: int) -> None:
        """Remember that the first lines of a file were sent."""
        self._sent[str(file.resolve())] = [*_identity(file), lines]
        if self._path is not None:
            beside = self._path.with_name(self._path.name + ".new")
            beside.write_text(json.dumps(self._sent))
            beside.replace(self._path)


def _identity(file: Path) -> list[int]:
    found = file.stat()
    return [found.st_size, found.st_mtime_ns]


def add_parser(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "import",
        help="send logs that lie in files to a server",
        description=(
            "Send the lines of log files to a running server. The ingest key comes from "
            "VAGUS_API_KEY. Sending a record again changes nothing."
        ),
    )
    parser.add_argument("kind", choices=sorted(KINDS), help="what the files hold")
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="files or directories")
    parser.add_argument(
        "--url",
        default=os.environ.get("VAGUS_URL", "") or DEFAULT_URL,
        help=f"address of the server [VAGUS_URL; default: {DEFAULT_URL}]",
    )
    parser.add_argument(
        "--resume", type=Path, metavar="PATH", help="remember in this file what was sent"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Send every file; the status is 1 when a line could not be used."""
    parts = urllib.parse.urlsplit(arguments.url)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise BadInput(f"{arguments.url!r} is not the address of a server, such as {DEFAULT_URL}")
    files = list(find_files(arguments.files))
    memory, tally = Memory(arguments.resume), Tally()
    address = arguments.url.rstrip("/") + KINDS[arguments.kind]
    for file in files:
        send_file(file, lambda body: post(address, body), memory, tally)
    for complaint in tally.complaints:
        print(complaint, file=sys.stderr)
    if tally.refused > len(tally.complaints):
        print(f"… and {tally.refused - len(tally.complaints)} more", file=sys.stderr)
    print(f"{tally.taken} records of {len(files)} files were taken, {tally.refused} refused.")
    return 1 if tally.refused else 0


def find_files(paths: list[Path]) -> Iterator[Path]:
    """The files to read; of a directory those that end like logs, in the order of their names.

    Bedrock puts bodies that are too large for a record into folders named `data`.
    """
    for path in paths:
        if path.is_dir():
            found = (p for p in path.rglob("*") if p.name.endswith(_ENDINGS) and p.is_file())
            yield from sorted(p for p in found if "data" not in p.relative_to(path).parts[:-1])
        elif path.is_file():
            yield path
        else:
            raise BadInput(f"{path} is no file")


def send_file(
    file: Path, send: Callable[[bytes], dict[str, Any]], memory: Memory, tally: Tally
) -> None:
    """Send the lines of one file in batches, from where an earlier run stopped."""
    before = memory.sent_lines(file)
    try:
        for numbers, body in _batches(file, before, tally):
            if body:
                _count(send(body), file, numbers, tally)
            memory.keep(file, numbers[-1])
            if sys.stderr.isatty():
                print(f"\r{file.name}: line {numbers[-1]}", end="", file=sys.stderr, flush=True)
    except (OSError, EOFError, zlib.error) as e:
        tally.complain(file, 0, f"the file cannot be read to its end: {e}")
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr)


def _count(answer: dict[str, Any], file: Path, numbers: list[int], tally: Tally) -> None:
    tally.taken += int(answer.get("accepted", 0))
    told = answer.get("refused", [])
    for item in told:
        place = min(max(int(item["line"]), 1), len(numbers))
        tally.complain(file, numbers[place - 1], str(item["message"]))
    tally.refused += int(answer.get("rejected", 0)) - len(told)


def _batches(file: Path, before: int, tally: Tally) -> Iterator[tuple[list[int], bytes]]:
    """The lines after `before` in batches, with the numbers of the lines."""
    numbers: list[int] = []
    lines: list[bytes] = []
    size = 0
    with _opened(file) as source:
        for number, line in _lines(source):
            if number <= before:
                continue
            if len(line) > _MOST_LINE_BYTES:
                tally.complain(file, number, f"the line has more than {_MOST_LINE_BYTES} bytes")
                continue
            numbers.append(number)
            lines.append(line.rstrip(b"\r\n"))
            size += len(line)
            if size >= _BATCH_BYTES or len(lines) >= _BATCH_LINES:
                yield numbers, b"\n".join(lines)
                numbers, lines, size = [], [], 0
    if numbers:
        yield numbers, b"\n".join(lines)


def _opened(file: Path) -> gzip.GzipFile | io.BufferedReader:
    with file.open("rb") as source:
        is_gzip = source.read(2) == b"\x1f\x8b"
    return gzip.GzipFile(file) if is_gzip else file.open("rb")


def _lines(source: gzip.GzipFile | io.BufferedReader) -> Iterator[tuple[int, bytes]]:
    """Each line with its number, of a line that is too long only enough to see that it is."""
    number = 0
    while line := source.readline(_MOST_LINE_BYTES + 1):
        number += 1
        yield number, line
        while len(line) > _MOST_LINE_BYTES and not line.endswith(b"\n"):
            line = source.readline(_MOST_LINE_BYTES + 1)


def post(address: str, body: bytes, sleep: Callable[[float], None] = time.sleep) -> dict[str, Any]:
    """The server's answer to one batch; waits and tries again while the server is busy."""
    request = urllib.request.Request(  # noqa: S310 - only http and https get this far
        address,
        data=gzip.compress(body, 5),
        headers={
            "Content-Type": "application/x-ndjson",
            "Content-Encoding": "gzip",
            "User-Agent": "vagus-cli",
        },
    )
    if key := os.environ.get("VAGUS_API_KEY", ""):
        request.add_header("Authorization", f"Bearer {key}")
    for attempt in range(_TRIES):
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:  # noqa: S310
                return _object(answer.read())
        except urllib.error.HTTPError as e:
            said = _object(e.read())
            if "rejected" in said:
                return said
            if e.code not in _BUSY or attempt == _TRIES - 1:
                raise BadInput(f"the server answered {e.code}: {_words(said)}") from e
            wait_s = e.headers.get("Retry-After", "")
            sleep(min(_MOST_WAIT_S, float(wait_s) if wait_s.isdigit() else 2.0**attempt))
        except (urllib.error.URLError, OSError, http.client.HTTPException) as e:
            if attempt == _TRIES - 1 or isinstance(getattr(e, "reason", e), ConnectionRefusedError):
                raise Unavailable(f"no server answers at {address}: {e}") from e
            sleep(min(_MOST_WAIT_S, 2.0**attempt))
    raise Unavailable(f"{address} was busy {_TRIES} times")


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _words(said: dict[str, Any]) -> str:
    told = said.get("message")
    return plain(told) if isinstance(told, str) else "nothing that can be read"
