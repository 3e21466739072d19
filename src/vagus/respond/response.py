"""What people said about an incident: phase, level, roles, clocks, causes, links, actions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, Table, select

from vagus.model.finding import Finding
from vagus.store.meta.response import (
    incident_actions,
    incident_findings,
    incident_links,
    incident_responses,
)
from vagus.store.meta.write import insert_new, upsert

_SUMMARY_LIMIT = 2_000


@dataclass(frozen=True, slots=True)
class Response:
    """What people said about one incident; empty before anybody said anything."""

    phase: str = ""
    level: str = ""
    roles: Mapping[str, str] = field(default_factory=dict)
    affected: Sequence[Mapping[str, Any]] = ()
    aware_ms: int | None = None
    causal_link_ms: int | None = None
    mitigated_ms: int | None = None
    accepted_cause: str = ""
    rejected_causes: Sequence[str] = ()
    merged_into: str = ""

    def settle(self, cause: str) -> str:
        """The cause an incident carries: what a person accepted, and never what one rejected."""
        if self.accepted_cause:
            return self.accepted_cause
        return "" if cause in self.rejected_causes else cause


@dataclass(frozen=True, slots=True)
class Clocks:
    """The times of an incident, kept apart, and the four durations that follow from them.

    To detect, to mitigate and to resolve count from when it began, to acknowledge from when it was
    detected; a duration is None while one of its ends is unknown.
    """

    occurred_ms: int
    detected_ms: int
    aware_ms: int | None
    causal_link_ms: int | None
    acknowledged_ms: int | None
    mitigated_ms: int | None
    resolved_ms: int | None

    @property
    def durations(self) -> dict[str, int | None]:
        """Time to detect, acknowledge, mitigate and resolve, in milliseconds."""
        return {
            "ttd_ms": _between(self.occurred_ms, self.detected_ms),
            "tta_ms": _between(self.detected_ms, self.acknowledged_ms),
            "ttm_ms": _between(self.occurred_ms, self.mitigated_ms),
            "ttr_ms": _between(self.occurred_ms, self.resolved_ms),
        }


@dataclass(frozen=True, slots=True)
class Link:
    """Something that belongs to an incident: a trace, a change, another incident, or a page."""

    kind: str
    ref: str
    note: str
    actor: str
    time_ms: int


@dataclass(frozen=True, slots=True)
class Action:
    """What is to be done about it; `verify` is the query that shows that it helped."""

    id: str
    words: str
    owner: str
    due_ms: int | None
    verify: str
    state: str
    created_ms: int
    updated_ms: int


@dataclass(frozen=True, slots=True)
class Known:
    """What a diagnosis said at one time."""

    time_ms: int
    cause: str
    verdict: str
    summary: str
    probability: float | None


def clocks_of(row: Any, response: Response) -> Clocks:
    """The times of an incident; who acknowledges it is aware of it."""
    aware_ms = response.aware_ms if response.aware_ms is not None else row.acknowledged_ms
    return Clocks(
        occurred_ms=row.occurred_ms,
        detected_ms=row.opened_ms,
        aware_ms=aware_ms,
        causal_link_ms=response.causal_link_ms,
        acknowledged_ms=row.acknowledged_ms,
        mitigated_ms=response.mitigated_ms,
        resolved_ms=row.resolved_ms,
    )


def responses_of(connection: Connection, incident_ids: Sequence[str]) -> dict[str, Response]:
    """What people said about each of these incidents."""
    query = select(incident_responses).where(incident_responses.c.incident_id.in_(incident_ids))
    return {row.incident_id: _response(row) for row in connection.execute(query)}


def response_of(connection: Connection, incident_id: str) -> Response:
    """What people said about one incident."""
    return responses_of(connection, [incident_id]).get(incident_id, Response())


def write_response(connection: Connection, incident_id: str, response: Response) -> None:
    """Keeps what people said."""
    values = asdict(response) | {
        "affected": [dict(one) for one in response.affected],
        "rejected_causes": list(response.rejected_causes),
    }
    upsert(connection, incident_responses, {"incident_id": incident_id, **values})


def links_of(connection: Connection, incident_id: str) -> list[Link]:
    """What belongs to an incident, in the order in which it was linked."""
    rows = _rows(connection, incident_links, incident_id, "time_ms", "kind", "ref")
    return [Link(row.kind, row.ref, row.note, row.actor, row.time_ms) for row in rows]


def actions_of(connection: Connection, incident_id: str) -> list[Action]:
    """What is to be done about an incident, the oldest first."""
    rows = _rows(connection, incident_actions, incident_id, "created_ms", "id")
    return [Action(**{name: getattr(row, name) for name in Action.__slots__}) for row in rows]


def known_of(connection: Connection, incident_id: str) -> list[Known]:
    """What the diagnoses said, each with its time, the oldest first."""
    rows = _rows(connection, incident_findings, incident_id, "time_ms")
    return [Known(**{name: getattr(row, name) for name in Known.__slots__}) for row in rows]


def keep_finding(
    connection: Connection, incident_id: str, finding: Finding, cause: str, now_ms: int
) -> None:
    """Keeps what a diagnosis says now, when it is not what the one before it said."""
    known = known_of(connection, incident_id)
    # Words of a summary come from telemetry, and a database keeps not every character.
    shown = (c if c.isprintable() else "\ufffd" for c in finding.summary[:_SUMMARY_LIMIT])
    summary = "".join(shown)
    if known and (known[-1].cause, known[-1].summary) == (cause, summary):
        return
    row = {
        "incident_id": incident_id,
        "time_ms": now_ms,
        "cause": cause,
        "verdict": finding.verdict,
        "summary": summary,
        "probability": finding.hypotheses[0].probability if finding.hypotheses else None,
    }
    insert_new(connection, incident_findings, row)


def _rows(
    connection: Connection, table: Table, incident_id: str, *order: str
) -> Sequence[Row[Any]]:
    query = select(table).where(table.c.incident_id == incident_id)
    return connection.execute(query.order_by(*(table.c[name] for name in order))).all()


def _response(row: Row[Any]) -> Response:
    return Response(**{name: getattr(row, name) for name in Response.__slots__})


def _between(start_ms: int, end_ms: int | None) -> int | None:
    return None if end_ms is None else max(0, end_ms - start_ms)
