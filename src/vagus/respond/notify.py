"""The notifier: takes rows out of the outbox and gives them to the courier.

Delivery is at least once with a stable id, so a receiver that remembers ids sees each state
exactly once. A target that fails is left alone for a growing time; the others do not wait.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

import anyio
from anyio.to_thread import run_sync
from prometheus_client import Counter

from vagus.respond import outbox
from vagus.respond.channels.base import Notice
from vagus.respond.courier import Courier
from vagus.respond.feed import Feed
from vagus.store.meta.db import Meta

_log = logging.getLogger(__name__)
_sent = Counter("vagus_notifications_total", "Notification attempts by outcome.", ["outcome"])
_loop_failures = Counter("vagus_notify_loop_failures_total", "Rounds of the notifier that failed.")

FIRST_WAIT_MS = 5_000
LONGEST_WAIT_MS = 900_000
_LONGEST_ASKED_MS = 3_600_000
# A target is tried at least this often, whatever one hard row has waited for.
_LONGEST_PAUSE_MS = 300_000
_CONCURRENCY = 32


@dataclass(slots=True)
class _Circuit:
    """How a target has been doing lately."""

    failures: int = 0
    closed_until_ms: int = 0


class Notifier:
    """Delivers the outbox; `now_ms` and `jitter` (a number in [0, 1)) come from outside."""

    def __init__(
        self,
        meta: Meta,
        courier: Courier,
        *,
        now_ms: Callable[[], int],
        jitter: Callable[[], float],
    ) -> None:
        self._meta = meta
        self._courier = courier
        self._feed = Feed(meta, courier)
        self._now_ms = now_ms
        self._jitter = jitter
        self._circuits: dict[str, _Circuit] = {}
        self._busy: set[str] = set()

    async def run(self, poll_s: float = 1.0) -> None:
        """Delivers for ever; a slow target holds up neither the loop nor the others."""
        limiter = anyio.CapacityLimiter(_CONCURRENCY)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._feed_for_ever, poll_s)
            while True:
                try:
                    for target_id in await self._ready_targets():
                        self._busy.add(target_id)
                        tasks.start_soon(self._serve, target_id, limiter)
                except Exception:  # noqa: BLE001 - the edge of a worker's loop: count and go on
                    _loop_failures.inc()
                    _log.exception("looking for notifications to send failed")
                await anyio.sleep(poll_s)

    async def deliver_due(self) -> None:
        """Delivers what is due now, once, and returns."""
        limiter = anyio.CapacityLimiter(_CONCURRENCY)
        async with anyio.create_task_group() as tasks:
            for target_id in await self._ready_targets():
                self._busy.add(target_id)
                tasks.start_soon(self._serve, target_id, limiter)

    async def feed_due(self) -> None:
        """Keeps the alerts of open incidents alive where they would end by themselves."""
        now_ms = self._now_ms()
        await self._feed.refresh(now_ms, self._closed(now_ms))

    async def _feed_for_ever(self, poll_s: float) -> None:
        while True:
            try:
                await self.feed_due()
            except Exception:  # noqa: BLE001 - the edge of a worker's loop: count and go on
                _loop_failures.inc()
                _log.exception("keeping alerts alive failed")
            await anyio.sleep(poll_s)

    def _closed(self, now_ms: int) -> set[str]:
        return {t for t, c in self._circuits.items() if c.closed_until_ms > now_ms}

    async def _ready_targets(self) -> list[str]:
        now_ms = self._now_ms()
        due = await run_sync(outbox.due_targets, self._meta, now_ms)
        closed = self._closed(now_ms)
        return [t for t in due if t not in self._busy and t not in closed]

    async def _serve(self, target_id: str, limiter: anyio.CapacityLimiter) -> None:
        try:
            async with limiter:
                is_well = True
                while is_well:
                    row = await run_sync(outbox.claim_next, self._meta, target_id, self._now_ms())
                    if row is None:
                        return
                    is_well = await self._deliver(row)
        except Exception:  # noqa: BLE001 - one target's trouble must not end the others' tasks
            _loop_failures.inc()
            _log.exception("sending notifications to %s failed", target_id)
        finally:
            self._busy.discard(target_id)

    async def _deliver(self, row: outbox.Waiting) -> bool:
        notice = Notice(row.dedup_key, row.url, row.secret, row.body, self._now_ms())
        receipt = await self._courier.send(row.channel, notice)
        now_ms = self._now_ms()
        if receipt.is_delivered:
            _sent.labels("delivered").inc()
            self._circuits.pop(row.target_id, None)
            await run_sync(outbox.mark_delivered, self._meta, row.id, now_ms)
            if row.attempts > 1:
                await run_sync(outbox.hasten, self._meta, row.target_id, now_ms)
            return True
        if receipt.is_final:
            _sent.labels("dead").inc()
            await run_sync(outbox.mark_dead, self._meta, row.id, receipt.error, now_ms)
            return True
        await self._fail(row, receipt.error, receipt.wait_ms)
        return False

    async def _fail(self, row: outbox.Waiting, error: str, asked_ms: int) -> None:
        now_ms = self._now_ms()
        circuit = self._circuits.setdefault(row.target_id, _Circuit())
        circuit.failures += 1
        own_pause_ms = min(self._wait_ms(circuit.failures), _LONGEST_PAUSE_MS)
        pause_ms = max(min(asked_ms, _LONGEST_ASKED_MS), own_pause_ms)
        circuit.closed_until_ms = now_ms + pause_ms
        wait_ms = max(asked_ms, self._wait_ms(row.attempts))
        is_dead = await run_sync(
            outbox.mark_failed, self._meta, row, error, now_ms + wait_ms, now_ms
        )
        _sent.labels("dead" if is_dead else "failed").inc()
        _log.warning("notification %d was not delivered: %s", row.id, error)

    def _wait_ms(self, attempts: int) -> int:
        # Half of the wait is random: targets behind one proxy should not all come back at once.
        full_ms = min(FIRST_WAIT_MS * 2 ** min(attempts - 1, 20), LONGEST_WAIT_MS)
        return int(full_ms * (0.5 + 0.5 * self._jitter()))
