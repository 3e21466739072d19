"""`vagus demo`: a server with a simulated application in it, and an incident to look at."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from vagus.audit.log import Audit
from vagus.cli.plain import plain
from vagus.demo.run import Report, run_demo
from vagus.errors import ConfigError, Unavailable
from vagus.store.meta.access.access import DEFAULT_PROJECT, Access
from vagus.store.meta.access.secret import Pepper
from vagus.store.meta.db import Meta
from vagus.store.meta.migrate import upgrade

_START_S = 60.0
_STOP_S = 30.0
_POLL_S = 0.2
_INCIDENT_POLL_S = 2.0
#: The traffic is small, so more of it is judged than by default; all of it would take too long.
_CHILD_SETTINGS = {"VAGUS_QUALITY_SAMPLE_RATE": "0.35", "VAGUS_QUALITY_MAX_PER_MINUTE": "60000"}


@dataclass(frozen=True, slots=True)
class Server:
    """The running child: where it is, how to sign in, and the keys of the demo."""

    process: subprocess.Popen[bytes]
    url: str
    sign_in_url: str
    ingest_key: str
    api_key: str


def main(argv: Sequence[str]) -> int:
    """Run the demo until Ctrl-C; the exit status."""
    arguments = build_parser().parse_args(argv)
    console = Console()
    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.default_int_handler)
    try:
        with _data_directory(arguments.data) as data:
            return _run(console, arguments, data)
    except KeyboardInterrupt:
        console.print("Stopped.")
        return 0


def build_parser() -> argparse.ArgumentParser:
    """The parser of the demo's own arguments."""
    parser = argparse.ArgumentParser(prog="vagus demo", description=__doc__)
    add = parser.add_argument
    add(
        "--data",
        type=Path,
        help="an empty directory to keep the data in (default: a temporary one)",
    )
    add("--port", type=int, default=4318, help="HTTP port; another one is taken if it is in use")
    add("--grpc-port", type=int, default=4317, help="OTLP/gRPC port, with the same rule")
    add("--history-hours", type=float, default=6.0, help="hours of history to send first")
    add("--rate", type=float, default=11.5, help="requests a minute")
    add("--onset-minutes", type=float, default=40.0, help="age of the regression in minutes")
    add("--seed", type=int, default=7, help="another number tells another story")
    add("--once", action="store_true", help="stop after the history")
    return parser


def _run(console: Console, arguments: argparse.Namespace, data: Path) -> int:
    with console.status("Starting Vagus …"):
        server = start_server(data, arguments.port, arguments.grpc_port)
    try:
        stop = threading.Event()
        with _history_progress(console) as progress:
            run_demo(
                server.url,
                server.ingest_key,
                api_key=server.api_key,
                history_hours=arguments.history_hours,
                per_minute=arguments.rate,
                onset_minutes=arguments.onset_minutes,
                seed=arguments.seed,
                progress=progress.advance_to,
                on_history=lambda report: _greet(console, progress, server, report, stop),
                stop=None if arguments.once else stop,
            )
    finally:
        stop_server(server.process)
    return 0


class _Bar:
    """The progress of the history in the terminal."""

    def __init__(self, bar: Progress) -> None:
        self._bar = bar
        self._task = bar.add_task("Sending history", total=None)

    def advance_to(self, done: int, total: int) -> None:
        """Show how many requests of how many are sent."""
        self._bar.update(self._task, completed=done, total=total)

    def stop(self) -> None:
        """Leave the bar as it is."""
        self._bar.stop()


@contextmanager
def _history_progress(console: Console) -> Iterator[_Bar]:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("requests"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as bar:
        yield _Bar(bar)


def _greet(
    console: Console, bar: _Bar, server: Server, report: Report, stop: threading.Event
) -> None:
    bar.stop()

    def say(text: str = "") -> None:
        console.print(text, highlight=False, markup=False, soft_wrap=True)

    say(
        f"{report.requests:,} requests ({report.spans:,} spans) of {len(report.teams)} teams, "
        f"{len(report.features)} features and {len(report.models)} models, "
        f"sent in {report.seconds:.1f} s."
    )
    for note in report.notes:
        say(f"Note: {note}")
    say(f"\n  Vagus    {server.url}\n  Sign in  {server.sign_in_url}  (works once)\n")
    say("Live traffic follows. Ctrl-C ends the demo.")
    watcher = threading.Thread(target=_tell_incident, args=(say, server, stop), daemon=True)
    watcher.start()


def _tell_incident(say: Callable[[str], None], server: Server, stop: threading.Event) -> None:
    """Say when the first incident is open and diagnosed."""
    while not stop.wait(_INCIDENT_POLL_S):
        incidents = _get(server, "/api/v1/incidents")
        found = [incident for incident in incidents or [] if incident.get("finding")]
        if found:
            first = found[-1]
            summary = first["finding"]["summary"]
            say(f"Incident #{first['number']} is open: {plain(first['title'])}")
            say(f"  {plain(summary)}\n  {server.url}/incidents/{first['id']}")
            return


def _get(server: Server, path: str) -> Any:
    request = urllib.request.Request(  # noqa: S310 - our own server
        server.url + path, headers={"authorization": f"Bearer {server.api_key}"}
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - the same
            return json.load(answer)
    except (OSError, ValueError):
        return None


def start_server(data: Path, port: int, grpc_port: int) -> Server:
    """Start `vagus serve` as a process of its own and wait until it is ready."""
    ingest_key, api_key = make_keys(data, time.time_ns() // 1_000_000)
    ready_file = data / "ready.json"
    command = [sys.executable, "-m", "vagus.cli.main", "serve"]
    command += ["--data", str(data), "--ready-file", str(ready_file)]
    command += ["--port", str(free_port(port)), "--grpc-port", str(free_port(grpc_port))]
    process = subprocess.Popen(  # noqa: S603 - ourselves
        command,
        env={**os.environ, **_CHILD_SETTINGS},
        stdout=subprocess.DEVNULL,
        # Ctrl-C is ours to handle: first the traffic ends, then the server.
        start_new_session=True,
    )
    try:
        facts = _wait_until_ready(process, ready_file)
    except BaseException:
        stop_server(process)
        raise
    return Server(process, facts["url"], facts["sign_in_url"], ingest_key, api_key)


def make_keys(data: Path, now_ms: int) -> tuple[str, str]:
    """An ingest key and an API key of the default project, made before the server opens it."""
    data.mkdir(parents=True, exist_ok=True)
    meta = Meta.at(data / "meta.sqlite")
    try:
        upgrade(meta)
        access = Access(
            meta, Audit(meta), Pepper.at(data / "pepper"), now_ms=lambda: now_ms, auth=True
        )
        access.start()
        made = [
            access.keys.create(DEFAULT_PROJECT, "Demo", kind, actor="system", now_ms=now_ms).text
            for kind in ("ingest", "api")
        ]
    finally:
        meta.close()
    return made[0], made[1]


def stop_server(process: subprocess.Popen[bytes]) -> None:
    """Ask the server to stop, and insist if it does not."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_ready(process: subprocess.Popen[bytes], ready_file: Path) -> dict[str, str]:
    deadline_s = time.monotonic() + _START_S
    while time.monotonic() < deadline_s:
        if process.poll() is not None:
            raise Unavailable(f"the server stopped with status {process.returncode} at start")
        try:
            facts: dict[str, str] = json.loads(ready_file.read_text())
        except (FileNotFoundError, json.JSONDecodeError):
            time.sleep(_POLL_S)
            continue
        ready_file.unlink()
        return facts
    raise Unavailable(f"the server was not ready within {_START_S:.0f} s")


def free_port(wanted: int) -> int:
    """The wanted port, or any free one when it is in use."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise Unavailable("no free port on 127.0.0.1")


@contextmanager
def _data_directory(wanted: Path | None) -> Iterator[Path]:
    if wanted is not None:
        if wanted.exists() and any(wanted.iterdir()):
            raise ConfigError(f"{wanted} is not empty; the demo needs a directory of its own")
        yield wanted
        return
    made = Path(tempfile.mkdtemp(prefix="vagus-demo-"))
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)
