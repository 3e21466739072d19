"""A sign of life in the terminal while something takes long."""

from __future__ import annotations

import itertools
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_QUIET_S = 0.5
_STEP_S = 0.15


@contextmanager
def waiting(what: str) -> Iterator[None]:
    """Say `what` is being done when it takes more than half a second, on a terminal only."""
    if not sys.stderr.isatty():
        yield
        return
    done = threading.Event()
    thread = threading.Thread(target=_turn, args=(what, done), daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _turn(what: str, done: threading.Event) -> None:
    if done.wait(_QUIET_S):
        return
    for sign in itertools.cycle("|/-\\"):
        sys.stderr.write(f"\r{what} {sign}")
        sys.stderr.flush()
        if done.wait(_STEP_S):
            break
    sys.stderr.write("\r" + " " * (len(what) + 2) + "\r")
    sys.stderr.flush()
