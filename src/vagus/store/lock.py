"""One process owns a data directory; a second one is told who does."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from vagus.errors import DataDirLocked


class DirectoryLock:
    """An exclusive lock on a directory, held until closed or until the process ends."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._path = directory / "lock"
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as e:
            owner = os.read(self._file, 32).decode(errors="replace").strip() or "unknown"
            os.close(self._file)
            raise DataDirLocked(
                f"the data directory {directory} is in use by process {owner}; "
                "stop that one or choose another directory with --data"
            ) from e
        os.ftruncate(self._file, 0)
        os.write(self._file, str(os.getpid()).encode())

    def close(self) -> None:
        """Let the directory go."""
        os.close(self._file)
