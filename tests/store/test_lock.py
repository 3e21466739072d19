"""Two processes never share a data directory."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from vagus.errors import DataDirLocked
from vagus.store.lock import DirectoryLock


def test_a_second_process_is_told_who_has_the_directory(tmp_path: Path) -> None:
    lock = DirectoryLock(tmp_path)
    script = (
        "import sys; from pathlib import Path; from vagus.store.lock import DirectoryLock\n"
        "try: DirectoryLock(Path(sys.argv[1]))\n"
        "except Exception as e: print(type(e).__name__, e)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("DataDirLocked")
    assert f"in use by process {os.getpid()}" in done.stdout
    lock.close()


def test_a_directory_let_go_can_be_taken(tmp_path: Path) -> None:
    DirectoryLock(tmp_path).close()
    second = DirectoryLock(tmp_path)
    with pytest.raises(DataDirLocked):
        DirectoryLock(tmp_path)
    second.close()
