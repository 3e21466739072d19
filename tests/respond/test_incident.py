"""Incidents over their life: opened, joined, diagnosed again, taken on, resolved."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from vagus.audit.log import Audit
from vagus.errors import BadInput, NotFound
from vagus.model.episode import Episode, State
from vagus.model.finding import Finding, Hypothesis
from vagus.respond import outbox
from vagus.respond.incident import Incident, People, list_incidents, read_incident
from vagus.respond.lifecycle import Outcome, Policy, respond
from vagus.respond.targets import Targets
from vagus.store.meta.db import Meta

MINUTE_MS = 60_000


def _finding(cause: str) -> Finding:
    return Finding(
        measure="groundedness",
        project="p",
        onset_ms=0,
        window=(1, 2),
        reference=(0, 1),
        verdict=cause,
        summary=f"It was {cause}.",
        hypotheses=[Hypothesis(cause=cause, title=cause, probability=0.9)],
    )


class World:
    """A store, a clock, and a diagnosis that says what the test wants."""

    def __init__(self, meta: Meta, clock: Any) -> None:
        self.meta = meta
        self.clock = clock
        self.cause: str | None = "stale_index"
        self.diagnosed: list[str] = []
        Targets(meta, Audit(meta)).create("p", "n", "https://a.example/", actor="u", now_ms=1)
        self.people = People(meta, Audit(meta), "https://vagus.example")

    def episode(self, name: str = "e1", **changes: Any) -> Episode:
        values: dict[str, Any] = {
            "episode_id": name,
            "project": "p",
            "monitor_id": "groundedness",
            "monitor": "Groundedness",
            "measure": "groundedness",
            "group": {},
            "severity": "ticket",
            "state": State.FIRING,
            "onset_ms": self.clock.ms - MINUTE_MS,
            "fired_ms": self.clock.ms,
        }
        return Episode(**(values | changes))

    def diagnose(self, episode: Episode) -> Finding | None:
        self.diagnosed.append(episode.episode_id)
        return None if self.cause is None else _finding(self.cause)

    def run(self, *transitions: Episode, **policy: Any) -> Outcome:
        return respond(
            self.meta,
            transitions,
            self.diagnose,
            self.clock.ms,
            policy=Policy(**policy),
            public_url="https://vagus.example",
        )

    def later(self, minutes: float, *transitions: Episode) -> Outcome:
        self.clock.ms += int(minutes * MINUTE_MS)
        return self.run(*transitions)

    def end(self, episode: Episode) -> Episode:
        return msgspec.structs.replace(episode, state=State.RESOLVED, resolved_ms=self.clock.ms)

    def only(self) -> Incident:
        incidents = list_incidents(self.meta, "p")
        assert len(incidents) == 1
        return incidents[0]

    def told(self) -> list[str]:
        return [delivery.kind for delivery in reversed(outbox.deliveries(self.meta, "p"))]

    def timeline(self) -> list[str]:
        return [event.kind for event in read_incident(self.meta, "p", self.only().id)[1]]


@pytest.fixture
def world(meta: Meta, clock: Any) -> World:
    return World(meta, clock)


def test_episode_opens_an_incident_with_its_diagnosis(world: World) -> None:
    episode = world.episode(group={"feature": "support"})
    outcome = world.run(episode)

    incident = world.only()
    assert outcome.opened == [incident.id]
    assert incident.number == 1
    assert incident.title == "Groundedness in feature=support"
    assert incident.state == "open"
    assert incident.cause == "stale_index"
    assert incident.finding == _finding("stale_index")
    assert incident.episodes == (episode,)
    assert (incident.occurred_ms, incident.opened_ms) == (episode.onset_ms, world.clock.ms)
    assert world.timeline() == ["opened", "diagnosed"]
    assert world.told() == ["opened"]


def test_same_transition_twice_changes_nothing(world: World) -> None:
    episode = world.episode()
    world.run(episode)
    before = world.only()
    outcome = world.run(episode)

    assert (outcome.opened, outcome.updated, outcome.resolved) == ([], [], [])
    assert world.only() == before
    assert world.told() == ["opened"]


def test_episode_that_a_crash_left_behind_is_taken_up_by_the_next_run(world: World) -> None:
    world.run(world.episode(), episodes_per_run=0)
    assert list_incidents(world.meta, "p") == []

    assert len(world.run().opened) == 1


def test_concurrent_episodes_of_one_cause_share_an_incident(world: World) -> None:
    world.run(world.episode("e1", group={"team": "a"}))
    other = world.episode("e2", monitor_id="cost", group={"team": "b"}, severity="page")
    outcome = world.later(2, other)

    incident = world.only()
    assert outcome.opened == []
    assert outcome.updated == [incident.id]
    assert [episode.episode_id for episode in incident.episodes] == ["e1", "e2"]
    assert incident.severity == "page"
    assert world.told() == ["opened", "updated"]
    assert "severity_raised" in world.timeline()


def test_episodes_of_different_causes_get_their_own_numbers(world: World) -> None:
    world.run(world.episode("e1"))
    world.cause = "provider_outage"
    world.run(world.episode("e2", monitor_id="errors"))

    found = list_incidents(world.meta, "p")
    assert [(i.number, i.cause) for i in found] == [(2, "provider_outage"), (1, "stale_index")]


def test_numbers_count_in_each_project(world: World) -> None:
    world.run(world.episode("e1"), world.episode("e2", project="q"))

    assert [i.number for i in list_incidents(world.meta, "q")] == [1]
    assert [i.number for i in list_incidents(world.meta, "p")] == [1]


def test_diagnosis_is_repeated_at_growing_waits(world: World) -> None:
    world.run(world.episode())
    times = []
    start_ms = world.clock.ms
    for _ in range(40):
        world.later(1)
        if len(world.diagnosed) > len(times) + 1:
            times.append((world.clock.ms - start_ms) // MINUTE_MS)

    assert times == [1, 3, 8, 23]


def test_new_cause_is_told_and_the_same_cause_is_not(world: World) -> None:
    world.run(world.episode())
    world.later(1)
    assert world.told() == ["opened"]
    world.cause = "chunking_change"
    outcome = world.later(2)

    assert outcome.updated == [world.only().id]
    assert world.only().cause == "chunking_change"
    assert world.told() == ["opened", "updated"]
    assert world.timeline()[-1] == "diagnosed"


def test_incident_opens_even_if_its_diagnosis_breaks(world: World) -> None:
    def broken(_episode: Episode) -> Finding:
        raise KeyError("a bug")

    respond(world.meta, [world.episode()], broken, world.clock.ms)
    incident = world.only()
    assert (incident.state, incident.finding, incident.cause) == ("open", None, "")

    world.later(1)
    assert world.only().cause == "stale_index"


def test_storm_of_groups_is_one_incident_and_few_diagnoses(world: World) -> None:
    world.cause = None
    world.run(*(world.episode(f"e{n}", group={"feature": str(n)}) for n in range(100)))

    assert len(world.only().episodes) == 100
    assert len(world.diagnosed) == 8
    assert world.told() == ["opened"]


def test_incident_resolves_after_all_episodes_and_a_quiet_time(world: World) -> None:
    first, second = world.episode("e1"), world.episode("e2")
    world.run(first, second)
    world.later(1, world.end(first))
    world.later(10)
    assert world.only().state == "open"

    world.run(world.end(second))
    world.later(4.9)
    assert world.only().state == "open"
    outcome = world.later(0.1)
    incident = world.only()
    assert outcome.resolved == [incident.id]
    assert (incident.state, incident.resolved_ms) == ("resolved", world.clock.ms)
    assert world.told() == ["opened", "resolved"]
    assert world.timeline()[-1] == "resolved"


def test_flapping_within_the_quiet_time_stays_one_incident(world: World) -> None:
    episode = world.episode("e1")
    world.run(episode)
    world.run(world.end(episode))
    world.later(3, world.episode("e2"))
    world.later(10)

    assert world.only().state == "open"
    assert world.told() == ["opened"]


def test_new_episode_after_resolution_is_a_new_incident(world: World) -> None:
    episode = world.episode("e1")
    world.run(episode)
    world.run(world.end(episode))
    world.later(6)
    world.later(1, world.episode("e2"))

    assert [i.state for i in list_incidents(world.meta, "p")] == ["open", "resolved"]
    assert [i.number for i in list_incidents(world.meta, "p", state="open")] == [2]


def test_person_acknowledges_notes_and_resolves_on_record(world: World) -> None:
    world.run(world.episode())
    incident_id = world.only().id
    world.people.acknowledge("p", incident_id, "mine", actor="user:a", now_ms=world.clock.ms + 1)
    world.people.note("p", incident_id, "<b>looking</b>", actor="user:b", now_ms=world.clock.ms + 2)
    world.people.resolve("p", incident_id, actor="user:a", now_ms=world.clock.ms + 3)

    incident, events = read_incident(world.meta, "p", incident_id)
    assert incident.acknowledged_ms == world.clock.ms + 1
    assert incident.resolved_ms == world.clock.ms + 3
    assert [(e.kind, e.actor, dict(e.detail)) for e in events[-3:]] == [
        ("acknowledged", "user:a", {"note": "mine"}),
        ("note", "user:b", {"note": "<b>looking</b>"}),
        ("resolved", "user:a", {}),
    ]
    assert world.told() == ["opened", "acknowledged", "resolved"]
    actions = [row.action for row in Audit(world.meta).read("p") if "incident" in row.action]
    assert actions == ["incident.resolved", "incident.note", "incident.acknowledged"]


def test_episode_that_fires_on_after_a_person_resolved_opens_nothing_new(world: World) -> None:
    episode = world.episode()
    world.run(episode)
    world.people.resolve("p", world.only().id, actor="user:a", now_ms=world.clock.ms)
    world.later(10, episode)

    assert world.only().state == "resolved"


def test_impossible_acts_are_refused_with_the_reason(world: World) -> None:
    world.run(world.episode())
    incident_id = world.only().id
    act = {"actor": "user:a", "now_ms": world.clock.ms}
    with pytest.raises(BadInput, match="needs words"):
        world.people.note("p", incident_id, "  ", **act)
    with pytest.raises(BadInput, match="too long"):
        world.people.note("p", incident_id, "x" * 10_001, **act)
    with pytest.raises(NotFound):
        world.people.acknowledge("q", incident_id, **act)
    with pytest.raises(NotFound):
        read_incident(world.meta, "q", incident_id)
    world.people.resolve("p", incident_id, **act)
    with pytest.raises(BadInput, match="resolved already"):
        world.people.resolve("p", incident_id, **act)
    with pytest.raises(BadInput, match="is resolved already"):
        world.people.acknowledge("p", incident_id, **act)


def test_notification_says_what_is_wrong_in_plain_json(world: World) -> None:
    world.run(world.episode(group={"user": "<script>\x00"}))
    target = outbox.due_targets(world.meta, world.clock.ms)[0]
    waiting = outbox.claim_next(world.meta, target, world.clock.ms)
    assert waiting is not None

    data = waiting.body["data"]
    assert waiting.body["type"] == "incident.opened"
    assert waiting.body["timestamp"] == "2023-11-14T22:13:20+00:00"
    assert data["cause"] == "stale_index"
    assert data["summary"] == "It was stale_index."
    assert data["title"] == "Groundedness in user=<script>\ufffd"
    assert data["url"] == f"https://vagus.example/incidents/{world.only().id}"
