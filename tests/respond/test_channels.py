"""Each kind of target gets what its service asks for; hostile words stay words."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from email import message_from_string
from email.policy import default as default_policy
from typing import Any

import anyio
import pytest
from aiosmtpd.controller import Controller

from vagus.errors import BadInput, ConfigError
from vagus.respond.channels.all import CHANNELS, channel_of
from vagus.respond.channels.base import Mail, Notice, Post
from vagus.respond.courier import Courier, Receipt
from vagus.respond.egress import Egress
from vagus.respond.smtp import Mailer

_KEY = "k" * 32
_NOW_MS = 1_700_000_000_000


def _notice(kind: str = "opened", address: str = "https://a.example/x", **changes: Any) -> Notice:
    incident = {
        "id": "i_1",
        "number": 7,
        "project": "p",
        "title": "Latency in feature=<!channel>\r\nBcc: a@b.c & [x](http://evil)",
        "severity": "page",
        "opened_ms": _NOW_MS - 60_000,
        "resolved_ms": _NOW_MS if kind == "resolved" else None,
        "cause": "provider_slow",
        "class": "systematic",
        "labels": {"project": "p", "feature": "x", "bad-name": "y"},
        "summary": "<https://evil|click>",
        "url": "https://vagus.example/incidents/i_1",
    }
    body = {"type": f"incident.{kind}", "data": incident | changes}
    return Notice(f"t:i_1:{kind}", address, _KEY, body, _NOW_MS)


def _sent(kind: str, notice: Notice) -> Any:
    parcel = channel_of(kind).render(notice)
    assert isinstance(parcel, Post)
    return json.loads(parcel.body)


def test_slack_shows_hostile_words_as_words() -> None:
    message = _sent("slack", _notice())

    assert "<!channel>" not in message["text"]
    assert "&lt;!channel&gt;" in message["text"]
    kinds = {b["text"]["type"] for b in message["blocks"] if "text" in b}
    assert kinds == {"plain_text"}
    assert len(message["blocks"][0]["text"]["text"]) <= 150
    assert "https://vagus.example/incidents/i_1" in json.dumps(message["blocks"][-1])


def test_teams_gets_a_card_without_markup_in_it() -> None:
    message = _sent("teams", _notice())

    card = message["attachments"][0]["content"]
    assert message["attachments"][0]["contentType"] == "application/vnd.microsoft.card.adaptive"
    assert {element["type"] for element in card["body"]} == {"RichTextBlock"}
    assert card["actions"][0]["url"] == "https://vagus.example/incidents/i_1"


@pytest.mark.parametrize(
    ("kind", "action"),
    [
        ("opened", "trigger"),
        ("updated", "trigger"),
        ("escalated", "trigger"),
        ("acknowledged", "acknowledge"),
        ("resolved", "resolve"),
    ],
)
def test_pagerduty_gets_one_alert_for_each_incident(kind: str, action: str) -> None:
    event = _sent("pagerduty", _notice(kind, title="x" * 5000))

    assert (event["event_action"], event["dedup_key"]) == (action, "i_1")
    assert event["routing_key"] == _KEY
    if action == "trigger":
        assert event["payload"]["severity"] == "critical"
        assert len(event["payload"]["summary"]) <= 1024


@pytest.mark.parametrize(
    ("kind", "address", "secret"),
    [
        ("pagerduty", "https://events.pagerduty.com/v2/enqueue", "short"),
        ("email", "mailto:a@b.example\r\nBcc: c@d.example", ""),
        ("email", "mailto:a@b.example,c@d.example", ""),
        ("email", "https://a.example/", ""),
        ("alertmanager", "http://am.example:9093/?x=1", ""),
        ("alertmanager", "http://am.example:9093", "Bearer a\r\nX: y"),
        ("slack", "http://127.1/", ""),
    ],
)
def test_target_that_cannot_work_is_refused(kind: str, address: str, secret: str) -> None:
    with pytest.raises(BadInput):
        channel_of(kind).check(address, secret)


def test_alert_keeps_its_labels_and_ends_with_the_incident() -> None:
    opened = _sent("alertmanager", _notice("opened"))[0]
    resolved = _sent("alertmanager", _notice("resolved", cause="none", summary="other"))[0]

    assert opened["labels"] == resolved["labels"]
    assert opened["labels"]["severity"] == "page"
    assert opened["labels"]["bad_name"] == "y"
    assert opened["startsAt"] == resolved["startsAt"]
    assert resolved["endsAt"] < opened["endsAt"]


@pytest.mark.parametrize(
    ("kind", "status", "is_final"),
    [
        ("pagerduty", 400, True),
        ("pagerduty", 429, False),
        ("pagerduty", 503, False),
        ("slack", 404, True),
        ("webhook", 400, False),
        ("webhook", 410, True),
        ("alertmanager", 400, True),
    ],
)
def test_trying_again_ends_only_where_it_is_of_no_use(
    kind: str, status: int, is_final: bool, make_receiver: Callable[[], Any]
) -> None:
    receiver = make_receiver()
    receiver.answer = lambda: (status, {"retry-after": "90"})
    secret = "" if kind == "alertmanager" else "whsec_" + "A" * 44
    notice = Notice("k", receiver.url, secret, _notice().body, _NOW_MS)
    courier = Courier(Egress(allow_private=["127.0.0.1/32"]))
    receipt = anyio.run(courier.send, kind, notice)

    assert (receipt.status, receipt.is_final, receipt.is_delivered) == (status, is_final, False)
    assert is_final or receipt.wait_ms == 90_000


@pytest.mark.parametrize("kind", sorted(CHANNELS.keys() - {"email"}))
def test_private_address_is_refused_for_every_kind(kind: str) -> None:
    notice = Notice("k", "http://10.0.0.1/x", "whsec_" + "A" * 44, _notice().body, _NOW_MS)
    receipt = anyio.run(Courier(Egress()).send, kind, notice)

    assert receipt.status == 0
    assert "private, local or reserved" in receipt.error


class _Inbox:
    """What a real mail server takes in; it refuses one mailbox for good."""

    def __init__(self) -> None:
        self.messages: list[str] = []

    async def handle_RCPT(
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        if address.startswith("nobody@"):
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        self.messages.append(envelope.content.decode())
        return "250 OK"


def _mail_server(inbox: _Inbox) -> Controller:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = Controller(inbox, hostname="127.0.0.1", port=port)
    server.start()
    return server


def _mail(*notices: Notice) -> tuple[list[str], list[Receipt]]:
    inbox = _Inbox()
    server = _mail_server(inbox)
    try:
        courier = Courier(
            Egress(), Mailer(f"smtp://127.0.0.1:{server.port}", "Vagus <v@vagus.example>")
        )
        return inbox.messages, [anyio.run(courier.send, "email", notice) for notice in notices]
    finally:
        server.stop()


def test_mail_of_an_incident_is_one_thread_and_carries_no_foreign_header() -> None:
    kinds = ("opened", "resolved", "opened")
    messages, receipts = _mail(*(_notice(kind, "mailto:a@b.example") for kind in kinds))

    assert [receipt.status for receipt in receipts] == [250, 250, 250]
    heads = [message_from_string(text, policy=default_policy) for text in messages]
    assert all("Bcc" not in head and head["Auto-Submitted"] == "auto-generated" for head in heads)
    assert len({head["References"] for head in heads}) == 1
    ids = [head["Message-ID"] for head in heads]
    assert ids[0] == ids[2] != ids[1]
    assert ids[0].endswith("@vagus.example>")


def test_mailbox_that_is_not_there_is_not_tried_again() -> None:
    _, (receipt,) = _mail(_notice("opened", "mailto:nobody@b.example"))

    assert (receipt.status, receipt.is_final) == (550, True)


def test_password_is_not_sent_without_tls() -> None:
    server = _mail_server(_Inbox())
    try:
        mailer = Mailer(f"smtp://u:secret@127.0.0.1:{server.port}", "v@vagus.example")
        notice = _notice("opened", "mailto:a@b.example")
        receipt = anyio.run(Courier(Egress(), mailer).send, "email", notice)
    finally:
        server.stop()
    assert "the password was not sent" in receipt.error


def test_mail_without_a_server_says_which_setting_is_missing() -> None:
    receipt = anyio.run(Courier(Egress()).send, "email", _notice("opened", "mailto:a@b.example"))

    assert "respond.smtp_url" in receipt.error
    with pytest.raises(ConfigError):
        Mailer("http://mail.example", "v@vagus.example")
    rendered = channel_of("email").render(_notice("opened", "mailto:a@b.example"))
    assert isinstance(rendered, Mail)
    assert "\n" not in rendered.subject
