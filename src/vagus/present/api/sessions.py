"""Sessions: conversations made of traces."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from pydantic import ConfigDict

from vagus.present.api.base import FilterText, From, Model, To
from vagus.present.api.permit import CanRead, Given
from vagus.present.api.traces import Total, Verdict
from vagus.present.moment import parse_range
from vagus.present.sessions import MAX_ROWS, Question, list_sessions, read_session

router = APIRouter(prefix="/api/v1", tags=["sessions"])


class SessionRow(Model):
    """One session; `cost_usd` is null when unknown, partial when `cost_known` is false."""

    model_config = ConfigDict(extra="ignore")

    session: str
    first_ms: int
    last_ms: int
    duration_ms: float
    turns: int
    errors: int
    user: str
    tenant: str
    team: str
    feature: str
    service: str
    env: str
    model: str
    input_tokens: int
    output_tokens: int
    cost_usd: float | None
    cost_known: bool
    cost_source: str
    unknown_cost_calls: int
    first_input: str
    last_output: str
    scores: dict[str, Verdict]


class SessionPage(Model):
    """One page of sessions; `next_cursor` is null on the last."""

    rows: list[SessionRow]
    next_cursor: str | None
    total: Total


class Turn(Model):
    """One trace of a session, as a turn of the conversation."""

    model_config = ConfigDict(extra="ignore")

    trace_id: str
    start_ms: int
    duration_ms: float
    name: str
    input: str
    output: str
    model: str
    cost_usd: float | None
    cost_known: bool
    cost_source: str
    input_tokens: int
    output_tokens: int
    status: str
    error_class: str
    scores: dict[str, Verdict]


class SessionDetail(Model):
    """A whole session and one page of its turns, the first turn first."""

    session: SessionRow
    turns: list[Turn]
    next_cursor: str | None


@router.get("/sessions")
def sessions(
    services: Given,
    principal: CanRead,
    start: From = "-24h",
    end: To = "now",
    filter_text: FilterText = "",
    sort: Literal["last", "cost", "turns", "duration"] = "last",
    order: Literal["desc", "asc"] = "desc",
    limit: Annotated[int, Query(ge=1, le=MAX_ROWS)] = 50,
    cursor: Annotated[str, Query(max_length=1000)] = "",
) -> SessionPage:
    """The sessions with a trace in a stretch of time; a row tells of the traces in it."""
    start_s, end_s = parse_range(start, end, now_s=services.now_s)
    question = Question(start_s, end_s, filter_text, sort, order, limit, cursor)
    page = list_sessions(services.engine, principal.project, question)
    return SessionPage(
        rows=[SessionRow.model_validate(row) for row in page.rows],
        next_cursor=page.next_cursor,
        total=Total(n=page.total or 0, is_exact=True),
    )


@router.get("/sessions/{session:path}")
def session(
    services: Given,
    principal: CanRead,
    session: Annotated[str, Path(max_length=1000)],
    limit: Annotated[int, Query(ge=1, le=MAX_ROWS)] = 100,
    cursor: Annotated[str, Query(max_length=1000)] = "",
) -> SessionDetail:
    """One session from its first turn on, whatever the time."""
    whole, page = read_session(
        services.engine, principal.project, session, limit=limit, cursor=cursor
    )
    return SessionDetail(
        session=SessionRow.model_validate(whole),
        turns=[Turn.model_validate(turn) for turn in page.rows],
        next_cursor=page.next_cursor,
    )
