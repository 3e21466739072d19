"""The way out for mail: one SMTP server that the operator names, with TLS where it is offered."""

from __future__ import annotations

import smtplib
import ssl
from email.message import EmailMessage
from email.utils import formatdate
from urllib.parse import unquote, urlsplit

from vagus.errors import BadInput, ConfigError, Unavailable
from vagus.respond.channels.base import Mail

TIMEOUT_S = 10.0
_PORTS = {"smtp": 587, "smtps": 465}


class Mailer:
    """Sends mail through the server at `url`: smtp://user:password@host:587 or smtps://…:465.

    Over `smtp` the connection turns to TLS when the server offers it, and a password is never
    sent before that.
    """

    def __init__(
        self,
        url: str,
        sender: str,
        *,
        timeout_s: float = TIMEOUT_S,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as e:
            raise ConfigError("respond.smtp_url is malformed") from e
        if parts.scheme not in _PORTS or not parts.hostname:
            raise ConfigError("respond.smtp_url must look like smtp://user:password@host:587")
        if "@" not in sender or any(not c.isprintable() for c in sender):
            raise ConfigError("respond.smtp_from must be an address such as vagus@example.com")
        self._is_wrapped = parts.scheme == "smtps"
        self._host, self._port = parts.hostname, port or _PORTS[parts.scheme]
        self._user, self._password = unquote(parts.username or ""), unquote(parts.password or "")
        self._sender = sender
        self._timeout_s = timeout_s
        self._tls = tls or ssl.create_default_context()

    def send(self, mail: Mail, now_ms: int) -> int:
        """Sends it and returns the server's code; raises `Unavailable` when there is none."""
        message = self._message(mail, now_ms)
        try:
            with self._connect() as server:
                refused = server.send_message(message)
        except smtplib.SMTPRecipientsRefused as e:
            return min(code for code, _ in e.recipients.values())
        except smtplib.SMTPAuthenticationError as e:
            raise Unavailable("the mail server refused respond.smtp_url's user") from e
        except smtplib.SMTPResponseException as e:
            return e.smtp_code
        except (smtplib.SMTPException, OSError) as e:
            raise Unavailable(f"the mail server failed: {type(e).__name__}") from e
        return min((code for code, _ in refused.values()), default=250)

    def _connect(self) -> smtplib.SMTP:
        if self._is_wrapped:
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                self._host, self._port, timeout=self._timeout_s, context=self._tls
            )
        else:
            server = smtplib.SMTP(self._host, self._port, timeout=self._timeout_s)
        try:
            self._prepare(server)
        except BaseException:
            server.close()
            raise
        return server

    def _prepare(self, server: smtplib.SMTP) -> None:
        is_private = self._is_wrapped
        server.ehlo()
        if not is_private and server.has_extn("starttls"):
            server.starttls(context=self._tls)
            server.ehlo()
            is_private = True
        if self._user:
            if not is_private:
                raise Unavailable("the mail server offers no TLS: the password was not sent")
            server.login(self._user, self._password)

    def _message(self, mail: Mail, now_ms: int) -> EmailMessage:
        domain = self._sender.rpartition("@")[2].rstrip(">")
        message = EmailMessage()
        message["From"] = self._sender
        message["To"] = mail.recipient
        message["Subject"] = mail.subject
        message["Date"] = formatdate(now_ms / 1000)
        message["Message-ID"] = f"<{mail.message}@{domain}>"
        message["References"] = f"<{mail.thread}@{domain}>"
        message["In-Reply-To"] = f"<{mail.thread}@{domain}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(mail.text)
        return message


def check_configured(mailer: Mailer | None) -> Mailer:
    """The mailer, or `BadInput` when the operator has named no server."""
    if mailer is None:
        raise BadInput("no mail server is configured: set respond.smtp_url", field="kind")
    return mailer
