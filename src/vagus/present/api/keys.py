"""Keys of a project: made, listed and revoked."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path
from pydantic import Field

from vagus.present.api.base import Done, Model
from vagus.present.api.permit import CanAdminister, Given

router = APIRouter(prefix="/api/v1", tags=["keys"])


class KeyBody(Model):
    """A key without its secret."""

    id: str
    project: str
    name: str
    kind: str
    all_projects: bool
    created_by: str
    created_ms: int
    expires_ms: int | None
    last_used_ms: int | None
    revoked_ms: int | None


class NewKey(Model):
    """A key to make: ingest keys send telemetry, API keys read and write."""

    name: str = Field(min_length=1, max_length=200)
    kind: Literal["ingest", "api"] = "ingest"
    all_projects: bool = False
    expires_ms: int | None = Field(None, ge=0)


class MadeKey(KeyBody):
    """A key just made; its `text` is shown this once."""

    text: str


@router.get("/keys")
def keys(services: Given, principal: CanAdminister) -> list[KeyBody]:
    """The keys of the project, the newest first."""
    return [
        KeyBody.model_validate(key) for key in services.access.keys.of_project(principal.project)
    ]


@router.post("/keys", status_code=201)
def make_key(services: Given, principal: CanAdminister, body: NewKey) -> MadeKey:
    """Make a key; its text is shown this once."""
    made = services.access.keys.create(
        principal.project,
        body.name,
        body.kind,
        actor=principal.actor,
        now_ms=services.now_ms(),
        all_projects=body.all_projects,
        expires_ms=body.expires_ms,
    )
    shown = KeyBody.model_validate(made.stored).model_dump()
    return MadeKey(**shown, text=made.text)


@router.delete("/keys/{key_id}")
def revoke_key(
    services: Given, principal: CanAdminister, key_id: Annotated[str, Path(max_length=64)]
) -> Done:
    """End a key at once."""
    services.access.keys.revoke(
        principal.project, key_id, actor=principal.actor, now_ms=services.now_ms()
    )
    return Done()
