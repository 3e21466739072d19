"""The one guard between our bugs and the user's program."""

from __future__ import annotations

import functools
import logging
import os
import threading
import time
from collections.abc import Callable
from typing import ParamSpec, TypeVar

logger = logging.getLogger("vagus")

P = ParamSpec("P")
R = TypeVar("R")
D = TypeVar("D")

_QUIET_S = 60.0
_last_said: dict[str, float] = {}
_last_said_lock = threading.Lock()


def guard(default: D) -> Callable[[Callable[P, R]], Callable[P, R | D]]:
    """Give back `default` instead of raising, except under pytest, where our bugs must surface."""

    def decorate(function: Callable[P, R]) -> Callable[P, R | D]:
        @functools.wraps(function)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R | D:
            try:
                return function(*args, **kwargs)
            except Exception as error:  # the one place for it
                if "PYTEST_CURRENT_TEST" in os.environ:
                    raise
                name = function.__qualname__
                say_once(f"guard {name}", f"vagus: {name} failed and was skipped: {error!r}")
                return default

        return guarded

    return decorate


def say_once(topic: str, message: str) -> None:
    """Log a warning, at most once a minute for each topic, so that the host's log stays usable."""
    now_s = time.monotonic()
    with _last_said_lock:
        last_s = _last_said.get(topic)
        if last_s is not None and now_s - last_s < _QUIET_S:
            return
        _last_said[topic] = now_s
    logger.warning(message)
