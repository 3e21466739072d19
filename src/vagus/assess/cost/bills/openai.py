"""OpenAI's exports: costs and usage, as the API's JSON or the dashboard's CSV.

JSON are pages of `GET /v1/organization/costs` and `/v1/organization/usage/…`: one page, or a list
of pages. The CSV files of the usage dashboard have the same fields as columns. A line item reads
`model, class of tokens`, with the surface before it where there is one (`evals | model, input`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from vagus.assess.cost.bills.line import (
    Export,
    Line,
    check_usd,
    count_of,
    day_of,
    gather,
    text_of,
    usd_of,
)

PROVIDER = "openai"
_COST = "organization.costs.result"
_USAGE = "organization.usage."
_COST_KEYS = ("project_id", "line_item", "api_key_id")
_USAGE_KEYS = ("project_id", "user_id", "api_key_id", "model", "batch", "service_tier")


def is_page(page: object) -> bool:
    """Whether a decoded JSON value is a page of OpenAI's."""
    return isinstance(page, Mapping) and page.get("object") == "page"


def is_header(columns: Iterable[str]) -> bool:
    """Whether a CSV file is OpenAI's, by its columns."""
    names = set(columns)
    return {"start_time", "amount_value"} <= names or {"start_time", "num_model_requests"} <= names


def read_pages(pages: Iterable[Mapping[str, object]]) -> Export:
    """The export of pages of the API."""
    rows = [
        {**result, "start_time": bucket.get("start_time")}
        for page in pages
        for bucket in _listed(page, "data")
        for result in _listed(bucket, "results")
    ]
    is_cost = any(row.get("object") == _COST for row in rows)
    for row in rows:
        amount = row.get("amount")
        if isinstance(amount, Mapping):
            row |= {"amount_value": amount.get("value"), "amount_currency": amount.get("currency")}
    kept = [row for row in rows if (row.get("object") == _COST) == is_cost]
    return _export(kept, is_cost=is_cost, form="json", skipped=len(rows) - len(kept))


def read_rows(rows: Iterable[Mapping[str, object]]) -> Export:
    """The export of rows of the dashboard's CSV; days without spend have empty rows."""
    listed = list(rows)
    is_cost = bool(listed) and "amount_value" in listed[0]
    told = "amount_value" if is_cost else "num_model_requests"
    kept = [row for row in listed if text_of(row, told)]
    return _export(kept, is_cost=is_cost, form="csv", skipped=0)


def _export(
    rows: Sequence[Mapping[str, object]], *, is_cost: bool, form: str, skipped: int
) -> Export:
    names = _COST_KEYS if is_cost else _USAGE_KEYS
    told = [name for name in names if any(text_of(row, name) for row in rows)]
    what = "costs" if is_cost else "usage"
    lines = (_cost(row) if is_cost else _usage(row) for row in rows)
    return gather(PROVIDER, f"openai.{what}.{form}", f"{what}/{','.join(told)}", lines, skipped)


def _cost(row: Mapping[str, object]) -> Line:
    check_usd(row, "amount_currency")
    item = text_of(row, "line_item")
    named = item.rpartition("|")[2].strip()
    model, comma, kind = named.rpartition(",")
    return Line(
        identity=("cost", text_of(row, "start_time"), *(text_of(row, n) for n in _COST_KEYS)),
        day=day_of(row.get("start_time"), "start_time"),
        model=model.strip() if comma else "",
        kind=kind.strip() if comma else named,
        usd=usd_of(row.get("amount_value"), "amount_value"),
    )


def _usage(row: Mapping[str, object]) -> Line:
    return Line(
        identity=(
            "usage",
            text_of(row, "object"),
            text_of(row, "start_time"),
            *(text_of(row, name) for name in _USAGE_KEYS),
        ),
        day=day_of(row.get("start_time"), "start_time"),
        model=text_of(row, "model"),
        kind=text_of(row, "object").removeprefix(_USAGE).removesuffix(".result"),
        requests=count_of(row, "num_model_requests"),
        input_tokens=count_of(row, "input_tokens"),
        output_tokens=count_of(row, "output_tokens"),
    )


def _listed(row: Mapping[str, object], name: str) -> Iterator[dict[str, object]]:
    found = row.get(name)
    for item in found if isinstance(found, list) else ():
        if isinstance(item, dict):
            yield item
