"""Cost on real data: numbers with their unknown part, and everything that can be changed there."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from vagus.cli.demo import Server

VIEWS = {
    "spend": "Top spenders",
    "why": "What the change is made of",
    "budgets": "Budgets",
    "prices": "Prices of your own",
    "owners": "Attribution rules",
    "shared": "Shared costs",
    "bills": "Bills",
}
_EXPLAIN = "view=why&from=-1h"


def query_of(page: Page) -> dict[str, list[str]]:
    """The query parameters in the address bar."""
    return parse_qs(urlsplit(page.url).query)


@pytest.mark.parametrize(("view", "heading"), VIEWS.items(), ids=VIEWS)
def test_view_renders_without_complaint(
    page: Page, live_server: Server, view: str, heading: str
) -> None:
    page.goto(f"{live_server.url}/cost?view={view}")

    expect(page.get_by_role("heading", name=heading, exact=True)).to_be_visible()
    expect(page.get_by_role("status", name="Loading")).to_have_count(0)
    expect(page.get_by_role("alert")).to_have_count(0)


def test_the_total_has_its_unknown_part_beside_it(
    page: Page, live_server: Server, api: Callable[[str], Any]
) -> None:
    page.goto(live_server.url + "/cost?from=-3h")
    total = page.get_by_role("region", name="Total")

    expect(total.locator(".cost-total-value")).to_have_text(re.compile(r"^\$[\d.,]+$"))
    unknown = api("/api/v1/spend/top?key=model&from=-3h")["unknown_cost_calls"]
    if unknown:
        expect(total).to_contain_text("of unknown cost")
        expect(total).to_contain_text("in no sum here")
    else:
        expect(total).to_contain_text("has a known cost")


def test_a_bar_pivots_one_level_down(page: Page, live_server: Server) -> None:
    page.goto(live_server.url + "/cost?from=-3h")
    page.get_by_role("button", name=re.compile("^Pivot into model ")).first.click()
    page.wait_for_url("**rows=team**")

    asked = query_of(page)
    assert asked["filter"][0].startswith("model:")
    assert asked["rows"] == ["team"]
    expect(page.locator(".pivot thead th").first).to_have_text("team")


def test_parts_of_a_change_add_up_on_the_screen(page: Page, live_server: Server) -> None:
    with page.expect_response(re.compile("/spend/explain")) as answer:
        page.goto(f"{live_server.url}/cost?{_EXPLAIN}")
    found = answer.value.json()

    assert sum(part["usd"] for part in found["parts"]) == pytest.approx(
        found["change_usd"], abs=1e-6
    )
    rows = page.locator(".fall-row:not(.is-head)")
    expect(rows.first).to_contain_text("Before")
    expect(rows.last).to_contain_text("After")
    moved = [part for part in found["parts"] if part["words"]]
    expect(page.locator(".fall")).to_contain_text(max(moved, key=lambda p: abs(p["usd"]))["words"])


def test_dragging_sets_the_stretch_that_is_explained(page: Page, live_server: Server) -> None:
    page.goto(f"{live_server.url}/cost?{_EXPLAIN}")
    over = page.locator(".chart .u-over")
    over.wait_for()
    box = over.bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * 0.6, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.9, middle, steps=6)
    page.mouse.up()
    page.wait_for_url("**after=**")

    start, end = query_of(page)["after"][0].split("-")
    assert int(start) < int(end)
    expect(page.get_by_role("button", name="This range against the one before")).to_be_visible()


def test_a_budget_is_made_refused_changed_and_deleted(
    context: BrowserContext, live_server: Server
) -> None:
    page = context.new_page()
    page.goto(live_server.url + "/cost?view=budgets")
    page.get_by_role("button", name="New budget").click()
    form = page.get_by_role("form", name="New budget")
    form.get_by_label("Name").fill("Orders <b>team</b>")
    form.get_by_label("Amount, USD").fill("0.01")
    form.get_by_label("Filter").fill("nonsense:x")
    form.get_by_role("button", name="Create the budget").click()
    expect(form.get_by_role("alert")).to_contain_text("nonsense")
    form.get_by_label("Filter").fill("team:orders")
    form.get_by_role("button", name="Create the budget").click()

    line = page.locator(".budgets li").filter(has_text="Orders <b>team</b>")
    expect(line).to_contain_text("used up")
    line.get_by_role("button", name="Edit").click()
    edit = page.get_by_role("form", name=re.compile("^Edit"))
    edit.get_by_label("Amount, USD").fill("5000")
    edit.get_by_role("button", name="Save").click()
    expect(line).to_contain_text("within")
    line.get_by_role("button", name="Delete").click()
    line.get_by_role("button", name="Really delete?").click()
    expect(line).to_have_count(0)


def test_a_price_is_set_and_history_is_looked_at_before_it_changes(
    page: Page, live_server: Server
) -> None:
    page.goto(live_server.url + "/cost?view=prices&from=-1h")
    page.get_by_role("button", name="New price").click()
    form = page.get_by_role("form", name="Price")
    form.get_by_label("Model", exact=True).fill("gpt-4.1-2025-04-14")
    form.get_by_label("input", exact=True).fill("9")
    form.get_by_label("output", exact=True).fill("9")
    form.get_by_label("Note").fill("a test's contract")
    form.get_by_role("button", name="Set the price").click()
    line = page.get_by_role("row").filter(has_text="a test's contract")
    expect(line).to_contain_text("input $9, output $9 a million tokens")

    page.get_by_role("button", name="Look what would change").click()
    job = page.locator(".reprice-job")
    expect(job).to_contain_text("looked at, nothing changed yet", timeout=60_000)
    expect(job).to_contain_text(re.compile(r"[1-9][\d,]* would change"))
    expect(job.get_by_role("button", name="Price again now")).to_be_visible()
    line.get_by_role("button", name="Delete").click()
    line.get_by_role("button", name="Really delete?").click()
    expect(line).to_have_count(0)


def test_rules_are_refused_in_words_and_saved(
    page: Page, live_server: Server, api: Callable[[str], Any]
) -> None:
    page.goto(live_server.url + "/cost?view=owners")
    page.get_by_role("button", name="Add a rule").click()
    page.get_by_label("When of rule 1").fill("service:support-api")
    page.get_by_label("Set of rule 1").fill("model:other")
    page.get_by_role("button", name="Save the rules").click()
    expect(page.get_by_role("alert")).to_contain_text("cannot set")
    page.get_by_label("Set of rule 1").fill('tenant:"acme corp"')
    page.get_by_role("button", name="Save the rules").click()

    expect(page.get_by_label("Set of rule 1")).to_have_value('tenant:"acme corp"')
    expect(page.get_by_text(re.compile("^changed"))).to_be_visible()
    assert api("/api/v1/attribution")["rules"][0]["set"] == {"tenant": "acme corp"}
    page.get_by_role("button", name="Remove").click()
    page.get_by_role("button", name="Save the rules").click()
    expect(page.get_by_text("No rules yet")).to_be_visible()


def test_a_shared_cost_is_spread_exactly(page: Page, live_server: Server) -> None:
    page.goto(live_server.url + "/cost?view=shared&from=-3h")
    page.get_by_label("Amount, USD").fill("1000")
    with page.expect_response(re.compile("/spend/allocation")) as answer:
        page.get_by_role("button", name="Spread it").click()
    found = answer.value.json()

    parts = sum(row["allocated_usd"] for row in found["rows"]) + found["unallocated_usd"]
    assert parts == pytest.approx(1000, abs=1e-6)
    expect(page.locator("tfoot")).to_contain_text("$1,000")
    assert query_of(page)["amount"] == ["1000"]


def test_a_bill_is_added_compared_and_forgotten(
    page: Page, live_server: Server, tmp_path: Path
) -> None:
    now_s = page.evaluate("Math.floor(Date.now() / 86400000) * 86400")
    result = {
        "object": "organization.costs.result",
        "amount": {"value": 3.5, "currency": "usd"},
        "line_item": "gpt-4.1-2025-04-14, input",
        "project_id": None,
    }
    bucket = {
        "object": "bucket",
        "start_time": now_s,
        "end_time": now_s + 86400,
        "results": [result],
    }
    bill = tmp_path / "bill <script>.json"
    bill.write_text(json.dumps({"object": "page", "data": [bucket], "has_more": False}))
    page.goto(live_server.url + "/cost?view=bills&from=-24h")
    page.locator("input[type=file]").set_input_files(bill)
    page.get_by_role("button", name="Add the bill").click()

    expect(page.locator(".note-good")).to_contain_text("Added: bill <script>.json")
    expect(page.locator(".bill-row").nth(1)).to_contain_text("$3.50")
    page.get_by_role("button", name="Forget").click()
    page.get_by_role("button", name="Really forget?").click()
    expect(page.get_by_text("No bills yet")).to_be_visible()


def test_a_file_that_is_no_bill_is_refused_in_words(
    context: BrowserContext, live_server: Server, tmp_path: Path
) -> None:
    page = context.new_page()
    page.goto(live_server.url + "/cost?view=bills")
    junk = tmp_path / "junk.csv"
    junk.write_text("a,b\n1,2\n")
    page.locator("input[type=file]").set_input_files(junk)
    page.get_by_role("button", name="Add the bill").click()

    expect(page.get_by_role("alert")).not_to_be_empty()


def test_spend_is_exported_as_the_table_is(page: Page, live_server: Server) -> None:
    page.goto(live_server.url + "/cost?rows=team&columns=feature&from=-3h")
    page.get_by_text("Export", exact=True).click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Spend as CSV").click()

    head = download.value.path().read_text().splitlines()[0]
    assert "team" in head
    assert "feature" in head
