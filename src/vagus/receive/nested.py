"""Values that nest deeper than the engine's schema, as JSON text beside the untouched request.

For each such value the record carries the MD5 of its raw bytes and its JSON, so the loader finds
the JSON by the digest of the bytes that the engine shows it. The rules of the JSON:

- 64-bit integers are JSON integers; NaN and the infinities are "NaN", "Infinity", "-Infinity".
- Bytes are {"$bytes": "<base64>"}; an empty AnyValue is null.
- A kvlist is an object; one that says a key twice is {"$pairs": [[key, value], ...]}.
- A value more than 32 levels deep is {"$depth": 32, "$bytes": "<base64 of its AnyValue>"}.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
import re
from collections.abc import Iterable, Iterator
from typing import Any

from google.protobuf.message import DecodeError

from vagus.errors import BadInput
from vagus.receive.record import read_varint
from vagus.receive.schema import ArrayValue, KeyValueList

MOST_LEVELS = 32

# `\x12 <length> \x32|\x2a`: the value of a KeyValue that begins with a kvlist or an array;
# `\x2a <length> ...`: the same for the body of a log record. What follows the first byte is only
# looked at and not consumed, or a chance match would hide a true one that begins inside it.
_ATTRIBUTE = re.compile(rb"\x12(?=([\x80-\xff]{0,4}[\x00-\x7f][\x2a\x32]))")
_ATTRIBUTE_OR_BODY = re.compile(rb"[\x12\x2a](?=([\x80-\xff]{0,4}[\x00-\x7f][\x2a\x32]))")
_NESTING_ELEMENT = re.compile(rb"\x0a[\x80-\xff]{0,4}[\x00-\x7f][\x2a\x32]")


def may_nest(signal: str, body: bytes) -> bool:
    """Whether a request may hold a nested value: false is certain, true only likely."""
    pattern = _ATTRIBUTE_OR_BODY if signal == "logs" else _ATTRIBUTE
    for match in pattern.finditer(body):
        outer = read_varint(body, match.start(1))
        inner = read_varint(body, match.end(1))
        if outer is None or inner is None:
            continue
        length, at = inner
        if at + length > outer[1] + outer[0]:
            continue
        if body[match.end(1) - 1] == 0x32 or _NESTING_ELEMENT.search(body, at, at + length):
            return True
    return False


def nested_values(signal: str, request: Any) -> list[tuple[bytes, str]]:
    """Digest and JSON of every nested value in a request, each distinct value once."""
    found: dict[bytes, str] = {}
    for value in _values(signal, request):
        if value.HasField("kvlist_value"):
            raw = value.kvlist_value
            _add(found, raw, lambda raw=raw: _kvlist_json(raw, 1))
        elif value.HasField("array_value"):
            for element in value.array_value.values:
                if element.HasField("kvlist_value"):
                    raw = element.kvlist_value
                    _add(found, raw, lambda raw=raw: _kvlist_json(raw, 2))
                elif element.HasField("array_value"):
                    raw = element.array_value
                    _add(found, raw, lambda raw=raw: _array_json(raw, 2))
    return list(found.items())


def _add(found: dict[bytes, str], raw: bytes, to_json: Any) -> None:
    digest = hashlib.md5(raw, usedforsecurity=False).digest()
    if digest not in found:
        try:
            value = to_json()
        except DecodeError as e:
            raise BadInput(f"a nested attribute value is not valid protobuf: {e}") from e
        found[digest] = json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _kvlist_json(raw: bytes, level: int) -> Any:
    pairs = [
        (part.key, _any_json(part.value, level + 1)) for part in KeyValueList.FromString(raw).values
    ]
    as_object = dict(pairs)
    return as_object if len(as_object) == len(pairs) else {"$pairs": [list(pair) for pair in pairs]}


def _array_json(raw: bytes, level: int) -> list[Any]:
    return [_any_json(element, level + 1) for element in ArrayValue.FromString(raw).values]


def _any_json(value: Any, level: int) -> Any:
    """JSON of an AnyValue of either class: one whose arrays are messages, or are bytes."""
    kind = value.WhichOneof("value")
    if kind is None:
        return None
    content = getattr(value, kind)
    if kind in ("kvlist_value", "array_value"):
        if level > MOST_LEVELS:
            return {"$depth": MOST_LEVELS, "$bytes": _base64(value.SerializeToString())}
        if kind == "kvlist_value":
            return _kvlist_json(content, level)
        if isinstance(content, bytes):
            return _array_json(content, level)
        return [_any_json(element, level + 1) for element in content.values]
    if kind == "double_value" and not math.isfinite(content):
        return "NaN" if math.isnan(content) else "Infinity" if content > 0 else "-Infinity"
    if kind == "bytes_value":
        return {"$bytes": _base64(content)}
    return content


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _values(signal: str, request: Any) -> Iterator[Any]:
    """Every attribute value and log body of a request."""
    if signal == "traces":
        for resource in request.resource_spans:
            yield from _of(resource.resource.attributes)
            for scope in resource.scope_spans:
                yield from _of(scope.scope.attributes)
                for span in scope.spans:
                    yield from _of(span.attributes)
                    for part in (*span.events, *span.links):
                        yield from _of(part.attributes)
    elif signal == "logs":
        for resource in request.resource_logs:
            yield from _of(resource.resource.attributes)
            for scope in resource.scope_logs:
                yield from _of(scope.scope.attributes)
                for record in scope.log_records:
                    yield record.body
                    yield from _of(record.attributes)
    else:
        for resource in request.resource_metrics:
            yield from _of(resource.resource.attributes)
            for scope in resource.scope_metrics:
                yield from _of(scope.scope.attributes)
                for metric in scope.metrics:
                    yield from _metric_values(metric)


def _metric_values(metric: Any) -> Iterator[Any]:
    yield from _of(metric.metadata)
    kind = metric.WhichOneof("data")
    for point in getattr(metric, kind).data_points if kind else ():
        yield from _of(point.attributes)
        for exemplar in point.exemplars if kind != "summary" else ():
            yield from _of(exemplar.filtered_attributes)


def _of(attributes: Iterable[Any]) -> Iterator[Any]:
    for attribute in attributes:
        yield attribute.value
