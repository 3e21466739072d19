"""Monitors on real data: their groups, what they promise, and a back-test before one is kept."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from playwright.sync_api import BrowserContext, Page, expect

from vagus.cli.demo import Server


def test_the_list_has_every_monitor_with_its_state(
    page: Page, live_server: Server, api: Callable[[str], Any], incident: dict[str, Any]
) -> None:
    page.goto(live_server.url + "/monitors")
    known = api("/api/v1/monitors")
    expect(page.get_by_text(f"{len(known)} of {len(known)} monitors on")).to_be_visible()
    rows = page.locator(".monitor-row")

    expect(rows.first).to_contain_text("firing")
    page.keyboard.press("j")
    expect(rows.first).to_have_class(re.compile("is-selected"))
    page.keyboard.press("Enter")
    page.wait_for_url("**/monitors/*")
    firing = page.locator(".group-row").filter(has_text="firing").first
    expect(firing).to_contain_text(re.compile("systematic|transient|undecided"))
    assert incident["episodes"]


def test_thousands_of_groups_are_a_window_on_a_list(
    context: BrowserContext, live_server: Server, api: Callable[[str], Any]
) -> None:
    page = context.new_page()
    stored = api("/api/v1/monitors")[0]
    group = {
        "state": "ok", "evidence": "", "value": 0.1, "baseline": 0.2, "n": 9.0, "e_value": None,
        "onset_ms": None, "fired_ms": None,
    }  # fmt: skip
    many = [{**group, "group": {"tenant": f"t{number}"}} for number in range(5000)]
    page.route(
        re.compile(r"/api/v1/monitors\?"),
        lambda route: route.fulfill(json=[{**stored, "groups": many}]),
    )
    page.goto(f"{live_server.url}/monitors/{stored['id']}")

    expect(page.get_by_text("tenant t0", exact=True)).to_be_visible()
    assert page.locator(".group-row").count() < 60
    page.locator(".virtual").evaluate("box => box.scrollTo(0, box.scrollHeight)")
    expect(page.get_by_text("tenant t4999", exact=True)).to_be_visible()


def test_a_monitor_is_back_tested_before_it_is_kept_then_saved_and_deleted(
    page: Page, live_server: Server, api: Callable[[str], Any], incident: dict[str, Any]
) -> None:
    page.goto(live_server.url + "/monitors?view=new")
    form = page.get_by_role("form", name="New monitor")
    form.get_by_label("Name").fill("Tried <b>out</b>")
    form.get_by_label("Split by").fill("feature")
    form.get_by_label("Kind").select_option("threshold")
    form.get_by_role("spinbutton", name=re.compile("^Limit")).fill("0.0001")
    form.get_by_label("Least observations").fill("1")
    form.get_by_label("For minutes").fill("0")
    with page.expect_response(re.compile("/api/v1/backtest")) as answer:
        form.get_by_role("button", name="Run the back-test").click()
    found = answer.value.json()

    assert found["episodes"]
    summary = form.get_by_role("status").filter(has_text="would have fired")
    expect(summary).to_contain_text(str(len(found["episodes"])))
    caught = sum(known["detected_ms"] is not None for known in found["incidents"])
    assert incident["id"] in {known["id"] for known in found["incidents"]}
    expect(summary).to_contain_text(f"{caught} of {len(found['incidents'])} known")
    expect(form.locator(".backtest-chart .chart")).to_be_visible()
    assert "tried-b-out-b" not in {kept["id"] for kept in api("/api/v1/monitors")}

    form.get_by_role("button", name="Create the monitor").click()
    page.wait_for_url("**/monitors/tried-b-out-b**")
    expect(page.get_by_role("heading", name="Tried <b>out</b>")).to_be_visible()
    kept = next(row for row in api("/api/v1/monitors") if row["id"] == "tried-b-out-b")
    assert kept["rule"]["type"] == "threshold"
    assert kept["rule"]["value"] == 0.0001
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Really delete?").click()
    page.wait_for_url(re.compile(r"/monitors(\?|$)"))
    assert "tried-b-out-b" not in {row["id"] for row in api("/api/v1/monitors")}


def test_the_promise_follows_the_draft_and_a_refusal_is_said_in_words(
    context: BrowserContext, live_server: Server
) -> None:
    page = context.new_page()
    page.goto(live_server.url + "/monitors?view=new")
    form = page.get_by_role("form", name="New monitor")
    promise = form.get_by_role("complementary", name="Promise")
    expect(promise).to_contain_text(re.compile(r"at most1"))
    form.get_by_label("Kind").select_option("threshold")
    expect(promise).to_contain_text("no stated rate of false alarms")
    form.get_by_label("Kind").select_option("sequential")
    form.get_by_label("Tolerated bad share, %").fill("60")
    form.get_by_label("Name").fill("Never")
    expect(promise.get_by_role("alert")).to_contain_text("can never fire")
    form.get_by_role("button", name="Create the monitor").click()
    expect(form.locator(".field").get_by_role("alert")).to_contain_text("can never fire")


def test_monitors_go_out_and_in_as_yaml(page: Page, live_server: Server) -> None:
    page.goto(live_server.url + "/monitors?view=yaml")
    expect(page.get_by_label("YAML", exact=True)).to_have_value(re.compile("measure: error_rate"))
    page.get_by_role("button", name="Apply").click()

    expect(page.get_by_text("Applied: 0 made, 0 replaced.")).to_be_visible()
