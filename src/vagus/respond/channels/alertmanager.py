"""Alertmanager: an alert for each incident through API v2, alive as long as the incident is.

Its labels stay the same over the incident's life, for they are the alert's identity. An alert ends
by itself `ALIVE_MS` after it was last sent, so it is sent again well before that.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from vagus.errors import BadInput
from vagus.respond.address import check_url
from vagus.respond.channels.base import Channel, Notice, Post, facts, headline, link, plain

ALIVE_MS = 300_000
_TEST_MS = 60_000
_AUTHORIZATION = re.compile(r"(Basic|Bearer) [\x21-\x7e]{1,4000}")
_VALUE_LIMIT = 200


def _check(address: str, secret: str) -> None:
    if "?" in check_url(address).path:
        raise BadInput("the address of an Alertmanager has no query", field="url")
    if secret and not _AUTHORIZATION.fullmatch(secret):
        raise BadInput(
            "the secret of an Alertmanager is what its Authorization header says, such as "
            "'Bearer …'; empty for none",
            field="secret",
        )


def post_alerts(address: str, secret: str, alerts: Sequence[Mapping[str, Any]]) -> Post:
    """The request that sends alerts to an Alertmanager."""
    headers = {"content-type": "application/json"}
    if secret:
        headers["authorization"] = secret
    url = address.rstrip("/") + "/api/v2/alerts"
    return Post(url, msgspec.json.encode(list(alerts)), headers)


def alert_of(notice: Notice) -> dict[str, Any]:
    """The alert that stands for the incident, ended where the incident is."""
    incident = notice.incident
    ends_ms = notice.sent_ms + (_TEST_MS if notice.kind == "test" else ALIVE_MS)
    if notice.kind == "resolved":
        ends_ms = int(incident.get("resolved_ms") or notice.sent_ms)
    starts_ms = int(incident.get("opened_ms") or notice.sent_ms)
    return {
        "labels": _labels(incident),
        "annotations": {
            "summary": headline(notice),
            **{name.lower(): value for name, value in facts(notice) if name != "Summary"},
            "description": plain(incident.get("summary") or "", 2000),
        },
        "startsAt": _time(starts_ms),
        "endsAt": _time(max(ends_ms, starts_ms)),
        "generatorURL": link(notice),
    }


def _render(notice: Notice) -> Post:
    alert = alert_of(notice)
    alerts = [alert]
    if before := notice.incident.get("severity_before"):
        # The severity is a label: under the one before it was another alert, which is over now.
        ended_ms = max(notice.sent_ms, _starts_ms(notice))
        labels = {**alert["labels"], "severity": before}
        alerts.append({**alert, "endsAt": _time(ended_ms), "labels": labels})
    return post_alerts(notice.address, notice.secret, alerts)


def _starts_ms(notice: Notice) -> int:
    return int(notice.incident.get("opened_ms") or notice.sent_ms)


def _labels(incident: Mapping[str, Any]) -> dict[str, str]:
    known = {
        "alertname": "VagusTest" if incident.get("number") is None else "VagusIncident",
        "incident": incident["id"],
        "severity": incident.get("severity", ""),
    }
    given = {**incident.get("labels", {}), **known}
    # Older Alertmanagers take names of letters, digits and underscores only.
    labels = {
        re.sub(r"[^a-zA-Z0-9_]", "_", name): plain(value, _VALUE_LIMIT)
        for name, value in given.items()
    }
    return {name: value for name, value in labels.items() if value and not name[0].isdigit()}


def _time(moment_ms: int) -> str:
    return datetime.fromtimestamp(moment_ms / 1000, UTC).isoformat(timespec="milliseconds")


CHANNEL = Channel(kind="alertmanager", check=_check, render=_render, final=frozenset({400, 410}))
