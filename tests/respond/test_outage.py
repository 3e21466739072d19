"""A target that is down for an hour gets each state once it is back, in order, none twice."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import anyio
import pytest

from vagus.audit.log import Audit
from vagus.model.episode import Episode, State
from vagus.respond.courier import Courier
from vagus.respond.egress import Egress
from vagus.respond.incident import People, list_incidents
from vagus.respond.lifecycle import respond
from vagus.respond.notify import Notifier
from vagus.respond.targets import Targets
from vagus.store.meta.db import Meta

MINUTE_MS = 60_000


class Outage:
    """A server whose clock a test moves; `restart` forgets all that was only in memory."""

    def __init__(self, meta: Meta, clock: Any) -> None:
        self.meta, self.clock = meta, clock
        self.targets = Targets(meta, Audit(meta))
        self.people = People(meta, Audit(meta))
        self.restart()

    def restart(self) -> None:
        courier = Courier(Egress(allow_private=["127.0.0.1/32"]))
        self.notifier = Notifier(self.meta, courier, now_ms=self.clock, jitter=lambda: 0.5)

    def open(self, name: str) -> None:
        episode = Episode(
            episode_id=name,
            project="p",
            monitor_id=name,
            monitor=name,
            measure="cost",
            group={"team": name},
            severity="page",
            state=State.FIRING,
            onset_ms=self.clock.ms,
            fired_ms=self.clock.ms,
        )
        respond(self.meta, [episode], lambda _episode: None, self.clock.ms)

    def incident(self, name: str) -> str:
        found = list_incidents(self.meta, "p")
        return next(i.id for i in found if i.title.startswith(f"{name} "))

    def pass_minutes(self, minutes: int, restart_at: int = -1) -> None:
        for minute in range(minutes):
            if minute == restart_at:
                self.restart()
            for _ in range(4):
                self.clock.ms += MINUTE_MS // 4
                anyio.run(self.notifier.deliver_due)
            anyio.run(self.notifier.feed_due)

    def live_through(self, receiver: Any, down: Callable[[], Any], up: Callable[[], Any]) -> None:
        receiver.answer = down
        self.open("one")
        self.pass_minutes(20, restart_at=7)
        self.people.acknowledge("p", self.incident("one"), actor="u", now_ms=self.clock.ms)
        self.open("two")
        self.pass_minutes(20, restart_at=3)
        self.people.resolve("p", self.incident("one"), actor="u", now_ms=self.clock.ms)
        self.pass_minutes(20)
        receiver.answer = up
        self.pass_minutes(60, restart_at=1)


@pytest.fixture
def outage(meta: Meta, clock: Any) -> Outage:
    return Outage(meta, clock)


def _states(receiver: Any, incident: str) -> list[str]:
    bodies = [json.loads(request["body"]) for request in receiver.accepted()]
    return [b["type"] for b in bodies if b["data"]["id"] == incident]


@pytest.mark.parametrize("status", [503, 429, 404])
def test_webhook_down_for_an_hour_with_restarts(
    outage: Outage, make_receiver: Callable[[], Any], status: int
) -> None:
    receiver = make_receiver()
    outage.targets.create("p", "hook", receiver.url, actor="u", now_ms=1)
    outage.live_through(receiver, lambda: (status, {}), lambda: (200, {}))

    first, second = outage.incident("one"), outage.incident("two")
    assert _states(receiver, first) == [
        "incident.opened",
        "incident.acknowledged",
        "incident.resolved",
    ]
    assert _states(receiver, second) == ["incident.opened"]
    assert len({r["headers"]["webhook-id"] for r in receiver.accepted()}) == 4


def test_pagerduty_down_for_an_hour_with_restarts(
    outage: Outage, make_receiver: Callable[[], Any]
) -> None:
    receiver = make_receiver()
    outage.targets.create(
        "p", "pd", receiver.url, kind="pagerduty", secret="k" * 32, actor="u", now_ms=1
    )
    outage.live_through(receiver, lambda: (500, {}), lambda: (202, {}))

    events = [json.loads(request["body"]) for request in receiver.accepted()]
    of_first = [e["event_action"] for e in events if e["dedup_key"] == outage.incident("one")]
    assert of_first == ["trigger", "acknowledge", "resolve"]
    assert len(events) == 4


def test_alerts_are_kept_alive_every_minute_while_open_and_not_after(
    outage: Outage, make_receiver: Callable[[], Any]
) -> None:
    receiver = make_receiver()
    address = receiver.url.removesuffix("/hook")
    outage.targets.create("p", "am", address, kind="alertmanager", actor="u", now_ms=1)
    outage.live_through(receiver, lambda: (500, {}), lambda: (200, {}))
    fed = [json.loads(request["body"]) for request in receiver.accepted()]
    first, second = outage.incident("one"), outage.incident("two")
    ends = [a["endsAt"] for post in fed for a in post if a["labels"]["incident"] == second]
    assert len(ends) >= 50
    assert ends == sorted(ends)

    live = [a["endsAt"] for post in fed[10:] for a in post if a["labels"]["incident"] == first]
    assert live == []
