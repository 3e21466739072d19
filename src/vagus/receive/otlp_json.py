"""OTLP/JSON to OTLP protobuf, by the rules of the OTLP specification.

Ids are hex, other bytes are base64, 64-bit integers are strings or numbers, enums are numbers or
names, field names are camelCase (snake_case is understood too), unknown fields are ignored. The
result goes the same way as a protobuf body, so everything behind this file sees one format.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2

from vagus.errors import BadInput
from vagus.receive.record import encode_varint

MOST_LEVELS = 128

_ID_BYTES = {"trace_id": 16, "span_id": 8, "parent_span_id": 8}
_SPECIAL_DOUBLES = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
_MOST_PATH = 300
_VARINT, _LENGTH = 0, 2


class _Fault(Exception):
    """A value that does not fit its field; the path is put together on the way out."""

    def __init__(self, why: str, path: str = "") -> None:
        super().__init__(why)
        self.why = why
        self.path = path

    def under(self, name: str) -> _Fault:
        """The same fault, seen from one level further out."""
        dot = "." if self.path and not self.path.startswith("[") else ""
        return _Fault(self.why, f"{name}{dot}{self.path}")


@dataclass(frozen=True, slots=True)
class _Field:
    """How one field is written."""

    tag: bytes
    is_repeated: bool
    is_packed: bool
    is_kept_when_zero: bool
    message: dict[str, _Field] | None
    encode: Callable[[Any], bytes]


def json_to_protobuf(signal: str, body: bytes) -> bytes:
    """The same request as protobuf; raises `BadInput` that names the place of the fault."""
    tree = _parse(body)
    try:
        return _encode_message(tree, _REQUESTS[signal], 0)
    except _Fault as e:
        where = e.path or "the body"
        if len(where) > _MOST_PATH:
            where = f"{where[: _MOST_PATH // 2]} ... {where[-_MOST_PATH // 2 :]}"
        raise BadInput(f"the JSON body is not OTLP: {where} {e.why}", field=e.path or None) from e


def _parse(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except RecursionError as e:
        raise BadInput("the JSON body nests too deeply", limit=f"{MOST_LEVELS} levels") from e
    except (msgspec.DecodeError, UnicodeDecodeError):
        pass
    # Strings that a JavaScript program cut in the middle of an emoji hold half a surrogate pair:
    # the lenient parser takes them. It also says the line and column of a real fault.
    try:
        return json.loads(body)
    except json.JSONDecodeError as e:
        raise BadInput(f"the body is not JSON: {e.msg} at line {e.lineno}, column {e.colno}") from e
    except UnicodeDecodeError as e:
        raise BadInput(f"the JSON body is not valid UTF-8 at byte {e.start}") from e
    except RecursionError as e:
        raise BadInput("the JSON body nests too deeply", limit=f"{MOST_LEVELS} levels") from e
    except ValueError as e:
        raise BadInput(f"the body is not JSON: {e}") from e


def _encode_message(tree: Any, fields: dict[str, _Field], level: int) -> bytes:
    if not isinstance(tree, dict):
        raise _Fault(f"must be an object, not {_shown(tree)}")
    if level > MOST_LEVELS:
        raise _Fault(f"nests deeper than {MOST_LEVELS} levels")
    out: list[bytes] = []
    for name, value in tree.items():
        field = fields.get(name)
        if field is None or value is None:
            continue
        try:
            _encode_field(out, field, value, level)
        except _Fault as e:
            raise e.under(name) from e
    return b"".join(out)


def _encode_field(out: list[bytes], field: _Field, value: Any, level: int) -> None:
    if not field.is_repeated:
        encoded = _encode_one(field, value, level)
        if field.is_kept_when_zero or encoded.strip(b"\0"):
            out += (field.tag, encoded)
        return
    if not isinstance(value, list):
        raise _Fault(f"must be an array, not {_shown(value)}")
    parts = []
    for index, one in enumerate(value):
        try:
            parts.append(_encode_one(field, one, level))
        except _Fault as e:
            raise e.under(f"[{index}]") from e
    if field.is_packed and parts:
        packed = b"".join(parts)
        out += (field.tag, encode_varint(len(packed)), packed)
    elif not field.is_packed:
        for part in parts:
            out += (field.tag, part)


def _encode_one(field: _Field, value: Any, level: int) -> bytes:
    if field.message is None:
        return field.encode(value)
    inner = _encode_message(value, field.message, level + 1)
    return encode_varint(len(inner)) + inner


def _string(value: Any) -> bytes:
    if not isinstance(value, str):
        raise _Fault(f"must be a string, not {_shown(value)}")
    try:
        raw = value.encode()
    except UnicodeEncodeError:
        raw = value.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()
    return encode_varint(len(raw)) + raw


def _bool(value: Any) -> bytes:
    if value in (True, "true"):
        return b"\x01"
    if value in (False, "false"):
        return b"\x00"
    raise _Fault(f"must be true or false, not {_shown(value)}")


def _double(value: Any) -> bytes:
    if isinstance(value, str):
        value = _SPECIAL_DOUBLES.get(value, value)
    try:
        return struct.pack("<d", float("" if isinstance(value, bool) else value))
    except (TypeError, ValueError, OverflowError) as e:
        raise _Fault(f"must be a number, not {_shown(value)}") from e


def _base64(value: Any) -> bytes:
    if not isinstance(value, str):
        raise _Fault(f"must be base64 text, not {_shown(value)}")
    text = value.replace("-", "+").replace("_", "/").rstrip("=")
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError) as e:
        raise _Fault("is not base64") from e
    return encode_varint(len(raw)) + raw


def _id(length: int) -> Callable[[Any], bytes]:
    def encode(value: Any) -> bytes:
        if not isinstance(value, str):
            raise _Fault(f"must be hex text, not {_shown(value)}")
        try:
            raw = bytes.fromhex(value)
        except ValueError as e:
            raise _Fault(f"must be {2 * length} hex digits, not {_shown(value)}") from e
        return encode_varint(len(raw)) + raw

    return encode


def _integer(low: int, high: int, write: Callable[[int], bytes]) -> Callable[[Any], bytes]:
    def encode(value: Any) -> bytes:
        try:
            if isinstance(value, bool) or (isinstance(value, float) and not value.is_integer()):
                raise ValueError
            number = int(value)
        except (TypeError, ValueError, OverflowError) as e:
            raise _Fault(f"must be an integer, not {_shown(value)}") from e
        if not low <= number <= high:
            raise _Fault(f"is {_shown(value)}, outside {low} to {high}")
        return write(number)

    return encode


def _enum(kind: EnumDescriptor) -> Callable[[Any], bytes]:
    number = _integer(-(2**31), 2**31 - 1, _varint)

    def encode(value: Any) -> bytes:
        if isinstance(value, str) and not value.lstrip("-").isdigit():
            known = kind.values_by_name.get(value)
            if known is None:
                raise _Fault(f"must be one of {', '.join(kind.values_by_name)}, not {value[:60]!r}")
            return _varint(known.number)
        return number(value)

    return encode


def _varint(value: int) -> bytes:
    return encode_varint(value & 0xFFFFFFFFFFFFFFFF)


def _zigzag(value: int) -> bytes:
    return encode_varint((value << 1 ^ value >> 63) & 0xFFFFFFFFFFFFFFFF)


def _packed(layout: str) -> Callable[[int], bytes]:
    return struct.Struct(layout).pack


_F = FieldDescriptor
_SCALARS: dict[int, tuple[int, Callable[[Any], bytes]]] = {
    _F.TYPE_STRING: (_LENGTH, _string),
    _F.TYPE_BYTES: (_LENGTH, _base64),
    _F.TYPE_BOOL: (_VARINT, _bool),
    _F.TYPE_DOUBLE: (1, _double),
    _F.TYPE_INT32: (_VARINT, _integer(-(2**31), 2**31 - 1, _varint)),
    _F.TYPE_INT64: (_VARINT, _integer(-(2**63), 2**63 - 1, _varint)),
    _F.TYPE_UINT32: (_VARINT, _integer(0, 2**32 - 1, _varint)),
    _F.TYPE_UINT64: (_VARINT, _integer(0, 2**64 - 1, _varint)),
    _F.TYPE_SINT32: (_VARINT, _integer(-(2**31), 2**31 - 1, _zigzag)),
    _F.TYPE_SINT64: (_VARINT, _integer(-(2**63), 2**63 - 1, _zigzag)),
    _F.TYPE_FIXED32: (5, _integer(0, 2**32 - 1, _packed("<I"))),
    _F.TYPE_FIXED64: (1, _integer(0, 2**64 - 1, _packed("<Q"))),
    _F.TYPE_SFIXED32: (5, _integer(-(2**31), 2**31 - 1, _packed("<i"))),
    _F.TYPE_SFIXED64: (1, _integer(-(2**63), 2**63 - 1, _packed("<q"))),
}
_TABLES: dict[str, dict[str, _Field]] = {}


def _table(kind: Descriptor) -> dict[str, _Field]:
    if kind.full_name in _TABLES:
        return _TABLES[kind.full_name]
    # Known before it is filled, because an AnyValue holds AnyValues.
    table = _TABLES[kind.full_name] = {}
    for part in kind.fields:
        table[part.name] = table[part.camelcase_name] = _field(part)
    return table


def _field(part: FieldDescriptor) -> _Field:
    wire, encode = _SCALARS.get(part.type, (_LENGTH, _string))
    if part.name in _ID_BYTES and part.type == _F.TYPE_BYTES:
        encode = _id(_ID_BYTES[part.name])
    elif part.enum_type is not None:
        wire, encode = _VARINT, _enum(part.enum_type)
    is_packed = part.is_packed
    return _Field(
        tag=encode_varint(part.number << 3 | (_LENGTH if is_packed else wire)),
        is_repeated=part.is_repeated,
        is_packed=is_packed,
        is_kept_when_zero=part.has_presence,
        message=_table(part.message_type) if part.message_type is not None else None,
        encode=encode,
    )


_REQUESTS = {
    "traces": _table(trace_service_pb2.ExportTraceServiceRequest.DESCRIPTOR),
    "logs": _table(logs_service_pb2.ExportLogsServiceRequest.DESCRIPTOR),
    "metrics": _table(metrics_service_pb2.ExportMetricsServiceRequest.DESCRIPTOR),
}


def _shown(value: Any) -> str:
    """A value as it may stand in an error message: short."""
    text = json.dumps(value, default=str)
    return text if len(text) <= 60 else text[:57] + "..."
