"""What keeps an incident from being told, and when people hear of it after all."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from vagus.audit.log import Audit
from vagus.errors import BadInput
from vagus.model.episode import Episode, State
from vagus.model.finding import Finding, Hypothesis
from vagus.respond import outbox
from vagus.respond.escalation import Escalations
from vagus.respond.incident import People, list_incidents, read_incident
from vagus.respond.lifecycle import Policy, respond
from vagus.respond.quiet.flapping import change_percent
from vagus.respond.quiet.inhibition import load_rules
from vagus.respond.quiet.maintenance import Windows, decode_plan, is_active, occurrence
from vagus.respond.quiet.matcher import decode_matchers, match_all
from vagus.respond.quiet.preview import preview
from vagus.respond.quiet.silences import Silences
from vagus.respond.targets import Targets
from vagus.store.meta.db import Meta

MINUTE_MS = 60_000


class Ward:
    """A store, a clock and two targets; a run is one round of the server."""

    def __init__(self, meta: Meta, clock: Any) -> None:
        self.meta, self.clock = meta, clock
        self.causes: dict[str, str] = {}
        self.audit = Audit(meta)
        made = Targets(meta, self.audit)
        self.first = made.create("p", "a", "https://a.example/", actor="u", now_ms=1)[0].id
        self.second = made.create("p", "b", "https://b.example/", actor="u", now_ms=2)[0].id
        self.silences = Silences(meta, self.audit)

    def episode(self, name: str = "e1", **changes: Any) -> Episode:
        values: dict[str, Any] = {
            "episode_id": name,
            "project": "p",
            "monitor_id": "latency",
            "monitor": "Latency",
            "measure": "latency_p95",
            "group": {"provider": "acme"},
            "severity": "page",
            "state": State.FIRING,
            "onset_ms": self.clock.ms,
            "fired_ms": self.clock.ms,
        }
        return Episode(**(values | changes))

    def _diagnose(self, episode: Episode) -> Finding | None:
        cause = self.causes.get(episode.episode_id)
        if cause is None:
            return None
        return Finding(
            measure=episode.measure,
            project="p",
            onset_ms=0,
            window=(1, 2),
            reference=(0, 1),
            verdict=cause,
            summary="",
            hypotheses=[Hypothesis(cause=cause, title=cause, probability=0.9)],
        )

    def run(self, *transitions: Episode, after_min: float = 0) -> None:
        self.clock.ms += int(after_min * MINUTE_MS)
        respond(self.meta, transitions, self._diagnose, self.clock.ms, policy=Policy())

    def end(self, episode: Episode) -> Episode:
        return msgspec.structs.replace(episode, state=State.RESOLVED, resolved_ms=self.clock.ms)

    def told(self, target: str = "") -> list[str]:
        """What the first target (or another) was told, in order, with the severity."""
        wanted = target or self.first
        found = reversed(outbox.deliveries(self.meta, "p", 1000))
        return [delivery.kind for delivery in found if delivery.target_id == wanted]

    def timeline(self, number: int = 1) -> list[str]:
        incident = next(i for i in list_incidents(self.meta, "p") if i.number == number)
        return [event.kind for event in read_incident(self.meta, "p", incident.id)[1]]

    def silence(self, minutes: int, **labels: str) -> str:
        matchers = [{"name": name, "value": value} for name, value in labels.items()]
        return self.silences.create(
            "p",
            "known",
            matchers,
            ends_ms=self.clock.ms + minutes * MINUTE_MS,
            actor="ann",
            now_ms=self.clock.ms,
        ).id


@pytest.fixture
def ward(meta: Meta, clock: Any) -> Ward:
    return Ward(meta, clock)


def test_silenced_incident_is_recorded_and_told_when_the_silence_ends(ward: Ward) -> None:
    ward.silence(30, provider="acme")
    ward.run(ward.episode())
    ward.run(after_min=29)
    assert ward.told() == []
    assert "held" in ward.timeline()

    ward.run(after_min=2)
    ward.run(after_min=1)
    assert ward.told() == ["opened"]
    assert ward.timeline().count("released") == 1


def test_silenced_incident_that_ends_meanwhile_is_never_told(ward: Ward) -> None:
    ward.silence(60, measure="latency_p95")
    episode = ward.episode()
    ward.run(episode)
    ward.run(ward.end(episode), after_min=1)
    ward.run(after_min=6)
    ward.run(after_min=120)

    assert list_incidents(ward.meta, "p")[0].state == "resolved"
    assert ward.told() == []


def test_silence_of_another_label_or_ended_by_hand_keeps_nothing_back(ward: Ward) -> None:
    ward.silence(60, provider="other")
    mine = ward.silence(60, provider="acme")
    ward.silences.end("p", mine, actor="bob", now_ms=ward.clock.ms)
    ward.run(ward.episode())

    assert ward.told() == ["opened"]
    actions = [row.action for row in ward.audit.read("p")]
    assert actions[:3] == ["silence.end", "silence.create", "silence.create"]


def test_preview_counts_what_would_go_silent(ward: Ward) -> None:
    ward.run(ward.episode("e1"), ward.episode("e2", monitor_id="cost", measure="cost", group={}))
    both = decode_matchers([{"name": "measure", "op": "=~", "value": ".+"}], may_be_empty=False)
    one = decode_matchers([{"name": "measure", "value": "cost"}], may_be_empty=False)

    assert preview(ward.meta, "p", both).incidents == 1
    assert (preview(ward.meta, "p", one).incidents, preview(ward.meta, "p", one).episodes) == (0, 1)


@pytest.mark.parametrize(
    ("op", "value", "matches"),
    [
        ("=", "acme", True),
        ("!=", "acme", False),
        ("=~", "ac", False),
        ("=~", "ac.*|x", True),
        ("!~", "ac", True),
        ("!~", "acme", False),
    ],
)
def test_matchers_mean_what_alertmanagers_mean(op: str, value: str, matches: bool) -> None:
    always = {"name": "project", "value": "p"}
    asked = [always, {"name": "provider", "op": op, "value": value}]
    matchers = decode_matchers(asked, may_be_empty=False)
    assert match_all(matchers, {"provider": "acme", "project": "p"}) is matches


@pytest.mark.parametrize(
    "matcher",
    [
        {"name": "a", "op": "=~", "value": "("},
        {"name": "a", "op": "=~", "value": r"(x)\1"},
        {"name": "a", "op": "=~", "value": ".*"},
        {"name": "a", "op": "!=", "value": "x"},
        {"name": "a b", "value": "x"},
        {"name": "a", "op": "~", "value": "x"},
    ],
)
def test_matcher_that_is_no_re2_or_matches_everything_is_refused(matcher: dict[str, str]) -> None:
    with pytest.raises(BadInput):
        decode_matchers([matcher], may_be_empty=False)


def test_silence_is_bounded_and_needs_a_reason(ward: Ward) -> None:
    with pytest.raises(BadInput):
        ward.silence(31 * 24 * 60, provider="acme")
    with pytest.raises(BadInput):
        ward.silence(0, provider="acme")


def test_maintenance_keeps_quiet_in_its_own_time_zone(ward: Ward) -> None:
    zone = ZoneInfo("Asia/Tokyo")
    now = datetime.fromtimestamp(ward.clock.ms / 1000, zone)
    plan = decode_plan(
        {"name": "m", "start": now.strftime("%Y-%m-%dT%H:%M"), "minutes": 60, "timezone": zone.key}
    )
    Windows(ward.meta, ward.audit).create("p", plan, actor="u", now_ms=ward.clock.ms)
    ward.run(ward.episode(), after_min=1)
    assert ward.told() == []

    ward.run(after_min=61)
    assert ward.told() == ["opened"]


def test_recurring_window_follows_the_wall_clock_over_a_change_of_clocks() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    plan = decode_plan(
        {
            "name": "m",
            "start": "2026-10-18T09:00",
            "minutes": 60,
            "timezone": "Europe/Berlin",
            "repeat": "weekly",
        }
    )
    for day, active in ((18, True), (25, True), (24, False)):
        at_ms = int(datetime(2026, 10, day, 9, 30, tzinfo=berlin).timestamp() * 1000)
        assert is_active(plan, at_ms) is active
    after_ms = int(datetime(2026, 10, 18, 11, tzinfo=berlin).timestamp() * 1000)
    start_ms = int(datetime(2026, 10, 25, 9, tzinfo=berlin).timestamp() * 1000)
    assert occurrence(plan, after_ms) == (start_ms, start_ms + 3_600_000)


def test_upstream_cause_keeps_its_symptoms_quiet_and_says_why(ward: Ward) -> None:
    outage = ward.episode("e1", monitor_id="errors", measure="provider_error_rate")
    ward.causes["e1"] = "provider_outage"
    ward.run(outage)
    ward.clock.ms += 20 * MINUTE_MS
    ward.run(ward.episode("e2", monitor_id="cost", measure="cost", group={"provider": "zeta"}))
    ward.clock.ms += 20 * MINUTE_MS
    ward.run(ward.episode("e3", monitor_id="quality", measure="groundedness"))
    assert ward.told() == ["opened", "opened"]
    held = [e for n in (1, 2, 3) for e in ward.timeline(n) if e == "held"]
    assert len(held) == 1

    ward.run(ward.end(outage), after_min=1)
    ward.run(after_min=6)
    assert ward.told() == ["opened", "opened", "resolved"]
    ward.run(after_min=1)
    assert ward.told() == ["opened", "opened", "resolved", "opened"]


def test_rules_of_inhibition_name_known_families() -> None:
    assert {rule.id for rule in load_rules()} >= {"provider", "telemetry"}


def test_transient_trouble_is_told_late_and_quietly_and_only_if_it_lasts(ward: Ward) -> None:
    brief = ward.episode(classification="transient")
    ward.run(brief)
    ward.run(after_min=14)
    assert ward.told() == []
    ward.run(after_min=1)
    assert ward.told() == ["opened"]
    waiting = outbox.claim_next(ward.meta, ward.first, ward.clock.ms)
    assert waiting is not None
    assert waiting.body["data"]["severity"] == "ticket"


def test_transient_that_turns_systematic_is_told_at_once(ward: Ward) -> None:
    brief = ward.episode(classification="transient")
    ward.run(brief)
    assert ward.told() == []
    worse = msgspec.structs.replace(brief, classification="systematic")
    ward.run(worse, after_min=2)
    assert ward.told() == ["opened"]


def test_quietly_told_incident_is_told_again_when_it_turns_systematic(ward: Ward) -> None:
    brief = ward.episode(classification="transient")
    ward.run(brief)
    ward.run(after_min=16)
    worse = msgspec.structs.replace(brief, classification="systematic")
    ward.run(worse, after_min=1)
    ward.run(worse, after_min=1)
    assert ward.told() == ["opened", "updated"]


def test_escalation_goes_on_until_somebody_acknowledges_and_survives_restarts(ward: Ward) -> None:
    steps = [
        {"after_min": 0, "targets": [ward.first]},
        {"after_min": 10, "targets": [ward.second]},
        {"after_min": 20, "targets": [ward.first]},
    ]
    Escalations(ward.meta, ward.audit).put("p", "page", steps, actor="u", now_ms=1)
    ward.run(ward.episode())
    ward.run(after_min=9)
    assert (ward.told(ward.first), ward.told(ward.second)) == (["opened"], [])
    ward.run(after_min=2)
    ward.run(after_min=1)
    assert ward.told(ward.second) == ["escalated"]

    incident = list_incidents(ward.meta, "p")[0]
    People(ward.meta, ward.audit).acknowledge("p", incident.id, actor="u", now_ms=ward.clock.ms)
    ward.run(after_min=30)
    assert ward.told(ward.first) == ["opened", "acknowledged"]
    assert ward.told(ward.second) == ["escalated", "acknowledged"]


def test_flapping_series_is_told_once_and_raises_a_ticket_on_its_monitor(ward: Ward) -> None:
    for turn in range(6):
        episode = ward.episode(f"e{turn}")
        ward.run(episode, after_min=1)
        ward.run(ward.end(episode), after_min=2)
        ward.run(after_min=6)
        ward.clock.ms += 6 * MINUTE_MS

    incidents = list_incidents(ward.meta, "p")
    tickets = [i for i in incidents if i.title.startswith("The monitor Latency flaps")]
    assert len(tickets) == 1
    assert tickets[0].severity == "ticket"
    held = [n.number for n in incidents if "held" in ward.timeline(n.number)]
    assert len(held) >= 2
    told = ward.told().count("opened")
    assert told == len(incidents) - len(held)

    for _ in range(30):
        ward.run(after_min=5)
    assert {i.state for i in list_incidents(ward.meta, "p")} == {"resolved"}


def test_change_percent_weighs_newer_changes_more_and_ends_at_a_hundred() -> None:
    assert change_percent([], 0, 1) == 0
    assert change_percent(range(20), 19, 1) == pytest.approx(100)
    assert change_percent([19], 19, 1) > change_percent([0], 19, 1) > 0
    assert change_percent([0], 20, 1) == 0
