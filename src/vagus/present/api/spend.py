"""Who spends, what nobody is named for, how a shared cost is borne, and why spend changed."""

from __future__ import annotations

from dataclasses import asdict
from decimal import Decimal
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import Field

from vagus.assess.cost.allocation import OTHERS, allocate
from vagus.assess.cost.explain import METHOD, OTHER, Explained, explain
from vagus.assess.cost.factors import FACTORS, Segment, Split
from vagus.assess.cost.ledger import Ledger
from vagus.assess.cost.top import top_spend, untagged
from vagus.errors import BadInput
from vagus.present.api.base import FilterText, From, Model, Moment, To
from vagus.present.api.permit import CanRead, Given
from vagus.present.api.services import Services
from vagus.present.moment import parse_range
from vagus.store.meta.access.principal import Principal

router = APIRouter(prefix="/api/v1/spend", tags=["spend"])

_MOST_SHOWN = 20
Key = Annotated[str, Query(max_length=64, description="The dimension to group by.")]


class SpendBody(Model):
    """What some calls cost; null when none of them has a known cost."""

    cost_usd: float | None
    unknown_cost_calls: int
    calls: int
    input_tokens: int
    output_tokens: int


class TopRow(SpendBody):
    """One group with its share of the known cost."""

    value: str
    share: float | None


class Counted(Model):
    """How many groups there are."""

    n: int


class TopBody(Model):
    """The groups that cost most; `others` are all that are not listed."""

    key: str
    rows: list[TopRow]
    others: SpendBody
    total_usd: float | None
    unknown_cost_calls: int
    total: Counted


class GapBody(Model):
    """What has no value in a dimension, and its share of the known cost and of the calls."""

    dimension: str
    untagged: SpendBody
    cost_share: float | None
    call_share: float | None


class UntaggedBody(Model):
    """All spend, and the part of it that each dimension leaves without a name."""

    total: SpendBody
    dimensions: list[GapBody]


class PortionBody(Model):
    """One group's part; `is_others` marks all groups beyond the largest thousand."""

    value: str
    is_others: bool
    usage: float
    share: float
    allocated_usd: float
    own_usd: float
    unknown_cost_calls: int


class AllocationBody(Model):
    """A shared cost spread over groups; the parts and what is left over add up to it exactly."""

    by: str
    weight: str
    shared_usd: float
    unallocated_usd: float
    unknown_cost_calls: int
    rows: list[PortionBody]


class Stretch(Model):
    """A stretch of time."""

    start: Moment = Field(alias="from")
    end: Moment = Field(alias="to")


class ExplainQuestion(Model):
    """Two stretches to compare; `by` is what requests are grouped by."""

    before: Stretch
    after: Stretch
    filter: str = Field("", max_length=4000)
    by: str = Field("feature", max_length=64)


class PartBody(Model):
    """What one factor added; `share` is of the change, null when nothing changed."""

    factor: str
    usd: float
    share: float | None
    words: str


class SegmentBody(Model):
    """One segment's change by factor; `is_other` marks several put together."""

    group: str
    provider: str
    model: str
    service_tier: str
    is_other: bool
    before_usd: float
    after_usd: float
    change_usd: float
    parts: dict[str, float]


class UnknownBody(Model):
    """Calls of unknown cost, which no amount here contains."""

    before_calls: int
    after_calls: int


class ExplainBody(Model):
    """A change of spend: `parts` add up to it, and so do `segments`.

    `segments_left_out` counts the segments that were put together before the split.
    """

    before_usd: float
    after_usd: float
    change_usd: float
    parts: list[PartBody]
    segments: list[SegmentBody]
    segments_left_out: int
    unknown: UnknownBody
    method: str


@router.get("/top")
def top(
    services: Given,
    principal: CanRead,
    key: Key = "user",
    start: From = "-24h",
    end: To = "now",
    filter_text: FilterText = "",
    limit: int = 50,
) -> TopBody:
    """The users, teams or whatever else that cost most."""
    ledger = _ledger(services, principal, start, end, filter_text)
    found = top_spend(ledger, key, limit)
    total_usd = found.total.cost_usd
    rows = [
        TopRow.model_validate(
            {**asdict(spend), "value": value, "share": _share(spend.cost_usd, total_usd)}
        )
        for value, spend in found.rows
    ]
    return TopBody(
        key=key,
        rows=rows,
        others=SpendBody.model_validate(found.others),
        total_usd=total_usd,
        unknown_cost_calls=found.total.unknown_cost_calls,
        total=Counted(n=found.groups),
    )


@router.get("/untagged")
def get_untagged(
    services: Given,
    principal: CanRead,
    start: From = "-24h",
    end: To = "now",
    filter_text: FilterText = "",
) -> UntaggedBody:
    """How much of the spend has no team, no user and so on."""
    total, gaps = untagged(_ledger(services, principal, start, end, filter_text))
    return UntaggedBody(
        total=SpendBody.model_validate(total),
        dimensions=[GapBody.model_validate(gap) for gap in gaps],
    )


@router.get("/allocation")
def allocation(
    services: Given,
    principal: CanRead,
    by: Key = "team",
    weight: Literal["tokens", "calls", "cost"] = "tokens",
    amount_usd: Annotated[Decimal | None, Query(ge=0, le=10**9)] = None,
    shared: Annotated[
        str, Query(max_length=4000, description="A filter: its cost is shared.")
    ] = "",
    start: From = "-30d",
    end: To = "now",
    filter_text: FilterText = "",
    untagged: Literal["keep", "spread"] = "keep",
) -> AllocationBody:
    """Spread a shared cost over groups by what they used.

    The shared cost is an amount, or what the calls cost that the filter `shared` finds.
    """
    amount = _shared_usd(services, principal, (start, end), amount_usd, shared)
    ledger = _ledger(services, principal, start, end, filter_text)
    found = allocate(ledger, by, weight, amount, spread_untagged=untagged == "spread")
    return AllocationBody(
        by=by,
        weight=weight,
        shared_usd=float(found.shared_usd),
        unallocated_usd=float(found.unallocated_usd),
        unknown_cost_calls=found.unknown_cost_calls,
        rows=[
            PortionBody(
                value="" if portion.value == OTHERS else portion.value,
                is_others=portion.value == OTHERS,
                usage=portion.usage,
                share=portion.share,
                allocated_usd=float(portion.allocated_usd),
                own_usd=portion.own_usd,
                unknown_cost_calls=portion.unknown_cost_calls,
            )
            for portion in found.portions
        ],
    )


@router.post("/explain")
def post_explain(services: Given, principal: CanRead, question: ExplainQuestion) -> ExplainBody:
    """Split the change of spend between two stretches into its factors, exactly."""
    before, after = (
        _ledger(services, principal, str(side.start), str(side.end), question.filter)
        for side in (question.before, question.after)
    )
    return _explained(explain(before, after, question.by))


def _ledger(
    services: Services, principal: Principal, start: str, end: str, filter_text: str
) -> Ledger:
    window_s = parse_range(start, end, now_s=services.now_s)
    return Ledger.of(services.engine, principal.project, window_s, filter_text)


def _shared_usd(
    services: Services,
    principal: Principal,
    window: tuple[str, str],
    amount_usd: Decimal | None,
    shared: str,
) -> Decimal:
    if (amount_usd is None) == (not shared):
        raise BadInput("say either amount_usd or shared, a filter", field="amount_usd")
    if amount_usd is not None:
        return amount_usd
    total = next(_ledger(services, principal, *window, shared).sums(["cost_usd"]).dicts())
    return round(Decimal(total["sum_cost_usd"] or 0.0), 9)


def _explained(found: Explained) -> ExplainBody:
    shown = found.segments[:_MOST_SHOWN]
    segments = [_segment(key, split) for key, split in shown]
    if rest := [split for _, split in found.segments[_MOST_SHOWN:]]:
        together = Split(
            sum(split.before_usd for split in rest),
            sum(split.after_usd for split in rest),
            {name: sum(split.parts[name] for split in rest) for name in FACTORS},
        )
        segments.append(_segment((OTHER, "", "", ""), together))
    return ExplainBody(
        before_usd=found.whole.before_usd,
        after_usd=found.whole.after_usd,
        change_usd=found.whole.change_usd,
        parts=[PartBody.model_validate(part) for part in found.parts],
        segments=segments,
        segments_left_out=found.left_out,
        unknown=UnknownBody(before_calls=found.unknown_before, after_calls=found.unknown_after),
        method=METHOD,
    )


def _segment(key: Segment, split: Split) -> SegmentBody:
    group, provider, model, tier = ("" if part == OTHER else part for part in key)
    return SegmentBody(
        group=group,
        provider=provider,
        model=model,
        service_tier=tier,
        is_other=OTHER in key,
        before_usd=split.before_usd,
        after_usd=split.after_usd,
        change_usd=split.change_usd,
        parts=dict(split.parts),
    )


def _share(part: float | None, whole: float | None) -> float | None:
    return (part or 0.0) / whole if whole else None
