"""Exports of providers: every known form, nothing else, and never an exception of another kind."""

from __future__ import annotations

import csv
import gzip
import io
import json
from decimal import Decimal

import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vagus.assess.cost.bills import parse
from vagus.assess.cost.bills.line import model_key
from vagus.assess.cost.bills.parse import parse_export
from vagus.errors import BadInput

DAY_S = 1_785_888_000  # 2026-08-05 in UTC
DAY = "2026-08-05"


def openai_costs(*items):
    results = [
        {
            "object": "organization.costs.result",
            "amount": {"value": value, "currency": "usd"},
            "line_item": item,
            "project_id": "proj_a",
        }
        for item, value in items
    ]
    bucket = {"object": "bucket", "start_time": DAY_S, "end_time": DAY_S + 86400}
    return {"object": "page", "data": [{**bucket, "results": results}], "has_more": False}


def sheet(rows, delimiter=","):
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def as_json(value):
    return json.dumps(value).encode()


def told(export):
    return [(line.day, line.model, line.kind, line.usd) for line in export.lines]


def test_openai_costs_name_model_and_class():
    export = parse_export(
        as_json(
            openai_costs(
                ("gpt-4o-mini-2024-07-18, input", "0.0000045000000000"),
                ("evals | gpt-4o-mini-2024-07-18, cached input", 0.25),
                ("web search tool calls", 1),
            )
        )
    )

    assert (export.provider, export.format) == ("openai", "openai.costs.json")
    assert told(export) == [
        (DAY, "gpt-4o-mini-2024-07-18", "input", Decimal("0.0000045")),
        (DAY, "gpt-4o-mini-2024-07-18", "cached input", Decimal("0.25")),
        (DAY, "", "web search tool calls", Decimal(1)),
    ]


def test_openai_usage_counts_tokens_and_requests():
    result = {
        "object": "organization.usage.completions.result", "input_tokens": 1000,
        "input_cached_tokens": 800, "output_tokens": 50, "num_model_requests": 3,
        "model": "gpt-4.1", "project_id": None,
    }  # fmt: skip
    page = openai_costs()
    page["data"][0]["results"] = [result]

    (line,) = parse_export(as_json([page, openai_costs()])).lines

    assert (line.model, line.requests, line.input_tokens, line.output_tokens) == (
        "gpt-4.1", 3, 1000, 50,
    )  # fmt: skip
    assert line.usd is None


@pytest.mark.parametrize("delimiter", [",", "\t"])
def test_the_openai_dashboards_csv_has_empty_days(delimiter):
    row = {
        "start_time": DAY_S, "end_time": DAY_S + 86400, "start_time_iso": "", "end_time_iso": "",
        "amount_value": "0.8958740000000000", "amount_currency": "usd", "line_item": "",
        "project_id": "", "organization_id": "org-a", "organization_name": "Personal",
    }  # fmt: skip

    export = parse_export(sheet([row, {**row, "amount_value": "", "start_time": 1}], delimiter))

    assert told(export) == [(DAY, "", "", Decimal("0.895874"))]


def test_anthropic_costs_are_cents_in_json():
    result = {
        "currency": "USD", "amount": "123.45", "workspace_id": None, "cost_type": "tokens",
        "description": "Claude Sonnet 4 Usage - Input Tokens", "context_window": "0-200k",
        "model": "claude-sonnet-4-20250514", "service_tier": "standard",
        "token_type": "uncached_input_tokens",
    }  # fmt: skip
    bucket = {"starting_at": f"{DAY}T00:00:00Z", "ending_at": "x", "results": [result]}

    export = parse_export(as_json({"data": [bucket], "has_more": False, "next_page": None}))

    assert told(export) == [
        (DAY, "claude-sonnet-4-20250514", "uncached_input_tokens", Decimal("1.2345"))
    ]


def test_anthropic_usage_adds_the_cached_input():
    result = {
        "uncached_input_tokens": 100, "cache_read_input_tokens": 20, "output_tokens": 7,
        "cache_creation": {"ephemeral_1h_input_tokens": 3, "ephemeral_5m_input_tokens": 4},
        "server_tool_use": {"web_search_requests": 1}, "model": "claude-haiku-4-5",
    }  # fmt: skip
    bucket = {"starting_at": f"{DAY}T00:00:00Z", "results": [result]}

    (line,) = parse_export(as_json({"data": [bucket], "has_more": False})).lines

    assert (line.input_tokens, line.output_tokens, line.requests) == (127, 7, None)


def test_the_anthropic_consoles_csv_files_are_costs_and_tokens():
    cost = {"usage_date_utc": DAY, "model": "Claude Sonnet 4.5", "workspace": "Default",
            "token_type": "output_tokens", "cost_usd": "10.18"}  # fmt: skip
    usage = {
        "usage_date_utc": DAY, "model_version": "claude-opus-4-5", "api_key": "App",
        "usage_input_tokens_no_cache": 100, "usage_input_tokens_cache_write_5m": 10,
        "usage_input_tokens_cache_write_1h": 1, "usage_input_tokens_cache_read": 1000,
        "usage_output_tokens": 9, "web_search_count": 0,
    }  # fmt: skip

    assert told(parse_export(sheet([cost]))) == [
        (DAY, "Claude Sonnet 4.5", "output_tokens", Decimal("10.18"))
    ]
    (line,) = parse_export(sheet([usage])).lines
    assert (line.model, line.input_tokens, line.output_tokens) == ("claude-opus-4-5", 1111, 9)


CUR = {
    "identity_line_item_id": "a", "identity_time_interval": f"{DAY}T00:00:00Z/2026-08-05T01:00:00Z",
    "line_item_usage_start_date": f"{DAY} 00:00:00", "line_item_product_code": "AmazonBedrock",
    "line_item_usage_type": "USE1-Claude3Sonnet-input-tokens", "line_item_usage_amount": "12.5",
    "line_item_unblended_cost": "0.0375", "line_item_currency_code": "USD",
    "line_item_line_item_type": "Usage", "pricing_unit": "1K tokens", "product": "",
}  # fmt: skip
MARKET = CUR | {
    "identity_line_item_id": "b", "line_item_product_code": "abc123def456ghi789jkl012",
    "line_item_usage_type": "USE1-MP:USE1_OutputTokenCount-Units", "pricing_unit": "Units",
    "line_item_usage_amount": "0.002", "line_item_unblended_cost": "0.03",
    "product": '{"product_name":"Claude Haiku 4.5 (Amazon Bedrock Edition)"}',
}  # fmt: skip
OTHER = CUR | {"identity_line_item_id": "c", "line_item_product_code": "AmazonEC2"}


def table(form, rows):
    if form == "parquet":
        target = io.BytesIO()
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), target)
        return target.getvalue()
    data = sheet(rows)
    if form == "legacy":
        for old, new in (
            ("identity_line_item_id", "identity/LineItemId"),
            ("line_item_usage_start_date", "lineItem/UsageStartDate"),
            ("line_item_product_code", "lineItem/ProductCode"),
            ("line_item_usage_type", "lineItem/UsageType"),
            ("line_item_usage_amount", "lineItem/UsageAmount"),
            ("line_item_unblended_cost", "lineItem/UnblendedCost"),
            ("line_item_currency_code", "lineItem/CurrencyCode"),
            ("pricing_unit", "pricing/unit"),
        ):
            data = data.replace(old.encode(), new.encode())
    return gzip.compress(data) if form == "gzip" else data


@pytest.mark.parametrize("form", ["csv", "gzip", "parquet", "legacy"])
def test_a_cost_and_usage_report_gives_its_bedrock_lines(form):
    export = parse_export(table(form, [CUR, MARKET, OTHER]), "aws")

    assert (export.provider, export.skipped) == ("aws.bedrock", 1)
    found = {line.model: line for line in export.lines}
    own, sold = found["Claude3Sonnet"], found["Claude Haiku 4.5 (Amazon Bedrock Edition)"]
    assert (own.day, own.usd, own.input_tokens, own.output_tokens) == (
        DAY, Decimal("0.0375"), 12500, None,
    )  # fmt: skip
    assert (sold.usd, sold.input_tokens, sold.output_tokens) == (Decimal("0.03"), None, 2000)


@pytest.mark.parametrize(
    ("usage_type", "model"),
    [
        ("USE1-Claude3Sonnet-input-tokens", "Claude3Sonnet"),
        ("USE1-Llama4-Maverick-17B-input-tokens-batch", "Llama4-Maverick-17B"),
        ("USW2-anthropic.claude-opus-4-8-mantle-cache-write-tokens-global-standard",
         "anthropic.claude-opus-4-8"),
        ("USE1-Claude4.6Opus-cache-read-input-token-count-cross-region-global", "Claude4.6Opus"),
        ("USE1-NovaLite-input-tokens-priority", "NovaLite"),
    ],
)  # fmt: skip
def test_a_usage_type_names_its_model(usage_type, model):
    (line,) = parse_export(table("csv", [CUR | {"line_item_usage_type": usage_type}])).lines

    assert line.model == model


@pytest.mark.parametrize(
    ("billed", "ledger"),
    [
        (
            "Claude Haiku 4.5 (Amazon Bedrock Edition)",
            "us.anthropic.claude-haiku-4-5-20251001-v1:0",
        ),
        ("Claude3Sonnet", "anthropic.claude-3-sonnet-20240229-v1:0"),
        ("Claude 3.5 Sonnet", "claude-3-5-sonnet-20241022"),
        ("claude-sonnet-4-5-20250929", "claude-sonnet-4-5"),
        ("gpt-4o-mini-2024-07-18", "gpt-4o-mini"),
        ("GPT-4.1", "openai/gpt-4.1"),
        ("NovaLite", "amazon.nova-lite-v1:0"),
    ],
)
def test_two_names_of_one_model_meet(billed, ledger):
    assert model_key(billed) == model_key(ledger)


def test_other_models_do_not_meet():
    names = ["gpt-4o", "gpt-4o-mini", "gpt-4.1", "gpt-4", "claude-3-sonnet", "claude-3-5-sonnet",
             "claude-sonnet-4", "claude-sonnet-4-5", "claude-opus-4-5"]  # fmt: skip

    assert len({model_key(name) for name in names}) == len(names)


def test_one_line_twice_in_an_export_is_added_up():
    (line,) = parse_export(as_json(openai_costs(("m, input", 1), ("m, input", 2)))).lines

    assert line.usd == 3


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"", "body"),
        (b"{", "body"),
        (b"[]", "body"),
        (b'{"object":"page","data":[]}', "body"),
        (b"a,b\n1,2\n", "body"),
        (b"\xff\xfe\x00", "body"),
        (b"PAR1garbage", "body"),
        (gzip.compress(b"a" * 100)[:30], "body"),
        (as_json(openai_costs(("m, input", "much"))), "amount_value"),
        (as_json(openai_costs(("m, input", "1e400"))), "amount_value"),
        (as_json(openai_costs(("m, input", "NaN"))), "amount_value"),
        (table("csv", [CUR | {"line_item_currency_code": "EUR"}]), "line_item_currency_code"),
        (table("csv", [CUR | {"line_item_usage_start_date": "then"}]),
         "line_item_usage_start_date"),
    ],
)  # fmt: skip
def test_what_is_no_export_is_refused_by_field(body, field):
    with pytest.raises(BadInput) as refused:
        parse_export(body)

    assert refused.value.field == field


def test_the_provider_must_be_the_one_that_was_said():
    with pytest.raises(BadInput) as refused:
        parse_export(as_json(openai_costs(("m, input", 1))), "anthropic")

    assert refused.value.field == "provider"


def test_a_gzip_bomb_is_refused(monkeypatch):
    monkeypatch.setattr(parse, "MAX_BYTES", 1000)

    with pytest.raises(BadInput, match="too large unpacked"):
        parse_export(gzip.compress(b"a" * 100_000))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["object", "data", "results", "amount", "value", "has_more", "model",
                         "starting_at", "start_time", "line_item", "cache_creation"]),
        inner, max_size=4,
    ),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=300)
@given(
    st.binary(max_size=200)
    | st.builds(
        lambda start, inner: json.dumps(
            {"object": "page", "has_more": False,
             "data": [{"start_time": start, "starting_at": start, "results": [inner]}]}
        ).encode(),
        JSON, JSON,
    )
    | st.builds(
        lambda value, inner: json.dumps(
            {"has_more": 1, "data": [{"starting_at": value, "results": [{"amount": value,
             "model": inner}]}]}
        ).encode(),
        JSON, JSON,
    )
    | st.lists(st.sampled_from(list(CUR)), min_size=1, max_size=11).flatmap(
        lambda names: st.text(max_size=30).map(
            lambda text: (",".join(names) + "\n" + text).encode("utf-8", "replace")
        )
    )
)  # fmt: skip
def test_any_bytes_are_an_export_or_are_refused(body):
    try:
        export = parse_export(body)
    except BadInput:
        return
    assert export.lines


@settings(max_examples=100)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["gpt-4o", "gpt-4.1", "o3"]),
            st.sampled_from(["input", "output", "cached input"]),
            st.decimals(0, 10**6, places=10),
        ),
        min_size=1,
        max_size=20,
    )
)
def test_no_cent_is_lost_on_the_way_in(items):
    rows = [(f"{model}, {kind}", str(usd)) for model, kind, usd in items]

    export = parse_export(as_json(openai_costs(*rows)))

    assert sum(line.usd for line in export.lines) == sum(usd for *_, usd in items)
