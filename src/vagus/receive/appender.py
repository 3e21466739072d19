"""The file that a signal's records are being written to."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from vagus.errors import Unavailable
from vagus.receive import metrics
from vagus.receive.segment import SegmentRef, segment_path

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_MOST_PARTS = 1024  # IOV_MAX on Linux


class DiskLost(Exception):
    """Nobody knows what reached the disk: nothing may be acknowledged in this process again."""


class Appender:
    """One open segment: whole records go to its end, or nothing does."""

    def __init__(
        self,
        directory: Path,
        signal: str,
        segment_id: int,
        *,
        fsync: Callable[[int], object],
    ) -> None:
        self._signal = signal
        self._id = segment_id
        self._fsync = fsync
        self.path = segment_path(directory, segment_id)
        self.size = 0
        self.request_ids = bytearray()
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND
        try:
            directory_fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
        except OSError as e:
            raise _no_segment(e) from e
        try:
            self._fd = os.open(self.path, flags, 0o600)
        except OSError as e:
            os.close(directory_fd)
            raise _no_segment(e) from e
        try:
            os.fsync(directory_fd)
        except OSError as e:
            raise DiskLost(f"fsync of {directory} failed: {e.strerror}") from e
        finally:
            os.close(directory_fd)

    def write(self, parts: Sequence[bytes]) -> None:
        """Put the parts at the end; when the disk is full, take back what went in of them."""
        total = sum(map(len, parts))
        try:
            self._write_all(parts, total)
        except OSError as e:
            if e.errno not in _NO_ROOM:
                raise DiskLost(f"write to {self.path} failed: {e.strerror}") from e
            try:
                os.ftruncate(self._fd, self.size)
            except OSError as again:
                raise DiskLost(f"truncating {self.path} failed: {again.strerror}") from again
            raise Unavailable(
                f"the disk of the write-ahead log is full: {e.strerror}",
                retry_after_s=10,
            ) from e
        self.size += total

    def sync(self) -> None:
        """Return once everything written is on the disk."""
        try:
            with metrics.FSYNC_SECONDS.time():
                self._fsync(self._fd)
        except OSError as e:
            raise DiskLost(f"fsync of {self.path} failed: {e.strerror}") from e

    def seal(self) -> SegmentRef:
        """Close the file for good."""
        os.close(self._fd)
        return SegmentRef(self._signal, self._id, self.path, self.size)

    def _write_all(self, parts: Sequence[bytes], total: int) -> None:
        for at in range(0, len(parts), _MOST_PARTS):
            some = parts[at : at + _MOST_PARTS]
            expected = sum(map(len, some))
            done = os.writev(self._fd, some)
            while done < expected:
                rest = memoryview(b"".join(some))[done:]
                done += os.write(self._fd, rest)


def _no_segment(error: OSError) -> Unavailable:
    return Unavailable(f"cannot create a log segment: {error.strerror}", retry_after_s=10)
