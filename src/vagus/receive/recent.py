"""The request ids of the last while, so that a re-sent request is not stored twice."""

from __future__ import annotations

import os
import threading
from pathlib import Path

ID_BYTES = 16


class RecentRequests:
    """A bounded window of request ids; ids of loaded segments outlive a restart in a small file.

    Ids of segments that are still in the log are read from the segments themselves.
    """

    def __init__(self, path: Path, limit: int = 100_000) -> None:
        self._path = path
        self._limit = limit
        self._ids: dict[bytes, None] = {}
        self._file_lock = threading.Lock()
        stored = path.read_bytes() if path.exists() else b""
        self.add(stored[: len(stored) - len(stored) % ID_BYTES])
        self._file_bytes = len(stored)
        if len(stored) % ID_BYTES:
            self._rewrite()

    def __contains__(self, request_id: bytes) -> bool:
        return request_id in self._ids

    def add(self, ids: bytes) -> None:
        """Remember ids, given one after the other; the oldest are forgotten over the limit."""
        for at in range(0, len(ids), ID_BYTES):
            one = ids[at : at + ID_BYTES]
            self._ids.pop(one, None)
            self._ids[one] = None
        while len(self._ids) > self._limit:
            del self._ids[next(iter(self._ids))]

    def keep(self, ids: bytes) -> None:
        """Write ids to the file, before the segment that holds them is deleted."""
        with self._file_lock:
            fd = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            try:
                self._file_bytes += os.write(fd, ids)
                os.fdatasync(fd)
            finally:
                os.close(fd)
            if self._file_bytes > 2 * self._limit * ID_BYTES or self._file_bytes % ID_BYTES:
                self._rewrite()

    def _rewrite(self) -> None:
        newer = self._path.with_suffix(".new")
        # A copy, because the loader's thread may be here while the writer's thread adds ids.
        data = b"".join(list(self._ids))
        with newer.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(newer, self._path)
        self._file_bytes = len(data)
