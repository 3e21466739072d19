"""OTLP over HTTP, on the standard paths and on those that rivals' SDKs append to their base URL."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from vagus.errors import VagusError
from vagus.receive import metrics
from vagus.receive.body import BODY_TIMEOUT_S, Gone, error_headers, read_body
from vagus.receive.receiver import (
    JSON_TYPE,
    PROTOBUF_TYPES,
    Receiver,
    count_refusal,
    is_json_type,
)
from vagus.receive.record import SIGNALS
from vagus.receive.reply import failure, success

# What stands before `/v1/<signal>`. Each rival's SDK keeps the path of the base URL it is given,
# so a prefix with the rival's name works as well as the bare server address.
BASE_PATHS = (
    "",
    "/otel",
    "/otlp",
    "/api/otel",
    "/api/v1/otlp",
    "/api/v1/otel",
    "/api/public/otel",
    "/langfuse/api/public/otel",
    "/agents/otel",
    "/weave/otel",
    "/weave/agents/otel",
    "/v1/private/otel",
    "/api/v1/private/otel",
    "/opik/api/v1/private/otel",
    "/langsmith/otel",
    "/langsmith/api/v1/otel",
    "/phoenix",
    "/mlflow",
    "/logfire",
    "/traceloop",
)
# Paths that some SDKs use for traces alone, in full.
TRACE_PATHS = ("/v1/trace/log-python",)


def routes(receiver: Receiver, *, body_timeout_s: float = BODY_TIMEOUT_S) -> list[Route]:
    """The POST routes of all three signals under every base path."""
    endpoints = {signal: OtlpEndpoint(receiver, signal, body_timeout_s) for signal in SIGNALS}
    paths = [
        (f"{base}/v1/{signal}", endpoints[signal]) for base in BASE_PATHS for signal in SIGNALS
    ]
    paths += [(path, endpoints["traces"]) for path in TRACE_PATHS]
    return [Route(path, endpoint, methods=["POST"]) for path, endpoint in paths]


class OtlpEndpoint:
    """One signal's endpoint, as a plain ASGI application."""

    def __init__(self, receiver: Receiver, signal: str, body_timeout_s: float) -> None:
        self._receiver = receiver
        self._signal = signal
        self._body_timeout_s = body_timeout_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        headers = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]
        }
        content_type = headers.get("content-type", "")
        as_json = not content_type.lower().startswith(PROTOBUF_TYPES)
        extra: list[tuple[bytes, bytes]] = []
        try:
            body = await self._handle(headers, content_type, receive)
            code = 200
        except Gone:
            metrics.REFUSED.labels("disconnected").inc()
            return
        except VagusError as e:
            count_refusal(e)
            body, code, extra = failure(e, as_json=as_json), e.status, error_headers(e)
        metrics.REQUESTS.labels(self._signal, str(code)).inc()
        await _answer(send, code, body, as_json, extra)

    async def _handle(
        self, headers: Mapping[str, str], content_type: str, receive: Receive
    ) -> bytes:
        project = self._receiver.project_of(headers)
        as_json = is_json_type(content_type)
        with self._receiver.budget.lease() as lease:
            body = await read_body(
                headers,
                receive,
                lease,
                limit=self._receiver.max_body_bytes,
                timeout_s=self._body_timeout_s,
            )
            encoding = headers.get("content-encoding", "")
            accepted = await self._receiver.accept(
                self._signal, project, encoding, content_type, body
            )
        return success(self._signal, accepted, as_json=as_json)


async def _answer(
    send: Send, code: int, body: bytes, as_json: bool, extra: list[tuple[bytes, bytes]]
) -> None:
    media_type = JSON_TYPE if as_json else PROTOBUF_TYPES[0]
    headers = [
        (b"content-type", media_type.encode()),
        (b"content-length", str(len(body)).encode()),
        *extra,
    ]
    await send({"type": "http.response.start", "status": code, "headers": headers})
    await send({"type": "http.response.body", "body": body})
