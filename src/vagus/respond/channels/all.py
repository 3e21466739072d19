"""Every kind of target by its name."""

from __future__ import annotations

from collections.abc import Mapping

from vagus.errors import BadInput
from vagus.respond.channels import alertmanager, mail, pagerduty, slack, teams, webhook
from vagus.respond.channels.base import Channel

CHANNELS: Mapping[str, Channel] = {
    module.CHANNEL.kind: module.CHANNEL
    for module in (webhook, slack, teams, pagerduty, mail, alertmanager)
}


def channel_of(kind: str) -> Channel:
    """The channel of a kind; raises `BadInput` for one that is not spoken."""
    if kind not in CHANNELS:
        raise BadInput("this kind of target is not known", field="kind", limit=", ".join(CHANNELS))
    return CHANNELS[kind]
