"""Silences and maintenance windows: when nobody is to be told, and of what."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Path
from pydantic import Field

from vagus.present.api.base import Done, Model
from vagus.present.api.permit import CanRead, CanWrite, Given
from vagus.respond.quiet.maintenance import Window, Windows, decode_plan, occurrence
from vagus.respond.quiet.matcher import decode_matchers
from vagus.respond.quiet.preview import preview
from vagus.respond.quiet.silences import Silence, Silences

router = APIRouter(prefix="/api/v1", tags=["silences"])

ObjectId = Annotated[str, Path(max_length=64)]


class MatcherBody(Model):
    """One condition on a label: project, monitor, monitor_id, measure, severity, class, cause,
    or a dimension; an expression (RE2) has to match the whole value, a missing label is ''."""

    name: str = Field(max_length=100)
    op: Literal["=", "!=", "=~", "!~"] = "="
    value: str = Field(max_length=500)


class NewSilence(Model):
    """A silence to make; it begins at once unless `starts_ms` says later."""

    reason: str = Field(min_length=1, max_length=1000)
    matchers: list[MatcherBody] = Field(min_length=1, max_length=20)
    starts_ms: int | None = None
    ends_ms: int


class SilenceBody(Model):
    """One silence; `state` is pending, active or ended."""

    id: str
    author: str
    reason: str
    matchers: list[MatcherBody]
    starts_ms: int
    ends_ms: int
    created_ms: int
    state: Literal["pending", "active", "ended"]


class SilenceAsked(Model):
    """Matchers to try."""

    matchers: list[MatcherBody] = Field(min_length=1, max_length=20)


class SilencePreview(Model):
    """What matchers cover now: open incidents that would go silent, and firing episodes."""

    incidents: int
    episodes: int
    incident_numbers: list[int]


class NewMaintenance(Model):
    """A maintenance window; `start` is local time such as 2026-12-01T02:00, in `timezone`."""

    name: str = Field(min_length=1, max_length=200)
    start: str = Field(max_length=30)
    minutes: int = Field(ge=1, le=10_080)
    timezone: str = Field("UTC", max_length=64)
    repeat: Literal["once", "daily", "weekly", "monthly"] = "once"
    weekdays: list[int] = Field(default_factory=list, max_length=7)
    until: str | None = Field(None, max_length=10)
    matchers: list[MatcherBody] = Field(default_factory=list, max_length=20)


class MaintenanceBody(NewMaintenance):
    """A maintenance window and when it holds next; null when it is over for good."""

    id: str
    author: str
    created_ms: int
    next_start_ms: int | None
    next_end_ms: int | None
    active: bool


@router.get("/silences")
def silences(services: Given, principal: CanRead) -> list[SilenceBody]:
    """The silences of the project, those that end last first, ended ones included."""
    found = Silences(services.meta, services.audit).of_project(principal.project)
    return [_silence(silence, services.now_ms()) for silence in found]


@router.post("/silences", status_code=201)
def make_silence(services: Given, principal: CanWrite, body: NewSilence) -> SilenceBody:
    """Silence what the matchers cover, for at most thirty days."""
    now_ms = services.now_ms()
    made = Silences(services.meta, services.audit).create(
        principal.project,
        body.reason,
        _plain(body.matchers),
        starts_ms=body.starts_ms,
        ends_ms=body.ends_ms,
        actor=principal.actor,
        now_ms=now_ms,
    )
    return _silence(made, now_ms)


@router.post("/silences/preview")
def preview_silence(services: Given, principal: CanRead, body: SilenceAsked) -> SilencePreview:
    """What these matchers cover now, before anything is silenced."""
    matchers = decode_matchers(_plain(body.matchers), may_be_empty=False)
    return SilencePreview.model_validate(preview(services.meta, principal.project, matchers))


@router.delete("/silences/{silence_id}")
def end_silence(services: Given, principal: CanWrite, silence_id: ObjectId) -> Done:
    """End a silence now; what still fires is told at once."""
    Silences(services.meta, services.audit).end(
        principal.project, silence_id, actor=principal.actor, now_ms=services.now_ms()
    )
    return Done()


@router.get("/maintenance")
def windows(services: Given, principal: CanRead) -> list[MaintenanceBody]:
    """The maintenance windows of the project, the oldest first."""
    found = Windows(services.meta, services.audit).of_project(principal.project)
    return [_window(window, services.now_ms()) for window in found]


@router.post("/maintenance", status_code=201)
def make_window(services: Given, principal: CanWrite, body: NewMaintenance) -> MaintenanceBody:
    """Plan a time in which nobody is told, once or again and again."""
    now_ms = services.now_ms()
    plan = decode_plan(body.model_dump())
    made = Windows(services.meta, services.audit).create(
        principal.project, plan, actor=principal.actor, now_ms=now_ms
    )
    return _window(made, now_ms)


@router.delete("/maintenance/{window_id}")
def delete_window(services: Given, principal: CanWrite, window_id: ObjectId) -> Done:
    """Remove a maintenance window."""
    Windows(services.meta, services.audit).delete(
        principal.project, window_id, actor=principal.actor, now_ms=services.now_ms()
    )
    return Done()


def _plain(matchers: list[MatcherBody]) -> list[dict[str, Any]]:
    return [matcher.model_dump() for matcher in matchers]


def _silence(silence: Silence, now_ms: int) -> SilenceBody:
    state = "pending" if silence.starts_ms > now_ms else "active"
    fields = msgspec.to_builtins(silence)
    del fields["project"]
    fields["state"] = "ended" if silence.ends_ms <= now_ms else state
    return SilenceBody.model_validate(fields)


def _window(window: Window, now_ms: int) -> MaintenanceBody:
    found = occurrence(window.plan, now_ms)
    start_ms, end_ms = found or (None, None)
    return MaintenanceBody.model_validate(
        {
            **msgspec.to_builtins(window.plan),
            "id": window.id,
            "author": window.author,
            "created_ms": window.created_ms,
            "next_start_ms": start_ms,
            "next_end_ms": end_ms,
            "active": start_ms is not None and start_ms <= now_ms,
        }
    )
