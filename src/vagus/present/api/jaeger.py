"""Jaeger's query API under `/jaeger`: point Grafana's data source or the Jaeger UI at it."""

from __future__ import annotations

import json
import re
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Path, Query, Response

from vagus.errors import BadInput, NotFound
from vagus.present import jaeger
from vagus.present.api.permit import CanRead, Given

router = APIRouter(prefix="/jaeger/api", tags=["jaeger"])

Text = Annotated[str, Query(max_length=1000)]
TraceId = Annotated[str, Path(max_length=64, pattern=r"^[0-9a-fA-F]{1,32}$")]
_DAY_US = 86_400_000_000
_DURATION = re.compile(r"(\d{1,12}(?:\.\d{1,9})?)(ns|us|µs|ms|s|m|h)")
_UNITS_US = {
    "ns": 0.001, "us": 1, "µs": 1, "ms": 1000, "s": 1e6, "m": 6e7, "h": 3.6e9,
}  # fmt: skip
_MAX_TAGS = 10


@router.get("/services", response_model=dict[str, Any])
def services(services: Given, principal: CanRead) -> Response:
    """The services that sent spans."""
    return _answer(jaeger.services(services.engine, principal.project))


@router.get("/services/{service}/operations", response_model=dict[str, Any])
def service_operations(
    services: Given, principal: CanRead, service: Annotated[str, Path(max_length=1000)]
) -> Response:
    """The names of a service's spans."""
    found = jaeger.operations(services.engine, principal.project, service)
    return _answer(sorted({name for name, _ in found}))


@router.get("/operations", response_model=dict[str, Any])
def operations(
    services: Given,
    principal: CanRead,
    service: Text,
    kind: Annotated[str, Query(alias="spanKind", max_length=20)] = "",
) -> Response:
    """The names of a service's spans, with their kinds."""
    found = jaeger.operations(services.engine, principal.project, service)
    return _answer(
        [{"name": name, "spanKind": of} for name, of in found if not kind or of == kind.lower()]
    )


@router.get("/traces", response_model=dict[str, Any])
def traces(
    services: Given,
    principal: CanRead,
    service: Text = "",
    operation: Text = "",
    tags: Annotated[str, Query(max_length=4000, description="A JSON object of text.")] = "",
    start: Annotated[int | None, Query(ge=0, description="Epoch microseconds.")] = None,
    end: Annotated[int | None, Query(ge=0, description="Epoch microseconds.")] = None,
    limit: Annotated[int, Query(ge=1, le=jaeger.MAX_TRACES)] = 20,
    least: Annotated[str, Query(alias="minDuration", max_length=20)] = "",
    most: Annotated[str, Query(alias="maxDuration", max_length=20)] = "",
    trace_id: Annotated[list[str] | None, Query(alias="traceID", max_length=100)] = None,
) -> Response:
    """The newest traces with a matching span, or the traces of the ids that are given."""
    engine, project = services.engine, principal.project
    if trace_id:
        return _answer(jaeger.read_traces(engine, project, [_padded(text) for text in trace_id]))
    if not service:
        raise BadInput("say which service is meant, or give traceID", field="service")
    end_us = services.now_ms() * 1000 if end is None else end
    search = jaeger.Search(
        start_us=max(0, end_us - _DAY_US) if start is None else start,
        end_us=end_us,
        service=service,
        operation=operation,
        tags=_tags(tags),
        least_us=_duration_us(least, "minDuration"),
        most_us=_duration_us(most, "maxDuration"),
        limit=limit,
    )
    return _answer(jaeger.find_traces(engine, project, search))


@router.get("/traces/{trace_id}", response_model=dict[str, Any])
def trace(services: Given, principal: CanRead, trace_id: TraceId) -> Response:
    """One trace with all its spans."""
    found = jaeger.read_traces(services.engine, principal.project, [_padded(trace_id)])
    if not found:
        raise NotFound("there is no such trace", field="trace_id")
    return _answer(found)


@router.get("/dependencies", response_model=dict[str, Any])
def dependencies(
    services: Given,
    principal: CanRead,
    end_ms: Annotated[int | None, Query(alias="endTs", ge=0, le=10**13)] = None,
    lookback_ms: Annotated[int, Query(alias="lookback", ge=1, le=30 * 86_400_000)] = 86_400_000,
) -> Response:
    """How often one service called another."""
    end_us = (services.now_ms() if end_ms is None else end_ms) * 1000
    window = (max(0, end_us - lookback_ms * 1000), end_us)
    return _answer(jaeger.dependencies(services.engine, principal.project, window))


def _answer(data: list[Any]) -> Response:
    body = {"data": data, "total": len(data), "limit": 0, "offset": 0, "errors": None}
    # Encoded directly: checking 50,000 spans against a model would take longer than reading them.
    return Response(msgspec.json.encode(body), media_type="application/json")


def _padded(text: str) -> str:
    """Jaeger leaves out leading zeros of an id."""
    return text.lower().zfill(32)


def _tags(text: str) -> dict[str, str]:
    if not text:
        return {}
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as e:
        raise BadInput('tags is a JSON object such as {"error":"true"}', field="tags") from e
    is_plain = isinstance(found, dict) and all(isinstance(v, str) for v in found.values())
    if not is_plain or len(found) > _MAX_TAGS:
        raise BadInput("tags is a JSON object of text", field="tags", limit=f"{_MAX_TAGS} tags")
    return {str(key): str(value) for key, value in found.items()}


def _duration_us(text: str, name: str) -> int | None:
    if not text:
        return None
    match = _DURATION.fullmatch(text)
    if match is None:
        raise BadInput("a duration is like 1.2s, 100ms or 500us", field=name)
    return int(float(match[1]) * _UNITS_US[match[2]])
