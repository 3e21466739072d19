"""Remote-write bodies: Prometheus' protobuf messages, compressed as one snappy block.

The messages are four and never change (remote-write 1.0), so they are written by hand: a generated
module would be longer than this one and would have to be kept in step with protobuf.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import cramjam

_VARINT, _FIXED64, _BYTES = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Mark:
    """An exemplar: the labels that name it, and what was observed when."""

    labels: Mapping[str, str]
    value: float
    time_ms: int


@dataclass(frozen=True, slots=True)
class TimeSeries:
    """One series with its samples, oldest first, as (epoch milliseconds, value)."""

    labels: Mapping[str, str]
    samples: Sequence[tuple[int, float]]
    marks: Sequence[Mark] = ()


def encode(series: Iterable[TimeSeries]) -> bytes:
    """A `prometheus.WriteRequest` as it goes over the wire."""
    message = b"".join(_field(1, _series(one)) for one in series)
    return bytes(cramjam.snappy.compress_raw(message))


def _series(series: TimeSeries) -> bytes:
    parts = [_field(1, label) for label in _labels(series.labels)]
    for time_ms, value in series.samples:
        parts.append(_field(2, _double(1, value) + _integer(2, time_ms)))
    for mark in series.marks:
        labels = b"".join(_field(1, label) for label in _labels(mark.labels))
        parts.append(_field(3, labels + _double(2, mark.value) + _integer(3, mark.time_ms)))
    return b"".join(parts)


def _labels(labels: Mapping[str, str]) -> list[bytes]:
    # The receiver wants them sorted, and takes an empty value for a label that is not there.
    return [
        _field(1, name.encode()) + _field(2, value.encode("utf-8", "replace"))
        for name, value in sorted(labels.items())
        if value
    ]


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | _BYTES) + _varint(len(content)) + content


def _double(number: int, value: float) -> bytes:
    return _varint(number << 3 | _FIXED64) + struct.pack("<d", value)


def _integer(number: int, value: int) -> bytes:
    # A negative int64 is ten bytes of its two's complement.
    return _varint(number << 3 | _VARINT) + _varint(value & (1 << 64) - 1)


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
