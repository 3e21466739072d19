"""The secrets of deploy webhooks, sealed at rest, and the check of what they sign."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from vagus.errors import BadInput, Unauthorized
from vagus.receive.redact.seal import Sealer
from vagus.store.meta import state
from vagus.store.meta.db import Meta

_PREFIX = "whsec_"
_KIND = "webhook"
_LENGTHS = (16, 200)
_LATE_S = 300


@dataclass(frozen=True, slots=True)
class Hook:
    """A webhook that is set up."""

    source: str
    created_ms: int


class Hooks:
    """The webhooks of all projects; `sealer` gives what seals the values of one."""

    def __init__(self, meta: Meta, sealer: Callable[[str], Sealer]) -> None:
        self._meta = meta
        self._sealer = sealer

    def set_secret(self, project: str, source: str, secret: str, now_ms: int) -> str:
        """Keep a secret, a fresh one if none is given; it is returned and never shown again."""
        if secret and not _LENGTHS[0] <= len(secret) <= _LENGTHS[1]:
            limit = f"{_LENGTHS[0]} to {_LENGTHS[1]} characters"
            raise BadInput("the secret is too short or too long", field="secret", limit=limit)
        chosen = secret or _PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()
        sealed = self._sealer(project).seal(_KIND, chosen)
        kept = {"sealed": sealed, "created_ms": now_ms}
        state.put(self._meta, _key(project, source), kept)
        return chosen

    def forget(self, project: str, source: str) -> None:
        """Take no more deliveries from a source."""
        state.put(self._meta, _key(project, source), None)

    def hook(self, project: str, source: str) -> Hook | None:
        """What is set up for a source."""
        kept = state.get(self._meta, _key(project, source))
        return None if kept is None else Hook(source, kept["created_ms"])

    def check(
        self, project: str, source: str, headers: Mapping[str, str], body: bytes, now_s: int
    ) -> None:
        """Raise `Unauthorized` unless the sender knows the secret; all failures look alike."""
        kept = state.get(self._meta, _key(project, source))
        # Without a secret the work is the same, against one that nobody knows.
        secret = (
            secrets.token_hex(32) if kept is None else self._sealer(project).open(kept["sealed"])
        )
        if not is_from(source, secret, headers, body, now_s):
            raise Unauthorized("the delivery is not signed with the secret of this webhook")


def is_from(source: str, secret: str, headers: Mapping[str, str], body: bytes, now_s: int) -> bool:
    """Whether a delivery comes from somebody who knows the secret."""
    if source == "github":
        digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        return _equal(headers.get("x-hub-signature-256", ""), f"sha256={digest}")
    if "webhook-signature" in headers:
        return _is_signed(secret, headers, body, now_s)
    return _equal(headers.get("x-gitlab-token", ""), secret)


def _is_signed(secret: str, headers: Mapping[str, str], body: bytes, now_s: int) -> bool:
    """The signing token of GitLab, which is a Standard Webhooks signature."""
    stamp = headers.get("webhook-timestamp", "")
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) < 12):
        return False
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except binascii.Error:
        return False
    signed = f"{headers.get('webhook-id', '')}.{stamp}.".encode() + body
    digest = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    told = headers["webhook-signature"].split()[:10]
    is_known = any(_equal(one, f"v1,{digest}") for one in told)
    return is_known and abs(now_s - int(stamp)) <= _LATE_S


def _equal(told: str, expected: str) -> bool:
    return hmac.compare_digest(told.encode(), expected.encode())


def _key(project: str, source: str) -> str:
    return f"webhook:{project}:{source}"
