"""A real Prometheus and a real Alertmanager, on free ports, gone afterwards."""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

NEEDS_PROMETHEUS = pytest.mark.skipif(
    shutil.which("prometheus") is None, reason="prometheus is not installed"
)
NEEDS_PROMTOOL = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool is not installed"
)
NEEDS_ALERTMANAGER = pytest.mark.skipif(
    shutil.which("prometheus-alertmanager") is None, reason="Alertmanager is not installed"
)
PATIENCE_S = 30.0


@dataclass(frozen=True)
class Prometheus:
    """A running server."""

    url: str

    def get(self, path: str, **params: Any) -> Any:
        """The `data` of an answer of its API, also of a refusal."""
        query = urllib.parse.urlencode(params, doseq=True)
        try:
            with urllib.request.urlopen(f"{self.url}/api/v1/{path}?{query}", timeout=10) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as e:
            raise AssertionError(e.read().decode()) from e

    def query(self, expression: str, time_s: float | None = None) -> list[dict[str, Any]]:
        """The series that an expression gives at a moment."""
        params = {"query": expression} | ({} if time_s is None else {"time": time_s})
        found: list[dict[str, Any]] = self.get("query", **params)["result"]
        return found

    def value(self, expression: str, time_s: float | None = None) -> float | None:
        """The value of the only series of an expression; None when there is none."""
        found = self.query(expression, time_s)
        assert len(found) <= 1, found
        return float(found[0]["value"][1]) if found else None


def free_port() -> int:
    """A port that nobody listened on a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def prometheus(folder: Path, config: dict[str, Any] | None = None) -> Iterator[Prometheus]:
    """A Prometheus with remote-write and exemplars on; `config` is its file."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "prometheus.yml").write_text(json.dumps(config or {"scrape_configs": []}))
    port = free_port()
    command = [
        "prometheus",
        f"--config.file={folder}/prometheus.yml",
        f"--storage.tsdb.path={folder}/data",
        f"--web.listen-address=127.0.0.1:{port}",
        "--web.enable-remote-write-receiver",
        "--enable-feature=exemplar-storage",
        # An alert that fires before the Alertmanager is found is told again soon.
        "--rules.alert.resend-delay=1s",
    ]
    with _running(command, folder, f"http://127.0.0.1:{port}/-/ready"):
        yield Prometheus(f"http://127.0.0.1:{port}")


@contextlib.contextmanager
def alertmanager(folder: Path, config: dict[str, Any]) -> Iterator[str]:
    """An Alertmanager without cluster; gives its address."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "alertmanager.yml").write_text(json.dumps(config))
    port = free_port()
    command = [
        "prometheus-alertmanager",
        f"--config.file={folder}/alertmanager.yml",
        f"--storage.path={folder}/data",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
    ]
    with _running(command, folder, f"http://127.0.0.1:{port}/-/ready"):
        yield f"127.0.0.1:{port}"


@contextlib.contextmanager
def _running(command: list[str], folder: Path, ready: str) -> Iterator[None]:
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stderr=log, stdout=log)
        try:
            deadline_s = time.monotonic() + PATIENCE_S
            while not _answers(ready):
                assert process.poll() is None, (folder / "log").read_text()
                assert time.monotonic() < deadline_s, (folder / "log").read_text()
                time.sleep(0.05)
            yield
        finally:
            process.terminate()
            process.wait()


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2):
            return True
    except OSError:
        return False


class Sink(ThreadingHTTPServer):
    """Takes what is posted to it; `answers` are the statuses of the next answers, then 200."""

    def __init__(self, *answers: int) -> None:
        super().__init__(("127.0.0.1", 0), _Taker)
        self.answers = list(answers)
        self.bodies: list[bytes] = []
        self.heads: list[dict[str, str]] = []

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_port}"


class _Taker(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        sink = self.server
        assert isinstance(sink, Sink)
        body = self.rfile.read(int(self.headers["content-length"]))
        status = sink.answers.pop(0) if sink.answers else 200
        sink.heads.append({name.lower(): value for name, value in self.headers.items()})
        sink.bodies.append(body)
        self.send_response(status)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@contextlib.contextmanager
def listening(*answers: int) -> Iterator[Sink]:
    """A sink that is gone afterwards."""
    sink = Sink(*answers)
    thread = threading.Thread(target=sink.serve_forever, daemon=True)
    thread.start()
    try:
        yield sink
    finally:
        sink.shutdown()
        sink.server_close()
        thread.join()
