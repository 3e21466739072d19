"""Objectives on real data: the line is dragged and the past judged again before it is kept."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from vagus.cli.demo import Server

_ID = "requests-without-error"
_SETTLED_S = 120.0
_POLL_S = 0.5


@pytest.fixture(scope="module", autouse=True)
def _counted(api: Callable[[str], Any]) -> None:
    """The default objective has counted the demo's requests."""
    deadline = time.monotonic() + _SETTLED_S
    while time.monotonic() < deadline:
        if api(f"/api/v1/slos/{_ID}")["budget"]["n"] > 100:
            return
        time.sleep(_POLL_S)
    pytest.fail(f"nothing was counted within {_SETTLED_S:.0f} s")


def open_line(page: Page, server: Server) -> Any:
    """The target line of the default objective, over the last day."""
    page.goto(f"{server.url}/slos/{_ID}?days=1")
    line = page.get_by_role("slider", name="Target")
    line.wait_for()
    return line


def test_the_list_says_budgets_as_intervals_with_their_n(
    page: Page, live_server: Server, api: Callable[[str], Any]
) -> None:
    page.goto(live_server.url + "/slos")
    row = page.get_by_role("row").filter(has_text="Requests without error")

    expect(row).to_contain_text("99%")
    expect(row).to_contain_text(re.compile(r"spent \d+% \(\d+% to \d+%\), n = [\d,]+"))
    state = api(f"/api/v1/slos/{_ID}")["budget"]["state"]
    expect(row.locator(".badge")).to_contain_text(state.replace("_", " "))


def test_dragging_the_line_judges_again_and_keeps_nothing(
    page: Page, live_server: Server, api: Callable[[str], Any]
) -> None:
    line = open_line(page, live_server)
    verdict = page.locator(".verdict")
    before = verdict.inner_text()
    height = page.locator(".past").bounding_box()
    box = line.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 90, steps=8)
    page.mouse.up()

    expect(line).not_to_have_attribute("aria-valuetext", "99%")
    assert float(str(line.get_attribute("aria-valuenow"))) < 99
    expect(verdict).not_to_have_text(before)
    assert page.locator(".past").bounding_box() == height
    assert api(f"/api/v1/slos/{_ID}")["target"] == 0.99


def test_arrow_keys_move_the_line_and_say_what_the_server_says(
    page: Page, live_server: Server
) -> None:
    with page.expect_response(re.compile("/slos/judge")) as answer:
        line = open_line(page, live_server)
    found = {each["target"]: each for each in answer.value.json()["targets"]}
    line.press("ArrowDown")
    line.press("ArrowDown")

    target = round(float(str(line.get_attribute("aria-valuenow"))) / 100, 6)
    assert target < 0.99
    pages = sum(alert["severity"] == "page" for alert in found[target]["alerts"])
    expect(page.locator(".verdict-alerts")).to_contain_text(re.compile(f"^{pages} pages? "))
    left = 1 - found[target]["budget"]["spent"]
    said = page.locator(".verdict-value").inner_text().rstrip("%")
    assert abs(float(said) - left * 100) < 0.06
    line.press("End")
    expect(line).to_have_attribute("aria-valuetext", "99.99%")


def test_an_objective_is_made_its_target_moved_saved_and_deleted(
    context: BrowserContext, live_server: Server, api: Callable[[str], Any]
) -> None:
    page = context.new_page()
    page.goto(live_server.url + "/slos?view=new")
    form = page.get_by_role("form", name="New objective")
    form.get_by_label("Name").fill("Answers <b>in time</b>")
    form.get_by_label("Measure").fill("requests")
    form.get_by_role("button", name="Create the objective").click()
    expect(form.get_by_role("alert")).to_contain_text("needs a share")
    form.get_by_label("Measure").fill("error_rate")
    form.get_by_label("Target, % good").fill("95")
    form.get_by_role("button", name="Add a policy").click()
    form.get_by_role("button", name="Create the objective").click()
    page.wait_for_url("**/slos/answers-b-in-time-b**")

    expect(page.get_by_role("heading", name="Answers <b>in time</b>")).to_be_visible()
    expect(page.locator(".policies li")).to_have_count(1)
    line = page.get_by_role("slider", name="Target")
    line.press("ArrowUp")
    page.get_by_role("button", name=re.compile("^Save 9")).click()
    expect(page.get_by_role("button", name=re.compile("^Save 9"))).to_be_disabled()
    assert api("/api/v1/slos/answers-b-in-time-b")["target"] > 0.95
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Really delete?").click()
    page.wait_for_url(re.compile(r"/slos(\?|$)"))
    expect(page.get_by_text("Answers <b>in time</b>")).to_have_count(0)


def test_objectives_go_out_and_in_as_openslo(context: BrowserContext, live_server: Server) -> None:
    page = context.new_page()
    page.goto(live_server.url + "/slos?view=yaml")
    text = page.get_by_label("OpenSLO", exact=True)
    expect(text).to_have_value(re.compile("apiVersion: openslo/v1"))
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_text("Applied: 0 made, 1 replaced.")).to_be_visible()
    text.fill("kind: nothing")
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_role("alert")).not_to_be_empty()
