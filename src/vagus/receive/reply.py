"""OTLP answers: responses, and errors as google.rpc.Status, as protobuf or JSON."""

from __future__ import annotations

import json
from typing import Any

from google.rpc import error_details_pb2, status_pb2
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceResponse,
)
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceResponse,
)

from vagus.errors import BadInput, Forbidden, Unauthorized, Unavailable, VagusError
from vagus.receive.receiver import Accepted

# Numbers of google.rpc.Code.
INVALID_ARGUMENT, PERMISSION_DENIED, INTERNAL, UNAVAILABLE, UNAUTHENTICATED = (
    3,
    7,
    13,
    14,
    16,
)

_RESPONSES: dict[str, tuple[Any, str, str]] = {
    "traces": (ExportTraceServiceResponse, "rejected_spans", "rejectedSpans"),
    "logs": (ExportLogsServiceResponse, "rejected_log_records", "rejectedLogRecords"),
    "metrics": (
        ExportMetricsServiceResponse,
        "rejected_data_points",
        "rejectedDataPoints",
    ),
}


def success(signal: str, accepted: Accepted, *, as_json: bool) -> bytes:
    """The body of an Export...ServiceResponse; `partial_success` is set only when it says more."""
    kind, name, json_name = _RESPONSES[signal]
    if not accepted.rejected:
        return b"{}" if as_json else b""
    if as_json:
        partial = {json_name: str(accepted.rejected), "errorMessage": accepted.message}
        return json.dumps({"partialSuccess": partial}).encode()
    response = kind()
    setattr(response.partial_success, name, accepted.rejected)
    response.partial_success.error_message = accepted.message
    encoded: bytes = response.SerializeToString()
    return encoded


def status_code(error: VagusError) -> int:
    """The google.rpc.Code of an error.

    A body over the limit is INVALID_ARGUMENT: exporters retry RESOURCE_EXHAUSTED, and sending the
    same body again can't help. A full backlog is UNAVAILABLE with RetryInfo, as OTLP asks.
    """
    if isinstance(error, Unauthorized):
        return UNAUTHENTICATED
    if isinstance(error, Forbidden):
        return PERMISSION_DENIED
    if isinstance(error, BadInput):
        return INVALID_ARGUMENT
    return UNAVAILABLE if isinstance(error, Unavailable) else INTERNAL


def status(error: VagusError) -> status_pb2.Status:
    """The error as google.rpc.Status, with RetryInfo where trying again makes sense."""
    answer = status_pb2.Status(code=status_code(error), message=str(error))
    if isinstance(error, Unavailable):
        retry = error_details_pb2.RetryInfo()
        retry.retry_delay.seconds = error.retry_after_s
        answer.details.add().Pack(retry)
    return answer


def failure(error: VagusError, *, as_json: bool) -> bytes:
    """The body of an error answer over HTTP."""
    if as_json:
        return json.dumps({"code": status_code(error), "message": str(error)}).encode()
    encoded: bytes = status(error).SerializeToString()
    return encoded
