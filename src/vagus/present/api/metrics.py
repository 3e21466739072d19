"""The page that Prometheus scrapes."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from vagus.present.api.permit import CanRead, Given
from vagus.present.export.prometheus import PrometheusPage

router = APIRouter(tags=["health"])


_TEXT = {"content": {"text/plain": {"schema": {"type": "string"}}}}


@router.get("/metrics", response_class=Response, responses={200: _TEXT})
def metrics(request: Request, services: Given, principal: CanRead) -> Response:
    """How this process does and what the project's measures are, for Prometheus.

    OpenMetrics with exemplars where `Accept` asks for it, Prometheus' older text format otherwise.
    """
    page: PrometheusPage = request.app.state.prometheus
    accept = request.headers.get("accept", "")
    content, media_type = page.render(principal.project, services.now_s, accept)
    return Response(content, media_type=media_type)
