"""Budgets with how they stand, and the question of a gateway whether a call may go on."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Path, Query, Request
from pydantic import Field
from sqlalchemy import delete, func, select

from vagus.assess.cost.budget import MAX_BUDGETS, Budget, decode_budget
from vagus.assess.cost.gate import Applied
from vagus.assess.cost.spending import standings_of, stored_budgets
from vagus.assess.cost.standing import Standing
from vagus.errors import BadInput, NotFound
from vagus.measures.facts import STEPS
from vagus.measures.filter import check_dimension
from vagus.present.api.base import Done, Model
from vagus.present.api.permit import CanRead, CanReadAtOnce, CanWrite, Given
from vagus.present.api.services import Services, services_of
from vagus.store.meta.spending import budgets as table
from vagus.store.meta.write import upsert

router = APIRouter(prefix="/api/v1/budgets", tags=["budgets"])

BudgetId = Annotated[str, Path(max_length=56, pattern=r"^[a-z0-9][a-z0-9_.:-]{0,55}$")]
_MOST_SAID = 32
_OWN = frozenset(("estimate_usd", "project"))


class BudgetSpec(Model):
    """A budget to keep."""

    name: str
    amount_usd: float
    period: Literal["day", "week", "month", "quarter", "rolling"] = "month"
    days: int | None = None
    timezone: str = "UTC"
    filter: str = ""
    alerts: list[float] = Field(default_factory=lambda: [0.5, 0.8, 1.0])
    forecast_alert: bool = True
    action: Literal["alert", "block"] = "alert"
    on_unknown: Literal["allow", "refuse"] = "allow"


class ForecastBody(Model):
    """What the period will have cost at its end: in nine cases of ten between low and high."""

    expected_usd: float
    low_usd: float
    high_usd: float
    over_chance: float


class BudgetBody(BudgetSpec):
    """A budget and how it stands; amounts that are not known are null."""

    id: str
    start: int = Field(alias="from")
    end: int = Field(alias="to")
    at: int
    spent_usd: float | None
    share_spent: float | None
    left_usd: float | None
    unknown_cost_calls: int
    burn_usd_per_day: float | None
    forecast: ForecastBody | None


class CheckedBody(Model):
    """What one budget says to a call; `applies` is yes or unknown, `is_over` null when unknown."""

    id: str
    name: str
    applies: str
    is_over: bool | None
    share_spent: float | None
    left_usd: float | None
    unknown_cost_calls: int
    action: str
    on_unknown: str


class CheckBody(Model):
    """Whether a call may go on; `age_ms` is how old the amounts are, null before the first look."""

    allowed: bool
    reason: str
    known: bool
    age_ms: int | None
    budgets: list[CheckedBody]


@router.get("")
def budgets(services: Given, principal: CanRead) -> list[BudgetBody]:
    """The budgets of the project, with how they stand now."""
    kept = stored_budgets(services.meta, principal.project)
    return [_body(s) for s in standings_of(services.engine, kept, services.now_s)]


# It is asked before every call of a model: it reads memory alone, and waits for no thread.
@router.get("/check")
async def check(
    principal: CanReadAtOnce,
    request: Request,
    estimate_usd: Annotated[float, Query(ge=0, le=1e9)] = 0.0,
) -> CheckBody:
    """May a call go on that has these dimensions, given as query parameters such as team=a."""
    said = {name: value for name, value in request.query_params.items() if name not in _OWN}
    if len(said) > _MOST_SAID:
        raise BadInput("the call names too many dimensions", field="query", limit=f"{_MOST_SAID}")
    for name in said:
        check_dimension(name, STEPS, name[:80])
    services = services_of(request)
    verdict = services.gate.check(principal.project, said, estimate_usd, services.now_ms())
    return CheckBody(
        allowed=verdict.is_allowed,
        reason=verdict.reason,
        known=verdict.is_known,
        age_ms=verdict.age_ms,
        budgets=[_checked(applied) for applied in verdict.budgets],
    )


@router.put("/{budget_id}")
def put_budget(
    services: Given, principal: CanWrite, budget_id: BudgetId, body: BudgetSpec
) -> BudgetBody:
    """Create a budget, or replace the one of this id."""
    budget = decode_budget({**body.model_dump(), "id": budget_id, "project": principal.project})
    now_ms = services.now_ms()
    own = table.c.project == principal.project
    with services.meta.begin() as connection:
        others = select(func.count()).where(own, table.c.id != budget_id)
        if connection.execute(others).scalar_one() >= MAX_BUDGETS:
            raise BadInput("the project has too many budgets", field="id", limit=f"{MAX_BUDGETS}")
        known = select(table.c.created_ms).where(own, table.c.id == budget_id)
        before = connection.execute(known).scalar()
        row: dict[str, Any] = {
            "id": budget_id,
            "project": principal.project,
            "spec": msgspec.to_builtins(budget),
            "created_ms": now_ms if before is None else before,
            "updated_ms": now_ms,
        }
        upsert(connection, table, row)
        services.audit.record(
            principal.actor,
            "budget.create" if before is None else "budget.update",
            f"budget:{budget_id}",
            principal.project,
            {"spec": row["spec"]},
            now_ms=now_ms,
            connection=connection,
        )
    return _state(services, budget)


@router.delete("/{budget_id}")
def delete_budget(services: Given, principal: CanWrite, budget_id: BudgetId) -> Done:
    """Delete a budget; its open alerts are resolved."""
    now_ms = services.now_ms()
    with services.meta.begin() as connection:
        gone = connection.execute(
            delete(table).where(table.c.project == principal.project, table.c.id == budget_id)
        )
        if not gone.rowcount:
            raise NotFound(f"there is no budget {budget_id!r}", field="id")
        services.audit.record(
            principal.actor,
            "budget.delete",
            f"budget:{budget_id}",
            principal.project,
            {},
            now_ms=now_ms,
            connection=connection,
        )
    return Done()


def _state(services: Services, budget: Budget) -> BudgetBody:
    (standing,) = standings_of(services.engine, [budget], services.now_s)
    return _body(standing)


def _body(standing: Standing) -> BudgetBody:
    spec = msgspec.to_builtins(standing.budget)
    del spec["project"]
    return BudgetBody.model_validate(
        {
            **spec,
            "alerts": list(standing.budget.alerts),
            "from": standing.period.start_s,
            "to": standing.period.end_s,
            "at": standing.at_s,
            "spent_usd": standing.spent_usd,
            "share_spent": standing.share,
            "left_usd": _left(standing),
            "unknown_cost_calls": standing.unknown_cost_calls,
            "burn_usd_per_day": standing.burn_usd_per_day,
            "forecast": standing.forecast
            and ForecastBody.model_validate(standing.forecast).model_dump(),
        }
    )


def _checked(applied: Applied) -> CheckedBody:
    standing = applied.standing
    return CheckedBody(
        id=standing.budget.id,
        name=standing.budget.name,
        applies=applied.applies,
        is_over=applied.is_over,
        share_spent=standing.share,
        left_usd=_left(standing),
        unknown_cost_calls=standing.unknown_cost_calls,
        action=standing.budget.action,
        on_unknown=standing.budget.on_unknown,
    )


def _left(standing: Standing) -> float | None:
    if standing.spent_usd is None:
        return None
    return standing.budget.amount_usd - standing.spent_usd
