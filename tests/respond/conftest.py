"""A store, a hand-moved clock, and real HTTP servers to notify."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from vagus.store.meta.db import Meta
from vagus.store.meta.migrate import upgrade
from vagus.store.meta.tables import projects

# (status, headers) to answer with; a callable may wait first.
Answer = tuple[int, dict[str, str]]


class Receiver:
    """A webhook receiver: keeps what it was sent and answers as the test says."""

    def __init__(self, certificate: Path | None = None) -> None:
        self.requests: list[dict[str, Any]] = []
        self.answer: Callable[[], Answer] = lambda: (200, {})
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                status, extra = receiver.answer()
                receiver.requests.append(
                    {"path": self.path, "headers": headers, "body": body, "status": status}
                )
                self.send_response(status)
                for name, value in extra.items():
                    self.send_header(name, value)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_words: object) -> None:
                """Says nothing: the test looks at `requests`."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        if certificate is not None:
            tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            tls.load_cert_chain(certificate)
            # The handshake belongs into the connection's own thread, not into the accept loop.
            self._server.socket = tls.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/hook"

    def accepted(self) -> list[dict[str, Any]]:
        """The requests that were answered with success."""
        return [request for request in self.requests if 200 <= request["status"] < 300]

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def make_receiver() -> Iterator[Callable[..., Receiver]]:
    """Makes receivers that end with the test."""
    made: list[Receiver] = []

    def make(certificate: Path | None = None) -> Receiver:
        made.append(Receiver(certificate))
        return made[-1]

    yield make
    for receiver in made:
        receiver.close()


class Clock:
    """A clock that tests move by hand."""

    def __init__(self) -> None:
        self.ms = 1_700_000_000_000

    def __call__(self) -> int:
        return self.ms


@pytest.fixture
def clock() -> Clock:
    """The time, moved by hand."""
    return Clock()


@pytest.fixture
def meta(tmp_path: Path) -> Iterator[Meta]:
    """An SQLite store with the newest tables and the project `p`."""
    meta = Meta.at(tmp_path / "meta.db")
    upgrade(meta)
    with meta.begin() as connection:
        connection.execute(insert(projects).values(id="p", name="P", created_ms=1))
    yield meta
    meta.close()
