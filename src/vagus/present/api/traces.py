"""The list of traces."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import ConfigDict

from vagus.present.api.base import FilterText, From, Model, To
from vagus.present.api.permit import CanRead, Given
from vagus.present.listing import MAX_ROWS, Question, list_traces
from vagus.present.moment import parse_range

router = APIRouter(prefix="/api/v1", tags=["traces"])


class Verdict(Model):
    """The latest score of one name."""

    value: float | None
    passed: bool | None


class TraceRow(Model):
    """One settled trace; `cost_usd` is null when unknown, partial when `cost_known` is false."""

    model_config = ConfigDict(extra="ignore")

    trace_id: str
    root_span_id: str
    start_ms: float
    duration_ms: float
    name: str
    kind: str
    status: str
    error_class: str
    service: str
    env: str
    team: str
    feature: str
    tenant: str
    user: str
    session: str
    provider: str
    model: str
    prompt: str
    prompt_version: str
    index_version: str
    agent: str
    span_count: int
    orphan_count: int
    error_count: int
    input_tokens: int
    output_tokens: int
    cost_usd: float | None
    cost_known: bool
    cost_source: str
    ttft_ms: float | None
    input: str
    output: str
    flags: list[str]
    scores: dict[str, Verdict]


class Total(Model):
    """How many there are; when counting stopped at a bound, at least that many."""

    n: int
    is_exact: bool


class TracePage(Model):
    """One page of traces; `next_cursor` is null on the last."""

    rows: list[TraceRow]
    next_cursor: str | None
    total: Total


@router.get("/traces")
def traces(
    services: Given,
    principal: CanRead,
    start: From = "-1h",
    end: To = "now",
    filter_text: FilterText = "",
    sort: Literal["start", "duration", "cost", "tokens"] = "start",
    order: Literal["desc", "asc"] = "desc",
    limit: Annotated[int, Query(ge=1, le=MAX_ROWS)] = 100,
    cursor: Annotated[str, Query(max_length=500)] = "",
) -> TracePage:
    """The settled traces of a stretch of time, filtered and sorted, page by page."""
    start_s, end_s = parse_range(start, end, now_s=services.now_s)
    question = Question(start_s, end_s, filter_text, sort, order, limit, cursor)
    page = list_traces(services.engine, principal.project, question)
    return TracePage(
        rows=[TraceRow.model_validate(row) for row in page.rows],
        next_cursor=page.next_cursor,
        total=Total(n=page.total, is_exact=page.is_exact),
    )
