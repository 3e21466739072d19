"""Teams: an Adaptive Card for each state, to the webhook of a workflow."""

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
)

_CARD = "application/vnd.microsoft.card.adaptive"


def _render(notice: Notice) -> Post:
    card: dict[str, Any] = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": [
            _line({"text": headline(notice), "weight": "Bolder", "size": "Medium"}),
            *(
                _line({"text": f"{name}: ", "weight": "Bolder"}, {"text": value})
                for name, value in facts(notice)
            ),
        ],
    }
    if link(notice):
        action = {"type": "Action.OpenUrl", "title": "Open the incident", "url": link(notice)}
        card["actions"] = [action]
    message = {
        "type": "message",
        "attachments": [{"contentType": _CARD, "contentUrl": None, "content": card}],
    }
    headers = {"content-type": "application/json"}
    return Post(notice.address, msgspec.json.encode(message), headers)


def _line(*runs: dict[str, str]) -> dict[str, Any]:
    # A TextBlock reads Markdown; a TextRun shows words of telemetry as they are.
    return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", **run} for run in runs]}


CHANNEL = Channel(
    kind="teams",
    check=check_plain_url,
    render=_render,
    final=frozenset({400, 403, 404, 410, 413}),
    is_address_secret=True,
)
