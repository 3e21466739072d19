"""Notifications: each state once, in order, signed, whatever the target does meanwhile."""

from __future__ import annotations

import base64
import functools
import hashlib
import hmac
import json
import threading
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import anyio
import pytest
from sqlalchemy import insert

from vagus.audit.log import Audit
from vagus.errors import NotFound
from vagus.respond import outbox
from vagus.respond.channels.webhook import secret_bytes
from vagus.respond.courier import Courier
from vagus.respond.egress import Egress
from vagus.respond.notify import Notifier
from vagus.respond.targets import Targets
from vagus.store.meta.db import Meta
from vagus.store.meta.tables import incidents

HOUR_MS = 3_600_000


def _add_incident(meta: Meta, incident_id: str, number: int) -> None:
    with meta.begin() as connection:
        connection.execute(
            insert(incidents).values(
                id=incident_id,
                number=number,
                project="p",
                title="t",
                severity="page",
                state="open",
                occurred_ms=1,
                opened_ms=1,
                updated_ms=1,
                cause="",
                diagnoses=0,
                next_diagnosis_ms=1,
            )
        )


class Desk:
    """A notifier over a store with two incidents, `i1` and `i2`."""

    def __init__(self, meta: Meta, clock: Any) -> None:
        self.meta = meta
        self.clock = clock
        self.targets = Targets(meta, Audit(meta))
        self.notifier = self.another(timeout_s=5)
        _add_incident(meta, "i1", 1)
        _add_incident(meta, "i2", 2)

    def another(self, timeout_s: float) -> Notifier:
        egress = Egress(allow_private=["127.0.0.1/32"], timeout_s=timeout_s)
        return Notifier(self.meta, Courier(egress), now_ms=self.clock, jitter=lambda: 1.0)

    def add_target(self, url: str) -> str:
        return self.targets.create("p", "hook", url, actor="u", now_ms=1)[1]

    def tell(self, state: str, incident: str = "i1") -> int:
        with self.meta.begin() as connection:
            return outbox.enqueue(
                connection,
                project="p",
                incident_id=incident,
                kind=state,
                key=state,
                body={"type": f"incident.{state}", "data": {"id": incident, "title": "é"}},
                now_ms=self.clock.ms,
            )

    def deliver(self) -> None:
        anyio.run(self.notifier.deliver_due)

    def pass_time(self, total_ms: int, step_ms: int) -> None:
        """Lets time go by, delivering as it does."""
        for _ in range(total_ms // step_ms):
            self.clock.ms += step_ms
            self.deliver()


@pytest.fixture
def desk(meta: Meta, clock: Any) -> Desk:
    return Desk(meta, clock)


def _types(requests: list[dict[str, Any]]) -> list[str]:
    return [json.loads(request["body"])["type"] for request in requests]


def test_states_arrive_once_and_in_order(desk: Desk, make_receiver: Callable[[], Any]) -> None:
    receiver = make_receiver()
    desk.add_target(receiver.url)
    for state in ("opened", "acknowledged", "resolved"):
        assert desk.tell(state) == 1
        assert desk.tell(state) == 0
    desk.deliver()
    desk.pass_time(HOUR_MS, 600_000)

    assert _types(receiver.requests) == [
        "incident.opened",
        "incident.acknowledged",
        "incident.resolved",
    ]


def test_message_is_signed_as_standard_webhooks_say(
    desk: Desk, make_receiver: Callable[[], Any]
) -> None:
    receiver = make_receiver()
    secret = desk.add_target(receiver.url)
    desk.tell("opened")
    desk.deliver()

    sent = receiver.requests[0]
    signed = (
        f"{sent['headers']['webhook-id']}.{sent['headers']['webhook-timestamp']}.".encode()
        + sent["body"]
    )
    expected = hmac.new(secret_bytes(secret), signed, hashlib.sha256).digest()
    assert sent["headers"]["webhook-signature"] == "v1," + base64.b64encode(expected).decode()
    assert sent["headers"]["webhook-timestamp"] == str(desk.clock.ms // 1000)
    assert json.loads(sent["body"])["data"] == {"id": "i1", "title": "é"}


def test_target_down_then_up_gets_every_state_once_in_order(
    desk: Desk, make_receiver: Callable[[], Any]
) -> None:
    receiver = make_receiver()
    receiver.answer = lambda: (503, {})
    desk.add_target(receiver.url)
    desk.tell("opened")
    desk.deliver()
    desk.tell("acknowledged")
    desk.tell("opened", "i2")
    desk.pass_time(HOUR_MS, 60_000)
    desk.tell("resolved")
    assert receiver.accepted() == []

    receiver.answer = lambda: (204, {})
    desk.pass_time(3 * HOUR_MS, 60_000)
    accepted = receiver.accepted()
    of_first = [a for a in accepted if json.loads(a["body"])["data"]["id"] == "i1"]
    assert _types(of_first) == ["incident.opened", "incident.acknowledged", "incident.resolved"]
    assert len(accepted) == 4
    ids = {request["headers"]["webhook-id"] for request in of_first}
    assert len(ids) == 3
    opened = [
        r for r in receiver.requests if b"incident.opened" in r["body"] and b"i1" in r["body"]
    ]
    assert len({request["headers"]["webhook-id"] for request in opened}) == 1


def test_waits_grow_and_stay_bounded(desk: Desk, make_receiver: Callable[[], Any]) -> None:
    receiver = make_receiver()
    receiver.answer = lambda: (500, {})
    desk.add_target(receiver.url)
    desk.tell("opened")
    times = []
    start_ms = desk.clock.ms
    for _ in range(300):
        seen = len(receiver.requests)
        desk.deliver()
        if len(receiver.requests) > seen:
            times.append(desk.clock.ms - start_ms)
        desk.clock.ms += 5_000

    waits = [later - earlier for earlier, later in pairwise(times)]
    assert waits[:8] == [5_000 * 2**n for n in range(8)]


def test_day_of_failure_ends_as_dead_and_can_be_replayed(
    desk: Desk, make_receiver: Callable[[], Any]
) -> None:
    receiver = make_receiver()
    receiver.answer = lambda: (500, {})
    desk.add_target(receiver.url)
    desk.tell("opened")
    desk.deliver()
    desk.pass_time(25 * HOUR_MS, 1_800_000)

    delivery = outbox.deliveries(desk.meta, "p")[0]
    assert (delivery.state, delivery.error) == ("dead", "the target answered 500")
    attempts = len(receiver.requests)
    desk.pass_time(5 * HOUR_MS, HOUR_MS)
    assert len(receiver.requests) == attempts

    with pytest.raises(NotFound):
        outbox.replay(desk.meta, "another", delivery.id, desk.clock.ms)
    receiver.answer = lambda: (200, {})
    outbox.replay(desk.meta, "p", delivery.id, desk.clock.ms)
    desk.deliver()
    assert outbox.deliveries(desk.meta, "p")[0].state == "delivered"


def test_retry_after_is_honoured(desk: Desk, make_receiver: Callable[[], Any]) -> None:
    receiver = make_receiver()
    receiver.answer = lambda: (429, {"retry-after": "900"})
    desk.add_target(receiver.url)
    desk.tell("opened")
    desk.deliver()
    desk.pass_time(899_000, 29_000)
    assert len(receiver.requests) == 1

    desk.pass_time(60_000, 29_000)
    assert len(receiver.requests) == 2


def test_gone_target_is_not_tried_again(desk: Desk, make_receiver: Callable[[], Any]) -> None:
    receiver = make_receiver()
    receiver.answer = lambda: (410, {})
    desk.add_target(receiver.url)
    desk.tell("opened")
    desk.deliver()
    desk.pass_time(2 * HOUR_MS, HOUR_MS)

    assert len(receiver.requests) == 1
    assert outbox.deliveries(desk.meta, "p")[0].state == "dead"


def test_redirect_is_a_failure_and_its_lure_is_not_visited(
    desk: Desk, make_receiver: Callable[[], Any]
) -> None:
    lure, secret = make_receiver(), make_receiver()
    lure.answer = lambda: (302, {"location": secret.url})
    desk.add_target(lure.url)
    desk.tell("opened")
    desk.deliver()

    assert secret.requests == []
    assert "redirects are not followed" in outbox.deliveries(desk.meta, "p")[0].error


def test_slow_target_does_not_delay_the_others(
    desk: Desk, make_receiver: Callable[[], Any]
) -> None:
    slow, quick = make_receiver(), make_receiver()
    release, arrived = threading.Event(), threading.Event()
    slow.answer = lambda: (200 if release.wait(10) else 500, {})
    quick.answer = lambda: (arrived.set(), (200, {}))[1]
    desk.add_target(slow.url)
    desk.add_target(quick.url)
    desk.tell("opened")

    async def run_until_quick_has_it() -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(functools.partial(desk.notifier.run, poll_s=0.01))
            for state in ("opened", "acknowledged", "resolved"):
                await anyio.to_thread.run_sync(desk.tell, state)
            with anyio.fail_after(5):
                while len(quick.requests) < 3:
                    await anyio.sleep(0.01)
            assert slow.accepted() == []
            release.set()
            with anyio.fail_after(5):
                while len(slow.accepted()) < 3:
                    await anyio.sleep(0.01)
            tasks.cancel_scope.cancel()

    anyio.run(run_until_quick_has_it)
    assert _types(quick.requests) == _types(slow.accepted())


def test_restart_in_the_middle_sends_the_same_id_again(
    desk: Desk, make_receiver: Callable[[], Any]
) -> None:
    receiver = make_receiver()
    desk.add_target(receiver.url)
    desk.tell("opened")
    claimed = outbox.claim_next(desk.meta, desk.targets.of_project("p")[0].id, desk.clock.ms)
    assert claimed is not None
    restarted = desk.another(timeout_s=5)
    anyio.run(restarted.deliver_due)
    assert receiver.requests == []

    desk.clock.ms += outbox.CLAIM_MS
    anyio.run(restarted.deliver_due)
    assert len(receiver.requests) == 1


def test_two_servers_on_one_database_send_each_state_once(
    desk: Desk, make_receiver: Callable[[], Any]
) -> None:
    receiver = make_receiver()
    desk.add_target(receiver.url)
    for number in range(20):
        desk.tell(f"state-{number}")
    servers = [desk.another(timeout_s=5) for _ in range(3)]

    async def run_all() -> None:
        async with anyio.create_task_group() as tasks:
            for server in servers:
                tasks.start_soon(server.deliver_due)

    anyio.run(run_all)
    desk.deliver()
    assert _types(receiver.requests) == [f"incident.state-{number}" for number in range(20)]


def test_disabled_target_gets_nothing(desk: Desk, make_receiver: Callable[[], Any]) -> None:
    receiver = make_receiver()
    desk.add_target(receiver.url)
    target = desk.targets.of_project("p")[0]
    desk.tell("opened")
    desk.targets.update(
        "p", target.id, name="n", url=target.url, enabled=False, actor="u", now_ms=2
    )
    assert desk.tell("resolved") == 0
    desk.deliver()

    assert receiver.requests == []


def test_private_address_is_refused_at_delivery_and_shown(meta: Meta, clock: Any) -> None:
    desk = Desk(meta, clock)
    desk.notifier = Notifier(meta, Courier(Egress()), now_ms=clock, jitter=lambda: 0.0)
    desk.add_target("http://127.0.0.1:8080/")
    desk.tell("opened")
    desk.deliver()

    assert "private, local or reserved" in outbox.deliveries(meta, "p")[0].error
