"""Objectives: their budgets, their policies, OpenSLO in and out, and the past judged again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import Field
from starlette.concurrency import run_in_threadpool

from vagus.errors import BadInput, VagusError
from vagus.measures.catalogue import Direction
from vagus.measures.filter import parse, where
from vagus.present.api.base import Done, Model
from vagus.present.api.permit import CanRead, CanWrite, Given
from vagus.present.api.services import Services
from vagus.present.api.slo_bodies import (
    AnswerBody,
    BudgetBody,
    CountedBody,
    JudgedBody,
    JudgementBody,
    OverrideBody,
    PolicyStateBody,
    RestatementBody,
    SloBody,
    SloDetailBody,
    SloSpec,
)
from vagus.watch.budgets import Budget, budget_of
from vagus.watch.objectives.document import write_openslo
from vagus.watch.objectives.openslo import read_openslo
from vagus.watch.objectives.policy import (
    answer_of,
    end_override,
    open_overrides,
    override,
    states_of,
)
from vagus.watch.objectives.rejudge import MAX_TARGETS, read_past, rejudge
from vagus.watch.objectives.statements import restatements_of
from vagus.watch.objectives.store import (
    Kept,
    delete_slo,
    put_slos,
    stored_slo,
    stored_slos,
)
from vagus.watch.objectives.tally import check_share
from vagus.watch.series import check_measure
from vagus.watch.slo import Slo, decode_slo, lint, monitor_of

router = APIRouter(prefix="/api/v1", tags=["slos"])

SloId = Annotated[str, Path(max_length=60, pattern=r"^[a-z0-9][a-z0-9_.:-]{0,59}$")]
_DAY_S = 86_400
_HOUR_S = 3600


class AppliedSlosBody(Model):
    """The ids that a text of OpenSLO made or replaced."""

    created: list[str]
    updated: list[str]


class OverrideSpec(Model):
    """Why the policies are held back, and the two people who answer for it."""

    people: list[str] = Field(max_length=2)
    reason: str


class JudgeSpec(Model):
    """What to judge again: a stored objective by `id`, or one that is not stored as `spec`."""

    id: str | None = None
    spec: SloSpec | None = None
    days: Annotated[int, Field(ge=1, le=90)] = 30
    targets: list[float] = Field(default_factory=list, max_length=MAX_TARGETS)


@router.get("/slos")
def slos(services: Given, principal: CanRead) -> list[SloBody]:
    """The objectives of the project with what is left of their budgets."""
    return [_slo(services, kept) for kept in stored_slos(services.meta, principal.project)]


@router.get("/slos.yaml", response_class=Response)
def slos_file(services: Given, principal: CanRead) -> Response:
    """All objectives as OpenSLO v1."""
    found = [kept.slo for kept in stored_slos(services.meta, principal.project)]
    return _openslo(services, found)


@router.put("/slos.yaml")
async def apply_slos(request: Request, services: Given, principal: CanWrite) -> AppliedSlosBody:
    """Make or replace the objectives of an OpenSLO v1 text: all of them, or none."""
    try:
        text = (await request.body()).decode()
    except UnicodeDecodeError as e:
        raise BadInput("the text is not UTF-8", field="body") from e
    return await run_in_threadpool(_apply, services, principal.project, principal.actor, text)


def _apply(services: Services, project: str, actor: str, text: str) -> AppliedSlosBody:
    found = read_openslo(text, project, lambda measure: _is_up_bad(services, measure))
    for slo in found:
        _check(services, slo)
    before = {kept.slo.id for kept in stored_slos(services.meta, project)}
    put_slos(services.meta, services.audit, project, found, actor=actor, now_ms=services.now_ms())
    ids = [slo.id for slo in found]
    return AppliedSlosBody(
        created=[i for i in ids if i not in before], updated=[i for i in ids if i in before]
    )


@router.get("/slos/check")
def check_slos(
    services: Given,
    principal: CanRead,
    slo: Annotated[str, Query(max_length=60, description="One objective; by default all.")] = "",
) -> AnswerBody:
    """May a prompt or a model be promoted now, as far as error budgets have a say in it."""
    project = principal.project
    asked = [stored_slo(services.meta, project, slo)] if slo else None
    frozen: list[str] = []
    unknown: list[str] = []
    said: list[str] = []
    for kept in asked or stored_slos(services.meta, project):
        if not any(policy.action == "freeze" for policy in kept.slo.policies):
            continue
        try:
            budget = budget_of(services.engine, services.catalogue, kept.slo, services.now_s)
        except VagusError as e:
            unknown.append(f"{kept.slo.name}: {e}")
            continue
        held = open_overrides(services.meta, project, kept.slo.id, services.now_ms())
        answer = answer_of(kept.slo, budget, held)
        place = frozen if not answer.is_allowed else said if answer.is_known else unknown
        place.append(answer.reason)
    reasons = frozen or unknown or said or ["no objective has a policy that freezes promotions"]
    return AnswerBody(allowed=not frozen, known=not unknown, reason="; ".join(reasons))


@router.post("/slos/judge")
def judge_slo(services: Given, principal: CanRead, body: JudgeSpec) -> JudgementBody:
    """Judge the last days again, for the objective's own target and for any others."""
    if (body.id is None) == (body.spec is None):
        raise BadInput("send either id or spec", field="id")
    if body.spec is not None:
        slo = _decoded({**_sent(body.spec), "id": "judged"}, principal.project)
        _check(services, slo)
    else:
        slo = stored_slo(services.meta, principal.project, str(body.id)).slo
    now_s = services.now_s
    end_s = now_s - now_s % 60 + 60
    start_s = max(0, end_s - body.days * _DAY_S)
    past = read_past(services.engine, services.catalogue, slo, start_s, end_s)
    own, *others = rejudge(slo, past, [slo.target, *body.targets], end_s)
    step_s = max(_HOUR_S, past.events.step_s)
    counted = past.events
    if slo.slice_target is not None:
        counted = counted.sliced(slo.slice_target)
    shown = counted.coarser(step_s)
    rows = zip(shown.judged, shown.total, shown.bad, strict=True)
    return JudgementBody(
        start_s=start_s,
        end_s=end_s,
        step_s=step_s,
        alert_step_s=past.events.step_s,
        points=[
            CountedBody(t_s=shown.start_s + place * step_s, judged=n, total=total, bad=bad)
            for place, (n, total, bad) in enumerate(rows)
            if total > 0
        ],
        judged=JudgedBody.model_validate(own),
        targets=[JudgedBody.model_validate(judged) for judged in others],
    )


@router.get("/slos/{slo_id}")
def slo(services: Given, principal: CanRead, slo_id: SloId) -> SloDetailBody:
    """One objective with its policies, its overrides and what was restated of it."""
    return _detail(services, stored_slo(services.meta, principal.project, slo_id))


@router.put("/slos/{slo_id}")
def put_slo(services: Given, principal: CanWrite, slo_id: SloId, body: SloSpec) -> SloDetailBody:
    """Create an objective, or replace the one of this id; one that could never fire is refused."""
    made = _decoded({**_sent(body), "id": slo_id}, principal.project)
    _check(services, made)
    put_slos(
        services.meta, services.audit, principal.project, [made],
        actor=principal.actor, now_ms=services.now_ms(),
    )  # fmt: skip
    return _detail(services, stored_slo(services.meta, principal.project, slo_id))


@router.delete("/slos/{slo_id}")
def remove_slo(services: Given, principal: CanWrite, slo_id: SloId) -> Done:
    """Delete an objective; its open episodes end at the next look."""
    delete_slo(
        services.meta, services.audit, principal.project, slo_id,
        actor=principal.actor, now_ms=services.now_ms(),
    )  # fmt: skip
    return Done()


@router.get("/slos/{slo_id}/openslo", response_class=Response)
def slo_openslo(services: Given, principal: CanRead, slo_id: SloId) -> Response:
    """One objective as OpenSLO v1."""
    return _openslo(services, [stored_slo(services.meta, principal.project, slo_id).slo])


@router.post("/slos/{slo_id}/overrides")
def make_override(
    services: Given, principal: CanWrite, slo_id: SloId, body: OverrideSpec
) -> OverrideBody:
    """Hold back the policies of an objective for 72 hours, on the word of two named people."""
    kept = stored_slo(services.meta, principal.project, slo_id)
    made = override(
        services.meta, services.audit, kept.slo, body.people, body.reason,
        actor=principal.actor, now_ms=services.now_ms(),
    )  # fmt: skip
    return OverrideBody.model_validate(made)


@router.delete("/slos/overrides/{override_id}")
def remove_override(
    services: Given,
    principal: CanWrite,
    override_id: Annotated[str, Path(max_length=40)],
) -> Done:
    """Take an override back before it ends by itself."""
    end_override(
        services.meta, services.audit, principal.project, override_id,
        actor=principal.actor, now_ms=services.now_ms(),
    )  # fmt: skip
    return Done()


def _sent(body: SloSpec) -> dict[str, Any]:
    # What was not sent keeps the objective's own default.
    return body.model_dump(by_alias=True, exclude_unset=True)


def _decoded(values: dict[str, Any], project: str) -> Slo:
    return decode_slo({**values, "project": project})


def _check(services: Services, slo: Slo) -> None:
    """Refuse now what would fail at every look."""
    measure = check_share(slo, services.catalogue)
    check_measure(monitor_of(slo), services.catalogue)
    where(parse(slo.filter), measure.source)


def _is_up_bad(services: Services, measure: str) -> bool:
    return services.catalogue.get(measure).direction is not Direction.DOWN_IS_BAD


def _openslo(services: Services, found: Sequence[Slo]) -> Response:
    text = write_openslo(found, lambda measure: _is_up_bad(services, measure))
    return Response(text, media_type="application/yaml")


def _budget(services: Services, slo: Slo) -> tuple[Budget | None, str]:
    try:
        return budget_of(services.engine, services.catalogue, slo, services.now_s), ""
    except VagusError as e:
        # One objective that cannot be judged must not hide the others.
        return None, str(e)


def _slo(services: Services, kept: Kept) -> SloBody:
    budget, error = _budget(services, kept.slo)
    return SloBody.model_validate(_values(kept, budget, error))


def _values(kept: Kept, budget: Budget | None, error: str) -> dict[str, Any]:
    spec = msgspec.to_builtins(kept.slo)
    del spec["project"]
    return {
        **spec,
        "burn_factors": list(kept.slo.burn_factors),
        "policies": [msgspec.to_builtins(policy) for policy in kept.slo.policies],
        "created_ms": kept.created_ms,
        "budget": budget and BudgetBody.model_validate(budget).model_dump(),
        "problems": lint(kept.slo),
        "error": error,
    }


def _detail(services: Services, kept: Kept) -> SloDetailBody:
    slo = kept.slo
    budget, error = _budget(services, slo)
    held = open_overrides(services.meta, slo.project, slo.id, services.now_ms())
    states = states_of(slo, budget, held) if budget else []
    restated = restatements_of(services.meta, slo.project, slo.id)
    return SloDetailBody.model_validate(
        {
            **_values(kept, budget, error),
            "policy_states": [
                PolicyStateBody.model_validate(state).model_dump() for state in states
            ],
            "overrides": [OverrideBody.model_validate(each).model_dump() for each in held],
            "restatements": [
                RestatementBody.model_validate(each).model_dump() for each in restated
            ],
        }
    )
