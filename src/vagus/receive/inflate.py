"""Decompression that stops at its limit, so a bomb costs what it is allowed to and no more."""

from __future__ import annotations

import io
import sys
import zlib
from collections.abc import Callable
from typing import Protocol

from vagus.errors import BadInput, TooLarge, Unsupported

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_INPUT_STEP = 16 * 1024
_OUTPUT_STEP = 1024 * 1024
_MOST_MEMBERS = 4096
# A frame may ask for a window this large before it gives a single byte; 32 MiB is what
# `zstd --long=25` uses, four times what the format tells decoders to support.
_ZSTD_WINDOW_LOG = 25

ENCODINGS = ("identity", "gzip", "deflate", "zstd")


class _Decoder(Protocol):
    """One member of a compressed body, decoded in steps."""

    needs_input: bool

    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def step(self, data: bytes, most: int) -> bytes: ...


class _ZlibDecoder:
    def __init__(self, window_bits: int) -> None:
        self._object = zlib.decompressobj(window_bits)
        self.needs_input = True

    @property
    def eof(self) -> bool:
        return self._object.eof

    @property
    def unused_data(self) -> bytes:
        return self._object.unused_data

    def step(self, data: bytes, most: int) -> bytes:
        out = self._object.decompress(data or self._object.unconsumed_tail, most)
        # A full step may have more behind it even when all input is consumed.
        self.needs_input = not self._object.unconsumed_tail and len(out) < most
        return out


class _ZstdDecoder:
    def __init__(self) -> None:
        options: dict[int, int] = {zstd.DecompressionParameter.window_log_max: _ZSTD_WINDOW_LOG}
        self._object = zstd.ZstdDecompressor(options=options)
        self.needs_input = True

    @property
    def eof(self) -> bool:
        return self._object.eof

    @property
    def unused_data(self) -> bytes:
        return self._object.unused_data

    def step(self, data: bytes, most: int) -> bytes:
        out: bytes = self._object.decompress(data, most)
        self.needs_input = self._object.needs_input
        return out


def inflate(data: bytes, encoding: str, limit: int) -> bytes:
    """The body behind a Content-Encoding, at most `limit` bytes of it.

    Several gzip members or zstd frames one after the other are one body. Raises `Unsupported`
    for other encodings, `BadInput` for a damaged or cut body, `TooLarge` at the limit.
    """
    name = encoding.strip().lower() or "identity"
    if name == "identity":
        if len(data) > limit:
            raise too_large(limit)
        return data
    if name in ("gzip", "x-gzip"):
        return _inflate_members(data, "gzip", limit, lambda: _ZlibDecoder(31))
    if name == "deflate":
        window_bits = 15 if _has_zlib_header(data) else -15
        return _inflate_members(data, name, limit, lambda: _ZlibDecoder(window_bits))
    if name == "zstd":
        return _inflate_members(data, name, limit, _ZstdDecoder)
    raise Unsupported(
        f"content-encoding {encoding[:40]!r} is not supported; use {', '.join(ENCODINGS)}",
        field="content-encoding",
    )


def too_large(limit: int) -> TooLarge:
    """The error for a body over the limit."""
    return TooLarge(
        f"the body is larger than {limit} bytes after decompression; send smaller batches or "
        "raise receive.max_body_bytes",
        field="body",
        limit=f"{limit} bytes",
    )


def _has_zlib_header(data: bytes) -> bool:
    # "deflate" means zlib in HTTP, but some clients send raw deflate data; no encoder's raw data
    # begins like a zlib header.
    return len(data) >= 2 and data[0] & 0x0F == 8 and (data[0] << 8 | data[1]) % 31 == 0


def _inflate_members(
    data: bytes, name: str, limit: int, new_decoder: Callable[[], _Decoder]
) -> bytes:
    out = io.BytesIO()
    at = 0
    for _ in range(_MOST_MEMBERS):
        if at == len(data) or (at and data[at] == 0 and not data[at:].strip(b"\0")):
            return out.getvalue()
        at = _inflate_member(data, at, name, limit, new_decoder(), out)
    raise BadInput(
        f"the {name} body has more than {_MOST_MEMBERS} members",
        limit=f"{_MOST_MEMBERS} members",
    )


def _inflate_member(
    data: bytes, at: int, name: str, limit: int, decoder: _Decoder, out: io.BytesIO
) -> int:
    while not decoder.eof:
        chunk = data[at : at + _INPUT_STEP] if decoder.needs_input else b""
        if decoder.needs_input and not chunk:
            raise BadInput(
                f"the {name} body is cut off: it ends after {at} bytes in the middle of its data",
                field="body",
            )
        at += len(chunk)
        try:
            piece = decoder.step(chunk, min(_OUTPUT_STEP, limit - out.tell() + 1))
        except (zlib.error, zstd.ZstdError) as e:
            start = max(0, at - _INPUT_STEP)
            raise BadInput(
                f"the {name} body is corrupt between byte {start} and byte {at}: {e}",
                field="body",
            ) from e
        out.write(piece)
        if out.tell() > limit:
            raise too_large(limit)
    return at - len(decoder.unused_data)
