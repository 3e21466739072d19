"""A `vagus serve` process with sign-in, and projects with keys of their own in it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx
from bench.servers import Vagus

from vagus.audit.log import Audit
from vagus.store.meta.access.access import Access
from vagus.store.meta.access.projects import ensure_project
from vagus.store.meta.access.secret import Pepper
from vagus.store.meta.db import Meta

#: The tests share a machine with others, so nothing is late before this.
PATIENCE_S = 30.0
T = TypeVar("T")


@dataclass
class Tenant:
    """One project of a running server: its keys, and a client that asks with its API key."""

    project: str
    ingest_key: str
    api_key: str
    api: httpx.Client

    def sql(self, query: str) -> list[list[Any]]:
        """The rows of an ad-hoc query."""
        answer = self.api.post("/api/v1/sql", json={"query": query})
        assert answer.status_code == 200, answer.text
        return list(answer.json()["rows"])

    def trace(self, trace_id: str) -> dict[str, Any] | None:
        """The trace, or None while it is not there."""
        answer = self.api.get(f"/api/v1/traces/{trace_id}")
        if answer.status_code == 404:
            return None
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def settled(self, trace_id: str) -> dict[str, Any] | None:
        """The trace once it has settled."""
        found = self.trace(trace_id)
        return found if found and found["trace"]["is_settled"] else None

    def send(self, body: Any, *, signal: str = "traces", key: str = "") -> httpx.Response:
        """Post an OTLP request: bytes as protobuf, anything else as JSON."""
        headers = {"authorization": f"Bearer {key or self.ingest_key}"}
        if isinstance(body, bytes):
            headers["content-type"] = "application/x-protobuf"
            return self.api.post(f"/v1/{signal}", content=body, headers=headers)
        return self.api.post(f"/v1/{signal}", json=body, headers=headers)


class Serving:
    """A server on free ports; `tenant` makes a project in it."""

    def __init__(self, data: Path, *flags: str) -> None:
        self.process = Vagus(data, "--settle-quiet-ms", "300", *flags, auth=True)
        self._clients: list[httpx.Client] = []

    def start(self) -> None:
        """Start, and wait until it is ready."""
        self.process.start()

    def stop(self) -> None:
        """End it politely, and close what the tests opened."""
        for client in self._clients:
            client.close()
        self._clients.clear()
        self.process.stop()

    @property
    def url(self) -> str:
        """Where it listens for HTTP."""
        return self.process.url

    @property
    def grpc(self) -> str:
        """Where it listens for OTLP/gRPC."""
        return self.process.facts["grpc"]

    @property
    def sign_in_url(self) -> str:
        """The one-time link of this start."""
        return self.process.facts["sign_in_url"]

    def client(self, key: str = "") -> httpx.Client:
        """A client of this server, with a key or with nothing."""
        headers = {"authorization": f"Bearer {key}"} if key else {}
        client = httpx.Client(base_url=self.url, headers=headers, timeout=60)
        self._clients.append(client)
        return client

    def tenant(self, project: str) -> Tenant:
        """A project with an ingest key and an API key."""
        data, now_ms = self.process.data, time.time_ns() // 1_000_000
        meta = Meta.at(data / "meta.sqlite")
        try:
            access = Access(meta, Audit(meta), Pepper.at(data / "pepper"), now_ms=lambda: now_ms)
            with meta.begin() as connection:
                ensure_project(connection, project, project, now_ms)
            ingest_key, api_key = (
                access.keys.create(project, "Test", kind, actor="test", now_ms=now_ms).text
                for kind in ("ingest", "api")
            )
        finally:
            meta.close()
        return Tenant(project, ingest_key, api_key, self.client(api_key))


@contextlib.contextmanager
def serving(data: Path, *flags: str) -> Iterator[Serving]:
    """A running server that is gone afterwards."""
    server = Serving(data, *flags)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def wait_for(ask: Callable[[], T | None], *, within_s: float = PATIENCE_S) -> T:
    """The first answer that is something; fails when none came in time."""
    deadline_s = time.monotonic() + within_s
    while time.monotonic() < deadline_s:
        found = ask()
        if found is not None:
            return found
        time.sleep(0.05)
    raise AssertionError(f"nothing came within {within_s:g} s")
