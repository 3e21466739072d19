"""Changes told by people and programs: deploys, prompt edits, index rebuilds."""

from __future__ import annotations

import secrets
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query
from pydantic import Field
from sqlalchemy import insert

from vagus.errors import BadInput
from vagus.model.change import Change
from vagus.present.api.base import From, Model, To
from vagus.present.api.permit import CanRead, CanWrite, Given
from vagus.present.history import ChangeQuestion, list_changes
from vagus.present.moment import parse_range
from vagus.store.meta.tables import changes as table

router = APIRouter(prefix="/api/v1", tags=["changes"])

# A clock may be a little ahead; a deploy planned for next week is not a change yet.
_AHEAD_MS = 300_000
_SCOPE_LIMIT = 20


class NewChange(Model):
    """A change to tell; `time` is epoch seconds, now when left out."""

    time: float | None = Field(None, ge=0)
    kind: str = Field(min_length=1, max_length=64, pattern=r"^[a-z][a-z0-9_]*$")
    title: str = Field("", max_length=500)
    before: str = Field("", max_length=500)
    after: str = Field("", max_length=500)
    scope: dict[str, str] = Field(default_factory=dict)


class ChangeBody(Model):
    """One change; `share` is how much of the traffic carried the new value, when seen there.

    `query` is then the body of a `/api/v1/slice` request that shows it, else it is empty.
    """

    change_id: str
    time_ms: int
    kind: str
    title: str
    before: str
    after: str
    scope: dict[str, str]
    source: str
    share: float | None
    share_before: float | None
    query: dict[str, Any]


@router.get("/changes")
def changes(
    services: Given,
    principal: CanRead,
    start: From = "-24h",
    end: To = "now",
    kind: Annotated[str, Query(max_length=400, description="Kinds, comma-separated.")] = "",
    source: Annotated[str, Query(max_length=64)] = "",
    service: Annotated[str, Query(max_length=200)] = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 500,
) -> list[ChangeBody]:
    """The changes of a stretch of time, the newest first; of a service, also those of all."""
    window_s = parse_range(start, end, now_s=services.now_s)
    kinds = tuple(word for word in kind.split(",") if word)
    asked = ChangeQuestion(*window_s, kinds, source, service, limit)
    return [_body(change) for change in list_changes(services.meta, principal.project, asked)]


@router.post("/changes", status_code=201)
def tell_change(services: Given, principal: CanWrite, body: NewChange) -> ChangeBody:
    """Tell of a change, so that a diagnosis can weigh it."""
    now_ms = services.now_ms()
    time_ms = now_ms if body.time is None else int(body.time * 1000)
    if time_ms > now_ms + _AHEAD_MS:
        raise BadInput("the time lies in the future; it is in epoch seconds", field="time")
    if len(body.scope) > _SCOPE_LIMIT:
        raise BadInput(
            "the scope names too many dimensions", field="scope", limit=f"{_SCOPE_LIMIT}"
        )
    change = Change(
        project=principal.project,
        time_ms=time_ms,
        kind=body.kind,
        title=body.title or f"{body.kind}: {body.before or '?'} → {body.after or '?'}",
        before=body.before,
        after=body.after,
        scope=body.scope,
        source="told",
        change_id=f"c_{secrets.token_hex(8)}",
    )
    row: dict[str, Any] = {
        "id": change.change_id,
        "project": change.project,
        "time_ms": change.time_ms,
        "data": msgspec.to_builtins(change),
    }
    with services.meta.begin() as connection:
        connection.execute(insert(table).values(**row))
        services.audit.record(
            principal.actor,
            "change.create",
            f"change:{change.change_id}",
            principal.project,
            {"kind": change.kind, "title": change.title},
            now_ms=now_ms,
            connection=connection,
        )
    return _body(change)


def _body(change: Change) -> ChangeBody:
    return ChangeBody(
        change_id=change.change_id,
        time_ms=change.time_ms,
        kind=change.kind,
        title=change.title,
        before=change.before,
        after=change.after,
        scope=change.scope,
        source=change.source,
        share=change.share,
        share_before=change.share_before,
        query=change.query,
    )
