"""Monitors: what is watched, and what is said about it now."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import Field
from starlette.concurrency import run_in_threadpool

from vagus.present.api.base import Done, Model
from vagus.present.api.permit import CanRead, CanWrite, Given
from vagus.present.api.services import Services
from vagus.watch.declared import Declared
from vagus.watch.episodes import states_of
from vagus.watch.preview import preview

router = APIRouter(prefix="/api/v1", tags=["monitors"])

MonitorId = Annotated[str, Path(max_length=64, pattern=r"^[a-z0-9][a-z0-9_.:-]{0,63}$")]


class GroupStateBody(Model):
    """What a monitor last said about one group."""

    group: dict[str, str]
    state: str
    evidence: str
    value: float | None
    baseline: float | None
    n: float
    e_value: float | None
    onset_ms: int | None
    fired_ms: int | None


class MonitorSpec(Model):
    """A monitor to keep; `rule.type` is threshold or sequential."""

    name: str
    measure: str
    rule: dict[str, Any]
    filter: str = ""
    by: list[str] = Field(default_factory=list)
    max_groups: int = 20
    severity: str = "ticket"
    enabled: bool = True


class MonitorBody(MonitorSpec):
    """A monitor with its state in each group; `error` says why it could not judge."""

    id: str
    created_ms: int
    updated_ms: int
    judged_until_ms: int | None
    groups: list[GroupStateBody]
    groups_left_out: int
    error: str


class PromiseBody(Model):
    """What can be said beforehand of one typical group; null where it cannot.

    The changes are levels of the bad share that would be found in so long; for an absence 0 means
    that the silence of everything would be.
    """

    false_alarms_per_30d: float | None
    smallest_change_hour: float | None
    smallest_change_day: float | None


class PreviewBody(Model):
    """What a monitor would promise on the data of the last days; `groups` are there now."""

    promise: PromiseBody
    warnings: list[str]
    groups: int


class AppliedBody(Model):
    """What applying a file did, or would do: ids by what became of them."""

    created: list[str]
    updated: list[str]
    unchanged: list[str]
    deleted: list[str]


@router.get("/monitors")
def monitors(services: Given, principal: CanRead) -> list[MonitorBody]:
    """The monitors of the project with their current states."""
    rows = _declared(services).rows(principal.project)
    return [_monitor(services, row) for row in rows]


@router.get("/monitors.yaml", response_class=Response)
def monitors_file(services: Given, principal: CanRead) -> Response:
    """All monitors as YAML, to keep in git and to apply elsewhere."""
    text = _declared(services).export(principal.project)
    return Response(text, media_type="application/yaml")


@router.put("/monitors.yaml")
async def apply_monitors(
    request: Request,
    services: Given,
    principal: CanWrite,
    prune: Annotated[bool, Query(description="Delete what the file does not name.")] = False,
    dry_run: Annotated[bool, Query(description="Only say what would be done.")] = False,
) -> AppliedBody:
    """Make the monitors as a YAML file says: all of it, or nothing."""
    text = await request.body()
    applied = await run_in_threadpool(
        _declared(services).apply,
        principal.project,
        text,
        prune=prune,
        dry_run=dry_run,
        actor=principal.actor,
        now_ms=services.now_ms(),
    )
    return AppliedBody.model_validate(applied)


@router.post("/monitors/preview")
def preview_monitor(services: Given, principal: CanRead, body: MonitorSpec) -> PreviewBody:
    """What a monitor would promise, before it is kept; what could never be judged is refused."""
    monitor = _declared(services).check(
        {**body.model_dump(exclude={"enabled"}), "id": "preview"}, principal.project
    )
    found = preview(services.engine, services.catalogue, monitor, services.now_s // 60)
    return PreviewBody(
        promise=PromiseBody.model_validate(found),
        warnings=list(found.warnings),
        groups=found.groups or 0,
    )


@router.put("/monitors/{monitor_id}")
def put_monitor(
    services: Given, principal: CanWrite, monitor_id: MonitorId, body: MonitorSpec
) -> MonitorBody:
    """Create a monitor, or replace the one of this id."""
    declared = _declared(services)
    monitor = declared.check(
        {**body.model_dump(exclude={"enabled"}), "id": monitor_id}, principal.project
    )
    row = declared.put(
        monitor, enabled=body.enabled, actor=principal.actor, now_ms=services.now_ms()
    )
    return _monitor(services, row)


@router.delete("/monitors/{monitor_id}")
def delete_monitor(services: Given, principal: CanWrite, monitor_id: MonitorId) -> Done:
    """Delete a monitor; its open episodes end at the next look."""
    _declared(services).delete(
        principal.project, monitor_id, actor=principal.actor, now_ms=services.now_ms()
    )
    return Done()


def _declared(services: Services) -> Declared:
    return Declared(services.meta, services.audit, services.catalogue)


def _monitor(services: Services, row: Any) -> MonitorBody:
    states = states_of(services.meta, row.project, row.id)
    shown = ("name", "measure", "rule", "filter", "by", "max_groups", "severity")
    spec = {name: row.spec[name] for name in shown if name in row.spec}
    return MonitorBody.model_validate(
        {
            **spec,
            "id": row.id,
            "enabled": row.enabled,
            "created_ms": row.created_ms,
            "updated_ms": row.updated_ms,
            "judged_until_ms": states.judged_until_ms if states else None,
            "groups": [msgspec.to_builtins(group) for group in states.groups] if states else [],
            "groups_left_out": states.groups_left_out if states else 0,
            "error": states.error if states else "",
        }
    )
