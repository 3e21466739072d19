"""People work on an incident: phases, roles, clocks, causes that stay, merging, links, actions."""

from __future__ import annotations

from typing import Any

import pytest

from vagus.audit.log import Audit
from vagus.errors import BadInput, NotFound
from vagus.model.episode import Episode, State
from vagus.model.finding import Finding, Hypothesis
from vagus.respond import outbox
from vagus.respond.acts import Responders
from vagus.respond.incident import Incident, list_incidents, read_incident
from vagus.respond.lifecycle import respond
from vagus.respond.phases import ACTIVE, LEVELS, MOVES, phase_of, state_of
from vagus.respond.response import actions_of, known_of, links_of
from vagus.respond.targets import Targets
from vagus.store.meta.db import Meta

MINUTE_MS = 60_000


class Room:
    """A store with one incident in it, and somebody who works on it."""

    def __init__(self, meta: Meta, clock: Any) -> None:
        self.meta, self.clock, self.cause, self.words = meta, clock, "stale_index", ""
        Targets(meta, Audit(meta)).create("p", "n", "https://a.example/", actor="u", now_ms=1)
        self.id = self.open("e1")

    def open(self, name: str, **changes: Any) -> str:
        values: dict[str, Any] = {
            "episode_id": name,
            "project": "p",
            "monitor_id": name,
            "monitor": "Groundedness",
            "measure": "groundedness",
            "group": {"feature": name},
            "severity": "ticket",
            "state": State.FIRING,
            "onset_ms": self.clock.ms - 5 * MINUTE_MS,
            "fired_ms": self.clock.ms,
        }
        (opened,) = self.run(Episode(**(values | changes)))
        return opened

    def run(self, *episodes: Episode) -> list[str]:
        return respond(self.meta, episodes, self.diagnose, self.clock.ms).opened

    def diagnose(self, episode: Episode) -> Finding:
        return Finding(
            measure=episode.measure,
            project="p",
            onset_ms=0,
            window=(1, 2),
            reference=(0, 1),
            verdict=self.cause,
            summary=f"It was {self.words or self.cause}.",
            hypotheses=[Hypothesis(cause=self.cause, title="t", probability=0.9)],
        )

    def later(self, minutes: float) -> None:
        self.clock.ms += int(minutes * MINUTE_MS)
        self.run()

    @property
    def acts(self) -> Responders:
        return Responders(self.meta, Audit(self.meta), "p", "user:a", self.clock.ms)

    def incident(self, incident_id: str = "") -> Incident:
        return read_incident(self.meta, "p", incident_id or self.id)[0]

    def timeline(self) -> list[str]:
        return [event.kind for event in read_incident(self.meta, "p", self.id)[1]]

    def told(self) -> list[str]:
        return [one.kind for one in reversed(outbox.deliveries(self.meta, "p"))]


@pytest.fixture
def room(meta: Meta, clock: Any) -> Room:
    return Room(meta, clock)


def test_incident_goes_from_triage_to_closed_and_each_step_is_on_record(room: Room) -> None:
    assert room.incident().phase == "triage"
    phases = ("investigating", "mitigating", "monitoring", "resolved", "review", "closed")
    for phase in phases:
        room.clock.ms += MINUTE_MS
        room.acts.move(room.id, phase)
        assert room.incident().phase == phase

    assert room.timeline()[-6:] == ["acknowledged", "phase", "phase", "resolved", "phase", "phase"]
    assert room.told() == ["opened", "acknowledged", "resolved"]
    assert list_incidents(room.meta, "p", "open") == []
    assert [i.id for i in list_incidents(room.meta, "p", "closed")] == [room.id]


def test_clocks_are_kept_apart_and_durations_follow(room: Room) -> None:
    detected_ms = room.clock.ms
    for minutes, phase in ((2, "investigating"), (3, "monitoring"), (10, "resolved")):
        room.clock.ms += minutes * MINUTE_MS
        room.acts.move(room.id, phase)
    room.acts.describe(room.id, {"causal_link_ms": detected_ms + 7, "aware_ms": detected_ms + 5})

    clocks = room.incident().clocks
    assert (clocks.occurred_ms, clocks.detected_ms) == (detected_ms - 5 * MINUTE_MS, detected_ms)
    assert (clocks.aware_ms, clocks.causal_link_ms) == (detected_ms + 5, detected_ms + 7)
    minutes_taken = {name: (ms or 0) / MINUTE_MS for name, ms in clocks.durations.items()}
    assert minutes_taken == {"ttd_ms": 5, "tta_ms": 2, "ttm_ms": 10, "ttr_ms": 20}


def test_what_has_not_happened_is_unknown_and_not_zero(room: Room) -> None:
    clocks = room.incident().clocks

    assert (clocks.aware_ms, clocks.mitigated_ms, clocks.causal_link_ms) == (None, None, None)
    assert clocks.durations["tta_ms"] is None
    assert clocks.durations["ttr_ms"] is None


def test_who_acknowledges_is_aware(room: Room) -> None:
    room.acts.move(room.id, "mitigating")

    assert room.incident().clocks.aware_ms == room.clock.ms


@pytest.mark.parametrize("before", MOVES)
def test_every_phase_leads_to_phases_and_comes_from_its_own_state(before: str) -> None:
    assert set(MOVES[before]) <= set(MOVES)
    assert phase_of(state_of(before), before) == before


def test_impossible_moves_are_refused_with_those_that_are_possible(room: Room) -> None:
    with pytest.raises(BadInput, match="triage goes to investigating"):
        room.acts.move(room.id, "closed")
    room.acts.move(room.id, "declined", "a drill")
    with pytest.raises(BadInput, match="declined goes to nowhere"):
        room.acts.move(room.id, "investigating")

    assert room.told() == ["opened", "resolved"]
    assert room.incident().clocks.resolved_ms is None


def test_level_roles_and_what_is_affected_are_set_with_what_was_before(room: Room) -> None:
    room.acts.describe(room.id, {"level": "SEV2", "roles": {"lead": "Ada"}})
    room.acts.describe(room.id, {"affected": [{"name": "tenant a", "count": 40}], "level": "SEV3"})

    said = room.incident().response
    assert (said.level, said.roles) == ("SEV3", {"lead": "Ada"})
    assert said.affected == [{"name": "tenant a", "count": 40}]
    events = read_incident(room.meta, "p", room.id)[1]
    changed = [dict(e.detail) for e in events if e.detail.get("what") == "level"]
    assert [(c["before"], c["value"]) for c in changed] == [("", "SEV2"), ("SEV2", "SEV3")]


def test_nonsense_is_refused_by_field(room: Room) -> None:
    future_ms = room.clock.ms + 10 * MINUTE_MS
    bad = [
        ({"level": "SEV9"}, "level"),
        ({"roles": {"king": "Ada"}}, "roles"),
        ({"affected": [{"name": " "}]}, "affected"),
        ({"aware_ms": future_ms}, "aware_ms"),
        ({"causal_link_ms": -1}, "causal_link_ms"),
    ]
    for changes, field in bad:
        with pytest.raises(BadInput) as raised:
            room.acts.describe(room.id, changes)
        assert raised.value.field == field
    assert room.timeline() == ["opened", "diagnosed"]


def test_accepted_cause_stays_whatever_later_diagnoses_say(room: Room) -> None:
    room.acts.judge_cause(room.id, "chunking_change", "the index was cut anew", is_accepted=True)
    room.cause = "provider_outage"
    room.later(1)

    incident = room.incident()
    assert incident.cause == "chunking_change"
    assert incident.finding is not None
    assert incident.finding.verdict == "provider_outage"
    assert incident.clocks.causal_link_ms == room.clock.ms - MINUTE_MS
    row = Audit(room.meta).read("p", action="incident.cause_accepted")[0]
    assert (row.actor, row.detail["reason"]) == ("user:a", "the index was cut anew")


def test_rejected_cause_does_not_come_back(room: Room) -> None:
    room.acts.judge_cause(room.id, "stale_index", "it was built today", is_accepted=False)
    assert room.incident().cause == ""
    room.later(1)
    assert room.incident().cause == ""
    room.cause = "embedding_mismatch"
    room.later(3)

    assert room.incident().cause == "embedding_mismatch"
    assert room.incident().response.rejected_causes == ["stale_index"]


def test_what_each_diagnosis_said_is_kept_with_its_time(room: Room) -> None:
    opened_ms = room.clock.ms
    room.later(1)
    room.cause = "provider_outage"
    room.later(3)

    with room.meta.read() as connection:
        known = known_of(connection, room.id)
    assert [(k.time_ms - opened_ms, k.summary) for k in known] == [
        (0, "It was stale_index."),
        (4 * MINUTE_MS, "It was provider_outage."),
    ]


def test_words_of_telemetry_that_no_database_keeps_are_shown_as_missing(room: Room) -> None:
    room.words = "bad\x00\ud800cause"
    room.later(1)

    with room.meta.read() as connection:
        assert known_of(connection, room.id)[-1].summary == "It was bad\ufffd\ufffdcause."


def test_merged_incident_gives_its_episodes_away_and_says_where(room: Room) -> None:
    room.cause = "provider_outage"
    other = room.open("e2", severity="page", onset_ms=room.clock.ms - 9 * MINUTE_MS)
    room.acts.merge(other, room.id, "one storm")

    kept, gone = room.incident(), room.incident(other)
    assert [episode.episode_id for episode in kept.episodes] == ["e2", "e1"]
    assert (kept.severity, kept.occurred_ms) == ("page", room.clock.ms - 9 * MINUTE_MS)
    assert (gone.phase, gone.response.merged_into, gone.episodes) == ("merged", room.id, ())
    assert [i.id for i in list_incidents(room.meta, "p", "open")] == [room.id]
    with pytest.raises(BadInput, match="is merged"):
        room.acts.merge(other, room.id)
    with pytest.raises(BadInput, match="into itself"):
        room.acts.merge(room.id, room.id)


def test_links_and_actions_belong_to_their_incident(room: Room) -> None:
    room.acts.link(room.id, "trace", "ab" * 16, "the worst one")
    with pytest.raises(BadInput, match="linked already"):
        room.acts.link(room.id, "trace", "ab" * 16)
    with pytest.raises(NotFound):
        room.acts.link(room.id, "incident", "i_none")
    with pytest.raises(BadInput, match="begins with"):
        room.acts.link(room.id, "url", "javascript:alert(1)")
    fields = {"words": "alert on age", "owner": "Ada", "due_ms": 5, "verify": "document_age_days"}
    action = room.acts.add_action(room.id, fields)
    room.acts.set_action(room.id, action, "done")
    with pytest.raises(NotFound):
        room.acts.set_action(room.id, "a_none", "done")

    with room.meta.read() as connection:
        (link,) = links_of(connection, room.id)
        (kept,) = actions_of(connection, room.id)
    assert (link.kind, link.note, link.actor) == ("trace", "the worst one", "user:a")
    assert (kept.owner, kept.state, kept.verify) == ("Ada", "done", "document_age_days")


def test_nobody_acts_on_the_incident_of_another_project(room: Room) -> None:
    stranger = Responders(room.meta, Audit(room.meta), "q", "user:b", room.clock.ms)
    for act in (
        lambda: stranger.move(room.id, "resolved"),
        lambda: stranger.describe(room.id, {"level": "SEV1"}),
        lambda: stranger.judge_cause(room.id, "x", "y", is_accepted=True),
        lambda: stranger.link(room.id, "trace", "ab"),
        lambda: stranger.merge(room.id, "i_other"),
    ):
        with pytest.raises(NotFound):
            act()


def test_each_level_has_criteria_in_words() -> None:
    assert [level.level for level in LEVELS] == ["SEV1", "SEV2", "SEV3", "SEV4"]
    assert all(len(criterion.split()) >= 6 for level in LEVELS for criterion in level.criteria)
    assert set(ACTIVE) < set(MOVES)
