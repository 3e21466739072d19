"""Taking out of a request what must not be stored.

The raw bytes are searched first, for all kinds at once; only a request in which something was
found is decoded, cleaned and encoded again, so clean traffic costs one pass of RE2 over its bytes.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from typing import Any

import prometheus_client
import re2
from google.protobuf.message import DecodeError, Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from vagus.receive.redact.kinds import Kind, custom, personal, secrets
from vagus.receive.redact.rules import Rules
from vagus.receive.redact.seal import Sealer

REDACTED = prometheus_client.Counter(
    "vagus_redacted_values_total", "Values taken out of telemetry before it was stored.", ["kind"]
)

#: OTLP's own messages, in which nested values are decoded too.
REQUESTS: dict[str, Any] = {
    "traces": ExportTraceServiceRequest,
    "logs": ExportLogsServiceRequest,
    "metrics": ExportMetricsServiceRequest,
}
#: Attributes that name something else; they are never touched, or nothing could be joined.
_ID_ENDINGS = (".id", "_id", ".ids", "_ids")
_SCAN_MEMORY = 64 << 20


class Redactor:
    """The redaction of one project."""

    def __init__(self, rules: Rules, sealer: Sealer) -> None:
        kinds: list[Kind] = [*(secrets() if rules.secrets else ()), *personal(rules.personal)]
        kinds += [custom(pattern.name, pattern.pattern) for pattern in rules.patterns]
        self._kinds = kinds
        self._reversible = frozenset(rules.reversible)
        self._sealer = sealer
        # A kind that cannot be searched for in raw bytes is tried on every text.
        self._always = [kind for kind in kinds if not kind.scanned]
        self._searched = [kind for kind in kinds if kind.scanned]
        self._search = _search_set(tuple(kind.scanned for kind in self._searched))

    def clean_request(self, signal: str, body: bytes) -> bytes:
        """An OTLP protobuf request without what must not be stored; untouched when clean.

        A body that is no OTLP is given back as it is: the check behind this one refuses it.
        """
        suspects = self._suspects(body)
        if not suspects:
            return body
        request: Message = REQUESTS[signal]()
        try:
            request.ParseFromString(body)
        except DecodeError:
            return body
        return request.SerializeToString() if self._clean_message(request, suspects) else body

    def clean_text(self, text: str) -> str:
        """A text without what must not be stored."""
        suspects = self._suspects(text.encode(errors="replace"))
        return self._clean(text, suspects) if suspects else text

    def _suspects(self, data: bytes) -> Sequence[Kind]:
        """The kinds that may occur in some bytes."""
        if self._search is None:
            return self._always
        found = self._search.Match(data)
        return [*(self._searched[n] for n in sorted(found or ())), *self._always]

    def _clean(self, text: str, suspects: Sequence[Kind]) -> str:
        for kind in suspects:
            text = kind.pattern.sub(lambda match, kind=kind: self._replaced(match, kind), text)
        return text

    def _replaced(self, match: Any, kind: Kind) -> str:
        whole: str = match.group()
        group = 1 if match.re.groups and match.group(1) is not None else 0
        value: str = match.group(group)
        if not value or (kind.accepts is not None and not kind.accepts(value)):
            return whole
        REDACTED.labels(kind.name).inc()
        is_sealed = kind.name in self._reversible
        token = self._sealer.seal(kind.name, value) if is_sealed else f"[redacted:{kind.name}]"
        start = match.start(group) - match.start()
        return whole[:start] + token + whole[start + len(value) :]

    def _clean_message(self, message: Message, suspects: Sequence[Kind]) -> bool:
        """Clean every text below a message, ids apart; whether anything changed."""
        changed = False
        for holder, name, text in texts_of(message):
            if isinstance(text, bytes):
                changed |= self._clean_bytes(holder, text, suspects)
                continue
            cleaned = self._clean(text, suspects)
            if cleaned != text:
                setattr(holder, name, cleaned)
                changed = True
        return changed

    def _clean_bytes(self, message: Any, value: bytes, suspects: Sequence[Kind]) -> bool:
        text = value.decode("latin-1")
        cleaned = self._clean(text, suspects)
        if cleaned == text:
            return False
        message.bytes_value = cleaned.encode("latin-1", "replace")
        return True


def texts_of(message: Message) -> Iterator[tuple[Any, str, Any]]:
    """Every text below a message, ids apart, as (its message, the field's name, the text).

    Values that are bytes come as bytes. A stack of our own: values may nest deeper than Python's.
    """
    waiting: list[Any] = [message]
    while waiting:
        current = waiting.pop()
        if _is_id(current):
            yield current, "key", current.key
            continue
        for field, value in current.ListFields():
            if field.type == field.TYPE_MESSAGE:
                waiting.extend(value if field.is_repeated else (value,))
            elif field.name == "bytes_value" or (
                field.type == field.TYPE_STRING and not field.is_repeated
            ):
                yield current, field.name, value


def _is_id(message: Any) -> bool:
    is_pair: bool = message.DESCRIPTOR.name == "KeyValue"
    return is_pair and message.key.lower().endswith(_ID_ENDINGS)


@functools.lru_cache(maxsize=64)
def _search_set(patterns: tuple[str, ...]) -> Any:
    """One automaton that finds which of the patterns occur; projects with equal rules share it."""
    if not patterns:
        return None
    options = re2.Options()
    options.max_mem = _SCAN_MEMORY
    found = re2.Set.SearchSet(options)
    for pattern in patterns:
        found.Add(pattern)
    found.Compile()
    return found
