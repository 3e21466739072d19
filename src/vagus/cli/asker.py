"""How a command asks Vagus: a running server over HTTP, or a data directory that nobody uses."""

from __future__ import annotations

import argparse
import json
import os
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from vagus.errors import BadInput, Unavailable

DEFAULT_URL = "http://127.0.0.1:4318"
DEFAULT_PROJECT = "default"
_TIMEOUT_S = 60


@dataclass(frozen=True, slots=True)
class Table:
    """An answer: the columns with their engine types, and the rows."""

    columns: list[tuple[str, str]]
    rows: list[list[Any]]
    is_truncated: bool

    def dicts(self) -> list[dict[str, Any]]:
        """The rows by column name."""
        names = [name for name, _ in self.columns]
        return [dict(zip(names, row, strict=True)) for row in self.rows]


class Asker(Protocol):
    """Somebody who answers SQL."""

    def sql(self, query: str) -> Table:
        """The answer to one SELECT; raises `VagusError`."""

    def instrumentation(self, hours: int) -> Any:
        """What the telemetry of the last hours says, service by service, as the API gives it."""


class Remote:
    """A running server; the key comes from `VAGUS_API_KEY` unless it is given."""

    def __init__(self, url: str, key: str, project: str) -> None:
        parts = urllib.parse.urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise BadInput(f"{url!r} is not the address of a server, such as {DEFAULT_URL}")
        self.url = url.rstrip("/")
        self._key = key
        self._project = project

    def get(self, path: str) -> Any:
        """The JSON at a path."""
        return self._call(path, None)

    def post(self, path: str, body: Any) -> Any:
        """The JSON that a path answers to a body."""
        return self._call(path, body)

    def text(self, path: str) -> str:
        """The text at a path."""
        return self._read(path, None).decode()

    def sql(self, query: str) -> Table:
        """The answer to one SELECT."""
        found = self._call("/api/v1/sql", {"query": query})
        columns = [(column["name"], column["type"]) for column in found["columns"]]
        return Table(columns, found["rows"], found["truncated"])

    def instrumentation(self, hours: int) -> Any:
        """What the telemetry of the last hours says, service by service."""
        return self._call("/api/v1/instrumentation", None, **{"from": f"-{hours}h"})

    def _call(self, path: str, body: Any, **params: str) -> Any:
        try:
            return json.loads(self._read(path, body, **params))
        except ValueError as e:
            raise Unavailable(f"what answers at {self.url} is not Vagus") from e

    def _read(self, path: str, body: Any, **params: str) -> bytes:
        if self._project:
            params["project"] = self._project
        query = f"?{urllib.parse.urlencode(params)}" if params else ""
        request = urllib.request.Request(  # noqa: S310 - only http and https get this far
            self.url + path + query,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json", "User-Agent": "vagus-cli"},
        )
        if self._key:
            request.add_header("Authorization", f"Bearer {self._key}")
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:  # noqa: S310
                content: bytes = answer.read()
                return content
        except urllib.error.HTTPError as e:
            raise _refusal(e) from e
        except (urllib.error.URLError, OSError) as e:
            reason = getattr(e, "reason", e)
            raise Unavailable(f"no server answers at {self.url}: {reason}") from e


class Local:
    """The store of a data directory, opened by this process."""

    def __init__(self, data: Path, project: str) -> None:
        from vagus.store.chdb import ChdbEngine
        from vagus.store.lock import DirectoryLock
        from vagus.store.migrate import migrate

        if not (data / "engine").is_dir():
            raise BadInput(f"{data} is not a data directory of Vagus")
        self._lock = DirectoryLock(data)
        self._engine = ChdbEngine(data / "engine", connections=1)
        migrate(self._engine)
        self._project = project or DEFAULT_PROJECT

    def sql(self, query: str) -> Table:
        """The answer to one SELECT."""
        from vagus.present.adhoc import run_sql

        answer = run_sql(self._engine, self._project, query)
        return Table(answer.columns, answer.rows, answer.is_truncated)

    def instrumentation(self, hours: int) -> Any:
        """What the telemetry of the last hours says, service by service."""
        from dataclasses import asdict

        from vagus.present.instrumentation import instrumentation

        now_s = int(time.time())
        report = instrumentation(self._engine, self._project, now_s - hours * 3600, now_s + 60)
        return asdict(report)

    def close(self) -> None:
        """Let the directory go."""
        self._engine.close()
        self._lock.close()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options that say whom to ask."""
    add = parser.add_argument
    add(
        "--url",
        default=os.environ.get("VAGUS_URL", ""),
        help=f"address of the server [VAGUS_URL; default: {DEFAULT_URL}]",
    )
    add("--data", type=Path, help="open this data directory itself, when no server uses it")
    add("--project", default="", help="the project; by default that of the key")


@contextmanager
def open_asker(arguments: argparse.Namespace) -> Iterator[Remote | Local]:
    """The one who answers: the data directory when it is given, the server otherwise."""
    if arguments.data is not None and not arguments.url:
        local = Local(arguments.data, arguments.project)
        try:
            yield local
        finally:
            local.close()
        return
    key = os.environ.get("VAGUS_API_KEY", "")
    yield Remote(arguments.url or DEFAULT_URL, key, arguments.project)


def _refusal(error: urllib.error.HTTPError) -> BadInput:
    try:
        body = json.load(error)
        if "problems" in body:
            return BadInput("; ".join(body["problems"]))
        told = body["error"]
    except (ValueError, KeyError, TypeError):
        return BadInput(f"the server answered {error.code}")
    advice = " (set VAGUS_API_KEY to an API key)" if error.code == 401 else ""
    limit = f" (limit: {told['limit']})" if told.get("limit") else ""
    return BadInput(f"{told['message']}{limit}{advice}")
