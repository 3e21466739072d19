"""Background work: a loop in a thread that survives what goes wrong in one round."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

import prometheus_client

log = logging.getLogger(__name__)

ROUNDS = prometheus_client.Counter("vagus_worker_rounds_total", "Rounds of work.", ["worker"])
FAILURES = prometheus_client.Counter(
    "vagus_worker_failures_total", "Rounds of work that failed.", ["worker"]
)


class Worker:
    """Calls `body` again and again; it returns the seconds to wait before the next round.

    A round that raises is logged and counted, and the next one comes after a pause that grows to
    ten seconds.
    """

    def __init__(self, name: str, body: Callable[[], float]) -> None:
        self.name = name
        self.problem = ""
        self._body = body
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"vagus-{name}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End after the round that is running."""
        self._stopping.set()

    def join(self, timeout_s: float) -> bool:
        """Wait for the end; false if it did not come in time."""
        if self._thread.ident is not None:
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            started_s = time.monotonic()
            try:
                wait_s = self._body()
                failures, self.problem = 0, ""
            except Exception as e:
                failures += 1
                wait_s = min(10.0, 0.5 * 2 ** min(failures, 5))
                self.problem = f"{self.name}: {e}"
                FAILURES.labels(self.name).inc()
                log.exception(
                    "%s failed after %.1f s; trying again in %.1f s",
                    self.name,
                    time.monotonic() - started_s,
                    wait_s,
                )
            ROUNDS.labels(self.name).inc()
            self._stopping.wait(wait_s)
