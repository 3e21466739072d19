"""Infrastructure metrics beside the application: OTLP's, and those of a Prometheus server."""

from __future__ import annotations

import math
from typing import Annotated

from fastapi import APIRouter, Query

from vagus.measures.promql import Infra
from vagus.present.api.base import From, Model, To
from vagus.present.api.permit import CanRead, Given
from vagus.present.moment import parse_range

router = APIRouter(prefix="/api/v1", tags=["infra"])

_WANTED_STEPS = 120
MAX_SERIES = 1000


class InfraBody(Model):
    """One series at even steps from `start_s` on; null where nothing is known."""

    name: str
    labels: dict[str, str]
    unit: str
    source: str
    start_s: int
    step_s: int
    values: list[float | None]


@router.get("/infra")
def infra(
    services: Given,
    principal: CanRead,
    start: From = "-1h",
    end: To = "now",
    step_s: Annotated[int | None, Query(alias="step", ge=1, description="In seconds.")] = None,
    name: Annotated[str, Query(max_length=200, description="Only series of this name.")] = "",
    limit: Annotated[int, Query(ge=1, le=MAX_SERIES)] = 200,
) -> list[InfraBody]:
    """The series of the infrastructure over a stretch of time."""
    start_s, end_s = parse_range(start, end, now_s=services.now_s)
    step = step_s or max(60, -(-(end_s - start_s) // _WANTED_STEPS // 60) * 60)
    reader = services.infra or Infra(services.engine)
    found = reader.read(principal.project, start_s, end_s, step, limit)
    return [
        InfraBody(
            name=series.name,
            labels=series.labels,
            unit=series.unit,
            source=series.source,
            start_s=series.start_s,
            step_s=series.step_s,
            values=[float(value) if math.isfinite(value) else None for value in series.values],
        )
        for series in found
        if not name or series.name == name
    ]
