"""What was billed beside what the ledger says, by day and model, with what meets nothing.

A line that several bills tell of counts once, as the last imported bill tells it. Where bills of
one provider tell a day apart in different ways (by project, or not), their lines cannot be matched:
the way of the last imported one counts, and the others are named.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from vagus.assess.cost.bills.keep import Bill
from vagus.assess.cost.bills.line import model_key

#: The ledger's names of each billing provider.
LEDGER_PROVIDERS: Mapping[str, frozenset[str]] = {
    "openai": frozenset(("openai",)),
    "anthropic": frozenset(("anthropic",)),
    "aws.bedrock": frozenset(("aws.bedrock", "aws", "bedrock", "aws_bedrock", "amazon_bedrock")),
}


@dataclass(frozen=True, slots=True)
class Charged:
    """What the ledger has for one day, provider and model; `usd` None when none is known."""

    day: str
    provider: str
    model: str
    usd: float | None
    unknown_cost_calls: int
    calls: int
    input_tokens: int
    output_tokens: int


@dataclass(slots=True)
class Row:
    """One day and model on both sides; None is what a side does not say.

    `state` is matched, only_billed or only_ledger.
    """

    day: str
    provider: str
    model: str
    billed_usd: Decimal | None = None
    billed_requests: int | None = None
    billed_input_tokens: int | None = None
    billed_output_tokens: int | None = None
    ledger_models: set[str] = field(default_factory=set)
    ledger_usd: float | None = None
    ledger_calls: int = 0
    ledger_input_tokens: int = 0
    ledger_output_tokens: int = 0
    unknown_cost_calls: int = 0
    is_billed: bool = False

    @property
    def state(self) -> str:
        """Which sides there are."""
        if not self.is_billed:
            return "only_ledger"
        return "matched" if self.ledger_models else "only_billed"

    @property
    def difference_usd(self) -> float | None:
        """Billed less ledger; None when a side's amount is not known."""
        if self.billed_usd is None or (self.ledger_usd is None and self.ledger_calls):
            return None
        return float(self.billed_usd) - (self.ledger_usd or 0.0)


@dataclass(frozen=True, slots=True)
class Difference:
    """All rows, the oldest day first, and the bills of which some day did not count."""

    rows: tuple[Row, ...]
    superseded: tuple[str, ...]


def compare(
    bills: Sequence[Bill], lines: Iterable[Mapping[str, object]], charged: Iterable[Charged]
) -> Difference:
    """Bills beside the ledger, on the days that the bills cover."""
    kept, superseded = _current(bills, lines)
    rows: dict[tuple[str, str, str], Row] = {}
    with_models = {(p, str(line["day"])) for p, line in kept if line["model"]}
    for provider, line in kept:
        model = str(line["model"])
        row = rows.setdefault(
            (provider, str(line["day"]), model_key(model)), Row(str(line["day"]), provider, model)
        )
        _bill_row(row, line)
    covered = {p: [b for b in bills if b.provider == p] for p in LEDGER_PROVIDERS}
    for own in charged:
        for provider, names in LEDGER_PROVIDERS.items():
            days = covered[provider]
            if own.provider not in names or not any(
                bill.first_day <= own.day <= bill.last_day for bill in days
            ):
                continue
            # A bill that names no models is held against all of them.
            is_by_model = (provider, own.day) in with_models or not any(
                key[:2] == (provider, own.day) for key in rows
            )
            model = own.model if is_by_model else ""
            row = rows.setdefault(
                (provider, own.day, model_key(model)), Row(own.day, provider, model)
            )
            _charge_row(row, own)
    ordered = sorted(rows.values(), key=lambda row: (row.day, row.provider, row.model))
    return Difference(tuple(ordered), tuple(sorted(superseded)))


def _current(
    bills: Sequence[Bill], lines: Iterable[Mapping[str, object]]
) -> tuple[list[tuple[str, Mapping[str, object]]], set[str]]:
    """The lines that count, each with its provider, and the bills that were passed over."""
    by_id = {bill.id: bill for bill in bills}
    ordered = sorted(
        lines, key=lambda line: (by_id[str(line["bill_id"])].imported_ms, str(line["bill_id"]))
    )
    shapes: dict[tuple[str, str, str], str] = {}
    for line in ordered:
        bill = by_id[str(line["bill_id"])]
        shapes[(bill.provider, str(line["day"]), _what(bill))] = bill.shape
    kept: dict[tuple[str, str], tuple[str, Mapping[str, object]]] = {}
    superseded = set()
    for line in ordered:
        bill = by_id[str(line["bill_id"])]
        if shapes[(bill.provider, str(line["day"]), _what(bill))] != bill.shape:
            superseded.add(bill.id)
            continue
        kept[(bill.provider, str(line["line"]))] = (bill.provider, line)
    return list(kept.values()), superseded


def _what(bill: Bill) -> str:
    """Costs, usage or both: amounts and tokens of one day may come from two exports."""
    return bill.shape.partition("/")[0].removeprefix("csv.")


def _bill_row(row: Row, line: Mapping[str, object]) -> None:
    row.is_billed = True
    if line["usd"] is not None:
        row.billed_usd = (row.billed_usd or Decimal(0)) + Decimal(str(line["usd"]))
    for name in ("requests", "input_tokens", "output_tokens"):
        value = line[name]
        if isinstance(value, int):
            setattr(row, f"billed_{name}", (getattr(row, f"billed_{name}") or 0) + value)


def _charge_row(row: Row, own: Charged) -> None:
    row.ledger_models.add(own.model)
    if own.usd is not None:
        row.ledger_usd = (row.ledger_usd or 0.0) + own.usd
    row.unknown_cost_calls += own.unknown_cost_calls
    row.ledger_calls += own.calls
    row.ledger_input_tokens += own.input_tokens
    row.ledger_output_tokens += own.output_tokens
