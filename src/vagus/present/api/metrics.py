"""The page that Prometheus scrapes."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from vagus.present.api.permit import CanRead, Given
from vagus.present.export.prometheus import CONTENT_TYPE, PrometheusPage

router = APIRouter(tags=["health"])


_TEXT = {"content": {"text/plain": {"schema": {"type": "string"}}}}


@router.get("/metrics", response_class=Response, responses={200: _TEXT})
def metrics(request: Request, services: Given, principal: CanRead) -> Response:
    """How this process does and what the project's measures are, in Prometheus' text format."""
    page: PrometheusPage = request.app.state.prometheus
    return Response(page.render(principal.project, services.now_s), media_type=CONTENT_TYPE)
