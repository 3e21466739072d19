"""The write-ahead log: what is acknowledged is on the disk, whatever happens next.

One thread writes. Requests that wait while it is in an fsync are written together and share the
next one (group commit), so the number of fsyncs follows the disk and not the traffic. Each signal
has its own segments. A segment is sealed by size or age; the loader takes sealed segments in
order and calls `done`, which deletes them.

When an fsync fails, nobody knows what reached the disk, and trying again would say "fine" (the
kernel has dropped the pages). So that is final: nothing is acknowledged any more, `failed` is
true, and `on_fatal` ends the process. The next start reads what the disk really holds.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from vagus.errors import InternalError, Overloaded, Unavailable
from vagus.receive import metrics
from vagus.receive.appender import Appender
from vagus.receive.counter import SegmentIds
from vagus.receive.recent import RecentRequests
from vagus.receive.record import SIGNALS, Entry, encode_record
from vagus.receive.segment import SegmentRef, move_to_quarantine, recover_segments

__all__ = ["Entry", "SegmentRef", "Wal"]

log = logging.getLogger(__name__)

_SPACE_CHECK_NS = 500_000_000
_MOST_ROOM_BYTES = 256 * 1024 * 1024
_FAILED = "the write-ahead log has failed and takes nothing until the server is restarted"


@dataclass(slots=True)
class _Pending:
    """A record that is not on the disk yet, and everyone who waits for it."""

    signal: str
    request_id: bytes
    parts: tuple[bytes, bytes]
    waiters: list[tuple[asyncio.AbstractEventLoop, asyncio.Future[None]]] = field(
        default_factory=list
    )

    @property
    def size(self) -> int:
        return len(self.parts[0]) + len(self.parts[1])


@dataclass(slots=True)
class _Open:
    appender: Appender
    since_ns: int


def _log_fatal(error: Exception) -> None:
    log.critical("%s", error)


class Wal:
    """The log of all signals in a directory; `append` is for event loops, all else for threads."""

    def __init__(
        self,
        directory: Path,
        *,
        segment_bytes: int,
        segment_ms: int,
        max_backlog_bytes: int,
        min_free_bytes: int | None = None,
        fsync: Callable[[int], object] = os.fdatasync,
        clock_ns: Callable[[], int] = time.time_ns,
        on_fatal: Callable[[Exception], object] = _log_fatal,
        recent_limit: int = 100_000,
    ) -> None:
        self._directory = directory
        self._segment_bytes = segment_bytes
        self._segment_ns = segment_ms * 1_000_000
        self._max_backlog_bytes = max_backlog_bytes
        self._fsync = fsync
        self._on_fatal = on_fatal
        self._quarantine = directory / "quarantine"
        self._failure: Exception | None = None
        self._closing = False
        self._seal_wanted = False
        self._is_disk_low = False
        self._space_checked_ns = 0
        self._queue: list[_Pending] = []
        self._pending: dict[bytes, _Pending] = {}
        self._open: dict[str, _Open] = {}
        self._sealed: dict[str, list[SegmentRef]] = {signal: [] for signal in SIGNALS}
        self._segment_requests: dict[int, bytes] = {}
        self._backlog = 0
        self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._min_free_bytes = (
            _room_to_leave(directory) if min_free_bytes is None else min_free_bytes
        )
        self._recover(clock_ns(), recent_limit)
        self._changed = threading.Condition()
        self._writer = threading.Thread(target=self._run, name="vagus-wal", daemon=True)
        self._writer.start()

    def _recover(self, now_ns: int, recent_limit: int) -> None:
        self._recent = RecentRequests(self._directory / "recent", recent_limit)
        last_id = 0
        for signal in SIGNALS:
            directory = self._directory / signal
            directory.mkdir(exist_ok=True, mode=0o700)
            for found in recover_segments(directory, signal, self._quarantine):
                self._add_sealed(found.ref, found.request_ids)
                self._recent.add(found.request_ids)
                self._grow_backlog(found.ref.size)
                last_id = max(last_id, found.ref.id)
        self._ids = SegmentIds(self._directory / "next", above=last_id, now_ns=now_ns)

    @property
    def failed(self) -> bool:
        """Whether an fsync failed, after which nothing is acknowledged any more."""
        return self._failure is not None

    @property
    def backlog_bytes(self) -> int:
        """Bytes taken in and not yet loaded."""
        return self._backlog

    async def append(self, entry: Entry) -> bool:
        """Return once the entry is on the disk: true if it is new, false if it was there already.

        Raises `Overloaded` when the backlog is full and `Unavailable` when the disk is.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        with self._changed:
            self._check_open()
            pending = self._pending.get(entry.request_id)
            is_new = pending is None
            if pending is None:
                if entry.request_id in self._recent:
                    return False
                pending = _Pending(entry.signal, entry.request_id, encode_record(entry))
                self._check_room(pending.size)
                self._grow_backlog(pending.size)
                self._pending[entry.request_id] = pending
                self._queue.append(pending)
                self._changed.notify_all()
            pending.waiters.append((loop, future))
        await future
        return is_new

    def sealed(self, signal: str | None = None) -> list[SegmentRef]:
        """The segments that wait for the loader, oldest first."""
        with self._changed:
            signals = SIGNALS if signal is None else (signal,)
            return sorted((ref for name in signals for ref in self._sealed[name]), key=_by_id)

    def next_sealed(self, signal: str, timeout_s: float) -> SegmentRef | None:
        """The oldest segment that is not done, waiting for one; None after the time is over."""
        with self._changed:
            self._changed.wait_for(lambda: self._sealed[signal], timeout_s)
            return self._sealed[signal][0] if self._sealed[signal] else None

    def seal(self) -> None:
        """Seal every segment that holds data, now, and return when that is done."""
        with self._changed:
            self._seal_wanted = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: not self._seal_wanted or self._closing or self.failed)

    def done(self, ref: SegmentRef) -> None:
        """The store holds this segment durably: delete it."""
        request_ids = self._take_out(ref)
        try:
            self._recent.keep(request_ids)
        except OSError as e:
            log.warning("cannot keep the request ids of %s: %s", ref.path, e.strerror)
        try:
            ref.path.unlink(missing_ok=True)
        except OSError as e:
            log.error("cannot delete the loaded segment %s: %s", ref.path, e.strerror)

    def set_aside(self, ref: SegmentRef, why: str) -> Path:
        """Move a segment that can never be loaded to quarantine; returns where it is kept."""
        self._take_out(ref)
        target = move_to_quarantine(ref.path, ref.signal, self._quarantine)
        log.error("%s is set aside as %s: %s", ref.path, target, why)
        return target

    def close(self) -> None:
        """Write what is waiting, seal everything and stop the writer."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._writer.join()

    def _check_open(self) -> None:
        if self._failure is not None:
            raise Unavailable(_FAILED, retry_after_s=30)
        if self._closing:
            raise Unavailable("the server is stopping")

    def _check_room(self, size: int) -> None:
        if self._backlog + size > self._max_backlog_bytes:
            raise Overloaded(
                f"{self._backlog} bytes wait to be loaded and receive.max_backlog_bytes is "
                f"{self._max_backlog_bytes}: send this again later"
            )
        now_ns = time.monotonic_ns()
        if now_ns - self._space_checked_ns > _SPACE_CHECK_NS:
            self._space_checked_ns = now_ns
            self._is_disk_low = shutil.disk_usage(self._directory).free < self._min_free_bytes
        if self._is_disk_low:
            raise Unavailable(
                f"less than {self._min_free_bytes} bytes are free on the disk of the write-ahead "
                "log",
                retry_after_s=10,
            )

    def _grow_backlog(self, size: int) -> None:
        self._backlog += size
        metrics.BACKLOG_BYTES.set(self._backlog)

    def _add_sealed(self, ref: SegmentRef, request_ids: bytes) -> None:
        self._sealed[ref.signal].append(ref)
        self._segment_requests[ref.id] = request_ids

    def _take_out(self, ref: SegmentRef) -> bytes:
        with self._changed:
            if ref not in self._sealed[ref.signal]:
                raise InternalError(f"segment {ref.path} is not waiting in the log")
            self._sealed[ref.signal].remove(ref)
            self._grow_backlog(-ref.size)
            return self._segment_requests.pop(ref.id)

    def _run(self) -> None:
        try:
            while self._run_once():
                pass
        except Exception as e:  # noqa: BLE001 - a writer that dies quietly would hang every request
            self._fail(e)

    def _run_once(self) -> bool:
        with self._changed:
            if not self._queue and not self._closing and not self._seal_wanted:
                self._changed.wait(self._until_due_s())
            batch, self._queue = self._queue, []
            is_closing, is_sealing = self._closing, self._seal_wanted
        for signal in SIGNALS:
            self._commit(signal, [entry for entry in batch if entry.signal == signal])
        if is_closing or is_sealing:
            for signal in list(self._open):
                self._seal(signal)
            with self._changed:
                self._seal_wanted = False
                self._changed.notify_all()
        self._seal_due(time.monotonic_ns())
        return not is_closing

    def _seal_due(self, now_ns: int) -> None:
        for signal, part in list(self._open.items()):
            if now_ns - part.since_ns >= self._segment_ns:
                self._seal(signal)

    def _until_due_s(self) -> float | None:
        if not self._open:
            return None
        oldest_ns = min(part.since_ns for part in self._open.values())
        return max(0, oldest_ns + self._segment_ns - time.monotonic_ns()) / 1e9

    def _commit(self, signal: str, batch: list[_Pending]) -> None:
        while batch:
            try:
                appender = self._appender(signal)
                group = _fitting(batch, self._segment_bytes - appender.size)
                appender.write([part for entry in group for part in entry.parts])
            except Unavailable as e:
                self._finish(batch, e)
                self._drop_if_empty(signal)
                return
            appender.sync()
            request_ids = b"".join(entry.request_id for entry in group)
            appender.request_ids += request_ids
            with self._changed:
                self._recent.add(request_ids)
            self._finish(group, None)
            if appender.size >= self._segment_bytes:
                self._seal(signal)
            batch = batch[len(group) :]

    def _appender(self, signal: str) -> Appender:
        if signal not in self._open:
            try:
                segment_id = self._ids.take()
            except OSError as e:
                raise Unavailable(f"cannot write the log's counter: {e.strerror}") from e
            directory = self._directory / signal
            opened = Appender(directory, signal, segment_id, fsync=self._fsync)
            self._open[signal] = _Open(opened, time.monotonic_ns())
        return self._open[signal].appender

    def _drop_if_empty(self, signal: str) -> None:
        part = self._open.get(signal)
        if part is not None and part.appender.size == 0:
            del self._open[signal]
            part.appender.seal().path.unlink(missing_ok=True)

    def _seal(self, signal: str) -> None:
        appender = self._open.pop(signal).appender
        ref = appender.seal()
        with self._changed:
            self._add_sealed(ref, bytes(appender.request_ids))
            self._changed.notify_all()

    def _finish(self, batch: Iterable[_Pending], error: Exception | None) -> None:
        by_loop: dict[asyncio.AbstractEventLoop, list[asyncio.Future[None]]] = {}
        with self._changed:
            for entry in batch:
                del self._pending[entry.request_id]
                if error is not None:
                    self._grow_backlog(-entry.size)
                for loop, future in entry.waiters:
                    by_loop.setdefault(loop, []).append(future)
        for loop, futures in by_loop.items():
            # The loop of a request may be gone by now; then nobody waits for the answer.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(_resolve, futures, error)

    def _fail(self, error: Exception) -> None:
        with self._changed:
            self._failure = error
            self._queue = []
            waiting = list(self._pending.values())
            self._changed.notify_all()
        log.critical("the write-ahead log stops for good: %s", error)
        self._finish(waiting, Unavailable(_FAILED, retry_after_s=30))
        self._on_fatal(error)


def _room_to_leave(directory: Path) -> int:
    """Free bytes below which nothing is taken in: room for the store to finish what it has."""
    return min(_MOST_ROOM_BYTES, shutil.disk_usage(directory).total // 20)


def _by_id(ref: SegmentRef) -> int:
    return ref.id


def _fitting(batch: list[_Pending], room: int) -> list[_Pending]:
    """As many entries as end just past the segment's limit, and at least one."""
    size = 0
    for count, entry in enumerate(batch, 1):
        size += entry.size
        if size >= room:
            return batch[:count]
    return batch


def _resolve(futures: list[asyncio.Future[None]], error: Exception | None) -> None:
    for future in futures:
        if future.done():
            continue
        if error is None:
            future.set_result(None)
        else:
            future.set_exception(error)
