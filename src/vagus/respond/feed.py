"""The feed: says again, every minute, which incidents are open, to whom would else forget them."""

from __future__ import annotations

import logging
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from anyio.to_thread import run_sync
from prometheus_client import Counter
from sqlalchemy import func, select

from vagus.errors import BadInput, Unavailable
from vagus.respond.channels.alertmanager import CHANNEL, alert_of, post_alerts
from vagus.respond.channels.base import Notice
from vagus.respond.courier import Courier
from vagus.respond.members import OPEN_STATES
from vagus.store.meta.db import Meta
from vagus.store.meta.tables import incidents, outbox, targets

_log = logging.getLogger(__name__)
_fed = Counter("vagus_alert_feeds_total", "Posts that keep alerts alive, by outcome.", ["outcome"])

EVERY_MS = 60_000
_ALERT_LIMIT = 1000


@dataclass(frozen=True, slots=True)
class _Fed:
    """An Alertmanager and the last delivered states of the incidents that are open."""

    target_id: str
    address: str
    secret: str
    bodies: tuple[Any, ...]


class Feed:
    """Keeps the alerts of open incidents alive in every Alertmanager that was told of them.

    What to send is read from the outbox each time, so that a restart forgets nothing.
    """

    def __init__(self, meta: Meta, courier: Courier) -> None:
        self._meta = meta
        self._courier = courier
        self._last_ms: dict[str, int] = {}

    async def refresh(self, now_ms: int, resting: Collection[str] = ()) -> None:
        """Sends what is due, but nothing to the targets in `resting`."""
        for fed in await run_sync(_open_alerts, self._meta):
            is_early = now_ms - self._last_ms.get(fed.target_id, -EVERY_MS) < EVERY_MS
            if is_early or fed.target_id in resting:
                continue
            self._last_ms[fed.target_id] = now_ms
            await self._send(fed, now_ms)

    async def _send(self, fed: _Fed, now_ms: int) -> None:
        notices = [Notice("", fed.address, fed.secret, body, now_ms) for body in fed.bodies]
        parcel = post_alerts(fed.address, fed.secret, [alert_of(notice) for notice in notices])
        try:
            receipt = await self._courier.carry(parcel, now_ms)
        except (BadInput, Unavailable) as e:
            is_taken, error = False, str(e)
        else:
            is_taken, error = receipt.is_delivered, receipt.error
        _fed.labels("delivered" if is_taken else "failed").inc()
        if not is_taken:
            _log.warning("alerts of %s were not kept alive: %s", fed.target_id, error)


def _open_alerts(meta: Meta) -> list[_Fed]:
    latest = (
        select(func.max(outbox.c.id))
        .join(incidents, incidents.c.id == outbox.c.incident_id)
        .where(outbox.c.delivered_ms.is_not(None), incidents.c.state.in_(OPEN_STATES))
        .group_by(outbox.c.target_id, outbox.c.incident_id)
    )
    query = (
        select(targets.c.id, targets.c.url, targets.c.secret, outbox.c.body)
        .join(targets, targets.c.id == outbox.c.target_id)
        .where(targets.c.kind == CHANNEL.kind, targets.c.enabled, outbox.c.id.in_(latest))
        .order_by(targets.c.id, outbox.c.id.desc())
    )
    found: dict[str, _Fed] = {}
    with meta.read() as connection:
        for row in connection.execute(query):
            bodies = found[row.id].bodies if row.id in found else ()
            if len(bodies) < _ALERT_LIMIT:
                found[row.id] = _Fed(row.id, row.url, row.secret, (*bodies, row.body))
    return list(found.values())
