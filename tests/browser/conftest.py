"""A real server with demo data in it, and a real Chromium that looks at it."""

from __future__ import annotations

import json
import shutil
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from vagus.cli.demo import Server, start_server, stop_server
from vagus.demo.run import run_demo

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_INCIDENT_S = 120.0
_POLL_S = 0.5


@pytest.fixture(scope="session")
def live_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with two hours of the simulated application, its regression included."""
    server = start_server(tmp_path_factory.mktemp("live"), 0, 0)
    try:
        run_demo(
            server.url, server.ingest_key, api_key=server.api_key, history_hours=2, per_minute=12
        )
        yield server
    finally:
        stop_server(server.process)


@pytest.fixture(scope="session")
def api(live_server: Server) -> Callable[[str], Any]:
    """Asks the API of the live server with its key."""

    def get(path: str) -> Any:
        request = urllib.request.Request(
            live_server.url + path, headers={"authorization": f"Bearer {live_server.api_key}"}
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    return get


@pytest.fixture(scope="session")
def incident(api: Callable[[str], Any]) -> dict[str, Any]:
    """The incident of the demo's regression, diagnosed."""
    deadline = time.monotonic() + _INCIDENT_S
    while time.monotonic() < deadline:
        for found in api("/api/v1/incidents"):
            if found["finding"] is not None:
                return dict(found)
        time.sleep(_POLL_S)
    pytest.fail(f"no diagnosed incident within {_INCIDENT_S:.0f} s")


@pytest.fixture(scope="session")
def trace_id(api: Callable[[str], Any]) -> str:
    """A trace of many spans."""
    rows = api("/api/v1/traces?from=-3h&limit=200")["rows"]
    return str(max(rows, key=lambda row: row["span_count"])["trace_id"])


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for the session: the machine's own, else Playwright's."""
    path = next(filter(None, map(shutil.which, _NAMES)), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def session_state(browser: Browser, live_server: Server) -> Any:
    """The cookies of a browser that followed the one-time link."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(live_server.sign_in_url)
    page.get_by_role("navigation", name="Screens").wait_for()
    state = context.storage_state()
    context.close()
    return state


@dataclass
class Trouble:
    """What a page complained about."""

    messages: list[str] = field(default_factory=list)

    def watch(self, page: Page) -> None:
        """Listen to a page."""
        page.on("pageerror", lambda error: self.messages.append(f"error: {error}"))
        page.on("dialog", lambda dialog: self._dialog(dialog))
        page.on(
            "console",
            lambda said: self.messages.append(said.text) if said.type == "error" else None,
        )

    def _dialog(self, dialog: Any) -> None:
        self.messages.append(f"dialog: {dialog.message}")
        dialog.dismiss()


@pytest.fixture
def context(browser: Browser, session_state: Any) -> Iterator[BrowserContext]:
    """A signed-in browser of its own for a test."""
    context = browser.new_context(
        storage_state=session_state, viewport={"width": 1280, "height": 800}
    )
    context.set_default_timeout(20_000)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext, live_server: Server) -> Iterator[Page]:
    """A signed-in page; console errors, violations of the policy and dialogs fail the test."""
    page = context.new_page()
    trouble = Trouble()
    trouble.watch(page)
    page.goto(live_server.url + "/")
    yield page
    assert trouble.messages == []
