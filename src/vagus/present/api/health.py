"""Is the process up, is it ready, and how the way in is doing."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from vagus.errors import StoreError
from vagus.present.api.base import Model
from vagus.present.api.permit import CanRead, Given
from vagus.present.api.services import Services

router = APIRouter(tags=["health"])


class Alive(Model):
    """The process answers."""

    status: str


class Ready(Model):
    """Whether the instance can do its work, and if not, why not."""

    status: str
    problems: list[str]


class IngestHealthBody(Model):
    """How the way in is doing; `lag_ms` is the age of what cannot be queried yet."""

    spans_per_s: float
    backlog_bytes: int
    lag_ms: float
    refused: dict[str, int]
    last_received_ms: int | None


@router.get("/healthz")
def healthz() -> Alive:
    """Answer as long as the process lives."""
    return Alive(status="ok")


@router.get("/readyz", response_model=Ready, responses={503: {"model": Ready}})
def readyz(services: Given) -> JSONResponse:
    """Say whether data can be taken in and queried."""
    problems = _problems(services)
    body = Ready(status="not ready" if problems else "ready", problems=problems)
    return JSONResponse(body.model_dump(), 503 if problems else 200)


def _problems(services: Services) -> list[str]:
    try:
        services.engine.query("SELECT 1")
    except StoreError:
        return ["the engine does not answer", *services.problems()]
    return list(services.problems())


@router.get("/api/v1/health/ingest")
def ingest_health(services: Given, principal: CanRead) -> IngestHealthBody:
    """How many spans come in, what waits, and what was refused for which reason."""
    return IngestHealthBody.model_validate(services.ingest_health())
