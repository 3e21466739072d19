"""What people do in an incident over the API: phases, roles, clocks, causes, links, actions."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Response
from pydantic import Field

from vagus.present.api.base import Done, Model
from vagus.present.api.incidents import AffectedBody, IncidentId
from vagus.present.api.permit import CanRead, CanWrite, Given
from vagus.present.api.services import Services
from vagus.present.postmortem import write_postmortem
from vagus.respond.acts import Responders
from vagus.respond.incident import find_incident
from vagus.respond.phases import LEVELS
from vagus.respond.query import check_query, parse_query
from vagus.respond.response import actions_of, links_of
from vagus.store.meta.access.principal import Principal

router = APIRouter(prefix="/api/v1", tags=["incidents"])

Words = Annotated[str, Field(max_length=2_000)]
ActionId = Annotated[str, Path(max_length=64)]


class LevelBody(Model):
    """A level of severity and what makes an incident one of it; any one criterion is enough."""

    level: str
    name: str
    criteria: list[str]


class Move(Model):
    """Where an incident goes next."""

    phase: str = Field(max_length=20)
    note: Words = ""


class Description(Model):
    """What people say about an incident; a field that is left out stays as it is."""

    level: str | None = Field(None, max_length=10)
    roles: dict[str, str] | None = Field(None, max_length=10)
    affected: list[AffectedBody] | None = Field(None, max_length=100)
    aware_ms: int | None = None
    causal_link_ms: int | None = None
    mitigated_ms: int | None = None


class CauseVerdict(Model):
    """Whether a person holds a cause to be the one, and why."""

    cause: str = Field(max_length=64)
    verdict: Literal["accepted", "rejected"]
    reason: Words


class Merge(Model):
    """The incident that this one is a part of."""

    into: str = Field(max_length=64)
    note: Words = ""


class NewLink(Model):
    """A trace, a change, another incident or a page that belongs to an incident."""

    kind: Literal["trace", "change", "incident", "url"]
    ref: Words
    note: Words = ""


class LinkBody(NewLink):
    """A link, with who made it and when."""

    actor: str
    time_ms: int


class NewAction(Model):
    """What is to be done; `verify` is a query whose answer will show that it helped."""

    words: Words
    owner: Words = ""
    due_ms: int | None = None
    verify: Words = ""


class ActionBody(NewAction):
    """An action, open, done or dropped."""

    id: str
    state: str
    created_ms: int
    updated_ms: int


class ActionState(Model):
    """What became of an action."""

    state: Literal["open", "done", "dropped"]
    note: Words = ""


class Made(Model):
    """The id of what was made."""

    id: str


@router.get("/incident-levels")
def levels(principal: CanRead) -> list[LevelBody]:
    """The levels of severity and their criteria, the most severe first."""
    return [LevelBody.model_validate(asdict(level)) for level in LEVELS]


@router.post("/incidents/{incident_id}/phase")
def move(services: Given, principal: CanWrite, incident_id: IncidentId, body: Move) -> Done:
    """Bring an incident into another phase."""
    _responders(services, principal).move(incident_id, body.phase, body.note)
    return Done()


@router.patch("/incidents/{incident_id}")
def describe(
    services: Given, principal: CanWrite, incident_id: IncidentId, body: Description
) -> Done:
    """Say how severe it is, who does what, what it reaches, and when people knew."""
    changes = body.model_dump(exclude_unset=True)
    for name, empty in (("level", ""), ("roles", {}), ("affected", [])):
        if name in changes and changes[name] is None:
            changes[name] = empty
    _responders(services, principal).describe(incident_id, changes)
    return Done()


@router.post("/incidents/{incident_id}/cause")
def judge(
    services: Given, principal: CanWrite, incident_id: IncidentId, body: CauseVerdict
) -> Done:
    """Accept or reject a cause; an accepted one stays through later diagnoses."""
    is_accepted = body.verdict == "accepted"
    responders = _responders(services, principal)
    responders.judge_cause(incident_id, body.cause, body.reason, is_accepted=is_accepted)
    return Done()


@router.post("/incidents/{incident_id}/merge")
def merge(services: Given, principal: CanWrite, incident_id: IncidentId, body: Merge) -> Done:
    """Make an incident part of another one."""
    _responders(services, principal).merge(incident_id, body.into, body.note)
    return Done()


@router.get(
    "/incidents/{incident_id}/postmortem.md",
    response_class=Response,
    responses={200: {"content": {"text/markdown": {"schema": {"type": "string"}}}}},
)
def postmortem(services: Given, principal: CanRead, incident_id: IncidentId) -> Response:
    """Tell the whole incident as Markdown: what was known when, numbers, causes, actions."""
    text = write_postmortem(services, principal.project, incident_id)
    return Response(text, media_type="text/markdown; charset=utf-8")


@router.get("/incidents/{incident_id}/links")
def links(services: Given, principal: CanRead, incident_id: IncidentId) -> list[LinkBody]:
    """What belongs to an incident."""
    with services.meta.read() as connection:
        find_incident(connection, principal.project, incident_id)
        found = links_of(connection, incident_id)
    return [LinkBody.model_validate(asdict(link)) for link in found]


@router.post("/incidents/{incident_id}/links", status_code=201)
def link(services: Given, principal: CanWrite, incident_id: IncidentId, body: NewLink) -> Done:
    """Link a trace, a change, another incident or a page."""
    _responders(services, principal).link(incident_id, body.kind, body.ref, body.note)
    return Done()


@router.get("/incidents/{incident_id}/actions")
def actions(services: Given, principal: CanRead, incident_id: IncidentId) -> list[ActionBody]:
    """What is to be done about an incident."""
    with services.meta.read() as connection:
        find_incident(connection, principal.project, incident_id)
        found = actions_of(connection, incident_id)
    return [ActionBody.model_validate(asdict(action)) for action in found]


@router.post("/incidents/{incident_id}/actions", status_code=201)
def add_action(
    services: Given, principal: CanWrite, incident_id: IncidentId, body: NewAction
) -> Made:
    """Write down what is to be done, by whom and by when."""
    if body.verify:
        check_query(parse_query(body.verify), services.catalogue)
    made = _responders(services, principal).add_action(incident_id, body.model_dump())
    return Made(id=made)


@router.put("/incidents/{incident_id}/actions/{action_id}")
def set_action(
    services: Given,
    principal: CanWrite,
    incident_id: IncidentId,
    action_id: ActionId,
    body: ActionState,
) -> Done:
    """Say that an action is done, dropped, or open again."""
    responders = _responders(services, principal)
    responders.set_action(incident_id, action_id, body.state, body.note)
    return Done()


def _responders(services: Services, principal: Principal) -> Responders:
    return Responders(
        services.meta,
        services.audit,
        principal.project,
        principal.actor,
        services.now_ms(),
        services.public_url,
    )
