"""A shared cost spread over those who used it: a gateway, a self-hosted model, a vector store.

Shares follow tokens, calls or cost. Amounts are whole billionths of a dollar, and what rounding
leaves over goes to the largest remainders (Hamilton's method), so the parts add up exactly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from vagus.assess.cost.ledger import Ledger
from vagus.errors import BadInput

Weight = Literal["tokens", "calls", "cost"]
MAX_GROUPS = 1000
OTHERS = "\0others"
_NANO = 10**9
_FACTS = ("cost_usd", "cost_unknown", "steps", "input_tokens", "output_tokens")


@dataclass(frozen=True, slots=True)
class Portion:
    """What one group used and bears of the shared cost; its own spend stands beside it."""

    value: str
    usage: float
    share: float
    allocated_usd: Decimal
    own_usd: float
    unknown_cost_calls: int


@dataclass(frozen=True, slots=True)
class Allocation:
    """A shared cost spread out; `unallocated_usd` is all of it when nobody used anything."""

    shared_usd: Decimal
    weight: Weight
    portions: tuple[Portion, ...]
    unallocated_usd: Decimal
    unknown_cost_calls: int


def spread(amount_usd: Decimal, weights: Sequence[float]) -> list[Decimal]:
    """The amount in parts by weight, to a billionth of a dollar; they add up to it exactly.

    Raises `BadInput` for amounts finer than that, and when no weight is above 0.
    """
    nanos = amount_usd * _NANO
    if nanos != nanos.to_integral_value():
        raise BadInput("the amount is finer than a billionth of a dollar", field="amount_usd")
    exact = [Fraction(max(0.0, weight)) for weight in weights]
    total = sum(exact, Fraction(0))
    if total <= 0:
        raise BadInput("nobody used anything in this time, so nothing can be spread")
    shares = [int(nanos) * weight / total for weight in exact]
    parts = [share.__floor__() for share in shares]
    order = sorted(range(len(parts)), key=lambda n: (parts[n] - shares[n], n))
    for n in order[: int(nanos) - sum(parts)]:
        parts[n] += 1
    return [Decimal(part) / _NANO for part in parts]


def allocate(
    ledger: Ledger, by: str, weight: Weight, amount_usd: Decimal, *, spread_untagged: bool = False
) -> Allocation:
    """Spread an amount over the groups of `by` that used something in the ledger's stretch.

    Calls without a value are a group of their own, which bears its part unless it is spread over
    the others. Groups beyond the largest thousand are one.
    """
    rows = [
        (str(row["key_0"]), {fact: float(row[f"sum_{fact}"] or 0.0) for fact in _FACTS})
        for row in ledger.sums(_FACTS, (by,), limit=MAX_GROUPS).dicts()
    ]
    total = next(ledger.sums(_FACTS).dicts())
    if len(rows) == MAX_GROUPS:
        rest = {f: float(total[f"sum_{f}"] or 0.0) - sum(r[f] for _, r in rows) for f in _FACTS}
        rows.append((OTHERS, rest))
    bearing = [row for row in rows if row[0] or not spread_untagged]
    usage = [_usage(sums, weight) for _, sums in bearing]
    unknown = int(total["sum_cost_unknown"] or 0)
    if sum(usage) <= 0:
        return Allocation(amount_usd, weight, (), amount_usd, unknown)
    parts = spread(amount_usd, usage)
    portions = [
        Portion(
            value,
            used,
            used / sum(usage),
            part,
            sums["cost_usd"],
            int(sums["cost_unknown"]),
        )
        for (value, sums), used, part in zip(bearing, usage, parts, strict=True)
    ]
    ranked = tuple(sorted(portions, key=lambda portion: (-portion.allocated_usd, portion.value)))
    return Allocation(amount_usd, weight, ranked, Decimal(0), unknown)


def _usage(sums: dict[str, float], weight: Weight) -> float:
    amount = {
        "tokens": sums["input_tokens"] + sums["output_tokens"],
        "calls": sums["steps"],
        "cost": sums["cost_usd"],
    }[weight]
    return max(0.0, amount)
