"""Announcing: which open incidents people are told of now, and what keeps the others back.

Each run looks at the stored state, so a restart forgets neither a silence that ended meanwhile nor
a step of an escalation that came due.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, select, update

from vagus.model.episode import Episode, State
from vagus.model.finding import Finding
from vagus.respond.escalation import Policies, policy_for, read_policies, steps_due
from vagus.respond.grouping import is_about_monitor
from vagus.respond.incident import add_event
from vagus.respond.members import OPEN_STATES, members_of
from vagus.respond.message import tell
from vagus.respond.quiet import flapping, maintenance, silences
from vagus.respond.quiet.inhibition import Inhibited, View, inhibitions, load_rules
from vagus.respond.quiet.matcher import Matcher, labels_of, match_all, speaking
from vagus.respond.urgency import QUIET, Urgency, urgency_of
from vagus.store.meta.notify import incident_notices
from vagus.store.meta.tables import incidents, targets
from vagus.store.meta.write import insert_new


@dataclass(frozen=True, slots=True)
class Hold:
    """What keeps an incident back: silenced, maintenance, flapping, inhibited or transient."""

    kind: str
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class Quiet:
    """Everything that can keep incidents back at one moment."""

    silences: Sequence[silences.Silence] = ()
    windows: Sequence[maintenance.Window] = ()
    flapping: Mapping[flapping.Key, Episode] = field(default_factory=dict)
    inhibited: Mapping[str, Inhibited] = field(default_factory=dict)


def hold_of(view: View, quiet: Quiet, urgency: Urgency, now_ms: int) -> Hold | None:
    """What keeps this incident back now, None when people may be told: pure, one order of rules."""
    spoken = list(speaking(view.members))
    if not spoken:
        return None
    labels = [labels_of(episode, view.cause) for episode in spoken]
    for silence in quiet.silences:
        if silence.project == view.project and _covers(silence.matchers, labels):
            words = f"silenced by {silence.author}: {silence.reason}"
            return Hold("silenced", silence.id, words)
    for window in quiet.windows:
        if window.project == view.project and _covers(window.plan.matchers, labels):
            return Hold("maintenance", window.id, f"maintenance: {window.plan.name}")
    tickets = [quiet.flapping.get(flapping.key_of(episode)) for episode in spoken]
    if all(ticket is not None for ticket in tickets) and tickets[0] is not None:
        return Hold("flapping", tickets[0].episode_id, f"flapping: {tickets[0].evidence}")
    if view.id in quiet.inhibited:
        found = quiet.inhibited[view.id]
        return Hold("inhibited", found.by.id, found.reason)
    if urgency.level == QUIET and now_ms < urgency.not_before_ms:
        return Hold("transient", "", "transient: told if it lasts")
    return None


def announce(
    connection: Connection, now_ms: int, *, transient_delay_ms: int, public_url: str = ""
) -> None:
    """Tells of every open incident that nothing keeps back, and takes the steps that are due."""
    query = select(incidents).where(incidents.c.state.in_(OPEN_STATES)).order_by(incidents.c.number)
    rows = connection.execute(query).all()
    if not rows:
        return
    members = members_of(connection, [row.id for row in rows])
    views = {row.id: _view(row, members.get(row.id, ())) for row in rows}
    quiet = Quiet(
        silences.in_force(connection, now_ms),
        maintenance.in_force(connection, now_ms),
        flapping.flapping_keys(connection),
        inhibitions([v for v in views.values() if not _is_ticket(v)], load_rules()),
    )
    desk = _Desk(connection, now_ms, public_url, read_policies(connection))
    for row in rows:
        view = views[row.id]
        urgency = urgency_of(row.severity, view.members, row.opened_ms, transient_delay_ms)
        desk.serve(row, view, urgency, hold_of(view, quiet, urgency, now_ms))


class _Desk:
    """One run over the open incidents, in one transaction."""

    def __init__(
        self, connection: Connection, now_ms: int, public_url: str, policies: Policies
    ) -> None:
        self._connection = connection
        self._now_ms = now_ms
        self._public_url = public_url
        self._policies = policies

    def serve(self, row: Row[Any], view: View, urgency: Urgency, hold: Hold | None) -> None:
        notice = self._notice(row, view, urgency)
        was_held = notice.held
        self._keep_hold(row, notice, hold)
        if hold is not None or not _is_going_on(view):
            return
        if notice.announced_ms is None:
            if row.state == "open":
                self._announce(row, urgency)
            return
        if was_held and row.state == "open":
            self._tell(row, "updated", f"released:{self._now_ms}")
        if notice.urgency == QUIET and urgency.level != QUIET:
            self._set(row, urgency=urgency.level)
            self._tell(row, "updated", "systematic")
        if row.state == "open":
            self._escalate(row, notice.steps, notice.announced_ms)

    def _notice(self, row: Row[Any], view: View, urgency: Urgency) -> Row[Any]:
        query = select(incident_notices).where(incident_notices.c.incident_id == row.id)
        found = self._connection.execute(query).first()
        if found is not None:
            return found
        first = {
            "incident_id": row.id,
            "held": "",
            "held_by": "",
            "reason": "",
            "since_ms": self._now_ms,
            "announced_ms": None,
            "urgency": urgency.level,
            "labels": _stable_labels(view),
            "steps": 0,
        }
        insert_new(self._connection, incident_notices, first)
        return self._connection.execute(query).one()

    def _keep_hold(self, row: Row[Any], notice: Row[Any], hold: Hold | None) -> None:
        kind, by = (hold.kind, hold.by) if hold else ("", "")
        if (notice.held, notice.held_by) == (kind, by):
            return
        reason = hold.reason if hold else ""
        self._set(row, held=kind, held_by=by, reason=reason, since_ms=self._now_ms)
        event = "held" if hold else "released"
        detail = {"kind": kind or notice.held, "by": by or notice.held_by, "reason": reason}
        add_event(self._connection, row.id, event, "vagus", detail, self._now_ms)

    def _announce(self, row: Row[Any], urgency: Urgency) -> None:
        self._set(row, announced_ms=self._now_ms, urgency=urgency.level)
        if policy_for(self._policies, row.project, _severity(row, urgency.level)):
            self._escalate(row, 0, self._now_ms)
        else:
            self._tell(row, "opened", "opened", only=self._enabled(row.project))

    def _escalate(self, row: Row[Any], taken: int, announced_ms: int) -> None:
        """Takes the steps that are due; the first one is how people hear of it at all."""
        query = select(incident_notices.c.urgency).where(incident_notices.c.incident_id == row.id)
        level = self._connection.execute(query).scalar_one()
        steps = policy_for(self._policies, row.project, _severity(row, level))
        enabled = self._enabled(row.project)
        for place, step in steps_due(steps, taken, announced_ms, self._now_ms):
            # A step whose targets are all gone must not leave everybody uninformed.
            meant = set(step.targets) & enabled or enabled
            kind, key = ("escalated", f"escalated:{place}") if place else ("opened", "opened")
            extra = {"unacknowledged_min": (self._now_ms - announced_ms) // 60_000}
            self._tell(row, kind, key, only=meant, extra=extra if place else None)
            self._set(row, steps=place + 1)
            if place:
                detail = {"step": place + 1, "after_min": step.after_min}
                add_event(self._connection, row.id, "escalated", "vagus", detail, self._now_ms)

    def _enabled(self, project: str) -> set[str]:
        query = select(targets.c.id).where(targets.c.project == project, targets.c.enabled)
        return set(self._connection.execute(query).scalars())

    def _set(self, row: Row[Any], **values: Any) -> None:
        where = incident_notices.c.incident_id == row.id
        self._connection.execute(update(incident_notices).where(where).values(**values))

    def _tell(self, row: Row[Any], kind: str, key: str, **more: Any) -> None:
        tell(
            self._connection,
            row.id,
            kind,
            key=key,
            public_url=self._public_url,
            now_ms=self._now_ms,
            **more,
        )


def _covers(matchers: Sequence[Matcher], labels: Sequence[Mapping[str, str]]) -> bool:
    # One episode that is not meant keeps the whole incident audible.
    return all(match_all(matchers, each) for each in labels)


def _view(row: Row[Any], members: tuple[Episode, ...]) -> View:
    finding = None if row.finding is None else msgspec.convert(row.finding, Finding)
    return View(
        row.id, row.number, row.project, row.cause, row.occurred_ms, finding, tuple(members)
    )


def _is_going_on(view: View) -> bool:
    return not view.members or any(e.state == State.FIRING for e in view.members)


def _is_ticket(view: View) -> bool:
    return any(is_about_monitor(episode) for episode in view.members)


def _severity(row: Row[Any], level: str) -> str:
    return "ticket" if level == QUIET else str(row.severity)


def _stable_labels(view: View) -> dict[str, str]:
    """Labels that stay the same over the incident's life: of its first episode, no judgements."""
    if not view.members:
        return {"project": view.project}
    changing = ("severity", "class", "cause")
    labels = labels_of(view.members[0], "")
    return {name: value for name, value in labels.items() if name not in changing}
