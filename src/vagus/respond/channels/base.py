"""What every channel is given and what it makes: a notice in, a parcel out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from vagus.respond.address import check_url


@dataclass(frozen=True, slots=True)
class Notice:
    """One state of one incident for one target; `key` stays the same over all attempts."""

    key: str
    address: str
    secret: str
    body: Mapping[str, Any]
    sent_ms: int

    @property
    def kind(self) -> str:
        """What happened: opened, updated, escalated, acknowledged, resolved or test."""
        return str(self.body["type"]).removeprefix("incident.")

    @property
    def incident(self) -> Mapping[str, Any]:
        """The incident as it was when the state was written."""
        data: Mapping[str, Any] = self.body["data"]
        return data


@dataclass(frozen=True, slots=True)
class Post:
    """A request to a checked address."""

    url: str
    body: bytes
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Mail:
    """A message to one person; `thread` is the same for all states of an incident."""

    recipient: str
    subject: str
    text: str
    message: str
    thread: str


@dataclass(frozen=True, slots=True)
class Channel:
    """One kind of target.

    `check` refuses an address or secret that cannot work; `final` says for which answers trying
    again is of no use; `new_secret` makes a secret where Vagus and not the receiver makes it.
    `is_address_secret` is true where whoever knows the address may post.
    """

    kind: str
    check: Callable[[str, str], None]
    render: Callable[[Notice], Post | Mail]
    final: frozenset[int] = field(default_factory=frozenset)
    new_secret: Callable[[], str] | None = None
    is_address_secret: bool = False


def plain(text: object, limit: int) -> str:
    """Text from telemetry as one line without control characters, cut to `limit` characters."""
    words = "".join(c if c.isprintable() else " " for c in str(text))
    return words if len(words) <= limit else words[: limit - 1] + "…"


def headline(notice: Notice) -> str:
    """One line that says it all: number, what happened, and what it is about."""
    if notice.kind == "test":
        return "Vagus test message: this target works"
    incident = notice.incident
    words = f"#{incident.get('number', '?')} {notice.kind}: {incident.get('title', '')}"
    return plain(f"[{incident.get('severity', '')}] {words}", 300)


def facts(notice: Notice) -> list[tuple[str, str]]:
    """The facts that a person wants beside the headline, those that are known."""
    incident = notice.incident
    minutes = incident.get("unacknowledged_min")
    found = {
        "Cause": incident.get("cause"),
        "Class": incident.get("class"),
        "Summary": incident.get("summary"),
        "Escalated": f"nobody has acknowledged it for {minutes} minutes" if minutes else "",
        "Project": incident.get("project"),
    }
    return [(name, plain(value, 2000)) for name, value in found.items() if value]


def link(notice: Notice) -> str:
    """Where the incident is shown; '' when the instance has no public address."""
    return str(notice.incident.get("url") or "")


def check_plain_url(address: str, _secret: str) -> None:
    """Refuses an address that is no acceptable URL."""
    check_url(address)
