"""Webhooks in: what GitHub and GitLab tell of deployments becomes changes."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Depends, Query, Request
from pydantic import Field

from vagus.errors import BadInput, TooLarge, Unsupported
from vagus.present.api.base import Done, Model
from vagus.present.api.permit import CanAdminister, CanRead, Given
from vagus.present.api.services import Services
from vagus.present.deploys import SOURCES, change_of, read_event
from vagus.present.hooks import Hooks
from vagus.store.meta.access.access import DEFAULT_PROJECT
from vagus.store.meta.tables import changes
from vagus.store.meta.write import insert_new

router = APIRouter(prefix="/api/v1", tags=["changes"])

MAX_BYTES = 4 * 1024**2
Source = Literal["github", "gitlab"]
_EVENT = {"github": "x-github-event", "gitlab": "x-gitlab-event"}


class HookBody(Model):
    """A webhook that is set up; its secret is never shown again."""

    source: str
    created_ms: int


class NewSecret(Model):
    """The secret to use; left out, a strong one is made."""

    secret: str = Field("", max_length=200)


class SecretBody(Model):
    """What to enter at the other end; the secret is shown this once."""

    source: str
    path: str
    secret: str


class Taken(Model):
    """What became of a delivery: the id of its change, null when it tells of none."""

    change_id: str | None
    is_new: bool


async def raw_body(request: Request) -> bytes:
    """The bytes as they were signed."""
    body = await request.body()
    if len(body) > MAX_BYTES:
        raise TooLarge("the delivery is too large", field="body", limit=f"{MAX_BYTES} bytes")
    return body


RawBody = Annotated[bytes, Depends(raw_body)]
Project = Annotated[str, Query(max_length=64, description="The project the webhook belongs to.")]
Service = Annotated[str, Query(max_length=200, description="The service that is deployed.")]


@router.get("/webhooks")
def webhooks(services: Given, principal: CanRead) -> list[HookBody]:
    """The webhooks that are set up for the project."""
    found = (_hooks(services).hook(principal.project, source) for source in SOURCES)
    return [HookBody(source=h.source, created_ms=h.created_ms) for h in found if h]


@router.put("/webhooks/{source}")
def set_webhook(
    services: Given, principal: CanAdminister, source: Source, body: NewSecret
) -> SecretBody:
    """Set up a webhook, or give it another secret."""
    secret = _hooks(services).set_secret(principal.project, source, body.secret, services.now_ms())
    services.record(principal, "webhook.set", f"webhook:{source}", {})
    path = f"/api/v1/webhooks/{source}?project={principal.project}"
    return SecretBody(source=source, path=path, secret=secret)


@router.delete("/webhooks/{source}")
def forget_webhook(services: Given, principal: CanAdminister, source: Source) -> Done:
    """Take no more deliveries from a source."""
    _hooks(services).forget(principal.project, source)
    services.record(principal, "webhook.forget", f"webhook:{source}", {})
    return Done()


@router.post("/webhooks/github")
def from_github(
    services: Given,
    request: Request,
    body: RawBody,
    project: Project = DEFAULT_PROJECT,
    service: Service = "",
) -> Taken:
    """Take a delivery of GitHub, which its signature lets in."""
    return _take(services, request, "github", project, service, body)


@router.post("/webhooks/gitlab")
def from_gitlab(
    services: Given,
    request: Request,
    body: RawBody,
    project: Project = DEFAULT_PROJECT,
    service: Service = "",
) -> Taken:
    """Take a delivery of GitLab, which its token or signature lets in."""
    return _take(services, request, "gitlab", project, service, body)


def _take(
    services: Services, request: Request, source: str, project: str, service: str, body: bytes
) -> Taken:
    _hooks(services).check(project, source, request.headers, body, services.now_s)
    event = read_event(source, request.headers.get(_EVENT[source], ""), _payload(request, body))
    if event is None:
        return Taken(change_id=None, is_new=False)
    now_ms = services.now_ms()
    change = change_of(event, source, project, service, now_ms)
    row = {"id": change.change_id, "project": project, "time_ms": change.time_ms}
    with services.meta.begin() as connection:
        is_new = insert_new(connection, changes, row | {"data": msgspec.to_builtins(change)})
        if is_new:
            detail = {"kind": change.kind, "title": change.title}
            services.audit.record(
                f"webhook:{source}",
                "change.create",
                f"change:{change.change_id}",
                project,
                detail,
                now_ms=now_ms,
                connection=connection,
            )
    return Taken(change_id=change.change_id, is_new=is_new)


def _payload(request: Request, body: bytes) -> dict[str, object]:
    if not request.headers.get("content-type", "").startswith("application/json"):
        raise Unsupported("choose application/json as the content type", field="content-type")
    try:
        return msgspec.json.decode(body, type=dict[str, object])
    except msgspec.DecodeError as e:
        raise BadInput(f"the delivery is not a JSON object: {e}", field="body") from e


def _hooks(services: Services) -> Hooks:
    return Hooks(services.meta, services.redaction.sealer)
