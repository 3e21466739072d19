"""What a monitor is: a measure, whom it is split by, and one rule; decoded strictly from JSON."""

from __future__ import annotations

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
    """Fires when a bad rate is proven to be above its target, however often one looks.

    `target` is the tolerated bad rate; without one it is `margin` times the upper Wilson bound of
    the reference, the oldest half of the horizon's data, at most `reference_min` minutes, never
    below `min_target`. `ratio` ("lambda" in JSON) is the smallest multiple of the target that is
    worth waking for; `alpha` makes the mean time to a false alarm at least 1 / alpha minutes with
    data. `test` is "likelihood" (minutes are independent, trials share the dispersion seen in the
    reference) or "betting" (only the mean matters). It clears when the same kind of test refutes
    "still `ratio` times the target" at `clear_alpha` over at least `clear_min` minutes.
    """

    target: Share | None = None
    ratio: Ratio = msgspec.field(default=3.0, name="lambda")
    alpha: Share = 1e-4
    min_n: Positive = 30
    horizon_h: Hours = 24
    reference_min: Positive = 720
    min_target: Share = 0.01
    margin: Annotated[float, msgspec.Meta(ge=1, le=10)] = 1.25
    clear_alpha: Share = 1e-3
    clear_min: Positive = 15
    stale_min: Positive = 180
    test: Literal["likelihood", "betting"] = "likelihood"


class Monitor(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One monitor of one project, split by `by` into at most `max_groups` groups, largest first."""

    id: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9_.:-]{0,63}$")]
    name: Name
    project: str
    measure: Name
    rule: Threshold | Sequential
    filter: Annotated[str, msgspec.Meta(max_length=2000)] = ""
    by: Annotated[tuple[str, ...], msgspec.Meta(max_length=4)] = ()
    max_groups: Annotated[int, msgspec.Meta(ge=1, le=200)] = 20
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


def check_rule(rule: Threshold | Sequential) -> None:
    """The contradictions that types cannot see."""
    if isinstance(rule, Threshold):
        if rule.window_min + rule.hold_min > rule.horizon_h * 60:
            raise BadInput(
                f"monitor: window_min + hold_min is {rule.window_min + rule.hold_min} minutes, "
                f"more than the {rule.horizon_h} h that are looked at",
                field="rule.hold_min",
                limit="horizon_h",
            )
        return
    if rule.target is not None and rule.target * rule.ratio >= 1:
        raise BadInput(
            f"monitor: it can never fire: {rule.ratio:g} times the target {rule.target:g} is "
            f"{rule.target * rule.ratio:.0%}; lambda must be below {1 / rule.target:.3g}",
            field="rule.lambda",
        )


def _quoted(message: str) -> str | None:
    """The field that msgspec names inside its sentence when the path is the root."""
    found = re.search(r"field `([^`]+)`", message)
    return found.group(1) if found else None
