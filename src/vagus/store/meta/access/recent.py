"""A small memory of recent look-ups: bounded in size, and in how long it may be wrong."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Recent(Generic[Value]):
    """Keeps the last `size` answers for `ttl_ms`; safe to use from many threads.

    The time to live is the longest that a revocation in another process goes unnoticed.
    """

    def __init__(self, *, size: int = 4096, ttl_ms: int = 5000) -> None:
        self._size = size
        self._ttl_ms = ttl_ms
        self._lock = threading.Lock()
        self._kept: OrderedDict[str | bytes, tuple[int, Value]] = OrderedDict()

    def get(self, key: str | bytes, now_ms: int) -> tuple[Value] | None:
        """The remembered answer in a tuple, so that an answer of None differs from none."""
        with self._lock:
            found = self._kept.get(key)
            # A clock that went back must not stretch the time to live.
            if found is None or not 0 <= now_ms - found[0] < self._ttl_ms:
                return None
            return (found[1],)

    def put(self, key: str | bytes, value: Value, now_ms: int) -> None:
        """Remembers an answer; the one used longest ago goes when it is full."""
        with self._lock:
            self._kept[key] = (now_ms, value)
            self._kept.move_to_end(key)
            while len(self._kept) > self._size:
                self._kept.popitem(last=False)

    def forget(self) -> None:
        """Forgets everything, after a change made here."""
        with self._lock:
            self._kept.clear()
