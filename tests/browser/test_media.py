"""Pictures in messages: a small one is shown, the whole one is a click away."""

from __future__ import annotations

import base64
import io
import json
import random
import re
import time
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from vagus.cli.demo import Server

TRACE_ID = "ed1a" * 8
SPAN_ID = "ed1a" * 4
_SETTLED_S = 60.0


def picture() -> bytes:
    """A picture too large to stay in its message."""
    noise = random.Random(7).randbytes(400 * 300 * 3)
    made = io.BytesIO()
    Image.frombytes("RGB", (400, 300), noise).save(made, "PNG")
    return made.getvalue()


def attribute(key: str, value: Any) -> dict[str, Any]:
    """One OTLP attribute."""
    kind = "intValue" if isinstance(value, int) else "stringValue"
    return {"key": key, "value": {kind: str(value)}}


@pytest.fixture(scope="module")
def sent(live_server: Server, api: Callable[[str], Any]) -> bytes:
    """The picture, in a settled call that also says several classes of tokens."""
    content = picture()
    blob = {
        "type": "blob",
        "modality": "image",
        "mime_type": "image/png",
        "content": base64.b64encode(content).decode(),
    }
    parts = [{"type": "text", "content": "What is this?"}, blob]
    now_ns = time.time_ns()
    span = {
        "traceId": TRACE_ID,
        "spanId": SPAN_ID,
        "name": "look",
        "kind": 3,
        "startTimeUnixNano": str(now_ns - 10**9),
        "endTimeUnixNano": str(now_ns),
        "attributes": [
            attribute("gen_ai.operation.name", "chat"),
            attribute("gen_ai.provider.name", "openai"),
            attribute("gen_ai.request.model", "gpt-4.1"),
            attribute("gen_ai.usage.input_tokens", 1200),
            attribute("gen_ai.usage.output_tokens", 40),
            attribute("gen_ai.usage.cache_read.input_tokens", 800),
            attribute("gen_ai.input.messages", json.dumps([{"role": "user", "parts": parts}])),
        ],
    }
    resource = {"attributes": [attribute("service.name", "pictures")]}
    body = {"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": [span]}]}]}
    request = urllib.request.Request(
        live_server.url + "/v1/traces",
        data=json.dumps(body).encode(),
        headers={
            "authorization": f"Bearer {live_server.ingest_key}",
            "content-type": "application/json",
        },
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert answer.status == 200
    deadline = time.monotonic() + _SETTLED_S
    while time.monotonic() < deadline:
        if api("/api/v1/traces?from=-1h&filter=service:pictures")["rows"]:
            return content
        time.sleep(0.5)
    pytest.fail("the call with the picture did not settle")


def test_a_picture_is_shown_small_with_its_size_and_opens_whole(
    page: Page, live_server: Server, sent: bytes
) -> None:
    page.goto(f"{live_server.url}/traces/{TRACE_ID}?span={SPAN_ID}&tab=messages")
    small = page.locator(".media-thumbnail")
    expect(small).to_be_visible()

    expect(small).to_have_js_property("naturalWidth", 320)
    media = page.locator(".media")
    expect(media).to_contain_text("image/png")
    expect(media).to_contain_text(f"{len(sent) / 1024:.0f} kB")
    whole = media.get_by_role("link", name="open the whole content").get_attribute("href")
    assert whole is not None
    answer = page.request.get(live_server.url + whole)
    assert answer.body() == sent
    assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"


def test_a_call_shows_every_class_of_tokens_and_where_its_cost_is_from(
    page: Page, live_server: Server, sent: bytes
) -> None:
    page.goto(f"{live_server.url}/traces/{TRACE_ID}?span={SPAN_ID}&tab=usage")
    usage = page.locator(".usage")

    expect(usage).to_contain_text(re.compile(r"of it read from the cache\s*800"))
    expect(usage.locator("tfoot")).to_contain_text(re.compile(r"computed.*by the list"))
    for name in ("Plain input", "Cache reads", "Output"):
        expect(usage.get_by_role("row").filter(has_text=name).last).to_contain_text("$")
