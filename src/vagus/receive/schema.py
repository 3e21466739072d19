"""OTLP messages as the receiver reads them: everything as in OTLP, but nested values stay bytes.

The engine's schema reads an AnyValue one level deep: scalars, and arrays of scalars. What nests
deeper (a `kvlist_value`; an array or kvlist inside an array) it reads as raw bytes. The classes
here are built from OpenTelemetry's own descriptors with exactly these fields turned into `bytes`.
So one parse checks a request at any depth of nesting, and shows the very bytes that were sent.
"""

from __future__ import annotations

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.descriptor import FileDescriptor
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
from opentelemetry.proto.common.v1 import common_pb2

_COMMON = "opentelemetry.proto.common.v1"
_ELEMENT = "ElementValue"


def _common_file() -> descriptor_pb2.FileDescriptorProto:
    file = descriptor_pb2.FileDescriptorProto()
    common_pb2.DESCRIPTOR.CopyToProto(file)
    messages = {message.name: message for message in file.message_type}
    element = file.message_type.add()
    element.CopyFrom(messages["AnyValue"])
    element.name = _ELEMENT
    _read_as_bytes(messages["AnyValue"], "kvlist_value")
    _read_as_bytes(element, "kvlist_value", "array_value")
    messages["ArrayValue"].field[0].type_name = f".{_COMMON}.{_ELEMENT}"
    return file


def _read_as_bytes(message: descriptor_pb2.DescriptorProto, *names: str) -> None:
    for part in message.field:
        if part.name in names:
            part.type = descriptor_pb2.FieldDescriptorProto.TYPE_BYTES
            part.ClearField("type_name")


def _build_pool() -> descriptor_pool.DescriptorPool:
    pool = descriptor_pool.DescriptorPool()
    pool.Add(_common_file())
    added = {common_pb2.DESCRIPTOR.name}
    for service in (trace_service_pb2, logs_service_pb2, metrics_service_pb2):
        _add_file(pool, service.DESCRIPTOR, added)
    return pool


def _add_file(pool: descriptor_pool.DescriptorPool, file: FileDescriptor, added: set[str]) -> None:
    if file.name in added:
        return
    for needed in file.dependencies:
        _add_file(pool, needed, added)
    copy = descriptor_pb2.FileDescriptorProto()
    file.CopyToProto(copy)
    pool.Add(copy)
    added.add(file.name)


_POOL = _build_pool()


def _message_class(full_name: str) -> Any:
    return message_factory.GetMessageClass(_POOL.FindMessageTypeByName(full_name))


REQUESTS: dict[str, Any] = {
    "traces": _message_class("opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest"),
    "logs": _message_class("opentelemetry.proto.collector.logs.v1.ExportLogsServiceRequest"),
    "metrics": _message_class(
        "opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceRequest"
    ),
}
AnyValue = _message_class(f"{_COMMON}.AnyValue")
ArrayValue = _message_class(f"{_COMMON}.ArrayValue")
KeyValueList = _message_class(f"{_COMMON}.KeyValueList")
