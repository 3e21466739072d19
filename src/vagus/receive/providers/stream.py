"""The body of a response, however it was kept: one object, chunks, or the text of a stream."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from vagus.receive.providers.probe import decoded

#: More chunks than the longest answer has.
MAX_CHUNKS = 200_000


@dataclass(frozen=True, slots=True)
class Body:
    """A response as one object, or as the chunks of a stream.

    `is_done` says that the stream reached its own end mark. `plain` is text that is no JSON.
    """

    whole: Mapping[str, Any] = field(default_factory=dict)
    chunks: list[Mapping[str, Any]] = field(default_factory=list)
    is_stream: bool = False
    is_done: bool = False
    plain: str = ""


def read_body(response: Any) -> Body:
    """The body of a response; what cannot be read is plain text."""
    if isinstance(response, bytes):
        response = response.decode(errors="replace")
    if isinstance(response, Mapping):
        return Body(whole=response)
    if isinstance(response, list):
        return _from_chunks(response)
    if not isinstance(response, str) or not response.strip():
        return Body()
    found = decoded(response)
    if isinstance(found, Mapping):
        return Body(whole=found)
    if isinstance(found, list):
        return _from_chunks(found)
    return _from_text(response)


def _from_chunks(items: list[Any]) -> Body:
    is_done = any(item == "[DONE]" for item in items[-2:] if isinstance(item, str))
    chunks = [
        chunk
        for item in items[:MAX_CHUNKS]
        if isinstance(chunk := decoded(item) if isinstance(item, str) else item, Mapping)
    ]
    return Body(chunks=chunks, is_stream=bool(chunks), is_done=is_done)


def _from_text(body: str) -> Body:
    """Server-sent events, or one JSON object a line; lines that are neither are left out."""
    chunks: list[Mapping[str, Any]] = []
    is_done = False
    for data in _data_lines(body):
        if data == "[DONE]":
            is_done = True
            continue
        found = _object(data)
        if found is not None and len(chunks) < MAX_CHUNKS:
            chunks.append(found)
    if not chunks:
        return Body(plain=body)
    return Body(chunks=chunks, is_stream=True, is_done=is_done)


def _data_lines(body: str) -> Iterator[str]:
    """What each event carries: the joined `data:` lines of an event, or a line without a name."""
    data: list[str] = []
    for raw in body.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        line = raw.strip()
        if line.startswith("data:"):
            data.append(line[5:].strip())
            if _object(data[-1]) is not None or data[-1] == "[DONE]":
                yield data.pop()
            continue
        if data:
            yield "\n".join(data)
            data = []
        if line and not line.startswith((":", "event:", "id:", "retry:")):
            yield line
    if data:
        yield "\n".join(data)


def _object(line: str) -> Mapping[str, Any] | None:
    if not line.startswith("{"):
        return None
    try:
        found = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return None
    return found if isinstance(found, Mapping) else None
