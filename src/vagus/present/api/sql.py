"""Ad-hoc SQL over one project's telemetry."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from pydantic import Field

from vagus.present.adhoc import MAX_ROWS, run_sql
from vagus.present.api.base import Model
from vagus.present.api.permit import CanRead, Given

router = APIRouter(prefix="/api/v1", tags=["sql"])


class SqlQuestion(Model):
    """One SELECT over spans, logs, metric_points, traces, steps, ledger and scores."""

    query: str = Field(min_length=1, max_length=20_000)
    limit: int = Field(MAX_ROWS, ge=1, le=MAX_ROWS)


class ColumnBody(Model):
    """One column of an answer."""

    name: str
    type: str


class SqlBody(Model):
    """The rows of an answer; `truncated` says that there were more."""

    columns: list[ColumnBody]
    rows: list[list[Any]]
    truncated: bool


@router.post("/sql")
def sql(services: Given, principal: CanRead, body: SqlQuestion) -> SqlBody:
    """Run one SELECT over the project, read-only and within limits of time, memory and rows."""
    answer = run_sql(services.engine, principal.project, body.query, body.limit)
    return SqlBody(
        columns=[ColumnBody(name=name, type=kind) for name, kind in answer.columns],
        rows=answer.rows,
        truncated=answer.is_truncated,
    )
