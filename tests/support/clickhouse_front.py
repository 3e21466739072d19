"""The ClickHouse HTTP interface over the embedded engine: the real engine behind the real client.

It speaks the part of the interface that clickhouse-connect and Vagus use: a query in the URL or in
the body, `param_*` and settings in the URL, data in the body, errors with their code in a header.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from vagus.receive.inflate import inflate

_CLIENT_ONLY = frozenset(
    (
        "query",
        "database",
        "session_id",
        "session_check",
        "session_timeout",
        "client_protocol_version",
        "compress",
        "decompress",
        "query_id",
        "enable_http_compression",
        "role",
        "default_format",
        "user",
        "password",
        "send_progress_in_http_headers",
        "wait_end_of_query",
        "http_headers_progress_interval_ms",
        "buffer_size",
        "quota_key",
    )
)
_FORMAT = re.compile(r"\s+FORMAT\s+(\w+)\s*$", re.IGNORECASE)
_INPUT = re.compile(r"input\('((?:[^'\\]|\\.)*)'\)")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, format: str, *args: object) -> None:
        """Keep the test output clean."""

    def handle_one_request(self) -> None:
        """Like the base class, but with the server's own limit for what stands in the URL."""
        self.raw_requestline = self.rfile.readline(1 << 20)
        self.close_connection = not self.raw_requestline
        if self.raw_requestline and self.parse_request():
            getattr(self, f"do_{self.command}")()
            self.wfile.flush()

    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            body = b"".join(self._chunks())
        self._answer(inflate(body, self.headers.get("Content-Encoding", ""), 2**30))

    def _chunks(self) -> Iterator[bytes]:
        while size := int(self.rfile.readline().split(b";")[0], 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()

    def _answer(self, body: bytes) -> None:
        url = dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))
        if urlsplit(self.path).path == "/ping":
            return self._reply(200, b"Ok.\n", {})
        sql = url.get("query", "")
        if not sql:
            sql, body = body.decode(), b""
        params = {k[6:]: v for k, v in url.items() if k.startswith("param_")}
        settings = {
            k: v for k, v in url.items() if k not in _CLIENT_ONLY and not k.startswith("param_")
        }
        try:
            answer, form = self.server.run(sql, body, params, settings)
        except RuntimeError as e:
            code = re.search(r"Code: (\d+)", str(e))
            headers = {"X-ClickHouse-Exception-Code": code[1] if code else "1000"}
            return self._reply(500, str(e).encode(), headers)
        return self._reply(200, answer, {"X-ClickHouse-Format": form, "X-ClickHouse-Summary": "{}"})

    def _reply(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, connection: Any, directory: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self._connection = connection
        self._directory = directory
        self._lock = threading.Lock()

    def run(
        self, sql: str, body: bytes, params: dict[str, str], settings: dict[str, str]
    ) -> tuple[bytes, str]:
        sql = sql.strip().rstrip(";")
        asked = _FORMAT.search(sql)
        form = asked[1] if asked else "TabSeparated"
        if body:
            sql = self._with_data(sql, body, form)
        elif asked:
            sql = sql[: asked.start()]
        if settings.pop("format_schema_source", "") == "string":
            # The embedded engine would keep the schema in the folder that the tests run in.
            schema = self._directory / "schema.proto"
            schema.write_text(settings.pop("format_schema"))
            message = settings.pop("format_schema_message_name")
            settings["format_schema"] = f"{schema}:{message}"
        if settings and not sql.lstrip().upper().startswith(("CREATE", "ALTER", "DROP", "SYSTEM")):
            pairs = ", ".join(f"{k} = '{_quoted(v)}'" for k, v in settings.items())
            head, data, tail = sql.partition(" FORMAT JSONEachRow\n")
            sql = f"{head} SETTINGS {pairs}{data}{tail}"
        with self._lock:
            answer = self._connection.query(sql, form if not body else "CSV", params=params)
        return (answer.bytes() if answer is not None else b""), form

    def _with_data(self, sql: str, body: bytes, form: str) -> str:
        if form == "JSONEachRow":
            return _FORMAT.sub("", sql) + " FORMAT JSONEachRow\n" + body.decode()
        path = self._directory / f"body-{threading.get_ident()}.bin"
        path.write_bytes(body)
        return _INPUT.sub(
            lambda found: f"file('{path}', '{form}', '{found[1]}')", _FORMAT.sub("", sql)
        )


def _quoted(value: str) -> str:
    return value.replace("\\", "\\\\").replace("'", "\\'")


@contextmanager
def serve(connection: Any, directory: Path) -> Iterator[str]:
    """A front on a free port; gives the URL that the remote engine takes."""
    server = _Server(connection, directory)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"clickhouse://default:@127.0.0.1:{server.server_port}/default"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
