"""Reading the body of a request: bounded in size, in time and in what all requests hold."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from starlette.types import Message, Receive

from vagus.errors import BadInput, Unavailable, VagusError
from vagus.receive.budget import Lease
from vagus.receive.inflate import too_large

BODY_TIMEOUT_S = 30.0


class TooSlow(BadInput):
    """The body did not arrive in time."""

    status = 408


class Gone(Exception):
    """The client went away: there is nobody to answer."""


async def read_body(
    headers: Mapping[str, str], receive: Receive, lease: Lease, *, limit: int, timeout_s: float
) -> bytes:
    """The whole body of at most `limit` bytes; raises `TooLarge`, `TooSlow` or `Gone`."""
    said = headers.get("content-length", "")
    if said.isdigit() and int(said) > limit:
        raise too_large(limit)
    chunks: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(timeout_s):
            while True:
                message: Message = await receive()
                if message["type"] == "http.disconnect":
                    raise Gone
                chunk: bytes = message.get("body", b"")
                size += len(chunk)
                if size > limit:
                    raise too_large(limit)
                lease.grow(len(chunk))
                chunks.append(chunk)
                if not message.get("more_body", False):
                    return b"".join(chunks)
    except TimeoutError as e:
        raise TooSlow(
            f"the body did not arrive within {timeout_s:g} s; {size} bytes came",
            limit=f"{timeout_s:g} s",
        ) from e


def error_headers(error: VagusError) -> list[tuple[bytes, bytes]]:
    """The headers that say what a client may do after an error."""
    if isinstance(error, Unavailable):
        return [(b"retry-after", str(error.retry_after_s).encode())]
    if error.status == 401:
        return [(b"www-authenticate", b"Bearer")]
    if error.status == 408:
        # The rest of a late body must not be taken for the next request.
        return [(b"connection", b"close")]
    return []
