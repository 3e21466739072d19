"""A diagnosis of any stretch of time, asked for and not stored."""

from __future__ import annotations

from typing import Any

import msgspec
from fastapi import APIRouter
from pydantic import Field

from vagus.present.api.base import Model, Moment
from vagus.present.api.incidents import FindingBody
from vagus.present.api.permit import CanRead, Given
from vagus.present.explain import explain_window

router = APIRouter(prefix="/api/v1", tags=["incidents"])


class DiagnoseQuestion(Model):
    """A stretch of time to explain; without a measure, the one that moved most is taken."""

    start: Moment = Field(alias="from")
    end: Moment = Field("now", alias="to")
    measure: str | None = Field(None, max_length=64)
    filter: str = Field("", max_length=4000)


@router.post("/diagnose")
def diagnose_stretch(
    services: Given, principal: CanRead, question: DiagnoseQuestion
) -> FindingBody:
    """Say why a measure moved in a stretch of time; the answer is as under an incident."""
    finding = explain_window(
        services.engine,
        services.meta,
        services.catalogue,
        project=principal.project,
        start=str(question.start),
        end=str(question.end),
        measure=question.measure,
        filter=question.filter,
        now_ms=services.now_ms(),
    )
    body: dict[str, Any] = msgspec.to_builtins(finding)
    return FindingBody.model_validate(body)
