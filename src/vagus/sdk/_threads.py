"""Keeping the context through threads.

`asyncio` carries context variables into tasks by itself. Threads do not: `init` therefore wraps
`threading.Thread.start` and `ThreadPoolExecutor.submit` so that the code they run sees the
context of the place that started it, and `shutdown` puts the originals back. `propagate` does the
same for one function, for pools of other libraries.
"""

from __future__ import annotations

import functools
import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from opentelemetry.context import attach, get_current
from opentelemetry.context.context import Context

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

P = ParamSpec("P")
R = TypeVar("R")

_originals: dict[type, Callable[..., Any]] = {}
_wrappers: dict[type, Callable[..., Any]] = {}
_lock = threading.Lock()


def propagate(function: Callable[P, R]) -> Callable[P, R]:
    """The function, bound to the context of here and now, wherever it will run."""
    return _bound(function, get_current())


def carry_through_threads() -> None:
    """Wrap threads and thread pools of the standard library; a second call changes nothing."""
    from concurrent.futures import ThreadPoolExecutor

    with _lock:
        if not _originals:
            _replace(threading.Thread, "start", _start_of(threading.Thread.start))
            _replace(ThreadPoolExecutor, "submit", _submit_of(ThreadPoolExecutor.submit))


def stop_carrying() -> None:
    """Put the originals back, unless somebody else has wrapped them since."""
    with _lock:
        for owner, original in _originals.items():
            name = original.__name__
            if getattr(owner, name) is _wrappers[owner]:
                setattr(owner, name, original)
        _originals.clear()
        _wrappers.clear()


def _replace(owner: type, name: str, wrapper: Callable[..., Any]) -> None:
    _originals[owner] = getattr(owner, name)
    _wrappers[owner] = wrapper
    setattr(owner, name, wrapper)


def _bound(function: Callable[P, R], context: Context) -> Callable[P, R]:
    @functools.wraps(function)
    def bound(*args: P.args, **kwargs: P.kwargs) -> R:
        before = get_current()
        attach(context)
        try:
            return function(*args, **kwargs)
        finally:
            attach(before)

    return bound


def _start_of(original: Callable[[threading.Thread], None]) -> Callable[[threading.Thread], None]:
    @functools.wraps(original)
    def start(self: threading.Thread) -> None:
        context = get_current()
        if context and not _is_pool_worker(self):
            _bind_run(self, context)
        original(self)

    return start


def _bind_run(thread: threading.Thread, context: Context) -> None:
    # `run` is looked up on the instance first, so subclasses with their own `run` are served too.
    run = thread.run

    def bound() -> None:
        # Without this the thread and its own bound method would keep each other alive.
        del thread.__dict__["run"]
        attach(context)
        run()

    thread.__dict__["run"] = bound


def _is_pool_worker(thread: threading.Thread) -> bool:
    # A pool's thread outlives the request that happened to create it; its work carries the
    # context by itself, through `submit`.
    pools = sys.modules.get("concurrent.futures.thread")
    worker = getattr(pools, "_worker", None)
    return worker is not None and getattr(thread, "_target", None) is worker


def _submit_of(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def submit(
        self: ThreadPoolExecutor, function: Callable[..., Any], /, *args: Any, **kwargs: Any
    ) -> Any:
        return original(self, _bound(function, get_current()), *args, **kwargs)

    return submit
