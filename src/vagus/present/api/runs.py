"""Runs of runbooks over the API: started, looked at, approved, stopped."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from pydantic import Field

from vagus.present.api.base import Done, Model
from vagus.present.api.permit import CanRead, CanWrite, Given
from vagus.present.api.response import Made
from vagus.present.api.services import Services
from vagus.respond.run import Run, Runs
from vagus.respond.runbook import Runbooks
from vagus.respond.steps import parse_script
from vagus.store.meta.access.principal import Principal

router = APIRouter(prefix="/api/v1", tags=["runbooks"])

RunId = Annotated[str, Path(max_length=64)]


class NewRun(Model):
    """A runbook to run; without `mode` nothing is changed and the exact calls are shown."""

    runbook: str = Field(max_length=64)
    mode: Literal["dry_run", "drill", "live"] = "dry_run"
    incident_id: str = Field("", max_length=64)
    parameters: dict[str, str] = Field(default_factory=dict, max_length=50)


class RunBody(Model):
    """One run; `digest` names the version it runs, `waits_for` is approval, decision or ''."""

    id: str
    incident_id: str
    runbook: str
    digest: str
    mode: str
    parameters: dict[str, str]
    state: str
    waits_for: str
    step: int
    steps: int
    outcome: str
    started_by: str
    started_ms: int
    ended_ms: int | None


class ResultBody(Model):
    """What became of one step; `inputs` are the exact call or the question."""

    step: int
    kind: str
    section: str
    state: str
    actor: str
    began_ms: int
    ended_ms: int | None
    inputs: dict[str, Any]
    output: dict[str, Any]
    digest: str


class RunDetail(RunBody):
    """A run with the steps that have begun."""

    results: list[ResultBody]


class Decision(Model):
    """What a person decides about the step that waits."""

    decision: Literal["approve", "retry", "continue", "stop"]
    note: str = Field("", max_length=2_000)


@router.get("/runbook-runs")
def runs(
    services: Given,
    principal: CanRead,
    incident_id: Annotated[str, Query(max_length=64)] = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> list[RunBody]:
    """The runs of runbooks, the newest first."""
    found = _runs(services, principal).list(incident_id, limit)
    return [RunBody.model_validate(_row(run)) for run in found]


@router.post("/runbook-runs", status_code=201)
def start(services: Given, principal: CanWrite, body: NewRun) -> Made:
    """Start a runbook: a dry run, a drill, or for real."""
    runbook = Runbooks(services.meta, services.audit).read(principal.project, body.runbook)
    made = _runs(services, principal).start(
        runbook,
        mode=body.mode,
        incident_id=body.incident_id,
        parameters=body.parameters,
        is_person=principal.credential != "key",
    )
    return Made(id=made)


@router.get("/runbook-runs/{run_id}")
def read_run(services: Given, principal: CanRead, run_id: RunId) -> RunDetail:
    """One run with what became of its steps."""
    run, results = _runs(services, principal).read(run_id)
    steps = parse_script(run.markdown).steps
    shown = []
    for result in results:
        fields = asdict(result) | {"section": steps[result.step].section}
        del fields["run_id"]
        shown.append(fields)
    return RunDetail.model_validate(_row(run) | {"results": shown})


@router.post("/runbook-runs/{run_id}/decide")
def decide(services: Given, principal: CanWrite, run_id: RunId, body: Decision) -> Done:
    """Approve the step that waits, try it again, go on without it, or stop the run."""
    is_person = principal.credential != "key"
    _runs(services, principal).decide(run_id, body.decision, body.note, is_person=is_person)
    return Done()


def _runs(services: Services, principal: Principal) -> Runs:
    now_ms = services.now_ms()
    return Runs(services.meta, services.audit, principal.project, principal.actor, now_ms)


def _row(run: Run) -> dict[str, Any]:
    names = RunBody.model_fields.keys() - {"steps"}
    steps = len(parse_script(run.markdown).steps)
    return {name: getattr(run, name) for name in names} | {"steps": steps}
