"""The settings in force, where each came from, and who changed what."""

from __future__ import annotations

import re
from typing import Annotated, Any

from fastapi import APIRouter, Query

from vagus.config import options
from vagus.present.api.base import Model
from vagus.present.api.permit import CanAdminister, CanRead, Given

router = APIRouter(prefix="/api/v1", tags=["settings"])

_PASSWORD = re.compile(r"(?<=://)([^/@:]*):[^/@]*@")


class SettingBody(Model):
    """One setting; `source` is default, file, environment or flag."""

    key: str
    env: str
    value: str
    default: str
    source: str
    help: str


class AuditBody(Model):
    """One recorded action."""

    id: int
    time_ms: int
    actor: str
    action: str
    object: str
    project: str
    detail: dict[str, Any]


@router.get("/settings")
def settings(services: Given, principal: CanRead) -> list[SettingBody]:
    """Every setting with its value and where that came from; passwords are not shown."""
    loaded = services.settings
    return [
        SettingBody(
            key=row.key,
            env=row.env,
            value=_shown(_value(loaded.settings, row.key), is_secret=row.is_secret),
            default=_shown(row.default),
            source=loaded.sources[row.key],
            help=row.help,
        )
        for row in options()
    ]


@router.get("/audit")
def audit(
    services: Given,
    principal: CanAdminister,
    actor: Annotated[str | None, Query(max_length=200)] = None,
    action: Annotated[str | None, Query(max_length=200)] = None,
    before_id: int | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> list[AuditBody]:
    """Administrative actions and sign-ins of the whole instance, the newest first."""
    entries = services.audit.read(
        None, actor=actor, action=action, before_id=before_id, limit=limit
    )
    return [
        AuditBody(
            id=entry.id,
            time_ms=entry.time_ms,
            actor=entry.actor,
            action=entry.action,
            object=entry.object,
            project=entry.project,
            detail=dict(entry.detail),
        )
        for entry in entries
    ]


def _value(tree: Any, key: str) -> Any:
    for part in key.split("."):
        tree = getattr(tree, part)
    return tree


def _shown(value: Any, *, is_secret: bool = False) -> str:
    if is_secret and value:
        return "***"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return _PASSWORD.sub(r"\1:***@", text)
