"""Monitors and objectives: what is watched, and what is said about it now."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Path
from pydantic import Field
from sqlalchemy import select

from vagus.errors import VagusError
from vagus.measures.filter import check_dimension, parse, where
from vagus.present.api.base import Model
from vagus.present.api.permit import CanRead, CanWrite, Given
from vagus.present.api.services import Services
from vagus.store.meta.tables import monitors as monitor_table
from vagus.store.meta.tables import slos as slo_table
from vagus.store.meta.write import upsert
from vagus.watch.budgets import budget_of
from vagus.watch.episodes import states_of
from vagus.watch.monitor import Monitor, decode_monitor
from vagus.watch.series import check_measure
from vagus.watch.slo import Slo, decode_slo, lint

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


class BudgetBody(Model):
    """How much of the error budget is spent; 1 is all of it, null is unknown."""

    spent: float | None
    low: float | None
    high: float | None
    burn: float | None
    n: float
    floor: int
    state: str


class SloBody(Model):
    """An objective, its budget now, and what is wrong with its declaration."""

    id: str
    name: str
    measure: str
    target: float
    window_days: int
    filter: str
    severity: str
    budget: BudgetBody | None
    problems: list[str]
    error: str


@router.get("/monitors")
def monitors(services: Given, principal: CanRead) -> list[MonitorBody]:
    """The monitors of the project with their current states."""
    query = (
        select(monitor_table)
        .where(monitor_table.c.project == principal.project)
        .order_by(monitor_table.c.id)
    )
    with services.meta.read() as connection:
        rows = connection.execute(query).all()
    return [_monitor(services, row) for row in rows]


@router.put("/monitors/{monitor_id}")
def put_monitor(
    services: Given, principal: CanWrite, monitor_id: MonitorId, body: MonitorSpec
) -> MonitorBody:
    """Create a monitor, or replace the one of this id."""
    spec = body.model_dump(exclude={"enabled"})
    monitor = decode_monitor({**spec, "id": monitor_id, "project": principal.project})
    _check(services, monitor)
    now_ms = services.now_ms()
    known = (monitor_table.c.id == monitor_id) & (monitor_table.c.project == principal.project)
    with services.meta.begin() as connection:
        before = connection.execute(select(monitor_table.c.created_ms).where(known)).first()
        row = {
            "id": monitor_id,
            "project": principal.project,
            "spec": msgspec.to_builtins(monitor),
            "enabled": body.enabled,
            "created_ms": now_ms if before is None else before.created_ms,
            "updated_ms": now_ms,
        }
        upsert(connection, monitor_table, row)
        services.audit.record(
            principal.actor,
            "monitor.create" if before is None else "monitor.update",
            f"monitor:{monitor_id}",
            principal.project,
            {"spec": row["spec"], "enabled": body.enabled},
            now_ms=now_ms,
            connection=connection,
        )
        kept = connection.execute(select(monitor_table).where(known)).one()
    return _monitor(services, kept)


@router.get("/slos")
def slos(services: Given, principal: CanRead) -> list[SloBody]:
    """The objectives of the project with what is left of their budgets."""
    query = (
        select(slo_table.c.spec)
        .where(slo_table.c.project == principal.project)
        .order_by(slo_table.c.id)
    )
    with services.meta.read() as connection:
        specs = connection.execute(query).scalars().all()
    return [_slo(services, decode_slo(spec)) for spec in specs]


def _check(services: Services, monitor: Monitor) -> None:
    """Refuse now what would fail at every evaluation."""
    check_measure(monitor, services.catalogue)
    source = services.catalogue.get(monitor.measure).source
    for dimension in monitor.by:
        check_dimension(dimension, source, "by")
    where(parse(monitor.filter), source)


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


def _slo(services: Services, slo: Slo) -> SloBody:
    budget, error = None, ""
    try:
        now = budget_of(services.engine, services.catalogue, slo, services.now_s)
        budget = BudgetBody.model_validate(now)
    except VagusError as e:
        # One objective that cannot be judged must not hide the others.
        error = str(e)
    return SloBody(
        id=slo.id,
        name=slo.name,
        measure=slo.measure,
        target=slo.target,
        window_days=slo.window_days,
        filter=slo.filter,
        severity=slo.severity,
        budget=budget,
        problems=lint(slo),
        error=error,
    )
