"""A real OTLP/HTTP receiver in the test's process: decodes protobuf, remembers, may misbehave."""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue


def plain(value: AnyValue) -> Any:
    """An OTLP value as a Python value."""
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [plain(item) for item in value.array_value.values]
    return getattr(value, kind) if kind else None


class Span:
    """A received span with plain attributes."""

    def __init__(self, span: Any, resource: dict[str, Any]) -> None:
        self.name = span.name
        self.trace_id = span.trace_id.hex()
        self.span_id = span.span_id.hex()
        self.parent_id = span.parent_span_id.hex()
        self.attributes = {item.key: plain(item.value) for item in span.attributes}
        self.resource = resource
        self.is_error = span.status.code == 2
        self.message = span.status.message
        self.events = [event.name for event in span.events]
        self.duration_s = (span.end_time_unix_nano - span.start_time_unix_nano) / 1e9


class Receiver:
    """Listens on a free port; `status` and `delay_s` say how it answers."""

    def __init__(self, status: int = 200, delay_s: float = 0.0) -> None:
        self.status = status
        self.delay_s = delay_s
        self.spans: list[Span] = []
        self.scores: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.requests = 0
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                owner.requests += 1
                owner.headers.append({key.lower(): item for key, item in self.headers.items()})
                time.sleep(owner.delay_s)
                if owner.status == 200:
                    owner.take(self.path, body)
                self.send_response(owner.status)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )
        self._thread.start()

    def take(self, path: str, body: bytes) -> None:
        if path == "/api/v1/scores":
            self.scores += json.loads(body)
            return
        assert path == "/v1/traces", path
        for group in ExportTraceServiceRequest.FromString(body).resource_spans:
            resource = {item.key: plain(item.value) for item in group.resource.attributes}
            for scope in group.scope_spans:
                self.spans += [Span(span, resource) for span in scope.spans]

    def named(self, name: str) -> Span:
        """The one span of this name."""
        (found,) = [span for span in self.spans if span.name == name]
        return found

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
