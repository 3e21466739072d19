"""One record of the write-ahead log: an export request, wrapped as a protobuf message.

    message Record {
      fixed32 crc = 1;           // zlib.crc32 of every byte of the message after this field
      string project = 2;
      fixed64 received_ns = 3;
      bytes request_id = 4;      // 16 bytes
      repeated Nested nested = 5;
      bytes request = 15;        // an Export...ServiceRequest, untouched
    }
    message Nested { bytes digest = 1; string json = 2; }

A segment is a sequence of these, each behind its length as a varint, which is the form that the
engine's `Protobuf` format reads by itself. The fields are always written in this order.
"""

from __future__ import annotations

import hashlib
import re
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

SIGNALS = ("traces", "logs", "metrics")

_CRC_BYTES = 5
_RECORD_START = re.compile(rb"\x0d(?=....\x12[^\x00])", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Entry:
    """A checked request on its way into the log."""

    signal: str
    project: str
    received_ns: int
    request_id: bytes
    request: bytes
    nested: Sequence[tuple[bytes, str]] = ()


@dataclass(frozen=True, slots=True)
class Damage:
    """Bytes of a segment that belong to no sound record."""

    start: int
    end: int
    is_cut_short: bool


@dataclass(frozen=True, slots=True)
class Scan:
    """What a segment holds: the sound records, their request ids, and the damage between them."""

    records: tuple[tuple[int, int], ...]
    request_ids: tuple[bytes, ...]
    damage: tuple[Damage, ...]


def request_id(project: str, signal: str, body: bytes) -> bytes:
    """The 16 bytes by which a re-sent request is recognised."""
    digest = hashlib.blake2b(f"{project}\0{signal}\0".encode(), digest_size=16)
    digest.update(body)
    return digest.digest()


def encode_record(entry: Entry) -> tuple[bytes, bytes]:
    """The record as two parts to write one after the other; the second is the request itself."""
    project = entry.project.encode()
    head = bytearray(b"\x12" + encode_varint(len(project)) + project)
    head += b"\x19" + struct.pack("<Q", entry.received_ns)
    head += b"\x22" + encode_varint(len(entry.request_id)) + entry.request_id
    for digest, json in entry.nested:
        text = json.encode()
        inner = b"\x0a" + encode_varint(len(digest)) + digest
        inner += b"\x12" + encode_varint(len(text)) + text
        head += b"\x2a" + encode_varint(len(inner)) + inner
    head += b"\x7a" + encode_varint(len(entry.request))
    crc = zlib.crc32(entry.request, zlib.crc32(head))
    length = encode_varint(_CRC_BYTES + len(head) + len(entry.request))
    return b"".join((length, b"\x0d", struct.pack("<I", crc), head)), entry.request


def encode_varint(value: int) -> bytes:
    """A protobuf varint."""
    if value < 0x80:
        return bytes((value,))
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def read_varint(data: bytes, at: int) -> tuple[int, int] | None:
    """The varint at an offset and the offset behind it; nothing if it is cut off or too long."""
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            return None
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    return None


def scan_records(data: bytes) -> Scan:
    """Every sound record of a segment's bytes, also behind damage, and where the damage is."""
    records: list[tuple[int, int]] = []
    ids: list[bytes] = []
    damage: list[Damage] = []
    view = memoryview(data)
    at = 0
    while at < len(data):
        end = _sound_end(data, view, at)
        if end is not None:
            records.append((at, end))
            ids.append(_request_id_of(data, at))
            at = end
            continue
        resumed = _next_sound(data, view, at + 1)
        frame = read_varint(data, at)
        is_cut_short = resumed is None and (frame is None or frame[1] + frame[0] > len(data))
        damage.append(Damage(at, len(data) if resumed is None else resumed, is_cut_short))
        at = damage[-1].end
    return Scan(tuple(records), tuple(ids), tuple(damage))


def _sound_end(data: bytes, view: memoryview, at: int) -> int | None:
    frame = read_varint(data, at)
    if frame is None:
        return None
    length, start = frame
    end = start + length
    if length <= _CRC_BYTES or end > len(data) or data[start] != 0x0D:
        return None
    (crc,) = struct.unpack_from("<I", data, start + 1)
    return end if zlib.crc32(view[start + _CRC_BYTES : end]) == crc else None


def _next_sound(data: bytes, view: memoryview, at: int) -> int | None:
    # A flipped bit in a length makes the rest of the file look like one cut record, so the records
    # behind it are looked for by their first bytes and believed only when their checksum holds.
    for match in _RECORD_START.finditer(data, at):
        for width in range(1, 6):
            start = match.start() - width
            if start < at:
                break
            frame = read_varint(data, start)
            if (
                frame is not None
                and frame[1] == match.start()
                and _sound_end(data, view, start) is not None
            ):
                return start
    return None


def _request_id_of(data: bytes, at: int) -> bytes:
    frame = read_varint(data, at)
    project = read_varint(data, frame[1] + _CRC_BYTES + 1) if frame else None
    if project is None:
        return b""
    behind_received = project[1] + project[0] + 9
    length = read_varint(data, behind_received + 1)
    return data[length[1] : length[1] + length[0]] if length else b""
