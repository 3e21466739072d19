"""The life of incidents: opened from episodes, diagnosed while they last, resolved with them.

Each run looks at the stored state rather than at events: what a crash left undone is done by the
next run. Diagnoses run outside of transactions, for they take seconds.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from prometheus_client import Counter
from sqlalchemy import Connection, Row, func, insert, select, text, update

from vagus.model.episode import Episode, State
from vagus.model.finding import Finding
from vagus.respond.announce import announce
from vagus.respond.grouping import (
    JOIN_MS,
    Candidate,
    cause_of,
    choose,
    is_about_monitor,
    title_of,
)
from vagus.respond.incident import add_event
from vagus.respond.members import OPEN_STATES, members_of
from vagus.respond.message import tell
from vagus.respond.quiet.flapping import Flapping, flapping_transitions
from vagus.respond.response import keep_finding, response_of
from vagus.store.meta.db import Meta
from vagus.store.meta.tables import episodes, incident_episodes, incidents
from vagus.watch import episodes as kept

_log = logging.getLogger(__name__)
_opened = Counter("vagus_incidents_opened_total", "Incidents opened.")
_undiagnosed = Counter("vagus_diagnosis_failures_total", "Diagnoses that failed.")

Diagnose = Callable[[Episode], Finding | None]

# An arbitrary number: two servers on one PostgreSQL change incidents one after the other.
_INCIDENT_LOCK = 7_305_809_156


@dataclass(frozen=True, slots=True)
class Policy:
    """The times of an incident's life, in milliseconds.

    `rediagnose_ms` are the waits between diagnoses while it lasts; the last one repeats.
    An incident that opened without a diagnosis gets one after `first_retry_ms`. Of a transient one
    people are told after `transient_delay_ms`, if it lasts.
    """

    join_ms: int = JOIN_MS
    quiet_ms: int = 300_000
    first_retry_ms: int = 10_000
    rediagnose_ms: tuple[int, ...] = (60_000, 120_000, 300_000, 900_000, 3_600_000)
    transient_delay_ms: int = 900_000
    flapping: Flapping = field(default_factory=Flapping)
    diagnoses_per_run: int = 8
    episodes_per_run: int = 500


@dataclass(slots=True)
class Outcome:
    """The ids of the incidents that a run opened, changed and resolved."""

    opened: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    resolved: list[str] = field(default_factory=list)


def respond(
    meta: Meta,
    transitions: Iterable[Episode],
    diagnose: Diagnose,
    now_ms: int,
    *,
    policy: Policy | None = None,
    public_url: str = "",
) -> Outcome:
    """One run: takes in episodes that changed, then opens, diagnoses and resolves incidents."""
    return _Run(meta, diagnose, now_ms, policy or Policy(), public_url).run(transitions)


class _Run:
    """One run at one moment."""

    def __init__(
        self, meta: Meta, diagnose: Diagnose, now_ms: int, policy: Policy, public_url: str
    ) -> None:
        self._meta = meta
        self._diagnose_episode = diagnose
        self._now_ms = now_ms
        self._policy = policy
        self._public_url = public_url
        self._diagnoses_left = policy.diagnoses_per_run
        self._outcome = Outcome()

    def run(self, transitions: Iterable[Episode]) -> Outcome:
        kept.write(self._meta, list(transitions))
        kept.write(
            self._meta, flapping_transitions(self._meta, self._now_ms, self._policy.flapping)
        )
        for episode in self._unassigned():
            finding = self._diagnose(episode)
            with self._meta.begin() as connection:
                lock_incidents(self._meta, connection)
                self._assign(connection, episode, finding)
        for incident_id, lead in self._due_for_diagnosis():
            again = self._diagnose(lead)
            with self._meta.begin() as connection:
                lock_incidents(self._meta, connection)
                self._store_finding(connection, incident_id, again)
        with self._meta.begin() as connection:
            lock_incidents(self._meta, connection)
            announce(
                connection,
                self._now_ms,
                transient_delay_ms=self._policy.transient_delay_ms,
                public_url=self._public_url,
            )
            self._resolve_quiet(connection)
        return self._outcome

    def _unassigned(self) -> list[Episode]:
        query = (
            select(episodes.c.data)
            .outerjoin(incident_episodes, incident_episodes.c.episode_id == episodes.c.id)
            .where(episodes.c.state == State.FIRING, incident_episodes.c.episode_id.is_(None))
            .order_by(episodes.c.onset_ms, episodes.c.id)
            .limit(self._policy.episodes_per_run)
        )
        with self._meta.read() as connection:
            return [msgspec.convert(data, Episode) for data in connection.scalars(query)]

    def _diagnose(self, episode: Episode) -> Finding | None:
        if self._diagnoses_left <= 0 or is_about_monitor(episode):
            return None
        self._diagnoses_left -= 1
        try:
            return self._diagnose_episode(episode)
        except Exception:  # noqa: BLE001 - people must hear of an incident though its diagnosis broke
            _undiagnosed.inc()
            _log.exception("diagnosing episode %s failed", episode.episode_id)
            return None

    def _assign(self, connection: Connection, episode: Episode, finding: Finding | None) -> None:
        of_episode = incident_episodes.c.episode_id == episode.episode_id
        if connection.execute(select(incident_episodes).where(of_episode)).first() is not None:
            return  # Another server was quicker.
        cause = cause_of(finding)
        candidates = self._candidates(connection, episode.project)
        chosen = choose(episode, cause, candidates, self._policy.join_ms)
        incident_id = chosen.incident_id if chosen else f"i_{secrets.token_hex(8)}"
        if chosen is None:
            self._open(connection, incident_id, episode, finding)
        link = {"episode_id": episode.episode_id, "incident_id": incident_id}
        connection.execute(insert(incident_episodes).values(**link))
        if chosen is None:
            return
        self._join(connection, incident_id, episode)
        if finding is not None and not chosen.cause:
            self._store_finding(connection, incident_id, finding)

    def _candidates(self, connection: Connection, project: str) -> list[Candidate]:
        query = select(incidents.c.id, incidents.c.cause).where(
            incidents.c.project == project, incidents.c.state.in_(OPEN_STATES)
        )
        rows = connection.execute(query).all()
        members = members_of(connection, [row.id for row in rows])
        return [Candidate(r.id, r.cause, members[r.id]) for r in rows if members.get(r.id)]

    def _open(
        self, connection: Connection, incident_id: str, episode: Episode, finding: Finding | None
    ) -> None:
        highest = select(func.coalesce(func.max(incidents.c.number), 0)).where(
            incidents.c.project == episode.project
        )
        wait_ms = self._policy.rediagnose_ms[0] if finding else self._policy.first_retry_ms
        connection.execute(
            insert(incidents).values(
                id=incident_id,
                number=connection.execute(highest).scalar_one() + 1,
                project=episode.project,
                title=title_of(episode),
                severity=episode.severity,
                state="open",
                occurred_ms=episode.onset_ms,
                opened_ms=self._now_ms,
                updated_ms=self._now_ms,
                cause=cause_of(finding),
                finding=None if finding is None else msgspec.to_builtins(finding),
                diagnoses=0 if finding is None else 1,
                next_diagnosis_ms=self._now_ms + wait_ms,
            )
        )
        self._event(connection, incident_id, "opened", _about(episode))
        if finding is not None:
            self._event(connection, incident_id, "diagnosed", {"cause": cause_of(finding)})
            keep_finding(connection, incident_id, finding, cause_of(finding), self._now_ms)
        _opened.inc()
        self._outcome.opened.append(incident_id)

    def _join(self, connection: Connection, incident_id: str, episode: Episode) -> None:
        where = incidents.c.id == incident_id
        row = connection.execute(select(incidents).where(where)).one()
        is_worse = episode.severity == "page" and row.severity != "page"
        values: dict[str, Any] = {
            "updated_ms": self._now_ms,
            "occurred_ms": min(row.occurred_ms, episode.onset_ms),
        }
        if is_worse:
            values["severity"] = "page"
        connection.execute(update(incidents).where(where).values(**values))
        self._event(connection, incident_id, "episode_joined", _about(episode))
        if is_worse:
            self._event(connection, incident_id, "severity_raised", {"severity": "page"})
            self._tell_update(connection, incident_id, "severity:page")
        self._outcome.updated.append(incident_id)

    def _due_for_diagnosis(self) -> list[tuple[str, Episode]]:
        query = (
            select(incidents.c.id)
            .where(incidents.c.state.in_(OPEN_STATES))
            .where(incidents.c.next_diagnosis_ms <= self._now_ms)
            .order_by(incidents.c.next_diagnosis_ms)
            .limit(max(self._diagnoses_left, 0))
        )
        with self._meta.read() as connection:
            due = list(connection.scalars(query))
            members = members_of(connection, due)
        return [(i, lead) for i in due if (lead := _lead(members.get(i, ()))) is not None]

    def _store_finding(
        self, connection: Connection, incident_id: str, finding: Finding | None
    ) -> None:
        where = incidents.c.id == incident_id
        row = connection.execute(select(incidents).where(where)).one()
        waits = self._policy.rediagnose_ms
        values: dict[str, Any] = {
            "next_diagnosis_ms": self._now_ms + waits[min(row.diagnoses, len(waits) - 1)],
            "diagnoses": row.diagnoses + 1,
        }
        cause = row.cause
        if finding is not None:
            # A cause that a person accepted stays; one that a person rejected does not come back.
            cause = response_of(connection, incident_id).settle(cause_of(finding))
            values |= {"finding": msgspec.to_builtins(finding), "cause": cause}
            keep_finding(connection, incident_id, finding, cause_of(finding), self._now_ms)
        is_new_cause = cause != row.cause
        if is_new_cause:
            values["updated_ms"] = self._now_ms
        connection.execute(update(incidents).where(where).values(**values))
        if is_new_cause:
            detail = {"cause": cause, "before": row.cause}
            self._event(connection, incident_id, "diagnosed", detail)
            self._tell_update(connection, incident_id, f"cause:{cause}")
            self._outcome.updated.append(incident_id)

    def _resolve_quiet(self, connection: Connection) -> None:
        query = select(incidents).where(incidents.c.state.in_(OPEN_STATES))
        rows = connection.execute(query).all()
        members = members_of(connection, [row.id for row in rows])
        for row in rows:
            ends = [_end_ms(episode) for episode in members.get(row.id, ())]
            last_ms = max((end for end in ends if end is not None), default=None)
            if last_ms is None or None in ends:
                continue
            if self._now_ms - last_ms >= self._policy.quiet_ms:
                self._resolve(connection, row, last_ms)

    def _resolve(self, connection: Connection, row: Row[Any], ended_ms: int) -> None:
        connection.execute(
            update(incidents)
            .where(incidents.c.id == row.id)
            .values(state="resolved", resolved_ms=self._now_ms, updated_ms=self._now_ms)
        )
        self._event(connection, row.id, "resolved", {"ended_ms": ended_ms})
        tell(
            connection,
            row.id,
            "resolved",
            key="resolved",
            public_url=self._public_url,
            now_ms=self._now_ms,
        )
        self._outcome.resolved.append(row.id)

    def _event(
        self, connection: Connection, incident_id: str, kind: str, detail: dict[str, Any]
    ) -> None:
        add_event(connection, incident_id, kind, "vagus", detail, self._now_ms)

    def _tell_update(self, connection: Connection, incident_id: str, key: str) -> None:
        tell(
            connection,
            incident_id,
            "updated",
            key=key,
            public_url=self._public_url,
            now_ms=self._now_ms,
        )


def lock_incidents(meta: Meta, connection: Connection) -> None:
    """Holds off every other server that would change which episodes belong where."""
    if not meta.is_sqlite:
        connection.execute(text("SELECT pg_advisory_xact_lock(:n)"), {"n": _INCIDENT_LOCK})


def _lead(members: Sequence[Episode]) -> Episode | None:
    """The episode that the diagnosis is about: a firing one, the most severe, the earliest."""
    firing = [episode for episode in members if episode.state == State.FIRING]
    ranked = sorted(firing, key=lambda e: (e.severity != "page", e.onset_ms, e.episode_id))
    return ranked[0] if ranked else None


def _end_ms(episode: Episode) -> int | None:
    return episode.resolved_ms if episode.state == State.RESOLVED else None


def _about(episode: Episode) -> dict[str, Any]:
    return {
        "episode": episode.episode_id,
        "monitor": episode.monitor,
        "measure": episode.measure,
        "group": episode.group,
        "evidence": episode.evidence,
    }
