"""Sessions and instrumentation on real data: conversations, the way back, and the advice."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from vagus.cli.demo import Server


@pytest.fixture(scope="module")
def longest_session(api: Callable[[str], Any]) -> dict[str, Any]:
    """The session of most turns."""
    return dict(api("/api/v1/sessions?from=-3h&sort=turns&limit=1")["rows"][0])


def query_of(page: Page) -> dict[str, list[str]]:
    """The query parameters in the address bar."""
    return parse_qs(urlsplit(page.url).query)


def test_the_list_sorts_and_obeys_the_keyboard(
    page: Page, live_server: Server, longest_session: dict[str, Any]
) -> None:
    page.goto(live_server.url + "/sessions?from=-3h")
    page.locator(".session-row a").first.wait_for()
    page.get_by_role("button", name=re.compile("^Turns")).click()
    page.wait_for_url("**sort=turns**")
    first = page.locator(".session-row:not(.trace-head) .c-turns .number").first
    expect(first).to_have_text(str(longest_session["turns"]))
    page.keyboard.press("j")
    page.wait_for_url("**row=**")
    page.keyboard.press("Enter")

    expect(page.get_by_role("list", name="Turns of the conversation")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".session-row.is-selected")).to_have_count(1)


def test_a_turn_opens_its_trace_and_is_found_again_at_its_place(
    page: Page, live_server: Server, longest_session: dict[str, Any]
) -> None:
    page.set_viewport_size({"width": 1280, "height": 420})
    page.goto(f"{live_server.url}/sessions?session={quote(longest_session['session'], safe='')}")
    turns = page.locator(".turn")
    expect(turns).to_have_count(longest_session["turns"])
    last = turns.last
    last.scroll_into_view_if_needed()
    before = last.bounding_box()
    assert before is not None
    last.locator(".turn-open").click()
    page.locator(".span-row").first.wait_for()
    page.keyboard.press("Escape")

    expect(page.locator(".turn.is-selected")).to_have_count(1)
    after = page.locator(".turn.is-selected").bounding_box()
    assert after is not None
    assert after["y"] == pytest.approx(before["y"], abs=2)


def test_a_conversation_shows_what_was_said_and_what_it_took(
    page: Page, live_server: Server, longest_session: dict[str, Any], api: Callable[[str], Any]
) -> None:
    session = quote(longest_session["session"], safe="")
    said = api(f"/api/v1/sessions/{session}")["turns"][0]
    page.goto(f"{live_server.url}/sessions?session={session}")
    turn = page.locator(".turn").first

    expect(turn.locator(".bubble.is-user")).to_have_text(said["input"])
    expect(turn.locator(".turn-facts")).to_contain_text(re.compile(r"\$|unknown"))
    expect(page.locator(".facts-band")).to_contain_text("Tokens in / out")


def test_a_session_that_is_not_there_is_answered_in_words(
    context: BrowserContext, live_server: Server
) -> None:
    page = context.new_page()
    page.goto(live_server.url + "/sessions?session=no%2Fsuch")

    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.get_by_role("link", name="All sessions")).to_be_visible()


def test_instrumentation_grades_each_service_with_n_and_interval(
    page: Page, live_server: Server, api: Callable[[str], Any]
) -> None:
    services = api("/api/v1/instrumentation?from=-3h")["services"]
    page.goto(live_server.url + "/instrumentation?from=-3h")
    panels = page.locator(".service")
    expect(panels).to_have_count(len(services))

    first = panels.first
    expect(first.locator(".grade")).to_have_text(services[0]["grade"])
    expect(first.locator(".share-line .certainty").first).to_have_text(
        re.compile(r"n [\d.,k]+ calls · .+% – .+%")
    )
    expect(first.locator(".senders tbody tr").first).to_contain_text(
        services[0]["senders"][0]["sdk"]
    )


def test_advice_comes_with_a_line_to_copy(
    page: Page, live_server: Server, api: Callable[[str], Any]
) -> None:
    services = api("/api/v1/instrumentation?from=-3h")["services"]
    advice = [line for service in services for line in service["advice"]]
    page.goto(live_server.url + "/instrumentation?from=-3h")
    page.locator(".service").first.wait_for()

    expect(page.locator(".advice pre")).to_have_count(len(advice))
    for at, line in enumerate(advice):
        expect(page.locator(".advice pre").nth(at)).to_have_text(line["line"])


def test_screens_have_a_key_each(page: Page) -> None:
    page.locator(".tile").first.wait_for()
    for key, heading in (("s", "Sessions"), ("u", "Instrumentation")):
        page.keyboard.press(key)
        expect(page.get_by_role("heading", name=heading, exact=True)).to_be_visible()


def test_redaction_rules_are_refused_inline_and_saved(
    context: BrowserContext, live_server: Server, api: Callable[[str], Any]
) -> None:
    page = context.new_page()
    page.goto(live_server.url + "/settings/redaction")
    page.get_by_role("button", name="Add a pattern").click()
    page.get_by_label("Name of pattern 1").fill("customer")
    page.get_by_label("Pattern 1", exact=True).fill("C-(?=x)")
    page.get_by_role("button", name="Save the rules").click()
    expect(page.locator(".patterns").get_by_role("alert")).to_contain_text("customer")
    page.get_by_label("Pattern 1", exact=True).fill("C-[0-9]{8}")
    page.get_by_label("Email address").check()
    page.get_by_role("button", name="Save the rules").click()
    expect(page.locator(".patterns").get_by_role("alert")).to_have_count(0)
    page.reload()

    expect(page.get_by_label("Pattern 1", exact=True)).to_have_value("C-[0-9]{8}")
    expect(page.get_by_label("Email address")).to_be_checked()
    rules = api("/api/v1/redaction")
    assert rules["patterns"] == [{"name": "customer", "pattern": "C-[0-9]{8}"}]
    page.get_by_role("button", name="Remove").click()
    page.get_by_label("Email address").uncheck()
    page.get_by_role("button", name="Save the rules").click()
    expect(page.get_by_text("None yet")).to_be_visible()
