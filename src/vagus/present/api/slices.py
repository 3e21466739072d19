"""The catalogue of measures, the one analytic question, and the values to filter by."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from vagus.measures.facets import facets
from vagus.measures.slice import Point, Request, Slice, slice_measure
from vagus.present.api.base import FilterText, From, Model, Moment, To
from vagus.present.api.permit import CanRead, Given
from vagus.present.api.services import Services
from vagus.present.moment import parse_range
from vagus.store.meta.access.principal import Principal

router = APIRouter(prefix="/api/v1", tags=["measures"])


class MeasureBody(Model):
    """One measure that can be asked for."""

    id: str
    name: str
    unit: str
    kind: str
    direction: str
    dimensions: list[str]
    help: str


class SliceQuestion(Model):
    """A measure over a stretch of time, split and filtered; `step` is in seconds."""

    measure: str = Field(max_length=64)
    start: Moment = Field("-1h", alias="from")
    end: Moment = Field("now", alias="to")
    by: list[str] = Field(default_factory=list, max_length=4)
    filter: str = Field("", max_length=4000)
    step: int | None = None
    limit: int = 50


class PointBody(Model):
    """A value with the number of observations behind it and its 95 % interval; null is unknown."""

    t: int
    n: float
    value: float | None
    low: float | None
    high: float | None
    numerator: float | None
    denominator: float | None


class SeriesBody(Model):
    """One group of an answer."""

    key: list[str]
    total: PointBody
    points: list[PointBody]


class SliceBody(Model):
    """The answer; `truncated` counts the groups that were left out."""

    measure: str
    unit: str
    kind: str
    direction: str
    by: list[str]
    start: int = Field(alias="from")
    end: int = Field(alias="to")
    step: int | None
    truncated: int
    series: list[SeriesBody]


class FacetBody(Model):
    """One value of a dimension and how many rows have it."""

    value: str
    count: int


@router.get("/measures")
def measures(services: Given, principal: CanRead) -> list[MeasureBody]:
    """Everything that can be measured."""
    return [
        MeasureBody(
            id=measure.id,
            name=measure.name,
            unit=measure.unit,
            kind=measure.kind.value,
            direction=measure.direction.value,
            dimensions=list(measure.dimensions),
            help=measure.help,
        )
        for measure in services.catalogue
    ]


@router.get("/slice")
def get_slice(
    services: Given,
    principal: CanRead,
    measure: Annotated[str, Query(max_length=64)],
    start: From = "-1h",
    end: To = "now",
    by: Annotated[str, Query(max_length=400, description="Dimensions, comma-separated.")] = "",
    filter_text: FilterText = "",
    step: int | None = None,
    limit: int = 50,
) -> SliceBody:
    """Ask for a measure with query parameters."""
    question = SliceQuestion.model_validate(
        {
            "measure": measure,
            "from": start,
            "to": end,
            "by": [name for name in by.split(",") if name],
            "filter": filter_text,
            "step": step,
            "limit": limit,
        }
    )
    return _answer(services, principal, question)


@router.post("/slice")
def post_slice(services: Given, principal: CanRead, question: SliceQuestion) -> SliceBody:
    """Ask for a measure with a JSON body."""
    return _answer(services, principal, question)


@router.get("/facets")
def get_facets(
    services: Given,
    principal: CanRead,
    dims: Annotated[str, Query(max_length=1000, description="Dimensions, comma-separated.")],
    start: From = "-1h",
    end: To = "now",
    filter_text: FilterText = "",
) -> dict[str, list[FacetBody]]:
    """The most frequent values of dimensions."""
    start_s, end_s = parse_range(start, end, now_s=services.now_s)
    names = tuple(dict.fromkeys(name for name in dims.split(",") if name))
    found = facets(services.engine, principal.project, start_s, end_s, names, filter_text)
    return {
        name: [FacetBody(value=facet.value, count=facet.count) for facet in values]
        for name, values in found.items()
    }


def _answer(services: Services, principal: Principal, question: SliceQuestion) -> SliceBody:
    start_s, end_s = parse_range(str(question.start), str(question.end), now_s=services.now_s)
    request = Request(
        measure=question.measure,
        start_s=start_s,
        end_s=end_s,
        by=tuple(question.by),
        filter=question.filter,
        step_s=question.step,
        limit=question.limit,
    )
    return _body(slice_measure(services.engine, principal.project, request, services.catalogue))


def _body(answer: Slice) -> SliceBody:
    return SliceBody.model_validate(
        {
            "measure": answer.measure,
            "unit": answer.unit,
            "kind": answer.kind,
            "direction": answer.direction,
            "by": list(answer.by),
            "from": answer.start_s,
            "to": answer.end_s,
            "step": answer.step_s,
            "truncated": answer.truncated,
            "series": [
                {
                    "key": list(series.key),
                    "total": _point(series.total),
                    "points": [_point(point) for point in series.points],
                }
                for series in answer.series
            ],
        }
    )


def _point(point: Point) -> dict[str, float | None]:
    return {
        "t": point.t_s,
        "n": point.n,
        "value": point.value,
        "low": point.low,
        "high": point.high,
        "numerator": point.numerator,
        "denominator": point.denominator,
    }
