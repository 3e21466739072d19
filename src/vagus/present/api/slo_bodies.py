"""What the routes of objectives take and give."""

from __future__ import annotations

from pydantic import Field

from vagus.present.api.base import Model


class JudgeCountsBody(Model):
    """What people found when they checked the evaluator behind an objective."""

    good: int
    good_passed: int
    bad: int
    bad_failed: int


class PolicyBody(Model):
    """What happens once the lower bound of the spent budget is above a share of it."""

    above: float
    action: str
    dry_run: bool = True


class SloSpec(Model):
    """An objective to keep; what is left out has its default."""

    name: str
    measure: str
    target: float
    window_days: int = 30
    calendar: str = ""
    timezone: str = "UTC"
    filter: str = ""
    service: str = ""
    description: str = ""
    slice_target: float | None = None
    slice_min: int = 5
    ratio: float = Field(default=3.0, alias="lambda")
    alpha: float = 1e-4
    burn_factors: list[float] = Field(default_factory=list)
    severity: str = "page"
    judge: JudgeCountsBody | None = None
    policies: list[PolicyBody] = Field(default_factory=list)


class RateBody(Model):
    """A multiple of the budgeted rate, with its interval."""

    value: float | None
    low: float | None
    high: float | None
    n: float


class BurnBody(Model):
    """The rates of one classic alert's windows, and whether both are above its factor."""

    long_min: int
    short_min: int
    factor: float
    long: RateBody
    short: RateBody
    is_firing: bool


class ExhaustionBody(Model):
    """In how many hours the budget is gone at the rate of now; null is never in this window."""

    hours: float | None
    low_hours: float | None
    high_hours: float | None
    over_min: int


class BudgetBody(Model):
    """How much of the error budget is spent; 1 is all of it, null is unknown."""

    spent: float | None
    low: float | None
    high: float | None
    burn: float | None
    n: float
    judged: float
    total: float
    floor: int
    state: str
    calibration: str
    sentence: str
    start_s: int
    end_s: int
    burns: list[BurnBody]
    exhaustion: ExhaustionBody | None


class SloBody(SloSpec):
    """An objective, its budget now, and what is wrong with its declaration."""

    id: str
    created_ms: int
    budget: BudgetBody | None
    problems: list[str]
    error: str


class PolicyStateBody(Model):
    """What one policy does now: calm, unknown, dry_run, overridden or acting."""

    policy: PolicyBody
    effect: str


class OverrideBody(Model):
    """Two people took it upon themselves that a spent budget stops nothing, for a while."""

    id: str
    slo: str
    people: list[str]
    reason: str
    actor: str
    created_ms: int
    expires_ms: int


class SaidBody(Model):
    """The figures of one closed window as they were known at a moment."""

    start_s: int
    first_s: int | None
    judged: float
    total: float
    bad: float
    spent: float | None
    low: float | None
    high: float | None
    state: str


class RestatementBody(Model):
    """A closed window whose budget turned out otherwise than it was said to be."""

    end_s: int
    noticed_ms: int
    was: SaidBody
    now: SaidBody


class SloDetailBody(SloBody):
    """An objective with its policies, its overrides and what was restated of it."""

    policy_states: list[PolicyStateBody]
    overrides: list[OverrideBody]
    restatements: list[RestatementBody]


class AnswerBody(Model):
    """Whether a promotion may go on; `known` is false when evidence was too thin to say."""

    allowed: bool
    known: bool
    reason: str


class CountedBody(Model):
    """One step: judged rows, the events that they stand for, and the bad ones among these."""

    t_s: int
    judged: float
    total: float
    bad: float


class AlertBody(Model):
    """One stretch in which a rule would have fired; `cleared_s` is null while it would still."""

    rule: str
    severity: str
    onset_s: int
    fired_s: int
    cleared_s: int | None


class JudgedBody(Model):
    """What one target would have meant over the whole stretch."""

    target: float
    budget: BudgetBody
    alerts: list[AlertBody]
    problems: list[str]


class JudgementBody(Model):
    """The past by hours or longer slices, judged for the objective's target and for others."""

    start_s: int
    end_s: int
    step_s: int
    alert_step_s: int
    points: list[CountedBody]
    judged: JudgedBody
    targets: list[JudgedBody]
