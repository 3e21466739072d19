"""Runbooks over the API: those that ship, and those a project puts in their place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import Field

from vagus.present.api.base import Done, Model
from vagus.present.api.permit import CanRead, CanWrite, Given
from vagus.present.api.services import Services
from vagus.respond.run import DRILL_EVERY_MS, last_drills
from vagus.respond.runbook import Runbook, Runbooks
from vagus.respond.steps import MAX_LENGTH, parse_script

router = APIRouter(prefix="/api/v1", tags=["runbooks"])

RunbookName = Annotated[str, Path(max_length=64)]


class RunbookRow(Model):
    """One runbook; `version` is 0 for one that ships, `digest` names its content.

    A drill is due when there was none for 90 days, or never one.
    """

    name: str
    title: str
    is_own: bool
    version: int
    digest: str
    author: str
    created_ms: int | None
    last_drill_ms: int | None
    is_drill_due: bool


class StepBody(Model):
    """One typed step, the line it begins on, and what stands in its block."""

    kind: str
    line: int
    section: str
    source: str


class RunbookDetail(RunbookRow):
    """A runbook with its text and its steps; `parameters` are the values that its actions need."""

    markdown: str
    steps: list[StepBody]
    parameters: list[str]


class RunbookText(Model):
    """A runbook as Markdown."""

    markdown: str = Field(max_length=MAX_LENGTH)


@router.get("/runbooks")
def runbooks(services: Given, principal: CanRead) -> list[RunbookRow]:
    """Every runbook of the project."""
    found = _runbooks(services).list(principal.project)
    practice = _practice(services, principal.project)
    return [RunbookRow.model_validate(_row(one) | practice(one.name)) for one in found]


@router.get("/runbooks/{name}")
def read_runbook(services: Given, principal: CanRead, name: RunbookName) -> RunbookDetail:
    """Read one runbook with its steps."""
    found = _runbooks(services).read(principal.project, name)
    return _detail(found, _practice(services, principal.project)(name))


@router.put("/runbooks/{name}")
def put_runbook(
    services: Given, principal: CanWrite, name: RunbookName, body: RunbookText
) -> RunbookDetail:
    """Put an own runbook in place of the shipped one; what cannot be run is refused."""
    made = _runbooks(services).put(
        principal.project,
        name,
        body.markdown,
        services.catalogue,
        actor=principal.actor,
        now_ms=services.now_ms(),
    )
    return _detail(made, _practice(services, principal.project)(name))


@router.delete("/runbooks/{name}")
def drop_runbook(services: Given, principal: CanWrite, name: RunbookName) -> Done:
    """Take an own runbook back; what ships under its name counts again."""
    _runbooks(services).drop(
        principal.project, name, actor=principal.actor, now_ms=services.now_ms()
    )
    return Done()


def _runbooks(services: Services) -> Runbooks:
    return Runbooks(services.meta, services.audit)


def _practice(services: Services, project: str) -> Callable[[str], dict[str, Any]]:
    """When a runbook was last drilled, and whether it is time for another drill."""
    drills, now_ms = last_drills(services.meta, project), services.now_ms()

    def of(name: str) -> dict[str, Any]:
        last_ms = drills.get(name)
        is_due = last_ms is None or now_ms - last_ms > DRILL_EVERY_MS
        return {"last_drill_ms": last_ms, "is_drill_due": is_due}

    return of


def _row(one: Runbook) -> dict[str, Any]:
    names = RunbookRow.model_fields.keys() - {"last_drill_ms", "is_drill_due"}
    return {name: getattr(one, name) for name in names}


def _detail(one: Runbook, practice: dict[str, Any]) -> RunbookDetail:
    script = parse_script(one.markdown)
    steps = [
        {"kind": s.kind, "line": s.line, "section": s.section, "source": s.source}
        for s in script.steps
    ]
    more = {"markdown": one.markdown, "steps": steps, "parameters": sorted(script.parameters)}
    return RunbookDetail.model_validate(_row(one) | practice | more)
