"""The backtest: what monitors would have said of the past, with class and finding."""

from __future__ import annotations

from typing import Any

import msgspec
from fastapi import APIRouter
from pydantic import Field
from sqlalchemy import select

from vagus.errors import NotFound
from vagus.present.api.base import Model, Moment
from vagus.present.api.incidents import FindingBody, SignBody
from vagus.present.api.permit import CanRead, Given
from vagus.present.api.services import Services
from vagus.present.backtest import Judged, Known, backtest
from vagus.present.moment import parse_range
from vagus.store.meta.tables import monitors as monitor_table
from vagus.watch.defaults import default_monitors
from vagus.watch.monitor import Monitor, decode_monitor
from vagus.watch.series import check_measure

router = APIRouter(prefix="/api/v1", tags=["monitors"])

_DRAFT = "draft"


class BacktestQuestion(Model):
    """A stretch of the past; `monitors` are ids, or whole declarations that are not kept yet."""

    start: Moment = Field("-7d", alias="from")
    end: Moment = Field("now", alias="to")
    monitors: list[str | dict[str, Any]] | None = Field(None, max_length=200)
    findings: bool = Field(True, description="Whether each episode is diagnosed as well.")


class WouldBe(Model):
    """One episode that would have been; times are epoch milliseconds.

    `onset_ms` is when the change began, `detected_ms` when the monitor would have fired. `class`
    is transient or systematic, `systematic_probability` how sure that is.
    """

    monitor_id: str
    monitor: str
    measure: str
    group: dict[str, str]
    severity: str
    onset_ms: int
    detected_ms: int
    resolved_ms: int | None
    classification: str = Field(alias="class")
    systematic_probability: float
    class_evidence: list[SignBody]
    value: float | None
    baseline: float | None
    evidence: str
    finding: FindingBody | None


class KnownIncident(Model):
    """An incident of that time, and when the backtest would have noticed it first."""

    id: str
    number: int
    title: str
    occurred_ms: int
    opened_ms: int
    cause: str
    detected_ms: int | None


class BacktestBody(Model):
    """The answer; `undiagnosed` counts the episodes that have no finding."""

    start: int = Field(alias="from")
    end: int = Field(alias="to")
    monitors: list[str]
    episodes: list[WouldBe]
    incidents: list[KnownIncident]
    undiagnosed: int


@router.post("/backtest")
def run_backtest(services: Given, principal: CanRead, body: BacktestQuestion) -> BacktestBody:
    """Replay monitors over the past, by event time: nothing is opened and nobody is told."""
    window_s = parse_range(str(body.start), str(body.end), now_s=services.now_s)
    asked = _monitors(services, principal.project, body.monitors)
    found = backtest(
        services.engine,
        services.meta,
        services.catalogue,
        principal.project,
        asked,
        window_s,
        body.findings,
    )
    return BacktestBody.model_validate(
        {
            "from": window_s[0],
            "to": window_s[1],
            "monitors": [monitor.id for monitor in asked],
            "episodes": [_would_be(judged) for judged in found.episodes],
            "incidents": [_known(known) for known in found.incidents],
            "undiagnosed": found.undiagnosed,
        }
    )


def _monitors(
    services: Services, project: str, asked: list[str | dict[str, Any]] | None
) -> list[Monitor]:
    """The monitors that are named or declared; without any, all that are switched on."""
    with services.meta.read() as connection:
        query = select(monitor_table).where(monitor_table.c.project == project)
        rows = connection.execute(query.order_by(monitor_table.c.id)).all()
    if asked is None:
        kept = [decode_monitor(row.spec) for row in rows if row.enabled]
        return kept or list(default_monitors(project))
    by_id = {row.id: row.spec for row in rows}
    found = []
    for number, item in enumerate(asked):
        if isinstance(item, str):
            if item not in by_id:
                raise NotFound(f"there is no monitor {item[:64]!r}", field="monitors")
            found.append(decode_monitor(by_id[item]))
            continue
        named = {"id": f"{_DRAFT}-{number}", "name": "Draft", **item, "project": project}
        monitor = decode_monitor(named)
        check_measure(monitor, services.catalogue)
        found.append(monitor)
    return found


def _would_be(judged: Judged) -> WouldBe:
    episode = judged.episode
    finding = None if judged.finding is None else msgspec.to_builtins(judged.finding)
    return WouldBe.model_validate(
        {
            "monitor_id": episode.monitor_id,
            "monitor": episode.monitor,
            "measure": episode.measure,
            "group": episode.group,
            "severity": episode.severity,
            "onset_ms": episode.onset_ms,
            "detected_ms": episode.fired_ms,
            "resolved_ms": episode.resolved_ms,
            "class": episode.classification,
            "systematic_probability": judged.chance,
            "class_evidence": [msgspec.to_builtins(sign) for sign in episode.signs],
            "value": episode.value,
            "baseline": episode.baseline,
            "evidence": episode.evidence,
            "finding": finding,
        }
    )


def _known(known: Known) -> KnownIncident:
    incident = known.incident
    return KnownIncident(
        id=incident.id,
        number=incident.number,
        title=incident.title,
        occurred_ms=incident.occurred_ms,
        opened_ms=incident.opened_ms,
        cause=incident.cause,
        detected_ms=known.detected_ms,
    )
