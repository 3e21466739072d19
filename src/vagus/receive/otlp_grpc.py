"""OTLP over gRPC: the three export services, on raw bytes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import grpc
import grpc.aio

from vagus.errors import ConfigError, VagusError
from vagus.receive import metrics
from vagus.receive.receiver import PROTOBUF_TYPES, Receiver, count_refusal
from vagus.receive.reply import status, success

_SERVICES = {
    "traces": "opentelemetry.proto.collector.trace.v1.TraceService",
    "logs": "opentelemetry.proto.collector.logs.v1.LogsService",
    "metrics": "opentelemetry.proto.collector.metrics.v1.MetricsService",
}
_CODES = {code.value[0]: code for code in grpc.StatusCode}
_STATUS_KEY = "grpc-status-details-bin"


async def start_grpc(receiver: Receiver, host: str, port: int) -> tuple[grpc.aio.Server, int]:
    """A started server and the port it listens on; port 0 picks a free one."""
    # gRPC itself inflates gzip and deflate and holds the limit while doing so.
    server = grpc.aio.server(
        options=[
            ("grpc.max_receive_message_length", receiver.max_body_bytes),
            ("grpc.so_reuseport", 0),
        ]
    )
    server.add_generic_rpc_handlers(
        tuple(_handler(receiver, signal, service) for signal, service in _SERVICES.items())
    )
    try:
        bound = server.add_insecure_port(f"[{host}]:{port}" if ":" in host else f"{host}:{port}")
    except RuntimeError as e:
        raise ConfigError(
            f"cannot listen for OTLP/gRPC on {host}:{port}: another program has the port; "
            "choose another with server.grpc_port"
        ) from e
    await server.start()
    return server, bound


def _handler(receiver: Receiver, signal: str, service: str) -> grpc.GenericRpcHandler:
    method = grpc.unary_unary_rpc_method_handler(_export(receiver, signal))
    return grpc.method_handlers_generic_handler(service, {"Export": method})


def _export(receiver: Receiver, signal: str) -> Callable[[bytes, Any], Awaitable[bytes]]:
    async def export(body: bytes, context: Any) -> bytes:
        headers = _headers(context.invocation_metadata())
        try:
            with receiver.budget.lease() as lease:
                lease.grow(len(body))
                accepted = await receiver.receive(signal, "", PROTOBUF_TYPES[0], headers, body)
        except VagusError as e:
            count_refusal(e)
            metrics.REQUESTS.labels(signal, str(e.status)).inc()
            answer = status(e)
            await context.abort(
                _CODES[answer.code],
                str(e),
                ((_STATUS_KEY, answer.SerializeToString()),),
            )
        metrics.REQUESTS.labels(signal, "200").inc()
        return success(signal, accepted, as_json=False)

    return export


def _headers(metadata: Any) -> dict[str, str]:
    return {key.lower(): value for key, value in metadata or () if isinstance(value, str)}
