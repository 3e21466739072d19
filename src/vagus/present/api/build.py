"""The API put together: all routes, one shape of errors, security headers."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

from vagus.present.api import (
    attribution,
    backtest,
    bills,
    blobs,
    budgets,
    changes,
    diagnose,
    export,
    health,
    incidents,
    infra,
    instrumentation,
    jaeger,
    keys,
    mcp,
    metrics,
    monitors,
    prices,
    prometheus,
    redaction,
    response,
    runbooks,
    runs,
    scores,
    session,
    sessions,
    settings,
    silences,
    slices,
    slos,
    spend,
    sql,
    targets,
    trace,
    traces,
    webhooks,
)
from vagus.present.api.body import BodyLimit
from vagus.present.api.failure import FailureBody, answer_failures
from vagus.present.api.headers import SecurityHeaders
from vagus.present.api.permit import CanSpeak
from vagus.present.api.services import Services
from vagus.present.export.prometheus import PrometheusPage

SUBJECTS = (
    session, sessions, slices, traces, trace, incidents, response, runbooks, runs, diagnose,
    changes, webhooks, scores, mcp, monitors, slos, backtest, settings, keys, targets, silences,
    sql, instrumentation, spend, budgets, bills, export, prices, attribution, redaction, blobs,
    health, metrics, prometheus, jaeger, infra,
)  # fmt: skip
_FAILURES: dict[int | str, dict[str, Any]] = {
    "default": {"model": FailureBody, "description": "What went wrong."}
}


def build_api(services: Services) -> FastAPI:
    """The application of `services`; the page and the receiver are mounted beside it."""
    # The generated pages load scripts from elsewhere, which a page of ours never does.
    app = FastAPI(
        title="Vagus",
        version=session.running_version(),
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        responses=_FAILURES,
    )
    app.state.services = services
    app.state.prometheus = PrometheusPage(
        services.engine, services.meta, services.catalogue, services.watermark_s
    )
    answer_failures(app)
    app.add_middleware(BodyLimit)
    app.add_middleware(SecurityHeaders)
    for subject in SUBJECTS:
        app.include_router(subject.router)

    @app.get("/api/v1/openapi.json", tags=["session"])
    def openapi(principal: CanSpeak) -> dict[str, Any]:
        """Describe this API as OpenAPI."""
        return app.openapi()

    return app
