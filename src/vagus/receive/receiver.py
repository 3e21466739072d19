"""The receiver: from the bytes of one export request to an acknowledgement that can be kept."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from google.protobuf.message import Message

from vagus.errors import (
    BadInput,
    Forbidden,
    Overloaded,
    TooLarge,
    Unauthorized,
    Unavailable,
    Unsupported,
    VagusError,
)
from vagus.receive import metrics
from vagus.receive.budget import Budget
from vagus.receive.credentials import find_key
from vagus.receive.dialects.build import Telemetry
from vagus.receive.inflate import inflate
from vagus.receive.otlp_json import json_to_protobuf
from vagus.receive.parse import Checked, check_request
from vagus.receive.record import Entry, request_id
from vagus.receive.wal import Wal

Authenticate = Callable[[str | None, Mapping[str, str]], str]
#: Takes out of a request (signal, project, protobuf) what must not be stored in it.
Clean = Callable[[str, str, bytes], bytes]

PROTOBUF_TYPES = ("application/x-protobuf", "application/protobuf")
JSON_TYPE = "application/json"

# Below these sizes the work takes less time than handing it to another thread would.
_INLINE_BYTES = 1024 * 1024
_INLINE_COSTLY_BYTES = 16 * 1024

_REASONS: tuple[tuple[type[VagusError], str], ...] = (
    (TooLarge, "too_large"),
    (Unsupported, "unsupported"),
    (Unauthorized, "unauthorized"),
    (Forbidden, "forbidden"),
    (BadInput, "bad_request"),
    (Overloaded, "overloaded"),
    (Unavailable, "unavailable"),
)


def _as_it_is(signal: str, project: str, body: bytes) -> bytes:
    return body


@dataclass(frozen=True, slots=True)
class Accepted:
    """What was taken in: it is on the disk, this time or by an earlier sending of the request."""

    items: int
    rejected: int = 0
    message: str = ""
    is_new: bool = True


class Receiver:
    """Checks requests and puts them in the log; the HTTP and gRPC sides are thin skins over it."""

    def __init__(
        self,
        wal: Wal,
        authenticate: Authenticate,
        *,
        max_body_bytes: int,
        max_in_flight_bytes: int | None = None,
        clean: Clean = _as_it_is,
        now_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self.max_body_bytes = max_body_bytes
        self.budget = Budget(max_in_flight_bytes or 4 * max_body_bytes)
        self._wal = wal
        self._authenticate = authenticate
        self._clean = clean
        self._now_ns = now_ns
        # Two, so that a large body does not hold up every other one, and no more, because each
        # may hold a whole inflated body that the budget does not know yet.
        self.workers = ThreadPoolExecutor(2, thread_name_prefix="vagus-receive")

    def close(self) -> None:
        """Let the worker threads go."""
        self.workers.shutdown(wait=False, cancel_futures=True)

    def project_of(self, headers: Mapping[str, str]) -> str:
        """The project that the key in the headers writes to; raises `Unauthorized`."""
        return self._authenticate(find_key(headers), headers)

    async def receive(
        self,
        signal: str,
        encoding: str,
        content_type: str,
        headers: Mapping[str, str],
        body: bytes,
    ) -> Accepted:
        """Authenticate, check and store one request; returns when it is durable."""
        return await self.accept(signal, self.project_of(headers), encoding, content_type, body)

    async def accept(
        self, signal: str, project: str, encoding: str, content_type: str, body: bytes
    ) -> Accepted:
        """Check and store a request whose project is known; returns when it is durable."""
        is_json = is_json_type(content_type)
        is_costly = is_json or encoding.strip().lower() not in ("", "identity")
        if len(body) <= (_INLINE_COSTLY_BYTES if is_costly else _INLINE_BYTES):
            plain, checked = self._check(signal, project, encoding, is_json, body)
        else:
            loop = asyncio.get_running_loop()
            plain, checked = await loop.run_in_executor(
                self.workers, self._check, signal, project, encoding, is_json, body
            )
        if not checked.items:
            metrics.REJECTED.labels(signal).inc(checked.rejected)
            return Accepted(0, checked.rejected, checked.message)
        with self.budget.lease() as lease:
            lease.grow(len(checked.request))
            return await self._store(signal, project, plain, checked)

    async def keep(self, project: str, identity: str, body: bytes, telemetry: Telemetry) -> None:
        """Store what a rival's request was translated to; returns when all of it is durable.

        The request itself, `identity` and `body`, is what a re-sent one is recognised by: its
        translation may hold the time of its arrival.
        """
        sent = b"\0".join((identity.encode(), body))
        for signal, request in (("traces", telemetry.traces), ("logs", telemetry.logs)):
            size = request.ByteSize()
            if not size:
                continue

            def check(signal: str = signal, request: Message = request) -> Checked:
                plain = self._clean(signal, project, request.SerializeToString())
                return check_request(signal, plain)

            if size <= _INLINE_BYTES // 8:
                checked = check()
            else:
                checked = await asyncio.get_running_loop().run_in_executor(self.workers, check)
            if checked.items:
                with self.budget.lease() as lease:
                    lease.grow(len(checked.request))
                    await self._store(signal, project, sent, checked)

    async def _store(self, signal: str, project: str, sent: bytes, checked: Checked) -> Accepted:
        entry = Entry(
            signal=signal,
            project=project,
            received_ns=self._now_ns(),
            request_id=request_id(project, signal, sent),
            request=checked.request,
            nested=checked.nested,
        )
        is_new = await self._wal.append(entry)
        if is_new:
            metrics.ITEMS.labels(signal).inc(checked.items)
            metrics.BYTES.labels(signal).inc(len(sent))
            metrics.REJECTED.labels(signal).inc(checked.rejected)
        else:
            metrics.DUPLICATES.inc()
        return Accepted(checked.items, checked.rejected, checked.message, is_new)

    def _check(
        self, signal: str, project: str, encoding: str, is_json: bool, body: bytes
    ) -> tuple[bytes, Checked]:
        plain = inflate(body, encoding, self.max_body_bytes)
        request = json_to_protobuf(signal, plain) if is_json and plain else plain
        return plain, check_request(signal, self._clean(signal, project, request))


def is_json_type(content_type: str) -> bool:
    """Whether a Content-Type is JSON rather than protobuf; raises `Unsupported` for any other."""
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type in PROTOBUF_TYPES:
        return False
    if media_type == JSON_TYPE:
        return True
    said = repr(content_type[:60]) if content_type else "missing"
    raise Unsupported(
        f"the content-type is {said}; OTLP is {PROTOBUF_TYPES[0]} or {JSON_TYPE}",
        field="content-type",
    )


def count_refusal(error: VagusError) -> None:
    """Count a refused request by its reason."""
    for kind, reason in _REASONS:
        if isinstance(error, kind):
            metrics.REFUSED.labels(reason).inc()
            return
    metrics.REFUSED.labels("internal").inc()
