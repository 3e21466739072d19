"""Scores from outside: verdicts of people, users, models and other tools."""

from __future__ import annotations

import secrets
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import Field

from vagus.errors import BadInput
from vagus.model.score import Score
from vagus.present.api.base import FilterText, From, Model, To
from vagus.present.api.permit import CanRead, CanScore, Given
from vagus.present.moment import parse_range
from vagus.present.verdicts import list_scores

router = APIRouter(prefix="/api/v1", tags=["scores"])

MAX_SCORES = 10_000
_HEX = r"^([0-9a-fA-F]{2})*$"


class NewScore(Model):
    """One verdict about a trace, a span of it, or a session; `time` is epoch seconds.

    An `id` makes sending it twice harmless: the later one replaces the earlier.
    """

    id: str = Field("", max_length=64)
    trace_id: str = Field("", max_length=64, pattern=_HEX)
    span_id: str = Field("", max_length=32, pattern=_HEX)
    session: str = Field("", max_length=500)
    name: str = Field(min_length=1, max_length=200)
    value: float | None = Field(None, allow_inf_nan=False)
    label: str = Field("", max_length=200)
    passed: bool | None = None
    explanation: str = Field("", max_length=20_000)
    source: Literal["code", "model", "human", "user", "external"] = "external"
    evaluator: str = Field("", max_length=200)
    evaluator_version: str = Field("", max_length=200)
    dataset: str = Field("", max_length=200)
    time: float | None = Field(None, ge=0)


class Accepted(Model):
    """How many verdicts were taken."""

    accepted: int


class ScoreBody(Model):
    """One verdict; `weight` is 1 / the share of traffic that was judged."""

    score_id: str
    time_ms: int
    trace_id: str
    span_id: str
    session: str
    name: str
    value: float | None
    label: str
    passed: bool | None
    explanation: str
    source: str
    evaluator: str
    evaluator_version: str
    weight: float
    status: str


@router.get("/scores")
def scores(
    services: Given,
    principal: CanRead,
    start: From = "-24h",
    end: To = "now",
    filter_text: FilterText = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> list[ScoreBody]:
    """The verdicts of a stretch of time, the newest first; filter by `name:` or any dimension."""
    start_s, end_s = parse_range(start, end, now_s=services.now_s)
    found = list_scores(services.engine, principal.project, start_s, end_s, filter_text, limit)
    return [ScoreBody.model_validate(score) for score in found]


@router.post("/scores", status_code=202)
def add_scores(services: Given, principal: CanScore, body: NewScore | list[NewScore]) -> Accepted:
    """Take one verdict or a list of them."""
    given = body if isinstance(body, list) else [body]
    if len(given) > MAX_SCORES:
        raise BadInput("too many scores at once", limit=f"{MAX_SCORES}")
    now_ms = services.now_ms()
    taken = [_score(principal.project, score, now_ms) for score in given]
    services.write_scores(principal.project, taken)
    return Accepted(accepted=len(taken))


def _score(project: str, given: NewScore, now_ms: int) -> Score:
    if not (given.trace_id or given.session):
        field = "trace_id"
        raise BadInput("a score is about a trace (trace_id) or a session (session)", field=field)
    if given.value is None and given.passed is None and not given.label:
        raise BadInput("a score has a value, a label or passed", field="value")
    return Score(
        project=project,
        score_id=given.id or secrets.token_hex(16),
        name=given.name,
        time_ms=now_ms if given.time is None else int(given.time * 1000),
        trace_id=given.trace_id.lower(),
        span_id=given.span_id.lower(),
        session=given.session,
        value=given.value,
        label=given.label,
        passed=given.passed,
        explanation=given.explanation,
        source=given.source,
        evaluator=given.evaluator,
        evaluator_version=given.evaluator_version,
        dataset=given.dataset,
    )
