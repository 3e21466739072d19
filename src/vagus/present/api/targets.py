"""Targets that hear of incidents, and the policies that say who hears when."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Literal

import anyio.from_thread
from fastapi import APIRouter, Path, Query
from pydantic import Field

from vagus.present.api.base import Done, Model
from vagus.present.api.permit import CanAdminister, CanRead, Given
from vagus.respond.channels.base import Notice
from vagus.respond.courier import courier_of
from vagus.respond.escalation import Escalations
from vagus.respond.message import trial_body
from vagus.respond.outbox import deliveries, replay
from vagus.respond.targets import Target, Targets

router = APIRouter(prefix="/api/v1", tags=["targets"])

TargetId = Annotated[str, Path(max_length=64)]
DeliveryId = Annotated[int, Path(ge=1, le=2**53)]
Severity = Annotated[str, Path(max_length=16)]
Kind = Literal["webhook", "slack", "teams", "pagerduty", "email", "alertmanager"]


class TargetBody(Model):
    """One target without its secret; of a URL that is itself a password the host alone."""

    id: str
    project: str
    name: str
    kind: str
    url: str
    enabled: bool
    created_ms: int


class NewTarget(Model):
    """A target to make.

    `secret` is PagerDuty's routing key, or what the Authorization header of an Alertmanager says.
    """

    name: str = Field(min_length=1, max_length=200)
    url: str = Field(min_length=1, max_length=2000)
    kind: Kind = "webhook"
    secret: str = Field("", max_length=5000)


class MadeTarget(TargetBody):
    """A target just made; the `secret` that signs what a webhook gets is shown this once."""

    secret: str


class ChangedTarget(Model):
    """What a target is from now on; its kind stays, and an empty `secret` keeps the one there is.

    With a new URL the old secret is not kept: it was made for the old one.
    """

    name: str = Field(min_length=1, max_length=200)
    url: str = Field(min_length=1, max_length=2000)
    enabled: bool = True
    secret: str = Field("", max_length=5000)


class DeliveryBody(Model):
    """How one notification fared; `dead` ones were given up after a day, or refused for good."""

    id: int
    target_id: str
    target: str
    incident_id: str
    kind: str
    state: Literal["waiting", "delivered", "dead"]
    attempts: int
    created_ms: int
    next_ms: int
    delivered_ms: int | None
    error: str


class TestedBody(Model):
    """What came back from a test message: `status` is 0 when there was no answer."""

    delivered: bool
    status: int
    error: str


class EscalationStep(Model):
    """After so many minutes without anybody having acknowledged, these targets are told."""

    after_min: int = Field(ge=0, le=10_080)
    targets: list[str] = Field(min_length=1, max_length=100)


class EscalationBody(Model):
    """The steps for incidents of one severity, or of all that have no policy of their own."""

    severity: str
    steps: list[EscalationStep]


class NewEscalation(Model):
    """The steps to set, each later than the one before."""

    steps: list[EscalationStep] = Field(min_length=1, max_length=20)


@router.get("/targets")
def targets(services: Given, principal: CanAdminister) -> list[TargetBody]:
    """The targets of the project, the oldest first."""
    found = Targets(services.meta, services.audit).of_project(principal.project)
    return [_body(target) for target in found]


@router.post("/targets", status_code=201)
def make_target(services: Given, principal: CanAdminister, body: NewTarget) -> MadeTarget:
    """Make a target; a secret that Vagus made for it is shown this once."""
    target, secret = Targets(services.meta, services.audit).create(
        principal.project,
        body.name,
        body.url,
        kind=body.kind,
        secret=body.secret,
        actor=principal.actor,
        now_ms=services.now_ms(),
    )
    return MadeTarget(**_body(target).model_dump(), secret=secret)


@router.get("/targets/deliveries")
def list_deliveries(
    services: Given,
    principal: CanAdminister,
    state: Literal["waiting", "delivered", "dead"] | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> list[DeliveryBody]:
    """The latest notifications of the project and how each fared, the newest first."""
    found = deliveries(services.meta, principal.project, limit, state or "")
    return [DeliveryBody.model_validate(asdict(delivery)) for delivery in found]


@router.post("/targets/deliveries/{delivery_id}/replay")
def replay_delivery(services: Given, principal: CanAdminister, delivery_id: DeliveryId) -> Done:
    """Give a notification that was given up another day; it keeps its id, so receivers can tell."""
    replay(services.meta, principal.project, delivery_id, services.now_ms())
    services.record(principal, "delivery.replay", f"delivery:{delivery_id}", {})
    return Done()


@router.put("/targets/{target_id}")
def change_target(
    services: Given, principal: CanAdminister, target_id: TargetId, body: ChangedTarget
) -> MadeTarget:
    """Change a target; a secret that Vagus made for a new URL is shown this once."""
    kept = Targets(services.meta, services.audit)
    secret = kept.update(
        principal.project,
        target_id,
        name=body.name,
        url=body.url,
        enabled=body.enabled,
        secret=body.secret,
        actor=principal.actor,
        now_ms=services.now_ms(),
    )
    target, _ = kept.read(principal.project, target_id)
    return MadeTarget(**_body(target).model_dump(), secret=secret or "")


@router.delete("/targets/{target_id}")
def delete_target(services: Given, principal: CanAdminister, target_id: TargetId) -> Done:
    """Remove a target and what waits to be sent to it."""
    Targets(services.meta, services.audit).delete(
        principal.project, target_id, actor=principal.actor, now_ms=services.now_ms()
    )
    return Done()


@router.post("/targets/{target_id}/test")
def try_target(services: Given, principal: CanAdminister, target_id: TargetId) -> TestedBody:
    """Send a real message to a target now, and say what came back: the status, never a body."""
    target, secret = Targets(services.meta, services.audit).read(principal.project, target_id)
    now_ms = services.now_ms()
    services.record(principal, "target.test", f"target:{target_id}", {"kind": target.kind})
    body = trial_body(principal.project, target_id, now_ms)
    notice = Notice(f"test:{target_id}:{now_ms}", target.url, secret, body, now_ms)
    courier = courier_of(services.settings.settings.respond)
    receipt = anyio.from_thread.run(courier.send, target.kind, notice)
    return TestedBody(delivered=receipt.is_delivered, status=receipt.status, error=receipt.error)


@router.get("/escalation")
def policies(services: Given, principal: CanRead) -> list[EscalationBody]:
    """Who is told when, by severity; without a policy every target is told at once."""
    found = Escalations(services.meta, services.audit).of_project(principal.project)
    return [
        EscalationBody(
            severity=severity, steps=[EscalationStep.model_validate(step) for step in steps]
        )
        for severity, steps in sorted(found.items())
    ]


@router.put("/escalation/{severity}")
def put_policy(
    services: Given, principal: CanAdminister, severity: Severity, body: NewEscalation
) -> EscalationBody:
    """Set the policy of page, of ticket, or the default of both."""
    steps = Escalations(services.meta, services.audit).put(
        principal.project,
        severity,
        [step.model_dump() for step in body.steps],
        actor=principal.actor,
        now_ms=services.now_ms(),
    )
    return EscalationBody(
        severity=severity, steps=[EscalationStep.model_validate(step) for step in steps]
    )


@router.delete("/escalation/{severity}")
def delete_policy(services: Given, principal: CanAdminister, severity: Severity) -> Done:
    """Remove the policy of a severity."""
    Escalations(services.meta, services.audit).delete(
        principal.project, severity, actor=principal.actor, now_ms=services.now_ms()
    )
    return Done()


def _body(target: Target) -> TargetBody:
    return TargetBody(
        id=target.id,
        project=target.project,
        name=target.name,
        kind=target.kind,
        url=target.shown_url,
        enabled=target.enabled,
        created_ms=target.created_ms,
    )
