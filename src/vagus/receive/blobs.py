"""Images, sound and files taken out of telemetry into content-addressed storage.

A picture in a message is a long base64 text, in every copy of the conversation again. Kept once by
the SHA-256 of its bytes, a span holds a reference of a hundred characters in its place.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import prometheus_client
from google.protobuf.message import DecodeError, Message

from vagus.errors import NotFound, Unavailable
from vagus.model.blob import BlobReference, format_reference
from vagus.receive.redact.redactor import REQUESTS, texts_of

STORED = prometheus_client.Counter(
    "vagus_blobs_stored_total", "Contents taken out of telemetry into blob storage."
)

#: Shorter base64 stays where it is.
LEAST_CHARACTERS = 8_192
#: How media begin, in base64 and in bytes; what is none of these is left in its text.
_HEADS = (b"iVBORw0KGgo", b"/9j/", b"R0lGOD", b"UklGR", b"JVBERi0", b"SUQz", b"T2dnUw", b"ZnR5c")
_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"%PDF-", "application/pdf"),
    (b"ID3", "audio/mpeg"),
    (b"OggS", "audio/ogg"),
)
_RUN = re.compile(
    rf"(?:data:[\w.+/;=-]{{1,100}};base64,)?[A-Za-z0-9+/]{{{LEAST_CHARACTERS},}}={{0,2}}"
)
_HEX = re.compile(r"[0-9a-f]{64}")
_PROJECT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


class BlobStore:
    """Contents by project and SHA-256, as files; written before the telemetry that names them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()

    def put(self, project: str, content: bytes) -> str:
        """Keep a content, durably; its SHA-256. Raises `Unavailable` when the disk is full."""
        digest = hashlib.sha256(content).hexdigest()
        path = self._path(project, digest)
        try:
            if path.exists():
                # What is sent again is used again: its age counts from now.
                os.utime(path)
                return digest
            with self._lock:
                path.parent.mkdir(parents=True, exist_ok=True)
                _write(path, content)
        except OSError as e:
            raise Unavailable(f"a content cannot be stored: {e.strerror}", retry_after_s=30) from e
        STORED.inc()
        return digest

    def read(self, project: str, sha256: str) -> bytes:
        """A content of a project; raises `NotFound`."""
        missing = NotFound("there is no such content", field="sha256")
        if not _HEX.fullmatch(sha256):
            raise missing
        try:
            return self._path(project, sha256).read_bytes()
        except FileNotFoundError as e:
            raise missing from e

    def drop_older(self, before_s: float) -> int:
        """Delete what nobody has sent since a moment, in epoch seconds; how many there were."""
        dropped = 0
        for path in self._folder.glob("*/*/*"):
            if path.stat().st_mtime < before_s:
                path.unlink(missing_ok=True)
                dropped += 1
        return dropped

    def _path(self, project: str, digest: str) -> Path:
        if not _PROJECT.fullmatch(project):
            raise NotFound("there is no such project", field="project")
        return self._folder / project / digest[:2] / digest


def _write(path: Path, content: bytes) -> None:
    temporary = path.with_suffix(".new")
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    descriptor = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def take_blobs(signal: str, body: bytes, keep: Callable[[bytes], str]) -> bytes:
    """An OTLP request with its media taken out; untouched when there are none.

    `keep` stores a content and gives its SHA-256.
    """
    if len(body) < LEAST_CHARACTERS or not any(head in body for head in _HEADS):
        return body
    request: Message = REQUESTS[signal]()
    try:
        request.ParseFromString(body)
    except DecodeError:
        return body
    changed = False
    for holder, name, text in texts_of(request):
        if isinstance(text, str) and len(text) >= LEAST_CHARACTERS:
            shorter = _RUN.sub(lambda match: _reference(match, keep), text)
            if shorter != text:
                setattr(holder, name, shorter)
                changed = True
    return request.SerializeToString() if changed else body


def _reference(match: re.Match[str], keep: Callable[[bytes], str]) -> str:
    """What stands in place of a run of base64; itself when it is no medium that we know."""
    text = match.group()
    encoded = text.rpartition(",")[2]
    try:
        content = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except (binascii.Error, ValueError):
        return text
    mime_type = media_type(content)
    if mime_type is None:
        return text
    return format_reference(BlobReference(keep(content), mime_type, len(content)))


def media_type(content: bytes) -> str | None:
    """What a content is by its first bytes; None when it is no medium that we know."""
    for magic, mime_type in _MAGIC:
        if content.startswith(magic):
            return mime_type
    if content.startswith(b"RIFF"):
        return {b"WEBP": "image/webp", b"WAVE": "audio/wav"}.get(content[8:12])
    return "video/mp4" if content[4:8] == b"ftyp" else None


def thumbnail(content: bytes, edge: int = 320) -> bytes:
    """A picture no larger than `edge` pixels on a side, as PNG; raises `NotFound` for no picture.

    The picture is hostile: formats and pixels are bounded, and nothing but pixels is copied.
    """
    import io

    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(content), formats=("PNG", "JPEG", "GIF", "WEBP")) as picture:
            if picture.width * picture.height > 50_000_000:
                raise NotFound("the picture is too large for a thumbnail", field="thumbnail")
            picture.thumbnail((edge, edge))
            small: Any = picture.convert("RGBA")
            out = io.BytesIO()
            small.save(out, "PNG")
            return out.getvalue()
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError) as e:
        raise NotFound("the content is no picture", field="thumbnail") from e
