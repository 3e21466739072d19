"""Servers under measurement: ours and the rivals', each a process of its own."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ENVIRONMENTS = Path(__file__).parent / ".envs"


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Vagus:
    """A running `vagus serve` on an empty or given directory; without sign-in unless `auth`.

    `wrapper` stands before the command, for programs that hurt it (strace) or give it a world of
    its own (unshare); it is read at each start.
    """

    def __init__(
        self, data: Path, *flags: str, auth: bool = False, wrapper: tuple[str, ...] = ()
    ) -> None:
        self.data = data
        self._flags = flags if auth else (*flags, "--no-auth")
        self.wrapper = wrapper
        self.process: subprocess.Popen[bytes] | None = None
        self.facts: dict[str, str] = {}
        self.ready_s = 0.0

    @property
    def url(self) -> str:
        """Where it listens for HTTP."""
        return self.facts["url"]

    def start(self) -> None:
        """Start and wait until it says that it is ready."""
        ready = self.data.parent / f"{self.data.name}.ready"
        ready.unlink(missing_ok=True)
        started = time.perf_counter()
        self.begin(ready)
        assert self.process is not None
        while not ready.exists() or not ready.read_text():
            if self.process.poll() is not None:
                raise SystemExit(f"vagus serve ended with {self.process.returncode}")
            time.sleep(0.01)
        self.ready_s = time.perf_counter() - started
        self.facts = json.loads(ready.read_text())

    def begin(self, ready: Path) -> None:
        """Start without waiting; the addresses will be in the file `ready`."""
        self.process = subprocess.Popen(
            [
                *self.wrapper,
                sys.executable,
                "-m",
                "vagus.cli.main",
                "serve",
                "--data",
                str(self.data),
                "--port",
                "0",
                "--grpc-port",
                "0",
                "--ready-file",
                str(ready),
                *self._flags,
            ],
            stdout=subprocess.DEVNULL,
            # A group of its own, because a wrapper that is killed alone leaves the server behind.
            start_new_session=True,
        )

    def kill(self) -> None:
        """End it, and what stands before it, without a word."""
        assert self.process is not None
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        """End it politely."""
        assert self.process is not None
        os.kill(int(self.facts["pid"]), signal.SIGTERM)
        self.process.wait(60)

    def get(self, path: str) -> object:
        """The JSON answer to a GET."""
        with urllib.request.urlopen(self.url + path, timeout=120) as answer:
            return json.loads(answer.read())

    def post(self, path: str, body: object) -> object:
        """The JSON answer to a POST."""
        request = urllib.request.Request(
            self.url + path, json.dumps(body).encode(), {"content-type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=120) as answer:
            return json.loads(answer.read())

    def sql(self, query: str) -> list[list[object]]:
        """The rows of an ad-hoc query."""
        return self.post("/api/v1/sql", {"query": query})["rows"]  # type: ignore[index]

    def memory_mib(self) -> float:
        """Resident memory of the process."""
        assert self.process is not None
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
        return int(line.split()[1]) / 1024


@contextmanager
def vagus(*flags: str) -> Iterator[Vagus]:
    """A server on an empty directory that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="vagus-bench-") as folder:
        server = Vagus(Path(folder) / "data", *flags)
        server.start()
        try:
            yield server
        finally:
            if server.process is not None and server.process.poll() is None:
                server.stop()


@contextmanager
def rival(name: str, command: list[str], port: int, environ: dict[str, str]) -> Iterator[str]:
    """A rival's server from its own environment; gives its URL once it answers."""
    program = ENVIRONMENTS / name / "bin" / command[0]
    with tempfile.TemporaryDirectory(prefix=f"{name}-bench-") as folder:
        with (Path(folder) / "log").open("wb") as log:
            process = subprocess.Popen(
                [str(program), *command[1:]],
                cwd=folder,
                env={**os.environ, "HOME": folder, **environ},
                stdout=log,
                stderr=log,
            )
        try:
            _wait_for(port, process)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise SystemExit(f"the server ended with {process.returncode}")
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.2)
    raise SystemExit("the server did not come up in two minutes")
