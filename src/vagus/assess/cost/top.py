"""Who spends most, by any key, and how much of the spend has no value in a key."""

from __future__ import annotations

from dataclasses import dataclass

from vagus.assess.cost.ledger import Ledger
from vagus.errors import BadInput

#: Where money should be attributed to, in the order in which people ask.
ATTRIBUTIONS = (
    "team", "feature", "env", "service", "user", "tenant", "session", "prompt", "prompt_version",
    "provider", "model",
)  # fmt: skip
MAX_ROWS = 1000
_FACTS = ("cost_usd", "cost_known", "cost_unknown", "steps", "input_tokens", "output_tokens")


@dataclass(frozen=True, slots=True)
class Spend:
    """What some calls cost; None when no call has a known cost, however many there are."""

    cost_usd: float | None
    unknown_cost_calls: int
    calls: int
    input_tokens: int
    output_tokens: int


@dataclass(frozen=True, slots=True)
class Top:
    """The largest groups of a key with their spend, all others together, and everything."""

    key: str
    rows: tuple[tuple[str, Spend], ...]
    others: Spend
    total: Spend
    groups: int


@dataclass(frozen=True, slots=True)
class Gap:
    """How much of the spend has no value in a dimension."""

    dimension: str
    untagged: Spend
    cost_share: float | None
    call_share: float | None


def top_spend(ledger: Ledger, key: str, limit: int) -> Top:
    """The groups of `key` that cost most: exact, in memory that does not grow with their number."""
    if not 1 <= limit <= MAX_ROWS:
        raise BadInput(f"limit is {limit}", field="limit", limit=f"1 to {MAX_ROWS}")
    answer = ledger.sums(_FACTS, (key,), limit=limit)
    rows = tuple((str(row["key_0"]), _spend(row)) for row in answer.dicts())
    total = _spend(next(ledger.sums(_FACTS).dicts()))
    groups = len(rows) if len(rows) < limit else ledger.groups(key)
    return Top(key, rows, _less(total, [spend for _, spend in rows]), total, groups)


def untagged(ledger: Ledger) -> tuple[Spend, list[Gap]]:
    """All spend, and for each dimension of attribution what has no value there."""
    total = _spend(next(ledger.sums(_FACTS).dicts()))
    gaps = []
    for dimension in ATTRIBUTIONS:
        empty = _spend(
            next(ledger.sums(_FACTS, only=f"{dimension} = ''", reads=(dimension,)).dicts())
        )
        gaps.append(
            Gap(
                dimension,
                empty,
                _share(empty.cost_usd, total.cost_usd),
                _share(empty.calls, total.calls),
            )
        )
    return total, gaps


def _spend(row: dict[str, float | None]) -> Spend:
    sums = {fact: float(row[f"sum_{fact}"] or 0.0) for fact in _FACTS}
    return Spend(
        cost_usd=sums["cost_usd"] if sums["cost_known"] > 0 or not sums["steps"] else None,
        unknown_cost_calls=int(sums["cost_unknown"]),
        calls=int(sums["steps"]),
        input_tokens=int(sums["input_tokens"]),
        output_tokens=int(sums["output_tokens"]),
    )


def _less(total: Spend, rows: list[Spend]) -> Spend:
    """What the rows leave of the total."""
    calls = total.calls - sum(row.calls for row in rows)
    unknown = total.unknown_cost_calls - sum(row.unknown_cost_calls for row in rows)
    rest_usd = (total.cost_usd or 0.0) - sum(row.cost_usd or 0.0 for row in rows)
    return Spend(
        # Rounding must not leave a rest where nobody is left.
        cost_usd=(max(0.0, rest_usd) if calls > unknown else None) if calls > 0 else 0.0,
        unknown_cost_calls=max(0, unknown),
        calls=max(0, calls),
        input_tokens=max(0, total.input_tokens - sum(row.input_tokens for row in rows)),
        output_tokens=max(0, total.output_tokens - sum(row.output_tokens for row in rows)),
    )


def _share(part: float | None, whole: float | None) -> float | None:
    if whole is None or whole <= 0:
        return None
    return (part or 0.0) / whole
