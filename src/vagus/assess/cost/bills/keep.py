"""Imported exports in the metadata store: each content once, each line by what it bills."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import Connection, delete, func, insert, select

from vagus.assess.cost.bills.line import Export
from vagus.errors import BadInput, NotFound
from vagus.store.meta.db import Meta
from vagus.store.meta.spending import bill_lines, bills

MAX_BILLS = 500
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Bill:
    """One imported export; `billed_usd` is None when it says no amounts."""

    id: str
    provider: str
    format: str
    shape: str
    name: str
    sha256: str
    lines: int
    skipped: int
    first_day: str
    last_day: str
    billed_usd: float | None
    imported_ms: int


def import_bill(
    connection: Connection, project: str, export: Export, body: bytes, name: str, now_ms: int
) -> tuple[Bill, bool]:
    """Keep an export; the same bytes again change nothing. Says whether it was new."""
    sha256 = hashlib.sha256(body).hexdigest()
    own = bills.c.project == project
    row = connection.execute(select(bills).where(own, bills.c.sha256 == sha256)).mappings().first()
    if row is not None:
        return _bill(row), False
    count, last_ms = connection.execute(
        select(func.count(), func.coalesce(func.max(bills.c.imported_ms), 0)).where(own)
    ).one()
    if count >= MAX_BILLS:
        raise BadInput("the project has too many bills", field="body", limit=f"{MAX_BILLS}")
    amounts = [line.usd for line in export.lines if line.usd is not None]
    bill = Bill(
        id=f"b_{hashlib.sha256(f'{project}/{sha256}'.encode()).hexdigest()[:16]}",
        provider=export.provider,
        format=export.format,
        shape=export.shape,
        name=name,
        sha256=sha256,
        lines=len(export.lines),
        skipped=export.skipped,
        first_day=min(line.day for line in export.lines),
        last_day=max(line.day for line in export.lines),
        billed_usd=float(sum(amounts, Decimal(0))) if amounts else None,
        # The last imported bill counts, so no two are imported at once.
        imported_ms=max(now_ms, last_ms + 1),
    )
    connection.execute(insert(bills).values(project=project, **_fields(bill)))
    for first in range(0, len(export.lines), _AT_ONCE):
        rows = [
            {
                "bill_id": bill.id,
                "line": line.key,
                "day": line.day,
                "model": line.model,
                "kind": line.kind,
                "usd": None if line.usd is None else str(line.usd),
                "requests": line.requests,
                "input_tokens": line.input_tokens,
                "output_tokens": line.output_tokens,
            }
            for line in export.lines[first : first + _AT_ONCE]
        ]
        connection.execute(insert(bill_lines), rows)
    return bill, True


def list_bills(meta: Meta, project: str) -> list[Bill]:
    """The bills of a project, the last imported first."""
    query = (
        select(bills)
        .where(bills.c.project == project)
        .order_by(bills.c.imported_ms.desc(), bills.c.id)
    )
    with meta.read() as connection:
        return [_bill(row) for row in connection.execute(query).mappings()]


def delete_bill(connection: Connection, project: str, bill_id: str) -> None:
    """Forget a bill with its lines; what an older one says of the same lines counts again."""
    gone = connection.execute(
        delete(bills).where(bills.c.project == project, bills.c.id == bill_id)
    )
    if not gone.rowcount:
        raise NotFound(f"there is no bill {bill_id[:40]!r}", field="id")


def lines_of(meta: Meta, wanted: Sequence[Bill], days: tuple[str, str]) -> list[dict[str, object]]:
    """The lines of some bills on days from the first to the last, with their bill's id."""
    if not wanted:
        return []
    query = select(bill_lines).where(
        bill_lines.c.bill_id.in_([bill.id for bill in wanted]),
        bill_lines.c.day >= days[0],
        bill_lines.c.day <= days[1],
    )
    with meta.read() as connection:
        return [dict(row) for row in connection.execute(query).mappings()]


def _bill(row: object) -> Bill:
    values = dict(row)  # type: ignore[call-overload]  # a row mapping of SQLAlchemy
    return Bill(**{name: values[name] for name in Bill.__dataclass_fields__})


def _fields(bill: Bill) -> dict[str, object]:
    return {name: getattr(bill, name) for name in Bill.__dataclass_fields__}
