"""Webhooks that hear of incidents."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import Field

from vagus.present.api.base import Done, Model
from vagus.present.api.permit import CanAdminister, Given
from vagus.respond.targets import Targets

router = APIRouter(prefix="/api/v1", tags=["targets"])


class TargetBody(Model):
    """One webhook without its secret."""

    id: str
    project: str
    name: str
    url: str
    enabled: bool
    created_ms: int


class NewTarget(Model):
    """A webhook to make."""

    name: str = Field(min_length=1, max_length=200)
    url: str = Field(min_length=1, max_length=2000)


class MadeTarget(TargetBody):
    """A webhook just made; the `secret` that signs what it gets is shown this once."""

    secret: str


@router.get("/targets")
def targets(services: Given, principal: CanAdminister) -> list[TargetBody]:
    """The webhooks of the project, the oldest first."""
    found = Targets(services.meta, services.audit).of_project(principal.project)
    return [TargetBody.model_validate(target) for target in found]


@router.post("/targets", status_code=201)
def make_target(services: Given, principal: CanAdminister, body: NewTarget) -> MadeTarget:
    """Make a webhook; its secret is shown this once."""
    target, secret = Targets(services.meta, services.audit).create(
        principal.project,
        body.name,
        body.url,
        actor=principal.actor,
        now_ms=services.now_ms(),
    )
    return MadeTarget(**TargetBody.model_validate(target).model_dump(), secret=secret)


@router.delete("/targets/{target_id}")
def delete_target(
    services: Given, principal: CanAdminister, target_id: Annotated[str, Path(max_length=64)]
) -> Done:
    """Remove a webhook and what waits to be sent to it."""
    Targets(services.meta, services.audit).delete(
        principal.project, target_id, actor=principal.actor, now_ms=services.now_ms()
    )
    return Done()
