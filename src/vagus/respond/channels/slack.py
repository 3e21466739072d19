"""Slack: one message for each state, to an incoming webhook."""

from __future__ import annotations

from typing import Any

import msgspec

from vagus.respond.channels.base import (
    Channel,
    Notice,
    Post,
    check_plain_url,
    facts,
    headline,
    link,
    plain,
)

_HEADER_LIMIT = 150
_SECTION_LIMIT = 3000


def escape(text: str) -> str:
    """Text that Slack shows as it is: nothing in it mentions, links or calls anybody."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _render(notice: Notice) -> Post:
    # Words of telemetry stand in plain_text blocks, where Slack looks for no markup at all.
    blocks: list[dict[str, Any]] = [_block("header", plain(headline(notice), _HEADER_LIMIT))]
    said = "\n".join(f"{name}: {value}" for name, value in facts(notice))
    if said:
        blocks.append(_block("section", said[:_SECTION_LIMIT]))
    if link(notice):
        address = escape(link(notice)).replace("|", "%7C")
        text = {"type": "mrkdwn", "text": f"<{address}|Open the incident>"}
        blocks.append({"type": "context", "elements": [text]})
    body = msgspec.json.encode({"text": escape(headline(notice)), "blocks": blocks})
    return Post(notice.address, body, {"content-type": "application/json"})


def _block(kind: str, text: str) -> dict[str, Any]:
    return {"type": kind, "text": {"type": "plain_text", "text": text, "emoji": False}}


CHANNEL = Channel(
    kind="slack",
    check=check_plain_url,
    render=_render,
    final=frozenset({400, 403, 404, 410}),
    is_address_secret=True,
)
