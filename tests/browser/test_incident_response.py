"""What people do in an incident, the explanation of a window, and the change log, on real data."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, expect

from vagus.cli.demo import Server


def test_causes_are_accepted_and_rejected_with_a_reason(
    page: Page, live_server: Server, api: Callable[[str], Any], incident: dict[str, Any]
) -> None:
    path = f"/incidents/{incident['id']}"
    ranked = sorted(incident["finding"]["hypotheses"], key=lambda one: -one["probability"])
    page.goto(live_server.url + path)
    held, dropped = page.locator(".hypothesis").nth(0), page.locator(".hypothesis").nth(1)
    expect(held.get_by_role("button", name="Accept")).to_be_disabled()
    held.get_by_label(f"Reason for the verdict on {ranked[0]['cause']}").fill("it was rolled out")
    held.get_by_role("button", name="Accept").click()
    expect(held.get_by_text("accepted by a person")).to_be_visible()
    dropped.locator("summary").click()
    dropped.get_by_role("textbox").fill("nothing of it was touched")
    dropped.get_by_role("button", name="Reject").click()
    expect(dropped.get_by_text("rejected by a person")).to_be_visible()

    kept = api("/api/v1" + path)
    assert kept["accepted_cause"] == ranked[0]["cause"]
    assert kept["rejected_causes"] == [ranked[1]["cause"]]


def test_severity_and_roles_are_saved(
    page: Page, live_server: Server, api: Callable[[str], Any], incident: dict[str, Any]
) -> None:
    path = f"/incidents/{incident['id']}"
    page.goto(live_server.url + path)
    form = page.get_by_role("form", name="Response")
    form.get_by_label("Severity").select_option("SEV2")
    form.get_by_label("Lead").fill("Ada")
    with page.expect_response(lambda answer: answer.request.method == "PATCH"):
        form.get_by_role("button", name="Save the response").click()

    expect(page.locator(".incident-title").get_by_text("SEV2")).to_be_visible()
    kept = api("/api/v1" + path)
    assert (kept["level"], kept["roles"]) == ("SEV2", {"lead": "Ada"})


def test_clocks_are_kept_apart_and_the_class_shows_its_signs(
    page: Page, live_server: Server, incident: dict[str, Any]
) -> None:
    page.goto(f"{live_server.url}/incidents/{incident['id']}")
    clocks = page.locator(".clocks tr")
    expect(clocks).to_have_count(7)
    expect(clocks.filter(has_text="Mitigated")).to_contain_text("not yet")
    signed = next(one for one in incident["episodes"] if one["signs"])
    page.get_by_text(f"Why {signed['classification']}").first.click()
    expect(page.locator(".episodes .signs li").first).to_be_visible()


def test_the_post_mortem_is_previewed(
    page: Page, live_server: Server, incident: dict[str, Any]
) -> None:
    page.goto(f"{live_server.url}/incidents/{incident['id']}")
    page.get_by_role("button", name="Write it").click()
    panel = page.locator(".panel").filter(has_text="Post-mortem")
    expect(panel.locator(".markdown h3").first).to_be_visible()
    with page.expect_download() as download:
        panel.get_by_role("link", name="Download").click()
    text = download.value.path().read_text()
    assert text.startswith(f"# Post-mortem of incident {incident['number']}: ")


def test_a_dry_run_of_the_runbook_records_its_steps(
    page: Page, live_server: Server, api: Callable[[str], Any], incident: dict[str, Any]
) -> None:
    page.goto(f"{live_server.url}/incidents/{incident['id']}")
    with page.expect_response(re.compile("/api/v1/runbook-runs\\?")) as answer:
        page.get_by_role("button", name="Dry run").click()
    assert answer.value.ok
    expect(page.locator(".run-steps li").first).to_be_visible()
    run = api(f"/api/v1/runbook-runs?incident_id={incident['id']}")[0]
    assert run["mode"] == "dry_run"


def test_a_window_is_explained_beside_the_page_and_its_address_is_shared(
    page: Page, live_server: Server
) -> None:
    page.get_by_role("button", name="Explain this window").click()
    panel = page.get_by_role("complementary", name="Explanation of the window")
    expect(panel.get_by_text("against", exact=False).first).to_be_visible()
    expect(panel.get_by_role("heading", name="Hypotheses")).to_be_visible()
    address = page.url
    assert re.search(r"from=\d+&to=\d+&explain=1", address)
    page.goto(live_server.url + "/traces")
    page.goto(address)
    expect(panel.get_by_role("heading", name="Hypotheses")).to_be_visible()
    page.keyboard.press("Escape")
    expect(panel).to_have_count(0)


def test_the_change_log_is_filtered_and_leads_to_an_explanation(
    page: Page, live_server: Server, api: Callable[[str], Any], incident: dict[str, Any]
) -> None:
    known = api("/api/v1/changes?from=-6h")
    page.goto(live_server.url + "/changes?from=-6h")
    rows = page.locator(".change-log > li")
    expect(rows).to_have_count(len(known))
    kind = known[0]["kind"]
    page.get_by_label("Kind").select_option(kind)
    expect(rows).to_have_count(sum(one["kind"] == kind for one in known))
    rows.first.get_by_role("link", name="Explain around it").click()
    page.wait_for_url("**explain=1**")
    assert incident["finding"]
