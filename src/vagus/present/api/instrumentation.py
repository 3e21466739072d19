"""How well each service is instrumented."""

from __future__ import annotations

from fastapi import APIRouter

from vagus.present.api.base import From, To
from vagus.present.api.permit import CanRead, Given
from vagus.present.instrumentation import Report, instrumentation
from vagus.present.moment import parse_range

router = APIRouter(prefix="/api/v1", tags=["instrumentation"])


@router.get("/instrumentation")
def read_instrumentation(
    services: Given, principal: CanRead, start: From = "-24h", end: To = "now"
) -> Report:
    """What the telemetry of each service says and leaves out, with a grade and advice."""
    start_s, end_s = parse_range(start, end, now_s=services.now_s)
    return instrumentation(services.engine, principal.project, start_s, end_s)
