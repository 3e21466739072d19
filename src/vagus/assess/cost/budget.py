"""What a budget is: an amount for a scope and a period, and what happens when it is used up."""

from __future__ import annotations

import functools
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import msgspec

from vagus.errors import BadInput
from vagus.measures.facts import STEPS
from vagus.measures.filter import Filter, Values, parse, where
from vagus.model.calendar import Stretch, calendar_stretch, zone_of

#: A project may have so many; they are all looked at every few seconds.
MAX_BUDGETS = 200
DAY_S = 86_400

Share = Annotated[float, msgspec.Meta(gt=0, le=10)]


class Budget(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One budget of one project.

    `filter` names the calls it is for, by values of dimensions. A calendar period begins at local
    midnight in `timezone`, a week on Monday; a rolling one is the last `days` days at any moment.
    `alerts` are shares of the amount that are told of, each once a period. `block` makes the check
    of a gateway refuse calls once the amount is used up; `on_unknown` says what the check does
    where it cannot know.
    """

    id: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9_.:-]{0,55}$")]
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    project: str
    amount_usd: Annotated[float, msgspec.Meta(gt=0, le=1e12)]
    period: Literal["day", "week", "month", "quarter", "rolling"] = "month"
    days: Annotated[int, msgspec.Meta(ge=1, le=366)] | None = None
    timezone: Annotated[str, msgspec.Meta(max_length=64)] = "UTC"
    filter: Annotated[str, msgspec.Meta(max_length=2000)] = ""
    alerts: Annotated[tuple[Share, ...], msgspec.Meta(max_length=10)] = (0.5, 0.8, 1.0)
    forecast_alert: bool = True
    action: Literal["alert", "block"] = "alert"
    on_unknown: Literal["allow", "refuse"] = "allow"

    @property
    def scope(self) -> Filter:
        """The parsed filter."""
        return _parsed(self.filter)

    @property
    def zone(self) -> ZoneInfo:
        """Where its days begin."""
        return zone_of(self.timezone)


def decode_budget(data: Any) -> Budget:
    """A budget from JSON-like data; `BadInput` names the field that is wrong."""
    try:
        budget = msgspec.convert(data, Budget)
    except msgspec.ValidationError as e:
        message, _, path = str(e).partition(" - at `$")
        raise BadInput(f"budget: {message}", field=path.strip("`.") or None) from e
    if (budget.period == "rolling") != (budget.days is not None):
        raise BadInput(
            "days says how long a rolling period is, and belongs to that alone", field="days"
        )
    zone_of(budget.timezone)
    scope = budget.scope
    if not all(isinstance(term, Values) for term in scope.terms):
        raise BadInput(
            "a budget's filter takes dimensions with values, such as team:search", field="filter"
        )
    where(scope, STEPS)
    return budget


def stretch_of(budget: Budget, now_s: int) -> Stretch:
    """The budget's period at a moment."""
    if budget.days is not None:
        minute_s = now_s - now_s % 60 + 60
        return Stretch(minute_s - budget.days * DAY_S, minute_s)
    return calendar_stretch(budget.period, budget.zone, now_s)


# A gateway asks about every budget at every call.
_parsed = functools.lru_cache(maxsize=4096)(parse)
