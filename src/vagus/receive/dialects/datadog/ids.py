"""Datadog's ids: decimal numbers of 64 bits, and traces of 128 bits in hex."""

from __future__ import annotations

from typing import Any

from vagus.receive.dialects.build import span_id_of, trace_id_of
from vagus.receive.dialects.shared import text

_ROOTS = ("", "0", "undefined")


def span_id(native: Any) -> bytes:
    """The 8 bytes of a span id; b'' for the parent of a root."""
    said = text(native)
    if said in _ROOTS:
        return b""
    number = _decimal(said, 64)
    return number.to_bytes(8, "big") if number else span_id_of(said)


def trace_id(native: Any) -> bytes:
    """The 16 bytes of a trace id."""
    said = text(native)
    number = 0 if len(said) == 32 else _decimal(said, 128)
    return number.to_bytes(16, "big") if number else trace_id_of(said)


def joined_trace_id(low: Any, high_hex: Any) -> str:
    """The 128 bits of a trace in hex: the tracer sends the upper half apart from the lower."""
    number = _decimal(text(low), 64)
    high = text(high_hex)
    if len(high) != 16 or not set(high.lower()) <= set("0123456789abcdef"):
        high = "0" * 16
    return f"{high}{number:016x}" if number else ""


def _decimal(said: str, bits: int) -> int:
    """The number, or 0 when it is none of that many bits."""
    if not said.isascii() or not said.isdigit() or len(said) > 39:
        return 0
    number = int(said)
    return number if number < 1 << bits else 0
