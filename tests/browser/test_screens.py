"""Every screen on real data: it renders, keeps its state in the URL, and obeys the keyboard."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from vagus.cli.demo import Server

SCREENS = {
    "/": "What changed",
    "/traces": "Name and input",
    "/sessions": "First said, last answered",
    "/cost": "Cost table",
    "/incidents": "Incidents",
    "/monitors": "New monitor",
    "/slos": "Gone in",
    "/instrumentation": "Convention",
    "/settings/redaction": "Open sealed values",
    "/settings/general": "From",
    "/settings/keys": "Create a key",
    "/settings/targets": "Add a webhook",
    "/settings/measures": "Good direction",
    "/settings/audit": "Actor",
}


def query_of(page: Page) -> dict[str, list[str]]:
    """The query parameters in the address bar."""
    return parse_qs(urlsplit(page.url).query)


def test_without_a_session_the_page_explains_the_one_time_link(
    browser: Browser, live_server: Server
) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto(live_server.url + "/traces")

    expect(page.get_by_role("heading", name="Sign in to Vagus")).to_be_visible()
    context.close()


def test_the_sign_in_link_works_once(
    browser: Browser, live_server: Server, session_state: Any
) -> None:
    context = browser.new_context()
    answer = context.new_page().goto(live_server.sign_in_url)

    assert any(cookie["httpOnly"] for cookie in session_state["cookies"])
    assert answer is not None
    assert answer.status in (401, 403, 404, 410)
    context.close()


@pytest.mark.parametrize(("path", "text"), SCREENS.items(), ids=SCREENS)
def test_screen_renders_without_complaint(
    page: Page, live_server: Server, path: str, text: str
) -> None:
    page.goto(live_server.url + path)

    expect(page.get_by_text(text, exact=True).first).to_be_visible()
    expect(page.get_by_role("status", name="Loading")).to_have_count(0)
    expect(page.get_by_role("alert")).to_have_count(0)


def test_health_shows_numbers_with_n_and_interval(page: Page) -> None:
    tile = page.locator(".tile").filter(has_text="Error rate")

    expect(tile.locator(".certainty")).to_have_text(re.compile(r"n [\d,]+ · .+%? – .+%"))
    expect(page.locator(".chart canvas").first).to_be_visible()


def test_filter_range_and_sort_survive_a_reload(page: Page, live_server: Server) -> None:
    page.goto(live_server.url + "/traces?from=-3h")
    page.locator(".c-team .cell-value").first.click()
    chip = page.locator(".chip-value").first
    expect(chip).to_be_visible()
    team = chip.inner_text()
    page.get_by_role("button", name="Duration").click()
    page.wait_for_url("**sort=duration**")
    page.reload()

    assert query_of(page) == {
        "from": ["-3h"],
        "filter": [f"team:{team}" if " " not in team else f'team:"{team}"'],
        "sort": ["duration"],
    }
    expect(page.locator(".chip-value").first).to_have_text(team)
    expect(page.locator(".trace-row .c-team .cell-value").first).to_have_text(team)


def test_filter_box_suggests_and_adds_a_term(page: Page) -> None:
    page.keyboard.press("/")
    page.keyboard.type("sta")
    page.get_by_role("option").filter(has_text="status:").wait_for()
    page.keyboard.press("Tab")
    page.get_by_role("option").filter(has_text="status:ok").wait_for()
    page.keyboard.press("Escape")
    page.get_by_label("Filter", exact=True).fill("status:ok")
    page.keyboard.press("Enter")

    page.wait_for_url("**filter=status%3Aok**")


def test_a_filter_that_names_no_dimension_is_answered_in_words(
    context: Any, live_server: Server
) -> None:
    page = context.new_page()
    page.goto(live_server.url + "/traces?filter=nonsense%3Ax")

    expect(page.get_by_role("alert").first).to_contain_text("nonsense")


def test_trace_list_and_waterfall_obey_the_keyboard(page: Page, live_server: Server) -> None:
    page.goto(live_server.url + "/traces?from=-3h")
    page.locator(".trace-row a").first.wait_for()
    page.keyboard.press("j")
    page.wait_for_url("**row=**")
    page.keyboard.press("Enter")
    page.locator(".span-row").first.wait_for()
    page.keyboard.press("j")

    expect(page.locator(".span-row.is-selected")).to_have_count(1)
    expect(page.get_by_label("Selected span")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_label("Selected span")).to_have_count(0)
    page.keyboard.press("Escape")
    page.locator(".trace-row.is-selected").wait_for()


def test_waterfall_folds_and_jumps_to_problems(
    page: Page, live_server: Server, trace_id: str
) -> None:
    page.goto(f"{live_server.url}/traces/{trace_id}")
    rows = page.locator(".span-row")
    rows.first.wait_for()
    before = rows.count()
    page.keyboard.press("j")
    page.keyboard.press("h")
    expect(rows).to_have_count(1)
    page.keyboard.press("l")
    expect(rows).to_have_count(before)
    if page.get_by_role("button", name="No problems").count() == 0:
        page.keyboard.press("n")
        expect(page.locator(".span-row.is-selected .tag").first).to_be_visible()


def test_narrative_sentence_opens_its_evidence(
    page: Page, live_server: Server, incident: dict[str, Any]
) -> None:
    page.goto(f"{live_server.url}/incidents/{incident['id']}")
    page.locator("button.sentence").first.click()

    evidence = page.locator(".narrative .evidence")
    expect(evidence).to_be_visible()
    expect(evidence.locator(".evidence-table .certainty").first).to_contain_text("n ")
    expect(evidence.get_by_role("link", name="Traces behind it")).to_be_visible()
    expect(page.locator(".hypothesis").first).to_contain_text("%")


def test_incident_can_be_noted_and_acknowledged(
    page: Page, live_server: Server, incident: dict[str, Any]
) -> None:
    page.goto(f"{live_server.url}/incidents/{incident['id']}")
    page.get_by_role("button", name="Note", exact=True).click()
    page.get_by_label("Note", exact=True).last.fill("Looking at the <b>retriever</b>.")
    page.get_by_role("button", name="Save the note").click()

    expect(page.locator(".timeline")).to_contain_text("Looking at the <b>retriever</b>.")
    page.get_by_role("button", name="Acknowledge").click()
    expect(page.get_by_role("button", name="Acknowledge")).to_have_count(0)


def test_range_keys_move_the_range(page: Page) -> None:
    page.locator(".tile").first.wait_for()
    page.keyboard.press("[")
    page.wait_for_url("**from=**")

    asked = query_of(page)
    assert int(asked["to"][0]) > int(asked["from"][0])


def test_theme_is_kept(page: Page) -> None:
    button = page.get_by_role("button", name=re.compile("^Theme"))
    button.click()
    button.click()
    page.reload()

    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
