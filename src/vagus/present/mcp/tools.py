"""The tools: each is a question that the API answers too, for the project of the key."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import msgspec
from pydantic import BaseModel, ConfigDict, Field

from vagus.errors import BadInput
from vagus.present.api import changes, incidents, monitors, slices, traces
from vagus.present.api.base import Moment
from vagus.present.api.services import Services
from vagus.present.explain import explain_window
from vagus.present.span import read_span
from vagus.present.trace import read_trace
from vagus.store.meta.access.principal import Principal

_START = Field("-24h", alias="from", description="Epoch seconds, ISO 8601, or -6h.")
_END = Field("now", alias="to", description="Epoch seconds, ISO 8601, -1h, or now.")
_FILTER = Field("", max_length=4000, description="Terms such as team:support model:a,b.")


class Arguments(BaseModel):
    """Arguments of a tool; an unknown one is refused."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class ListIncidents(Arguments):
    """Which incidents to list."""

    state: Literal["open", "acknowledged", "resolved"] | None = None
    limit: int = Field(20, ge=1, le=50)


class GetIncident(Arguments):
    """Which incident to show."""

    incident_id: str = Field(max_length=64)


class Explain(Arguments):
    """An incident, or a stretch of time of one's choice."""

    incident_id: str = Field("", max_length=64, description="Leave out to name a stretch.")
    start: Moment | None = Field(None, alias="from", description="Epoch seconds, ISO 8601, or -6h.")
    end: Moment = _END
    measure: str | None = Field(None, max_length=64, description="By default what moved most.")
    filter: str = _FILTER


class SliceArguments(Arguments):
    """A measure over a stretch of time, split by dimensions; `step` in seconds gives a series."""

    measure: str = Field(max_length=64, description="An id that list_measures gives.")
    start: Moment = _START
    end: Moment = _END
    by: list[str] = Field(default_factory=list, max_length=4)
    filter: str = _FILTER
    step: int | None = Field(None, ge=60)
    limit: int = Field(20, ge=1, le=100)


class ListMeasures(Arguments):
    """No arguments."""


class SearchTraces(Arguments):
    """Which traces to list."""

    start: Moment = _START
    end: Moment = _END
    filter: str = _FILTER
    sort: Literal["start", "duration", "cost", "tokens"] = "start"
    order: Literal["desc", "asc"] = "desc"
    limit: int = Field(20, ge=1, le=50)
    cursor: str = Field("", max_length=500)


class GetTrace(Arguments):
    """A trace, or one of its spans with its content."""

    trace_id: str = Field(max_length=64)
    span_id: str = Field("", max_length=64, description="Shows this span's content.")


class ListChanges(Arguments):
    """Which changes to list."""

    start: Moment = _START
    end: Moment = _END
    kind: str = Field("", max_length=400, description="Kinds, comma-separated.")
    service: str = Field("", max_length=200)
    limit: int = Field(50, ge=1, le=200)


class ListMonitors(Arguments):
    """No arguments."""


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool: its name, what it is for, its arguments and what answers it."""

    name: str
    title: str
    description: str
    arguments: type[Arguments]
    run: Callable[[Services, Principal, Any], Any]


def _list_incidents(services: Services, principal: Principal, asked: ListIncidents) -> Any:
    found = incidents.incidents(services, principal, asked.state, asked.limit)
    shown = ("id", "number", "title", "severity", "state", "occurred_ms", "resolved_ms", "cause")
    rows = [_plain(incident) for incident in found]
    return [
        {name: row[name] for name in shown}
        | {"measures": sorted({episode["measure"] for episode in row["episodes"]})}
        | {"summary": (row["finding"] or {}).get("summary", "")}
        for row in rows
    ]


def _get_incident(services: Services, principal: Principal, asked: GetIncident) -> Any:
    return _plain(incidents.incident(services, principal, asked.incident_id))


def _explain(services: Services, principal: Principal, asked: Explain) -> Any:
    if asked.incident_id:
        found = incidents.incident(services, principal, asked.incident_id)
        return {"finding": _plain(found.finding), "runbook": _plain(found.runbook)}
    if asked.start is None:
        raise BadInput("name an incident_id, or from and to", field="from")
    finding = explain_window(
        services.engine,
        services.meta,
        services.catalogue,
        project=principal.project,
        start=str(asked.start),
        end=str(asked.end),
        measure=asked.measure,
        filter=asked.filter,
        now_ms=services.now_ms(),
    )
    return {"finding": msgspec.to_builtins(finding), "runbook": None}


def _slice(services: Services, principal: Principal, asked: SliceArguments) -> Any:
    question = slices.SliceQuestion.model_validate(asked.model_dump(by_alias=True))
    return _plain(slices.post_slice(services, principal, question))


def _list_measures(services: Services, principal: Principal, asked: ListMeasures) -> Any:
    shown = ("id", "name", "unit", "direction")
    return [
        {name: getattr(measure, name) for name in shown}
        for measure in slices.measures(services, principal)
    ]


def _search_traces(services: Services, principal: Principal, asked: SearchTraces) -> Any:
    page = traces.traces(
        services,
        principal,
        str(asked.start),
        str(asked.end),
        asked.filter,
        asked.sort,
        asked.order,
        asked.limit,
        asked.cursor,
    )
    return _plain(page)


def _get_trace(services: Services, principal: Principal, asked: GetTrace) -> Any:
    trace_id, span_id = asked.trace_id.lower(), asked.span_id.lower()
    if span_id:
        return msgspec.to_builtins(read_span(services.engine, principal.project, trace_id, span_id))
    found = read_trace(services.engine, principal.project, trace_id, limit=200)
    columns = found.pop("columns")
    names = list(columns)
    # One object a span: a model reads rows more easily than columns.
    spans = [dict(zip(names, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    return msgspec.to_builtins(found | {"spans": spans})


def _list_changes(services: Services, principal: Principal, asked: ListChanges) -> Any:
    found = changes.changes(
        services,
        principal,
        str(asked.start),
        str(asked.end),
        asked.kind,
        "",
        asked.service,
        asked.limit,
    )
    return [_plain(change) for change in found]


def _list_monitors(services: Services, principal: Principal, asked: ListMonitors) -> Any:
    return [_plain(monitor) for monitor in monitors.monitors(services, principal)]


def _plain(body: BaseModel | None) -> Any:
    return None if body is None else body.model_dump(mode="json", by_alias=True)


TOOLS = {
    tool.name: tool
    for tool in (
        Tool("list_incidents", "List incidents", "Incidents of the project, the newest first, "
             "each with its likeliest cause.", ListIncidents, _list_incidents),
        Tool("get_incident", "Show an incident", "One incident with episodes, diagnosis, timeline "
             "and runbook.", GetIncident, _get_incident),
        Tool("explain", "Explain", "Why a measure moved: ranked causes with evidence for and "
             "against, for an incident or any stretch of time.", Explain, _explain),
        Tool("slice", "Slice a measure", "A measure over a stretch of time, split and filtered by "
             "dimensions, with intervals. null is unknown.", SliceArguments, _slice),
        Tool("list_measures", "List measures", "The measures that slice and explain take.",
             ListMeasures, _list_measures),
        Tool("search_traces", "Search traces", "Settled traces, filtered and sorted.",
             SearchTraces, _search_traces),
        Tool("get_trace", "Show a trace", "One trace as rows of spans; with span_id the content "
             "of that span.", GetTrace, _get_trace),
        Tool("list_changes", "List changes", "What changed: deployments, models, prompts, indexes, "
             "versions, the newest first.", ListChanges, _list_changes),
        Tool("list_monitors", "List monitors", "The monitors and what they say now.",
             ListMonitors, _list_monitors),
    )
}  # fmt: skip
