"""E-mail: a plain text for each state, all of one incident in one thread."""

from __future__ import annotations

import hashlib
import re

from vagus.errors import BadInput
from vagus.respond.channels.base import Channel, Mail, Notice, facts, headline, link

SCHEME = "mailto:"
# Narrower than the standard: no quotes, comments, lists or display names.
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")


def _check(address: str, _secret: str) -> None:
    recipient = address.removeprefix(SCHEME)
    if not address.startswith(SCHEME) or not _ADDRESS.fullmatch(recipient) or len(address) > 320:
        raise BadInput(
            "the address must look like mailto:person@example.com, one person or list",
            field="url",
            limit="320 characters",
        )


def _render(notice: Notice) -> Mail:
    lines = [headline(notice), ""]
    lines += [f"{name}: {value}" for name, value in facts(notice)]
    if link(notice):
        lines += ["", link(notice)]
    return Mail(
        recipient=notice.address.removeprefix(SCHEME),
        subject=headline(notice),
        text="\n".join(lines) + "\n",
        message=_digest(notice.key),
        thread=_digest(f"{notice.address}:{notice.incident['id']}"),
    )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]


# 4xx is "not now" in SMTP, 5xx is "never": a mailbox that is not there, a message refused.
CHANNEL = Channel(kind="email", check=_check, render=_render, final=frozenset(range(500, 600)))
