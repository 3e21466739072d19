"""The courier: renders a notice for its kind of target and carries it there."""

from __future__ import annotations

from dataclasses import dataclass

from anyio.to_thread import run_sync

from vagus.config import RespondSettings
from vagus.errors import BadInput, Unavailable
from vagus.respond.channels.all import channel_of
from vagus.respond.channels.base import Mail, Notice, Post
from vagus.respond.egress import Egress, retry_after_ms
from vagus.respond.smtp import Mailer, check_configured


@dataclass(frozen=True, slots=True)
class Receipt:
    """What came back: the status, or 0 and the error when there was no answer."""

    status: int
    error: str = ""
    wait_ms: int = 0
    is_final: bool = False

    @property
    def is_delivered(self) -> bool:
        """Whether the target has taken it."""
        return 200 <= self.status < 300


class Courier:
    """Carries notices of every kind; without a `mailer` those by e-mail fail with the reason."""

    def __init__(self, egress: Egress, mailer: Mailer | None = None) -> None:
        self._egress = egress
        self._mailer = mailer

    async def send(self, kind: str, notice: Notice) -> Receipt:
        """Sends one notice; whatever goes wrong is in the receipt."""
        try:
            channel = channel_of(kind)
            receipt = await self.carry(channel.render(notice), notice.sent_ms)
        except (BadInput, Unavailable) as e:
            return Receipt(0, str(e))
        if receipt.is_delivered or receipt.status not in channel.final:
            return receipt
        return Receipt(receipt.status, receipt.error, is_final=True)

    async def carry(self, parcel: Post | Mail, now_ms: int) -> Receipt:
        """Sends what is rendered already; raises `BadInput` or `Unavailable` without an answer."""
        if isinstance(parcel, Mail):
            mailer = check_configured(self._mailer)
            status = await run_sync(mailer.send, parcel, now_ms)
            return Receipt(status, _describe(status))
        answer = await self._egress.post(parcel.url, parcel.body, parcel.headers)
        asked_ms = retry_after_ms(answer.retry_after, now_ms)
        return Receipt(answer.status, _describe(answer.status), asked_ms)


def courier_of(settings: RespondSettings) -> Courier:
    """The courier that the settings describe."""
    ranges = [part.strip() for part in settings.allow_private.split(",") if part.strip()]
    mailer = Mailer(settings.smtp_url, settings.smtp_from) if settings.smtp_url else None
    return Courier(Egress(allow_private=ranges), mailer)


def _describe(status: int) -> str:
    if 200 <= status < 300:
        return ""
    if 300 <= status < 400:
        return f"the target answered {status}; redirects are not followed"
    return f"the target answered {status}"
