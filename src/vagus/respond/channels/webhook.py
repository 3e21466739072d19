"""Webhooks: the incident as JSON, signed as Standard Webhooks say."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets

import msgspec

from vagus.respond.channels.base import Channel, Notice, Post, check_plain_url

_PREFIX = "whsec_"


def secret_bytes(secret: str) -> bytes:
    """The key inside a `whsec_` secret."""
    return base64.b64decode(secret.removeprefix(_PREFIX))


def _new_secret() -> str:
    return _PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def _sign(key: str, timestamp_s: int, body: bytes, secret: str) -> dict[str, str]:
    message_id = "msg_" + hashlib.sha256(key.encode()).hexdigest()[:32]
    signed = f"{message_id}.{timestamp_s}.".encode() + body
    signature = hmac.digest(secret_bytes(secret), signed, hashlib.sha256)
    return {
        "content-type": "application/json",
        "user-agent": "vagus-webhook",
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp_s),
        "webhook-signature": "v1," + base64.b64encode(signature).decode(),
    }


def _render(notice: Notice) -> Post:
    body = msgspec.json.encode(notice.body)
    headers = _sign(notice.key, notice.sent_ms // 1000, body, notice.secret)
    return Post(notice.address, body, headers)


CHANNEL = Channel(
    kind="webhook",
    check=check_plain_url,
    render=_render,
    final=frozenset({410}),
    new_secret=_new_secret,
)
