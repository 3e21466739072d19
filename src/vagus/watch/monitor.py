"""What a monitor is: a measure, whom it is split by, and one rule; decoded strictly from JSON."""

from __future__ import annotations

import datetime
import re
from typing import Annotated, Any, Literal, TypeVar

import msgspec

from vagus.errors import BadInput

T = TypeVar("T")
# The monitor that watches an objective is called by this and the objective's id.
SLO_PREFIX = "slo."
# The episodes of a budget are those of a monitor that is called by this and the budget's id.
BUDGET_PREFIX = "budget."
# The episodes of an objective's policies are those of a monitor called by this and its id.
POLICY_PREFIX = "policy."
Positive = Annotated[int, msgspec.Meta(ge=1)]
Natural = Annotated[int, msgspec.Meta(ge=0)]
Ratio = Annotated[float, msgspec.Meta(gt=1, le=1000)]
Share = Annotated[float, msgspec.Meta(gt=0, lt=1)]
Hours = Annotated[int, msgspec.Meta(ge=1, le=24 * 7)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Margin = Annotated[float, msgspec.Meta(ge=1, le=10)]
Day = Annotated[str, msgspec.Meta(pattern=r"^\d{4}-\d{2}-\d{2}$")]
# Budgets of false alarms are given for 30 days.
MONTH_MIN = 30 * 24 * 60


class Threshold(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="threshold"
):
    """Fires when the value stays beyond a limit for `hold_min` minutes, each with `min_n` samples.

    The value is that of the last `window_min` minutes. It clears after the same hold on the good
    side. It has no stated false-alarm rate: use `Sequential` for rates.
    """

    op: Literal[">", ">=", "<", "<="]
    value: float
    hold_min: Natural = 10
    min_n: Positive = 30
    window_min: Positive = 5
    horizon_h: Hours = 6


class Sequential(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="sequential"
):
    """Fires when a series is proven to be worse than what is tolerated, however often one looks.

    For a share, `target` is the tolerated bad rate; for any other measure, and for a share without
    a target, what is usual is learned: the level at this hour, worsened by `margin` and by how far
    the group wanders by itself, for shares never below `min_target`. A minute teaches once it is
    older than half of what is known, or half of `reference_min`. `limit` makes a quantile a
    share: of observations above it. `alpha` makes the mean time to a false alarm at least 1 / alpha
    minutes with data. `test` is "betting" (only the mean matters) or "likelihood" (shares alone:
    trials are independent but for the dispersion seen; `ratio`, "lambda" in JSON, is the multiple
    of the target that is looked for). It clears when the same kind of test refutes "still as bad"
    at `clear_alpha` over at least `clear_min` minutes.
    """

    target: Share | None = None
    limit: Annotated[float, msgspec.Meta(gt=0)] | None = None
    ratio: Ratio = msgspec.field(default=3.0, name="lambda")
    alpha: Share = 1e-4
    min_n: Positive = 30
    horizon_h: Hours = 24
    reference_min: Positive = 720
    min_target: Share = 0.01
    margin: Margin = 1.25
    clear_alpha: Share = 1e-3
    clear_min: Positive = 15
    stale_min: Positive = 180
    test: Literal["likelihood", "betting"] = "betting"


class Seasonal(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="seasonal"
):
    """Fires when a series leaves what is usual at this hour of the day and week.

    `weeks` are looked back; `holidays` (days as 2026-12-25, in UTC) are compared with the hour of
    the day alone and are no example; `growth` lets the level grow as it grew last week.
    `false_alarms` is the budget of one group: how many in 30 days are accepted.
    """

    side: Literal["worse", "up", "down", "both"] = "both"
    weeks: Annotated[int, msgspec.Meta(ge=2, le=6)] = 5
    holidays: Annotated[tuple[Day, ...], msgspec.Meta(max_length=100)] = ()
    growth: bool = False
    margin: Margin = 1.25
    false_alarms: Annotated[float, msgspec.Meta(gt=0, le=30)] = 1.0
    min_n: Positive = 30
    min_target: Share = 0.01
    clear_alpha: Share = 1e-3
    clear_min: Positive = 15
    stale_min: Positive = 180
    horizon_h: Hours = 24

    @property
    def alpha(self) -> float:
        """The budget as false alarms a minute."""
        return self.false_alarms / MONTH_MIN


class Drift(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="drift"):
    """Fires when a value of `dimension` takes a larger share than it had: a model, a language.

    Each value is a series of its own, of its share of what the measure counts; what one gains
    another loses, so rises are enough. The reference is the last weeks, or pinned to the days from
    `pinned_from` up to `pinned_to` (not included). `min_share` is the smallest rise worth a word.
    """

    dimension: Name
    min_share: Share = 0.05
    pinned_from: Day | None = None
    pinned_to: Day | None = None
    alpha: Share = 1e-4
    margin: Margin = 1.25
    min_n: Positive = 100
    clear_alpha: Share = 1e-3
    clear_min: Positive = 15
    stale_min: Positive = 180
    horizon_h: Hours = 24


class Absence(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="absence"):
    """Fires when what is usual at this hour stays away: telemetry that stopped, or most of it.

    It tests the count of each minute against `remains` of what is usual. With `silent_min` it also
    fires when there was nothing at all for so many minutes, and needs no past for that.
    """

    remains: Share = 0.5
    silent_min: Annotated[int, msgspec.Meta(ge=2, le=24 * 60)] | None = None
    alpha: Share = 1e-4
    clear_alpha: Share = 1e-3
    clear_min: Positive = 10
    horizon_h: Hours = 24


Rule = Threshold | Sequential | Seasonal | Drift | Absence


class Monitor(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One monitor of one project, split by `by` into at most `max_groups` groups, largest first."""

    id: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9_.:-]{0,63}$")]
    name: Name
    project: str
    measure: Name
    rule: Rule
    filter: Annotated[str, msgspec.Meta(max_length=2000)] = ""
    by: Annotated[tuple[str, ...], msgspec.Meta(max_length=4)] = ()
    max_groups: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 200
    severity: Literal["page", "ticket"] = "ticket"

    @property
    def horizon_min(self) -> int:
        """How many minutes back an evaluation looks."""
        return self.rule.horizon_h * 60


def decode_monitor(data: Any) -> Monitor:
    """A monitor from JSON-like data; `BadInput` names the field that is wrong."""
    monitor = decode(data, Monitor, "monitor")
    owners = ((SLO_PREFIX, "SLOs"), (BUDGET_PREFIX, "budgets"), (POLICY_PREFIX, "policies"))
    for prefix, owner in owners:
        if monitor.id.startswith(prefix):
            raise BadInput(f"monitor: ids that start with {prefix} belong to {owner}", field="id")
    check_rule(monitor.rule)
    return monitor


def decode(data: Any, kind: type[T], what: str) -> T:
    """Strict decoding of JSON-like data, with the field of the first error."""
    try:
        return msgspec.convert(data, kind, strict=True)
    except msgspec.ValidationError as e:
        message, _, path = str(e).partition(" - at `$")
        field = path.rstrip("`").lstrip(".") or _quoted(message)
        raise BadInput(f"{what}: {message}", field=field) from e


def check_rule(rule: Rule) -> None:
    """The contradictions that types cannot see."""
    if isinstance(rule, Threshold) and rule.window_min + rule.hold_min > rule.horizon_h * 60:
        raise BadInput(
            f"monitor: window_min + hold_min is {rule.window_min + rule.hold_min} minutes, "
            f"more than the {rule.horizon_h} h that are looked at",
            field="rule.hold_min",
            limit="horizon_h",
        )
    if isinstance(rule, Sequential):
        _check_sequential(rule)
    if isinstance(rule, Seasonal):
        for day in rule.holidays:
            day_number(day, "rule.holidays")
    if isinstance(rule, Drift) and (rule.pinned_from or rule.pinned_to):
        _check_pinned(rule)


def _check_sequential(rule: Sequential) -> None:
    if rule.target is not None and rule.target * rule.ratio >= 1:
        raise BadInput(
            f"monitor: it can never fire: {rule.ratio:g} times the target {rule.target:g} is "
            f"{rule.target * rule.ratio:.0%}; lambda must be below {1 / rule.target:.3g}",
            field="rule.lambda",
        )


def _check_pinned(rule: Drift) -> None:
    if rule.pinned_from is None or rule.pinned_to is None:
        raise BadInput("monitor: a pinned reference has two ends", field="rule.pinned_to")
    first = day_number(rule.pinned_from, "rule.pinned_from")
    if not 0 < day_number(rule.pinned_to, "rule.pinned_to") - first <= 35:
        raise BadInput(
            "monitor: the pinned days must run forward", field="rule.pinned_to", limit="35 days"
        )


def day_number(day: str, field: str) -> int:
    """A day such as 2026-12-25 as days since 1970; `BadInput` names the field."""
    try:
        return datetime.date.fromisoformat(day).toordinal() - datetime.date(1970, 1, 1).toordinal()
    except ValueError as e:
        raise BadInput(f"monitor: {day} is not a day", field=field) from e


def _quoted(message: str) -> str | None:
    """The field that msgspec names inside its sentence when the path is the root."""
    found = re.search(r"field `([^`]+)`", message)
    return found.group(1) if found else None
