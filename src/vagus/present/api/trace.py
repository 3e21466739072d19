"""One trace as columns, and one of its spans in detail."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Path, Query, Response
from pydantic import ConfigDict, Field

from vagus.present.api.base import Model
from vagus.present.api.permit import CanRead, Given
from vagus.present.span import read_span
from vagus.present.trace import MAX_SPANS, read_trace

router = APIRouter(prefix="/api/v1", tags=["traces"])

SpanId = Annotated[str, Path(max_length=64)]


class TraceHead(Model):
    """The row of the trace; before it has settled only its root is known."""

    model_config = ConfigDict(extra="allow")

    trace_id: str
    name: str
    kind: str
    status: str
    start_ms: float
    duration_ms: float
    span_count: int
    orphan_count: int
    critical_path: dict[str, float] = Field(default_factory=dict)
    is_settled: bool


class SpanColumns(Model):
    """The spans, depth first, one list a column.

    `parent` is an index into these lists or -1; `below` counts a span's descendants and `hidden`
    those of them that were cut; `start_ms` counts from the start of the trace; `waited_ms` is how
    long the answer waited for this span itself.
    """

    span_id: list[str]
    parent: list[int]
    depth: list[int]
    below: list[int]
    hidden: list[int]
    name: list[str]
    kind: list[str]
    start_ms: list[float]
    duration_ms: list[float]
    status: list[str]
    error_class: list[str]
    model: list[str]
    tokens: list[int | None]
    cost_usd: list[float | None]
    is_orphan: list[bool]
    is_billable: list[bool]
    on_critical_path: list[bool]
    waited_ms: list[float]
    problems: list[list[str]]


class ScoreRow(Model):
    """One verdict about a trace or a span of it."""

    score_id: str
    span_id: str
    session: str
    name: str
    value: float | None
    label: str
    passed: bool | None
    explanation: str
    detail: str
    source: str
    evaluator: str
    evaluator_version: str
    status: str
    time_ms: int


class TraceBody(Model):
    """One trace without content; `shown` of its `total_spans` spans are in the columns."""

    trace: TraceHead
    columns: SpanColumns
    scores: list[ScoreRow]
    total_spans: int
    shown: int


class Attribute(Model):
    """One attribute as it came; a `cut` says how many bytes of the value were left out."""

    key: str
    kind: str
    value: str
    cut: int | None = None


class Message(Model):
    """One message of a conversation; parts are objects with a `type`."""

    role: str
    name: str = ""
    finish_reason: str = ""
    parts: list[dict[str, Any]]


class SpanBody(Model):
    """One span with its content; a `cut` anywhere says how many bytes were left out there."""

    span: dict[str, Any]
    attributes: list[Attribute]
    resource: list[Attribute]
    events: list[dict[str, Any]]
    links: list[dict[str, Any]]
    input: list[Message]
    output: list[Message]
    tools: list[dict[str, Any]]
    documents: list[dict[str, Any]]
    documents_in: list[dict[str, Any]]
    prompt: dict[str, Any] | None
    query: str
    query_cut: int | None
    step: dict[str, Any] | None
    scores: list[ScoreRow]
    logs: list[dict[str, Any]]


@router.get("/traces/{trace_id}", response_model=TraceBody)
def trace(
    services: Given,
    principal: CanRead,
    trace_id: SpanId,
    root: Annotated[str, Query(max_length=64, description="Only the subtree of this span.")] = "",
    limit: Annotated[int, Query(ge=1, le=MAX_SPANS)] = 5000,
) -> Response:
    """One trace as thin columns, depth first."""
    found = read_trace(
        services.engine, principal.project, trace_id.lower(), root=root.lower(), limit=limit
    )
    return _json(found)


@router.get("/traces/{trace_id}/spans/{span_id}", response_model=SpanBody)
def span(
    services: Given,
    principal: CanRead,
    trace_id: SpanId,
    span_id: SpanId,
    full: Annotated[bool, Query(description="All content, however long.")] = False,
) -> Response:
    """One span with its attributes, messages, documents and logs."""
    found = read_span(
        services.engine, principal.project, trace_id.lower(), span_id.lower(), full=full
    )
    return _json(found)


def _json(body: dict[str, Any]) -> Response:
    # Encoded directly: checking 50,000 spans against a model would take longer than reading them.
    return Response(msgspec.json.encode(body), media_type="application/json")
