"""AWS Cost and Usage Reports, of which the lines about Bedrock are read.

CUR 2.0 names its columns `line_item_usage_type`, the report before it `lineItem/UsageType`; as CSV
(also gzipped) or Parquet. Amazon's own models are lines of `AmazonBedrock`; most others are sold
through the marketplace, with a product code of their own and `… (Amazon Bedrock Edition)` as the
product's name. The usage type names the class of tokens, and the model where the product does not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal

import msgspec

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

PROVIDER = "aws.bedrock"
#: Columns by their names in CUR 2.0, with the names of the report before.
COLUMNS = {
    "identity_line_item_id": "identity/LineItemId",
    "identity_time_interval": "identity/TimeInterval",
    "line_item_usage_start_date": "lineItem/UsageStartDate",
    "line_item_usage_account_id": "lineItem/UsageAccountId",
    "line_item_product_code": "lineItem/ProductCode",
    "line_item_usage_type": "lineItem/UsageType",
    "line_item_operation": "lineItem/Operation",
    "line_item_line_item_type": "lineItem/LineItemType",
    "line_item_usage_amount": "lineItem/UsageAmount",
    "line_item_unblended_cost": "lineItem/UnblendedCost",
    "line_item_currency_code": "lineItem/CurrencyCode",
    "line_item_resource_id": "lineItem/ResourceId",
    "pricing_unit": "pricing/unit",
    "product_product_name": "product/ProductName",
    "product_model": "product/model",
    "product": "product",
}
_NEEDED = ("line_item_usage_start_date", "line_item_product_code", "line_item_unblended_cost")
_REGION = re.compile(r"^(?:[A-Z]{2,4}\d?[A-Z]{0,3}\d?[-_](?:MP:)?)+")
_CLASS = re.compile(
    r"[-_.]?(cache[-_]?(?:read|write)|input|output|search|image|video|custom|prompt)"
    r"[-_]?(?:input|output|text|units|token|image|created|$)?.*$",
    re.IGNORECASE,
)
_UNITS = {"1k tokens": 1000, "1m tokens": 1_000_000, "tokens": 1, "token": 1}
# Charges that are no usage: they lie on a day but belong to no model.
_TAXES = frozenset(("Tax", "Refund", "Credit", "Fee", "RIFee"))


def is_header(columns: Iterable[str]) -> bool:
    """Whether a table is a cost and usage report, by its columns."""
    names = set(columns)
    return all(name in names or COLUMNS[name] in names for name in _NEEDED)


def read_rows(rows: Iterable[Mapping[str, object]], form: str) -> Export:
    """The export of rows of a report; `form` is csv or parquet."""
    skipped = 0

    def bedrock() -> Iterator[Line]:
        nonlocal skipped
        for raw in rows:
            row = {name: raw.get(name, raw.get(old)) for name, old in COLUMNS.items()}
            product = _product(row)
            if _is_bedrock(row, product):
                yield _line(row, product)
            else:
                skipped += 1

    lines = list(bedrock())
    return gather(PROVIDER, f"aws.cur.{form}", "cur", lines, skipped)


def _product(row: Mapping[str, object]) -> dict[str, str]:
    """The map of product attributes, which CSV holds as JSON and Parquet as pairs."""
    value = row.get("product")
    if isinstance(value, str) and value.startswith("{"):
        try:
            value = msgspec.json.decode(value)
        except msgspec.DecodeError:
            return {}
    if isinstance(value, Mapping):
        return {str(k): str(v) for k, v in value.items()}
    if isinstance(value, list):
        return {str(pair[0]): str(pair[1]) for pair in value if isinstance(pair, tuple | list)}
    return {}


def _is_bedrock(row: Mapping[str, object], product: Mapping[str, str]) -> bool:
    code = text_of(row, "line_item_product_code")
    name = _product_name(row, product)
    return code.startswith("AmazonBedrock") or "amazon bedrock edition" in name.lower()


def _product_name(row: Mapping[str, object], product: Mapping[str, str]) -> str:
    return text_of(row, "product_product_name") or product.get("product_name", "")


def _line(row: Mapping[str, object], product: Mapping[str, str]) -> Line:
    check_usd(row, "line_item_currency_code")
    usage_type = text_of(row, "line_item_usage_type")
    charge = text_of(row, "line_item_line_item_type")
    tokens = _tokens(row, usage_type)
    side = _side(usage_type)
    return Line(
        identity=(
            "cur",
            *(
                text_of(row, name)
                for name in (
                    "identity_line_item_id",
                    "identity_time_interval",
                    "line_item_usage_start_date",
                    "line_item_usage_account_id",
                    "line_item_product_code",
                    "line_item_usage_type",
                    "line_item_operation",
                    "line_item_line_item_type",
                    "line_item_resource_id",
                )
            ),
        ),
        day=day_of(text_of(row, "line_item_usage_start_date"), "line_item_usage_start_date"),
        model="" if charge in _TAXES else _model(row, product, usage_type),
        kind=charge if charge in _TAXES else usage_type,
        usd=usd_of(row.get("line_item_unblended_cost"), "line_item_unblended_cost"),
        input_tokens=tokens if side == "input" else None,
        output_tokens=tokens if side == "output" else None,
    )


def _model(row: Mapping[str, object], product: Mapping[str, str], usage_type: str) -> str:
    told = text_of(row, "product_model") or product.get("model", "")
    if told:
        return told
    name = _product_name(row, product)
    if "amazon bedrock edition" in name.lower():
        return name
    return _CLASS.sub("", _REGION.sub("", usage_type)).removesuffix("-mantle")


def _side(usage_type: str) -> str:
    """Whether a usage type counts input or output; '' when it counts something else."""
    text = usage_type.lower()
    if "token" not in text:
        return ""
    if "cache" in text or "input" in text:
        return "input"
    return "output" if "output" in text else ""


def _tokens(row: Mapping[str, object], usage_type: str) -> int | None:
    """The tokens of a line; marketplace lines count in millions and say only `Units`."""
    amount = usd_of(row.get("line_item_usage_amount"), "line_item_usage_amount")
    unit = text_of(row, "pricing_unit").lower()
    factor = _UNITS.get(unit)
    if factor is None and unit in ("units", "") and "MP:" in usage_type:
        factor = 1_000_000
    if amount is None or factor is None:
        return None
    return count_of({"tokens": max(Decimal(0), round(amount * factor))}, "tokens")
