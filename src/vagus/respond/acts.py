"""What people do in an incident beyond taking it on: phases, roles, clocks, causes, merging."""

from __future__ import annotations

import dataclasses
import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from vagus.audit.log import Audit
from vagus.errors import BadInput, NotFound
from vagus.respond.incident import add_event, find_incident
from vagus.respond.lifecycle import lock_incidents
from vagus.respond.members import OPEN_STATES
from vagus.respond.message import tell
from vagus.respond.phases import ACTIVE, ROLES, check_level, check_move, phase_of, state_of
from vagus.respond.response import Response, response_of, write_response
from vagus.store.meta.db import Meta
from vagus.store.meta.response import incident_actions, incident_links
from vagus.store.meta.tables import incident_episodes, incidents
from vagus.store.meta.write import insert_new

LINK_KINDS = ("trace", "change", "incident", "url")
ACTION_STATES = ("open", "done", "dropped")
_CAUSE = re.compile(r"[a-z][a-z0-9_]{0,63}")
_WORDS_LIMIT = 2_000
_LIST_LIMIT = 100
_SKEW_MS = 60_000


class Responders:
    """Acts of people on the incidents of one project, each on the timeline and in the audit log."""

    def __init__(
        self, meta: Meta, audit: Audit, project: str, actor: str, now_ms: int, public_url: str = ""
    ) -> None:
        self._meta = meta
        self._audit = audit
        self._project = project
        self._actor = actor
        self._now_ms = now_ms
        self._public_url = public_url

    def move(self, incident_id: str, phase: str, note: str = "") -> None:
        """Brings an incident into another phase."""
        _check_words(note, "note")
        with self._meta.begin() as connection:
            row, response = self._read(connection, incident_id)
            before = phase_of(row.state, response.phase)
            check_move(before, phase)
            values: dict[str, Any] = {"state": state_of(phase)}
            if phase in ACTIVE and row.acknowledged_ms is None:
                values["acknowledged_ms"] = self._now_ms
            if phase == "resolved":
                values["resolved_ms"] = self._now_ms
            self._set(connection, row, values)
            said: dict[str, Any] = {"phase": phase if phase in ACTIVE else ""}
            if phase == "monitoring" and response.mitigated_ms is None:
                said["mitigated_ms"] = self._now_ms
            write_response(connection, row.id, dataclasses.replace(response, **said))
            is_taken = row.state == "open" and phase in ACTIVE
            kind = "acknowledged" if is_taken else "resolved" if phase == "resolved" else "phase"
            detail = {"phase": phase, "before": before} | ({"note": note} if note else {})
            self._record(connection, row, kind, detail)
            if row.state in OPEN_STATES and values["state"] != row.state:
                self._tell(connection, row.id, "acknowledged" if is_taken else "resolved")

    def describe(self, incident_id: str, changes: Mapping[str, Any]) -> None:
        """Sets level, roles, what is affected, or the clocks that only people know."""
        for name, check in _CHECKS.items():
            if name in changes:
                check(changes[name])
        with self._meta.begin() as connection:
            row, response = self._read(connection, incident_id)
            for name in ("aware_ms", "causal_link_ms", "mitigated_ms"):
                self._check_moment(name, changes.get(name))
            before = {name: getattr(response, name) for name in changes}
            write_response(connection, row.id, dataclasses.replace(response, **changes))
            self._set(connection, row, {})
            for name, value in changes.items():
                detail = {"what": name, "value": value, "before": before[name]}
                self._record(connection, row, "described", detail)

    def judge_cause(self, incident_id: str, cause: str, reason: str, *, is_accepted: bool) -> None:
        """Accepts or rejects a cause; an accepted one stays whatever later diagnoses say."""
        if not _CAUSE.fullmatch(cause):
            raise BadInput("this is not the id of a cause", field="cause")
        _check_words(reason, "reason", is_needed=True)
        with self._meta.begin() as connection:
            lock_incidents(self._meta, connection)
            row, response = self._read(connection, incident_id)
            rejected = [known for known in response.rejected_causes if known != cause]
            said: dict[str, Any] = {"rejected_causes": rejected}
            if is_accepted:
                said["accepted_cause"] = cause
                if response.causal_link_ms is None:
                    said["causal_link_ms"] = self._now_ms
            else:
                said["rejected_causes"] = [*rejected, cause][-_LIST_LIMIT:]
                if response.accepted_cause == cause:
                    said["accepted_cause"] = ""
            after = dataclasses.replace(response, **said)
            write_response(connection, row.id, after)
            settled = after.settle(row.cause)
            self._set(connection, row, {"cause": settled})
            kind = "cause_accepted" if is_accepted else "cause_rejected"
            self._record(connection, row, kind, {"cause": cause, "reason": reason})
            if settled != row.cause and row.state in OPEN_STATES:
                key = f"{kind}:{cause}:{self._now_ms}"
                tell(
                    connection,
                    row.id,
                    "updated",
                    key=key,
                    public_url=self._public_url,
                    now_ms=self._now_ms,
                )

    def merge(self, incident_id: str, into: str, note: str = "") -> None:
        """Makes an incident part of another open one, which takes over its episodes."""
        _check_words(note, "note")
        if incident_id == into:
            raise BadInput("an incident cannot be merged into itself", field="into")
        with self._meta.begin() as connection:
            lock_incidents(self._meta, connection)
            row, response = self._read(connection, incident_id)
            other, _ = self._read(connection, into)
            for one, field in ((row, "id"), (other, "into")):
                if one.state not in OPEN_STATES:
                    raise BadInput(f"incident {one.number} is {one.state}", field=field)
            moved = update(incident_episodes).where(incident_episodes.c.incident_id == row.id)
            connection.execute(moved.values(incident_id=other.id))
            is_page = "page" in (row.severity, other.severity)
            values = {
                "occurred_ms": min(row.occurred_ms, other.occurred_ms),
                "severity": "page" if is_page else other.severity,
            }
            self._set(connection, other, values)
            self._set(connection, row, {"state": "merged"})
            write_response(connection, row.id, dataclasses.replace(response, merged_into=other.id))
            said = {"note": note} if note else {}
            self._record(connection, row, "merged", {"into": other.id, **said})
            self._record(connection, other, "merged_in", {"incident": row.id, **said})
            self._tell(connection, row.id, "resolved")

    def link(self, incident_id: str, kind: str, ref: str, note: str = "") -> None:
        """Says that a trace, a change, another incident or a page belongs to this one."""
        if kind not in LINK_KINDS:
            raise BadInput("there is no such kind", field="kind", limit=", ".join(LINK_KINDS))
        _check_words(ref, "ref", is_needed=True)
        _check_words(note, "note")
        if kind == "url" and not ref.startswith(("https://", "http://")):
            raise BadInput("an address begins with https:// or http://", field="ref")
        with self._meta.begin() as connection:
            row, _ = self._read(connection, incident_id)
            if kind == "incident":
                find_incident(connection, self._project, ref)
            self._check_room(connection, incident_links, row.id, "links")
            values = {"kind": kind, "ref": ref, "note": note, "actor": self._actor}
            line = {"incident_id": row.id, "time_ms": self._now_ms, **values}
            if not insert_new(connection, incident_links, line):
                raise BadInput("this is linked already", field="ref")
            self._record(connection, row, "linked", {"kind": kind, "ref": ref, "note": note})

    def add_action(self, incident_id: str, fields: Mapping[str, Any]) -> str:
        """Writes down what is to be done, by whom, by when, and how it will be verified."""
        action_id = f"a_{secrets.token_hex(8)}"
        for name in ("words", "owner", "verify"):
            _check_words(fields[name], name, is_needed=name == "words")
        with self._meta.begin() as connection:
            row, _ = self._read(connection, incident_id)
            self._check_room(connection, incident_actions, row.id, "actions")
            own = {"id": action_id, "incident_id": row.id, "state": "open"}
            times = {"created_ms": self._now_ms, "updated_ms": self._now_ms}
            connection.execute(insert(incident_actions).values(**own, **fields, **times))
            self._record(connection, row, "action_added", {"action": action_id, **fields})
        return action_id

    def set_action(self, incident_id: str, action_id: str, state: str, note: str = "") -> None:
        """Says that an action is done, dropped, or open again."""
        if state not in ACTION_STATES:
            raise BadInput("there is no such state", field="state", limit=", ".join(ACTION_STATES))
        _check_words(note, "note")
        with self._meta.begin() as connection:
            row, _ = self._read(connection, incident_id)
            where = (incident_actions.c.id == action_id) & (
                incident_actions.c.incident_id == row.id
            )
            changed = update(incident_actions).where(where)
            values = {"state": state, "updated_ms": self._now_ms}
            if not connection.execute(changed.values(**values)).rowcount:
                raise NotFound("there is no such action in this incident", field="action_id")
            detail = {"action": action_id, "state": state, "note": note}
            self._record(connection, row, "action_changed", detail)

    def _read(self, connection: Connection, incident_id: str) -> tuple[Row[Any], Response]:
        row = find_incident(connection, self._project, incident_id)
        return row, response_of(connection, incident_id)

    def _set(self, connection: Connection, row: Row[Any], values: Mapping[str, Any]) -> None:
        changed = update(incidents).where(incidents.c.id == row.id, incidents.c.state == row.state)
        if not connection.execute(changed.values(updated_ms=self._now_ms, **values)).rowcount:
            raise BadInput("somebody else changed the incident just now", field="state")

    def _record(
        self, connection: Connection, row: Row[Any], kind: str, detail: Mapping[str, Any]
    ) -> None:
        add_event(connection, row.id, kind, self._actor, detail, self._now_ms)
        self._audit.record(
            self._actor,
            f"incident.{kind}",
            f"incident:{row.id}",
            self._project,
            detail,
            now_ms=self._now_ms,
            connection=connection,
        )

    def _tell(self, connection: Connection, incident_id: str, kind: str) -> None:
        now_ms, url = self._now_ms, self._public_url
        tell(connection, incident_id, kind, key=kind, public_url=url, now_ms=now_ms)

    def _check_moment(self, name: str, value: int | None) -> None:
        if value is not None and not 0 < value <= self._now_ms + _SKEW_MS:
            raise BadInput("this is a moment that has been, in epoch milliseconds", field=name)

    def _check_room(self, connection: Connection, table: Any, incident_id: str, what: str) -> None:
        query = select(func.count()).where(table.c.incident_id == incident_id)
        if connection.execute(query).scalar_one() >= _LIST_LIMIT:
            raise BadInput(f"this incident has enough {what}", limit=str(_LIST_LIMIT))


def _check_words(text: str, field: str, *, is_needed: bool = False) -> None:
    if is_needed and not text.strip():
        raise BadInput("this needs words", field=field)
    if "\x00" in text:
        # PostgreSQL keeps no text with it.
        raise BadInput("this holds a character that is not text", field=field)
    if len(text) > _WORDS_LIMIT:
        raise BadInput("this is too long", field=field, limit=f"{_WORDS_LIMIT} characters")


def _check_roles(roles: Mapping[str, str]) -> None:
    for role, person in roles.items():
        if role not in ROLES:
            raise BadInput("there is no such role", field="roles", limit=", ".join(ROLES))
        _check_words(person, "roles", is_needed=True)


def _check_affected(affected: Sequence[Mapping[str, Any]]) -> None:
    if len(affected) > _LIST_LIMIT:
        raise BadInput("these are too many", field="affected", limit=str(_LIST_LIMIT))
    for one in affected:
        _check_words(one["name"], "affected", is_needed=True)


_CHECKS: dict[str, Callable[[Any], None]] = {
    "level": check_level,
    "roles": _check_roles,
    "affected": _check_affected,
}
