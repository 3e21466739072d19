"""Incidents: their state, their diagnosis, and what people do about them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Path, Query
from pydantic import Field

from vagus.present.api.base import Done, Model
from vagus.present.api.permit import CanRead, CanWrite, Given
from vagus.present.api.services import Services
from vagus.respond.incident import Event, Incident, People, list_incidents, read_incident
from vagus.respond.runbook import Runbooks

router = APIRouter(prefix="/api/v1", tags=["incidents"])

IncidentId = Annotated[str, Path(max_length=64)]
StateName = Literal["open", "acknowledged", "resolved", "review", "closed", "declined", "merged"]


class EvidenceBody(Model):
    """One tested statement; `query` is the body of a `/api/v1/slice` request that shows it."""

    statement: str
    weight: float
    value: float | None
    baseline: float | None
    n: float | None
    query: dict[str, Any]


class HypothesisBody(Model):
    """A candidate cause with what speaks for it and against it."""

    cause: str
    title: str
    probability: float
    evidence: list[EvidenceBody]
    against: list[EvidenceBody]
    runbook: str
    beside: str


class FindingBody(Model):
    """A whole diagnosis; times are epoch milliseconds."""

    measure: str
    project: str
    onset_ms: int
    window: tuple[int, int]
    reference: tuple[int, int]
    verdict: str
    summary: str
    hypotheses: list[HypothesisBody]
    narrative: list[dict[str, Any]]
    changes: list[dict[str, Any]]
    segments: list[dict[str, Any]]
    decomposition: list[dict[str, Any]]
    stages: list[dict[str, Any]]
    conditioning: list[dict[str, Any]]
    infrastructure: list[dict[str, Any]]
    sampled: float
    examples: list[str]
    made_at_ms: int


class SignBody(Model):
    """One reason for the class of an episode; `weight` is in nats, above 0 for systematic."""

    statement: str
    points_to: str
    weight: float
    query: dict[str, Any]


class EpisodeBody(Model):
    """One stretch of time in which a monitor fired for one group; transient or systematic."""

    episode_id: str
    project: str
    monitor_id: str
    monitor: str
    measure: str
    group: dict[str, str]
    severity: str
    state: str
    onset_ms: int
    fired_ms: int
    resolved_ms: int | None
    value: float | None
    baseline: float | None
    evidence: str
    classification: str
    signs: list[SignBody]


class AffectedBody(Model):
    """A system or a group of people that an incident reaches, and how many of them."""

    name: str = Field(max_length=200)
    count: int | None = Field(None, ge=0)


class ClocksBody(Model):
    """The times of an incident, each kept apart, and the durations between them."""

    occurred_ms: int
    detected_ms: int
    aware_ms: int | None
    causal_link_ms: int | None
    acknowledged_ms: int | None
    mitigated_ms: int | None
    resolved_ms: int | None
    ttd_ms: int | None
    tta_ms: int | None
    ttm_ms: int | None
    ttr_ms: int | None


class IncidentBody(Model):
    """One incident; it began at `occurred_ms` and was noticed at `opened_ms`."""

    id: str
    number: int
    title: str
    severity: str
    state: str
    occurred_ms: int
    opened_ms: int
    acknowledged_ms: int | None
    updated_ms: int
    resolved_ms: int | None
    cause: str
    episodes: list[EpisodeBody]
    finding: FindingBody | None
    phase: str
    level: str
    roles: dict[str, str]
    affected: list[AffectedBody]
    clocks: ClocksBody
    accepted_cause: str
    rejected_causes: list[str]
    merged_into: str


class EventBody(Model):
    """One entry of an incident's timeline."""

    time_ms: int
    kind: str
    actor: str
    detail: dict[str, Any]


class RunbookBody(Model):
    """What to do about a cause, as markdown; '' when there is no runbook."""

    cause: str
    markdown: str


class IncidentDetail(IncidentBody):
    """An incident with its timeline and its runbook."""

    events: list[EventBody]
    runbook: RunbookBody


class Note(Model):
    """What a person says about an action."""

    note: str = Field("", max_length=10_000)


@router.get("/incidents")
def incidents(
    services: Given,
    principal: CanRead,
    state: StateName | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> list[IncidentBody]:
    """The incidents of the project, the newest first."""
    found = list_incidents(services.meta, principal.project, state, limit)
    return [IncidentBody.model_validate(_body(incident)) for incident in found]


@router.get("/incidents/{incident_id}")
def incident(services: Given, principal: CanRead, incident_id: IncidentId) -> IncidentDetail:
    """One incident with its timeline and its runbook."""
    found, events = read_incident(services.meta, principal.project, incident_id)
    runbook = _runbook(services, principal.project, found.cause) if found.cause else ""
    return IncidentDetail.model_validate(
        _body(found)
        | {
            "events": [_event(event) for event in events],
            "runbook": {"cause": found.cause, "markdown": runbook},
        }
    )


@router.post("/incidents/{incident_id}/acknowledge")
def acknowledge(services: Given, principal: CanWrite, incident_id: IncidentId, body: Note) -> Done:
    """Take an incident on."""
    people = People(services.meta, services.audit, services.public_url)
    people.acknowledge(
        principal.project,
        incident_id,
        body.note,
        actor=principal.actor,
        now_ms=services.now_ms(),
    )
    return Done()


@router.post("/incidents/{incident_id}/resolve")
def resolve(services: Given, principal: CanWrite, incident_id: IncidentId, body: Note) -> Done:
    """Say that an incident is over."""
    people = People(services.meta, services.audit, services.public_url)
    people.resolve(
        principal.project,
        incident_id,
        body.note,
        actor=principal.actor,
        now_ms=services.now_ms(),
    )
    return Done()


@router.post("/incidents/{incident_id}/note")
def note(services: Given, principal: CanWrite, incident_id: IncidentId, body: Note) -> Done:
    """Write something on an incident's timeline."""
    people = People(services.meta, services.audit, services.public_url)
    people.note(
        principal.project,
        incident_id,
        body.note,
        actor=principal.actor,
        now_ms=services.now_ms(),
    )
    return Done()


def _runbook(services: Services, project: str, cause: str) -> str:
    own = Runbooks(services.meta, services.audit).own(project, cause)
    return services.runbook(cause) if own is None else own.markdown


def _body(found: Incident) -> dict[str, Any]:
    return {
        "id": found.id,
        "number": found.number,
        "title": found.title,
        "severity": found.severity,
        "state": found.state,
        "occurred_ms": found.occurred_ms,
        "opened_ms": found.opened_ms,
        "acknowledged_ms": found.acknowledged_ms,
        "updated_ms": found.updated_ms,
        "resolved_ms": found.resolved_ms,
        "cause": found.cause,
        "episodes": [msgspec.to_builtins(episode) for episode in found.episodes],
        "finding": None if found.finding is None else msgspec.to_builtins(found.finding),
        "phase": found.phase,
        "level": found.response.level,
        "roles": dict(found.response.roles),
        "affected": [dict(one) for one in found.response.affected],
        "clocks": asdict(found.clocks) | found.clocks.durations,
        "accepted_cause": found.response.accepted_cause,
        "rejected_causes": list(found.response.rejected_causes),
        "merged_into": found.response.merged_into,
    }


def _event(event: Event) -> dict[str, Any]:
    return {
        "time_ms": event.time_ms,
        "kind": event.kind,
        "actor": event.actor,
        "detail": dict(event.detail),
    }
