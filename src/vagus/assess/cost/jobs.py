"""Jobs that price history again: what was asked for and how far it has come."""

from __future__ import annotations

import secrets
from typing import Any

import msgspec
from sqlalchemy import func, insert, select, update

from vagus.errors import BadInput, NotFound
from vagus.store.meta.db import Meta
from vagus.store.meta.money import repricings

MAX_WAITING = 10
_LONGEST_WHY = 500


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What to price again; with `dry_run` nothing is written. Times are epoch seconds."""

    start_s: int
    end_s: int
    dry_run: bool
    why: str
    actor: str


class Progress(msgspec.Struct, kw_only=True):
    """How far a job is: the last trace it looked at, and what it found on the way.

    Amounts are those of the steps that change; unknown ones are counted beside them.
    """

    minute: int = 0
    trace_id: str = ""
    traces: int = 0
    calls: int = 0
    changed: int = 0
    before_usd: float = 0.0
    after_usd: float = 0.0
    unknown_before: int = 0
    unknown_after: int = 0


class Job(msgspec.Struct, kw_only=True):
    """One job; `state` is running or done."""

    id: str
    project: str
    order: Order
    state: str
    progress: Progress
    created_ms: int
    updated_ms: int


def create_job(meta: Meta, project: str, order: Order, now_ms: int) -> Job:
    """Put a job in the queue; raises `BadInput` when too many wait."""
    if len(order.why) > _LONGEST_WHY:
        raise BadInput("the reason is too long", field="why", limit=f"{_LONGEST_WHY} characters")
    job = Job(
        id=f"rp_{secrets.token_hex(8)}",
        project=project,
        order=order,
        state="running",
        progress=Progress(minute=order.start_s - order.start_s % 60),
        created_ms=now_ms,
        updated_ms=now_ms,
    )
    own = (repricings.c.project == project) & (repricings.c.state == "running")
    with meta.begin() as connection:
        waiting = connection.execute(select(func.count()).select_from(repricings).where(own))
        if waiting.scalar_one() >= MAX_WAITING:
            raise BadInput("too many jobs wait already", field="from", limit=f"{MAX_WAITING}")
        connection.execute(
            insert(repricings).values(
                id=job.id,
                project=project,
                spec=msgspec.to_builtins(order),
                state=job.state,
                progress=msgspec.to_builtins(job.progress),
                created_ms=now_ms,
                updated_ms=now_ms,
            )
        )
    return job


def save_job(meta: Meta, job: Job) -> None:
    """Keep how far a job has come."""
    values = {
        "state": job.state,
        "progress": msgspec.to_builtins(job.progress),
        "updated_ms": job.updated_ms,
    }
    with meta.begin() as connection:
        connection.execute(update(repricings).where(repricings.c.id == job.id).values(values))


def next_job(meta: Meta) -> Job | None:
    """The oldest job that is not done."""
    query = (
        select(repricings)
        .where(repricings.c.state == "running")
        .order_by(repricings.c.created_ms, repricings.c.id)
        .limit(1)
    )
    with meta.read() as connection:
        row = connection.execute(query).first()
    return None if row is None else _job(row)


def get_job(meta: Meta, project: str, job_id: str) -> Job:
    """The job of that id; raises `NotFound`."""
    own = (repricings.c.project == project) & (repricings.c.id == job_id)
    with meta.read() as connection:
        row = connection.execute(select(repricings).where(own)).first()
    if row is None:
        raise NotFound("there is no such job", field="id")
    return _job(row)


def list_jobs(meta: Meta, project: str, limit: int = 100) -> list[Job]:
    """The jobs of a project, the newest first."""
    query = (
        select(repricings)
        .where(repricings.c.project == project)
        .order_by(repricings.c.created_ms.desc(), repricings.c.id)
        .limit(limit)
    )
    with meta.read() as connection:
        return [_job(row) for row in connection.execute(query)]


def _job(row: Any) -> Job:
    return Job(
        id=row.id,
        project=row.project,
        order=msgspec.convert(row.spec, Order),
        state=row.state,
        progress=msgspec.convert(row.progress, Progress),
        created_ms=row.created_ms,
        updated_ms=row.updated_ms,
    )
