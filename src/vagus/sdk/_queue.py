"""A bounded queue with one background sender: the only thing between the host and the network.

The host's thread appends and goes on. When the queue is full, by items or by bytes, the oldest
items go and are counted. Nothing here ever waits for the network except `flush` and `close`, and
those stop at their deadline.
"""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from vagus.sdk._guard import say_once

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a queue holds and how it is emptied."""

    items: int = 2048
    size_bytes: int = 32 * 1024 * 1024
    batch: int = 512
    delay_s: float = 1.0


class Queue(Generic[Item]):
    """Items waiting to be sent in batches by one daemon thread, started at the first item."""

    def __init__(self, name: str, send: Callable[[list[Item]], bool], limits: Limits) -> None:
        self._name = name
        self._send = send
        self._limits = limits
        self._sent = self._dropped = self._failed = 0
        self._start_empty()
        if hasattr(os, "register_at_fork"):
            reference = weakref.WeakMethod(self._start_empty)

            def after_fork() -> None:
                if restart := reference():
                    restart()

            os.register_at_fork(after_in_child=after_fork)

    def _start_empty(self) -> None:
        # Also runs in a forked child, where the parent's thread and locks do not exist.
        self._items: deque[tuple[Item, int]] = deque()
        self._size_bytes = 0
        self._sending = 0
        self._closed = False
        self._hurry = False
        self._thread: threading.Thread | None = None
        self._changed = threading.Condition(threading.Lock())

    @property
    def sent(self) -> int:
        """Items that the backend took."""
        return self._sent

    @property
    def dropped(self) -> int:
        """Items that found no room, or came after closing."""
        return self._dropped

    @property
    def failed(self) -> int:
        """Items that were sent and refused, or never reached the backend."""
        return self._failed

    @property
    def waiting(self) -> int:
        """Items not sent yet."""
        return len(self._items) + self._sending

    def put(self, item: Item, size_bytes: int) -> None:
        """Append one item without waiting; the oldest make room when the queue is full."""
        with self._changed:
            if self._closed or size_bytes > self._limits.size_bytes:
                self._dropped += 1
                return
            self._items.append((item, size_bytes))
            self._size_bytes += size_bytes
            while len(self._items) > self._limits.items or self._is_too_big():
                self._size_bytes -= self._items.popleft()[1]
                self._dropped += 1
            if len(self._items) == self._limits.batch:
                self._changed.notify_all()
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                self._thread.start()

    def flush(self, timeout_s: float) -> bool:
        """Send what is waiting; true when all of it left before the timeout."""
        deadline_s = time.monotonic() + timeout_s
        with self._changed:
            self._hurry = True
            self._changed.notify_all()
            while self._items or self._sending:
                left_s = deadline_s - time.monotonic()
                if left_s <= 0 or self._thread is None:
                    return False
                self._changed.wait(left_s)
            return True

    def close(self, timeout_s: float) -> bool:
        """Flush, then take nothing more; what is left at the timeout is dropped and counted."""
        is_done = self.flush(timeout_s)
        with self._changed:
            self._closed = True
            self._dropped += len(self._items)
            self._items.clear()
            self._size_bytes = 0
            self._changed.notify_all()
        return is_done

    def _is_too_big(self) -> bool:
        return self._size_bytes > self._limits.size_bytes

    def _run(self) -> None:
        while batch := self._take():
            try:
                is_sent = self._send(batch)
            except Exception as error:  # noqa: BLE001 - the edge of a worker loop
                say_once(self._name, f"vagus: {self._name} failed: {error!r}")
                is_sent = False
            with self._changed:
                self._sending = 0
                if is_sent:
                    self._sent += len(batch)
                else:
                    self._failed += len(batch)
                self._changed.notify_all()

    def _take(self) -> list[Item]:
        # Empty only when the queue is closed.
        with self._changed:
            deadline_s = time.monotonic() + self._limits.delay_s
            while not self._closed and not self._is_due(deadline_s):
                left_s = deadline_s - time.monotonic()
                self._changed.wait(left_s if self._items and left_s > 0 else self._limits.delay_s)
            count = min(len(self._items), self._limits.batch)
            taken = [self._items.popleft() for _ in range(count)]
            self._size_bytes -= sum(size for _, size in taken)
            self._sending = count
            if not self._items:
                self._hurry = False
            return [item for item, _ in taken]

    def _is_due(self, deadline_s: float) -> bool:
        if not self._items:
            return False
        if self._hurry or len(self._items) >= self._limits.batch:
            return True
        return time.monotonic() >= deadline_s
