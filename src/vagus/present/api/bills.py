"""Providers' bills: imported, listed, forgotten, and held against the ledger."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request
from starlette.concurrency import run_in_threadpool

from vagus.assess.cost.bills.difference import Charged, compare
from vagus.assess.cost.bills.keep import Bill, delete_bill, import_bill, lines_of, list_bills
from vagus.assess.cost.bills.parse import parse_export
from vagus.assess.cost.ledger import Ledger
from vagus.errors import BadInput
from vagus.present.api.base import Done, From, Model, To
from vagus.present.api.permit import CanRead, CanWrite, Given
from vagus.present.api.services import Services
from vagus.present.moment import parse_range
from vagus.store.meta.access.principal import Principal

router = APIRouter(prefix="/api/v1/bills", tags=["bills"])

MAX_DAYS = 400
_MOST_MODELS = 50_000
_FACTS = ("cost_usd", "cost_known", "cost_unknown", "steps", "input_tokens", "output_tokens")
_UPLOAD = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string"}}},
    }
}


class BillBody(Model):
    """One imported export; `is_new` is false when its bytes were known already."""

    id: str
    provider: str
    format: str
    name: str
    sha256: str
    lines: int
    skipped: int
    first_day: str
    last_day: str
    billed_usd: float | None
    imported_ms: int
    is_new: bool = False


class DifferenceRow(Model):
    """One day and model on both sides; null is what a side does not say."""

    day: str
    provider: str
    model: str
    ledger_models: list[str]
    state: str
    billed_usd: float | None
    ledger_usd: float | None
    difference_usd: float | None
    unknown_cost_calls: int
    billed_requests: int | None
    ledger_calls: int
    billed_input_tokens: int | None
    ledger_input_tokens: int
    billed_output_tokens: int | None
    ledger_output_tokens: int


class DifferenceBody(Model):
    """Bills beside the ledger; `superseded` are bills of which some day did not count."""

    rows: list[DifferenceRow]
    billed_usd: float | None
    ledger_usd: float | None
    difference_usd: float | None
    unknown_cost_calls: int
    superseded: list[str]


@router.post("", status_code=201, openapi_extra=_UPLOAD)
async def post_bill(
    services: Given,
    principal: CanWrite,
    request: Request,
    provider: Literal["", "openai", "anthropic", "aws"] = "",
    name: Annotated[str, Query(max_length=200)] = "",
) -> BillBody:
    """Import an export as it was downloaded: JSON, CSV, gzip or Parquet in the body."""
    body = await request.body()
    return await run_in_threadpool(_import, services, principal, body, provider, name)


@router.get("")
def bills(services: Given, principal: CanRead) -> list[BillBody]:
    """The bills of the project, the last imported first."""
    return [_body(bill) for bill in list_bills(services.meta, principal.project)]


@router.get("/difference")
def difference(
    services: Given, principal: CanRead, start: From = "-30d", end: To = "now"
) -> DifferenceBody:
    """What was billed beside the ledger, by UTC day and model, on the days the bills cover."""
    start_s, end_s = parse_range(start, end, now_s=services.now_s)
    first, last = (datetime.fromtimestamp(s, UTC).date() for s in (start_s, end_s - 1))
    if (last - first).days > MAX_DAYS:
        raise BadInput("the stretch is too long", field="from", limit=f"{MAX_DAYS} days")
    days = (first.isoformat(), last.isoformat())
    known = list_bills(services.meta, principal.project)
    after = last + timedelta(days=1)
    window_s = tuple(int(datetime(d.year, d.month, d.day, tzinfo=UTC).timestamp())
                     for d in (first, after))  # fmt: skip
    ledger = Ledger.of(services.engine, principal.project, (window_s[0], window_s[1]), "")
    found = compare(known, lines_of(services.meta, known, days), _charged(ledger))
    rows = [
        DifferenceRow(
            day=row.day,
            provider=row.provider,
            model=row.model,
            ledger_models=sorted(row.ledger_models),
            state=row.state,
            billed_usd=None if row.billed_usd is None else float(row.billed_usd),
            ledger_usd=row.ledger_usd,
            difference_usd=row.difference_usd,
            unknown_cost_calls=row.unknown_cost_calls,
            billed_requests=row.billed_requests,
            ledger_calls=row.ledger_calls,
            billed_input_tokens=row.billed_input_tokens,
            ledger_input_tokens=row.ledger_input_tokens,
            billed_output_tokens=row.billed_output_tokens,
            ledger_output_tokens=row.ledger_output_tokens,
        )
        for row in found.rows
    ]
    return _totals(rows, list(found.superseded))


@router.delete("/{bill_id}")
def delete(
    services: Given, principal: CanWrite, bill_id: Annotated[str, Path(max_length=64)]
) -> Done:
    """Forget a bill."""
    with services.meta.begin() as connection:
        delete_bill(connection, principal.project, bill_id)
        services.audit.record(
            principal.actor,
            "bill.delete",
            f"bill:{bill_id}",
            principal.project,
            {},
            now_ms=services.now_ms(),
            connection=connection,
        )
    return Done()


def _import(
    services: Services, principal: Principal, body: bytes, provider: str, name: str
) -> BillBody:
    export = parse_export(body, provider)
    now_ms = services.now_ms()
    with services.meta.begin() as connection:
        bill, is_new = import_bill(connection, principal.project, export, body, name, now_ms)
        if is_new:
            services.audit.record(
                principal.actor,
                "bill.import",
                f"bill:{bill.id}",
                principal.project,
                {"provider": bill.provider, "format": bill.format, "lines": bill.lines},
                now_ms=now_ms,
                connection=connection,
            )
    return _body(bill, is_new=is_new)


def _charged(ledger: Ledger) -> list[Charged]:
    answer = ledger.sums(_FACTS, ("provider", "model"), by_day=True, limit=_MOST_MODELS)
    if len(answer) == _MOST_MODELS:
        raise BadInput("too many days and models", field="from", limit=f"{_MOST_MODELS}")
    return [
        Charged(
            day=str(row["day"]),
            provider=str(row["key_0"]),
            model=str(row["key_1"]),
            usd=float(row["sum_cost_usd"]) if row["sum_cost_known"] else None,
            unknown_cost_calls=int(row["sum_cost_unknown"]),
            calls=int(row["sum_steps"]),
            input_tokens=int(row["sum_input_tokens"]),
            output_tokens=int(row["sum_output_tokens"]),
        )
        for row in answer.dicts()
    ]


def _totals(rows: list[DifferenceRow], superseded: list[str]) -> DifferenceBody:
    billed = [row.billed_usd for row in rows if row.billed_usd is not None]
    ledger = [row.ledger_usd for row in rows if row.ledger_usd is not None]
    return DifferenceBody(
        rows=rows,
        billed_usd=sum(billed) if billed else None,
        ledger_usd=sum(ledger) if ledger else None,
        difference_usd=sum(billed) - sum(ledger) if billed and ledger else None,
        unknown_cost_calls=sum(row.unknown_cost_calls for row in rows),
        superseded=superseded,
    )


def _body(bill: Bill, *, is_new: bool = False) -> BillBody:
    shown = {name: getattr(bill, name) for name in BillBody.model_fields if name != "is_new"}
    return BillBody.model_validate({**shown, "is_new": is_new})
