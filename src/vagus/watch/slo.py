"""Objectives: a share of good events over a window, its budget, and whether it can be judged."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import msgspec

from vagus.errors import BadInput
from vagus.stats.interval import wilson
from vagus.watch.monitor import SLO_PREFIX, Monitor, Name, Ratio, Sequential, Share, decode

# The factors of the SRE workbook's multi-window burn-rate alerts, from page to ticket.
CLASSIC_FACTORS = (14.4, 6.0, 3.0, 1.0)
_CONFIDENCE = 0.95


class Slo(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One objective: of the events of a ratio measure, at least `target` are good over the window.

    `ratio` ("lambda" in JSON) is the burn rate worth waking for, `alpha` the price of a false
    alarm; `burn_factors` are classic alert factors that the objective is exported with.
    """

    id: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9_.:-]{0,59}$")]
    name: Name
    project: str
    measure: Name
    target: Share
    window_days: Annotated[int, msgspec.Meta(ge=1, le=90)] = 30
    filter: Annotated[str, msgspec.Meta(max_length=2000)] = ""
    ratio: Ratio = msgspec.field(default=3.0, name="lambda")
    alpha: Share = 1e-4
    burn_factors: tuple[float, ...] = ()
    severity: Literal["page", "ticket"] = "page"

    @property
    def budget(self) -> float:
        """The share of events that may be bad."""
        return 1.0 - self.target


def decode_slo(data: Any) -> Slo:
    """An objective from JSON-like data; `BadInput` names the field that is wrong."""
    slo = decode(data, Slo, "SLO")
    if unfireable(slo.target, slo.ratio):
        raise BadInput(f"SLO: {_sentence(slo.target, slo.ratio)}", field="lambda")
    return slo


def unfireable(target: float, factor: float) -> bool:
    """Whether a burn-rate alert can never fire: all events bad burn only 1 / (1 - target)."""
    # The product is compared, with room for rounding: 10 times a budget of 0.1 is all of it.
    return factor * (1.0 - target) >= 1.0 - 1e-12


def lint(slo: Slo) -> list[str]:
    """What is wrong with the objective's burn-rate alerts, one sentence each."""
    factors = slo.burn_factors or CLASSIC_FACTORS
    return [_sentence(slo.target, factor) for factor in factors if unfireable(slo.target, factor)]


def _sentence(target: float, factor: float) -> str:
    return (
        f"unfireable-alert: a burn rate of {factor:g} needs {factor * (1 - target):.0%} bad events "
        f"at a target of {target:.4g}; the most there can be is {1 / (1 - target):.3g}"
    )


def evidence_floor(target: float, confidence: float = _CONFIDENCE) -> int:
    """The fewest events whose all being good would prove the target: 59 at 95 %, 299 at 99 %."""
    return math.ceil(math.log(1.0 - confidence) / math.log(target))


@dataclass(frozen=True, slots=True)
class Budget:
    """How much of the budget the window's events spent; 1 is all of it, None is unknown.

    `burn` is the rate of spending over the last hour, 1 being exactly on budget. `state` is ok,
    exhausted (even the lower bound is over budget) or insufficient_data, which is never ok.
    """

    spent: float | None
    low: float | None
    high: float | None
    burn: float | None
    n: float
    floor: int
    state: str


def budget(
    slo: Slo, n: float, bad: float, recent_n: float = 0.0, recent_bad: float = 0.0
) -> Budget:
    """The budget from the (effective) number of events in the window, and of the last hour."""
    floor = evidence_floor(slo.target)
    burn = recent_bad / recent_n / slo.budget if recent_n > 0 else None
    if n <= 0:
        return Budget(None, None, None, burn, 0.0, floor, "insufficient_data")
    low, high = (bound / slo.budget for bound in wilson(bad, n, _CONFIDENCE))
    state = "insufficient_data" if n < floor else "exhausted" if low > 1 else "ok"
    return Budget(bad / n / slo.budget, low, high, burn, n, floor, state)


def monitor_of(slo: Slo) -> Monitor:
    """The monitor that watches an objective: the sequential rule with the budget as its target."""
    return Monitor(
        id=SLO_PREFIX + slo.id,
        name=slo.name,
        project=slo.project,
        measure=slo.measure,
        filter=slo.filter,
        severity=slo.severity,
        rule=Sequential(target=slo.budget, ratio=slo.ratio, alpha=slo.alpha),
    )
