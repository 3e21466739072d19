"""Telemetry is hostile: whatever it holds is shown as text and nothing of it runs."""

from __future__ import annotations

import json
import re
import time
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from vagus.cli.demo import Server

TRACE_ID = "bad0bad0bad0bad0bad0bad0bad0bad0"
SPAN_ID = "bad0bad0bad0bad0"
_SETTLED_S = 60.0
MARKUP = (
    "<script>window.hacked=1</script><img src=x onerror='window.hacked=2'>"
    "<svg onload='window.hacked=3'></svg><a href='javascript:window.hacked=4'>x</a>"
)
SESSION = f"talk/{MARKUP}?&#"
BIDI = "file\u202egnp.exe\u2066\u200b"


def _attribute(key: str, value: str) -> dict[str, Any]:
    return {"key": key, "value": {"stringValue": value}}


def _body() -> bytes:
    now_ns = time.time_ns()
    said = MARKUP + BIDI
    input_messages = json.dumps([{"role": "user", "parts": [{"type": "text", "content": said}]}])
    output_messages = json.dumps(
        [{"role": MARKUP, "parts": [{"type": "text", "content": f"[x](javascript:1) {said}"}]}]
    )
    attributes = [
        _attribute("gen_ai.operation.name", "chat"),
        _attribute("gen_ai.request.model", f"model {MARKUP}"),
        _attribute("gen_ai.input.messages", input_messages),
        _attribute("gen_ai.output.messages", output_messages),
        _attribute(f"key {MARKUP}", said),
        _attribute("user.id", MARKUP),
        _attribute("session.id", SESSION),
    ]
    span = {
        "traceId": TRACE_ID,
        "spanId": SPAN_ID,
        "name": f"chat {said}",
        "kind": 3,
        "startTimeUnixNano": str(now_ns - 10**9),
        "endTimeUnixNano": str(now_ns),
        "attributes": attributes,
        "status": {"code": 2, "message": said},
    }
    resource = {"attributes": [_attribute("service.name", f"svc {MARKUP}")]}
    scope_spans = [{"spans": [span]}]
    return json.dumps(
        {"resourceSpans": [{"resource": resource, "scopeSpans": scope_spans}]}
    ).encode()


@pytest.fixture(scope="module")
def hostile_trace(live_server: Server, api: Callable[[str], Any]) -> str:
    """A settled trace whose every field attacks the page."""
    request = urllib.request.Request(
        live_server.url + "/v1/traces",
        data=_body(),
        headers={
            "authorization": f"Bearer {live_server.ingest_key}",
            "content-type": "application/json",
        },
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert answer.status == 200
    deadline = time.monotonic() + _SETTLED_S
    while time.monotonic() < deadline:
        rows = api("/api/v1/traces?from=-1h&limit=200")["rows"]
        if any(row["trace_id"] == TRACE_ID for row in rows):
            return TRACE_ID
        time.sleep(0.5)
    pytest.fail("the hostile trace did not settle")


def check_nothing_ran(page: Page) -> None:
    """No script of the content ran and none of its elements exists."""
    assert page.evaluate("window.hacked") is None
    assert page.locator("main script, main [onerror], main [onload]").count() == 0
    assert page.locator("main a[href^='javascript']").count() == 0


def test_hostile_trace_in_the_list_is_text(
    page: Page, live_server: Server, hostile_trace: str
) -> None:
    page.goto(live_server.url + "/traces?filter=status%3Aerror&from=-1h")
    row = page.locator(".trace-row").filter(has_text="<script>").first
    row.wait_for()

    check_nothing_ran(page)
    assert "\u202e" not in row.inner_text()


@pytest.mark.parametrize("tab", ["Messages", "Attributes", "JSON"])
def test_hostile_span_is_text_in_every_tab(
    page: Page, live_server: Server, hostile_trace: str, tab: str
) -> None:
    page.goto(f"{live_server.url}/traces/{hostile_trace}?span={SPAN_ID}")
    page.get_by_role("tab", name=re.compile(f"^{tab}")).click()
    panel = page.get_by_role("tabpanel")

    expect(panel).to_contain_text("<script>window.hacked=1</script>")
    check_nothing_ran(page)
    assert "\u202e" not in panel.inner_text()


def test_hostile_values_become_filters_as_text(
    page: Page, live_server: Server, hostile_trace: str
) -> None:
    page.goto(f"{live_server.url}/traces/{hostile_trace}")
    page.get_by_role("link", name=re.compile("^<script>")).first.click()
    page.locator(".chip-value").first.wait_for()

    check_nothing_ran(page)
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(page.locator(".trace-row").filter(has_text="<script>").first).to_be_visible()


def test_hostile_session_is_text_in_the_list_and_as_a_conversation(
    page: Page, live_server: Server, hostile_trace: str
) -> None:
    page.goto(live_server.url + "/sessions?filter=status%3Aerror&from=-1h")
    row = page.locator(".session-row").filter(has_text="<script>")
    row.first.wait_for()
    check_nothing_ran(page)
    row.first.locator("a").click()
    bubble = page.locator(".bubble.is-user").first

    expect(bubble).to_contain_text("<script>window.hacked=1</script>")
    check_nothing_ran(page)
    assert "\u202e" not in bubble.inner_text()
    expect(page.get_by_role("heading", level=1)).to_contain_text("talk/<script>")


@pytest.mark.parametrize(
    "path",
    [
        "/instrumentation?from=-1h",
        "/cost?from=-1h&rows=model&columns=service&key=user",
    ],
)
def test_hostile_names_are_text_where_money_and_senders_are_told(
    page: Page, live_server: Server, hostile_trace: str, path: str
) -> None:
    page.goto(live_server.url + path)
    expect(page.get_by_role("status", name="Loading")).to_have_count(0)

    expect(page.locator("main")).to_contain_text("<script>window.hacked=1</script>")
    check_nothing_ran(page)
