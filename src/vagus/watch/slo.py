"""Objectives as they are declared: a share of good events over a window, and what guards it."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

import msgspec

from vagus.errors import BadInput
from vagus.model.calendar import Stretch, calendar_stretch, zone_of
from vagus.stats.evaluator import Calibration
from vagus.watch.monitor import SLO_PREFIX, Monitor, Name, Ratio, Sequential, Share, decode

#: The factors of the SRE workbook's multi-window burn-rate alerts, from page to ticket.
CLASSIC_FACTORS = (14.4, 6.0, 3.0, 1.0)
#: A project may have so many; all of them are looked at every minute.
MAX_SLOS = 200
#: Below this a judge tells too little of the truth to wake anybody with.
LEAST_INFORMED = 0.5
_CONFIDENCE = 0.95
_ROUTES = ("check", "judge", "overrides")
_DAY_S = 86_400
Factor = Annotated[float, msgspec.Meta(gt=0, le=1000)]
Counted = Annotated[int, msgspec.Meta(ge=0, le=10_000_000)]


class Judge(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What people found when they checked the evaluator that judges an objective's events.

    Of `good` answers that were good it passed `good_passed` (its sensitivity), of `bad` ones that
    were bad it failed `bad_failed` (its specificity).
    """

    good: Counted
    good_passed: Counted
    bad: Counted
    bad_failed: Counted

    @property
    def calibration(self) -> Calibration:
        """The counts as statistics take them."""
        return Calibration(self.good, self.good_passed, self.bad, self.bad_failed)


class Policy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What happens once the lower bound of the spent budget is above a share of it.

    `notify` opens an episode, `freeze` makes the check of promotions say no. In a dry run nothing
    of that happens; the policy only shows that it would.
    """

    above: Annotated[float, msgspec.Meta(gt=0, le=100)]
    action: Literal["notify", "freeze"]
    dry_run: bool = True

    @property
    def key(self) -> str:
        """What tells it apart from the other policies of its objective."""
        return f"{self.action} above {self.above:g}"


class Slo(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One objective: of the events of a ratio measure, at least `target` are good over the window.

    The window is the last `window_days`, or a `calendar` period in `timezone`. With `slice_target`
    stretches of `slice_min` minutes are counted instead of events: one is good when at least that
    share of its events is. `ratio` ("lambda" in JSON) is the burn rate worth waking for, `alpha`
    the price of a false alarm; `burn_factors` are those of the classic alerts. `severity` none
    only shows the objective. `judge` tells how far an evaluator's verdicts can be trusted.
    """

    id: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9_.:-]{0,59}$")]
    name: Name
    project: str
    measure: Name
    target: Share
    window_days: Annotated[int, msgspec.Meta(ge=1, le=90)] = 30
    calendar: Literal["", "week", "month", "quarter"] = ""
    timezone: Annotated[str, msgspec.Meta(max_length=64)] = "UTC"
    filter: Annotated[str, msgspec.Meta(max_length=2000)] = ""
    service: Annotated[str, msgspec.Meta(max_length=63)] = ""
    description: Annotated[str, msgspec.Meta(max_length=1050)] = ""
    slice_target: Share | None = None
    slice_min: Literal[1, 5, 10, 15, 30, 60, 120, 240, 360, 720, 1440] = 5
    ratio: Ratio = msgspec.field(default=3.0, name="lambda")
    alpha: Share = 1e-4
    burn_factors: Annotated[tuple[Factor, ...], msgspec.Meta(max_length=4)] = ()
    severity: Literal["page", "ticket", "none"] = "page"
    judge: Judge | None = None
    policies: Annotated[tuple[Policy, ...], msgspec.Meta(max_length=10)] = ()

    @property
    def budget(self) -> float:
        """The share of events, or of slices, that may be bad."""
        return 1.0 - self.target

    @property
    def event_budget(self) -> float:
        """The share of events that may be bad before one speaks of trouble."""
        return 1.0 - (self.target if self.slice_target is None else self.slice_target)

    @property
    def factors(self) -> tuple[float, ...]:
        """The factors of the classic alerts, from the shortest window to the longest."""
        return self.burn_factors or CLASSIC_FACTORS


def decode_slo(data: Any) -> Slo:
    """An objective from JSON-like data; `BadInput` names the field that is wrong."""
    slo = decode(data, Slo, "SLO")
    if slo.id in _ROUTES:
        raise BadInput(f"SLO: {slo.id!r} is the name of a route", field="id")
    if slo.severity != "none" and unfireable(1.0 - slo.event_budget, slo.ratio):
        raise BadInput(f"SLO: {_sentence(1.0 - slo.event_budget, slo.ratio)}", field="lambda")
    zone_of(slo.timezone)
    keys = [policy.key for policy in slo.policies]
    if len(set(keys)) != len(keys):
        raise BadInput("SLO: two policies do the same above the same share", field="policies")
    if slo.judge is not None:
        _check_judge(slo, slo.judge)
    return slo


def _check_judge(slo: Slo, judge: Judge) -> None:
    if slo.slice_target is not None:
        raise BadInput(
            "SLO: a judge's errors are corrected in shares of events, not in slices", field="judge"
        )
    if judge.good_passed > judge.good or judge.bad_failed > judge.bad:
        raise BadInput("SLO: a judge cannot be right more often than it was asked", field="judge")
    if slo.severity == "none":
        return
    low = judge.calibration.informedness()[0]
    if low < LEAST_INFORMED:
        raise BadInput(
            f"SLO: nobody is woken by this judge: its sensitivity + specificity - 1 may be as low "
            f"as {low:.2f}; check it on more answers, or set severity to none",
            field="judge",
            limit=f"{LEAST_INFORMED}",
        )
    target, ratio = raw_alarm(slo)
    if not ratio > 1:
        raise BadInput(
            f"SLO: the judge was checked on too few answers to tell {slo.ratio:g} times the "
            f"budget from its own errors (raw target {target:.2%})",
            field="judge",
        )


def raw_alarm(slo: Slo) -> tuple[float, float]:
    """The bad rate to test against and the multiple worth waking for, as the judge would see them.

    The rate is the most that a service on budget may show, given how well the judge is known.
    """
    if slo.judge is None:
        return slo.event_budget, slo.ratio
    calibration = slo.judge.calibration
    tolerated = calibration.seen_at_most(slo.event_budget)
    return tolerated, calibration.seen(min(1.0, slo.ratio * slo.event_budget)) / tolerated


def unfireable(target: float, factor: float) -> bool:
    """Whether a burn-rate alert can never fire: all events bad burn only 1 / (1 - target)."""
    # The product is compared, with room for rounding: 10 times a budget of 0.1 is all of it.
    return factor * (1.0 - target) >= 1.0 - 1e-12


def lint(slo: Slo) -> list[str]:
    """What is wrong with the objective's burn-rate alerts, one sentence each."""
    return [
        _sentence(slo.target, factor) for factor in slo.factors if unfireable(slo.target, factor)
    ]


def _sentence(target: float, factor: float) -> str:
    return (
        f"unfireable-alert: a burn rate of {factor:g} needs {factor * (1 - target):.0%} bad events "
        f"at a target of {target:.4g}; the most there can be is {1 / (1 - target):.3g}"
    )


def evidence_floor(target: float, confidence: float = _CONFIDENCE) -> int:
    """The fewest events whose all being good would prove the target: 59 at 95 %, 299 at 99 %."""
    return math.ceil(math.log(1.0 - confidence) / math.log(target))


def window_of(slo: Slo, now_s: int) -> Stretch:
    """The objective's window at a moment; a rolling one ends with the minute that it lies in."""
    if slo.calendar:
        return calendar_stretch(slo.calendar, zone_of(slo.timezone), now_s)
    end_s = now_s - now_s % 60 + 60
    return Stretch(max(0, end_s - slo.window_days * _DAY_S), end_s)


def monitor_of(slo: Slo) -> Monitor:
    """The monitor that watches an objective: the sequential rule with the budget as its target."""
    target, ratio = raw_alarm(slo)
    return Monitor(
        id=SLO_PREFIX + slo.id,
        name=slo.name,
        project=slo.project,
        measure=slo.measure,
        filter=slo.filter,
        severity="page" if slo.severity == "page" else "ticket",
        rule=Sequential(target=target, ratio=ratio, alpha=slo.alpha),
    )
