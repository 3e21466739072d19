"""PagerDuty: Events API v2, one alert for each incident."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from vagus.errors import BadInput
from vagus.respond.address import check_url
from vagus.respond.channels.base import Channel, Notice, Post, facts, headline, link, plain

_KEY = re.compile(r"[A-Za-z0-9]{32}")
_ACTIONS = {"acknowledged": "acknowledge", "resolved": "resolve"}
_SEVERITIES = {"page": "critical", "ticket": "warning"}
_SUMMARY_LIMIT = 1024
_DEDUP_LIMIT = 255


def _check(address: str, secret: str) -> None:
    check_url(address)
    if not _KEY.fullmatch(secret):
        raise BadInput(
            "a PagerDuty target needs the integration's routing key",
            field="secret",
            limit="32 letters and digits",
        )


def _render(notice: Notice) -> Post:
    incident = notice.incident
    action = _ACTIONS.get(notice.kind, "trigger")
    event: dict[str, Any] = {
        "routing_key": notice.secret,
        "event_action": action,
        "dedup_key": plain(incident["id"], _DEDUP_LIMIT),
    }
    if action == "trigger":
        event["payload"] = {
            "summary": plain(headline(notice), _SUMMARY_LIMIT),
            "source": plain(f"vagus/{incident.get('project', '')}", _SUMMARY_LIMIT),
            "severity": _SEVERITIES.get(str(incident.get("severity")), "info"),
            "custom_details": dict(facts(notice)),
        }
        event["client"] = "Vagus"
        if link(notice):
            event["client_url"] = link(notice)
    headers = {"content-type": "application/json"}
    return Post(notice.address, msgspec.json.encode(event), headers)


CHANNEL = Channel(kind="pagerduty", check=_check, render=_render, final=frozenset({400, 410, 413}))
