"""Anthropic's exports: the cost and usage reports of the Admin API, and the console's CSV files.

The API's cost report gives amounts as decimal text in cents; the console's CSV gives dollars. The
cost report does not hold what the priority tier costs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

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

PROVIDER = "anthropic"
_COST_KEYS = (
    "workspace_id", "description", "cost_type", "context_window", "model", "service_tier",
    "token_type", "inference_geo", "speed",
)  # fmt: skip
_USAGE_KEYS = (
    "api_key_id", "workspace_id", "model", "service_tier", "context_window", "inference_geo",
    "speed",
)  # fmt: skip
_CSV_COST_KEYS = (
    "model", "workspace", "api_key", "usage_type", "context_window", "token_type", "cost_type",
    "inference_geo", "speed",
)  # fmt: skip
_CSV_USAGE_KEYS = (
    "model_version", "api_key", "workspace", "usage_type", "context_window", "inference_geo",
    "speed",
)  # fmt: skip
_CSV_INPUT = (
    "usage_input_tokens_no_cache", "usage_input_tokens_cache_write_5m",
    "usage_input_tokens_cache_write_1h", "usage_input_tokens_cache_write",
    "usage_input_tokens_cache_read",
)  # fmt: skip


def is_page(page: object) -> bool:
    """Whether a decoded JSON value is a page of Anthropic's."""
    if not isinstance(page, Mapping) or "has_more" not in page or page.get("object") == "page":
        return False
    data = page.get("data")
    return isinstance(data, list) and all(isinstance(b, dict) and "starting_at" in b for b in data)


def is_header(columns: Iterable[str]) -> bool:
    """Whether a CSV file is Anthropic's, by its columns."""
    names = set(columns)
    return "usage_date_utc" in names and bool({"cost_usd", "usage_output_tokens"} & names)


def read_pages(pages: Iterable[Mapping[str, object]]) -> Export:
    """The export of pages of the API."""
    rows = []
    for page in pages:
        data = page.get("data")
        for bucket in data if isinstance(data, list) else ():
            results = bucket.get("results")
            rows += [
                {**result, "starting_at": bucket.get("starting_at")}
                for result in (results if isinstance(results, list) else ())
                if isinstance(result, dict)
            ]
    is_cost = any("amount" in row for row in rows)
    kept = [row for row in rows if ("amount" in row) == is_cost]
    what, read = ("costs", _api_cost) if is_cost else ("usage", _api_usage)
    told = _told(kept, _COST_KEYS if is_cost else _USAGE_KEYS)
    lines = (read(row) for row in kept)
    skipped = len(rows) - len(kept)
    return gather(PROVIDER, f"anthropic.{what}.json", f"{what}/{told}", lines, skipped)


def read_rows(rows: Iterable[Mapping[str, object]]) -> Export:
    """The export of rows of the console's CSV."""
    listed = list(rows)
    is_cost = bool(listed) and "cost_usd" in listed[0]
    what, read = ("costs", _csv_cost) if is_cost else ("usage", _csv_usage)
    told = _told(listed, _CSV_COST_KEYS if is_cost else _CSV_USAGE_KEYS)
    lines = (read(row) for row in listed)
    return gather(PROVIDER, f"anthropic.{what}.csv", f"csv.{what}/{told}", lines)


def _told(rows: list[Mapping[str, object]] | list[dict[str, object]], names: Iterable[str]) -> str:
    return ",".join(name for name in names if any(text_of(row, name) for row in rows))


def _api_cost(row: Mapping[str, object]) -> Line:
    check_usd(row, "currency")
    cents = usd_of(row.get("amount"), "amount")
    return Line(
        identity=("cost", text_of(row, "starting_at"), *(text_of(row, n) for n in _COST_KEYS)),
        day=day_of(row.get("starting_at"), "starting_at"),
        model=text_of(row, "model"),
        kind=text_of(row, "token_type") or text_of(row, "cost_type") or text_of(row, "description"),
        usd=None if cents is None else cents / Decimal(100),
    )


def _api_usage(row: Mapping[str, object]) -> Line:
    written = row.get("cache_creation")
    counts = {**row, **(written if isinstance(written, Mapping) else {})}
    return Line(
        identity=("usage", text_of(row, "starting_at"), *(text_of(row, n) for n in _USAGE_KEYS)),
        day=day_of(row.get("starting_at"), "starting_at"),
        model=text_of(row, "model"),
        kind="messages",
        input_tokens=count_of(
            counts,
            "uncached_input_tokens",
            "cache_read_input_tokens",
            "ephemeral_5m_input_tokens",
            "ephemeral_1h_input_tokens",
        ),
        output_tokens=count_of(counts, "output_tokens"),
    )


def _csv_cost(row: Mapping[str, object]) -> Line:
    return Line(
        identity=(
            "cost",
            text_of(row, "usage_date_utc"),
            *(text_of(row, n) for n in _CSV_COST_KEYS),
        ),
        day=day_of(row.get("usage_date_utc"), "usage_date_utc"),
        model=text_of(row, "model"),
        kind=text_of(row, "token_type") or text_of(row, "cost_type"),
        usd=usd_of(row.get("cost_usd"), "cost_usd"),
    )


def _csv_usage(row: Mapping[str, object]) -> Line:
    return Line(
        identity=(
            "usage",
            text_of(row, "usage_date_utc"),
            *(text_of(row, name) for name in _CSV_USAGE_KEYS),
        ),
        day=day_of(row.get("usage_date_utc"), "usage_date_utc"),
        model=text_of(row, "model_version"),
        kind="messages",
        input_tokens=count_of(row, *_CSV_INPUT),
        output_tokens=count_of(row, "usage_output_tokens"),
    )
