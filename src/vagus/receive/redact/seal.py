"""Sealing: what is taken out can be read again by whom the instance allows, where asked for.

AES-SIV (RFC 5297) with a key of the data directory. It is deterministic: the same value gives the
same token, so that what belongs together can still be told, and nothing else about it.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from vagus.errors import ConfigError

_KEY_BYTES = 64
_TOKEN = re.compile(r"\[([a-z0-9_]{1,60}):([A-Za-z0-9_-]{22,400000})\]")


class Sealer:
    """Seals values for one project; a token of another project does not open."""

    def __init__(self, key: bytes, project: str) -> None:
        self._cipher = AESSIV(key)
        self._project = project.encode()

    def seal(self, kind: str, value: str) -> str:
        """The token that stands for a value."""
        sealed = self._cipher.encrypt(value.encode(), [self._project, kind.encode()])
        return f"[{kind}:{base64.urlsafe_b64encode(sealed).decode().rstrip('=')}]"

    def open(self, text: str) -> str:
        """The text with every token of this project opened; anything else stays as it is."""
        return _TOKEN.sub(lambda match: self._opened(match), text)

    def _opened(self, match: re.Match[str]) -> str:
        kind, body = match.groups()
        try:
            sealed = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))
            return self._cipher.decrypt(sealed, [self._project, kind.encode()]).decode()
        except (InvalidTag, binascii.Error, ValueError):
            return match.group()


def key_at(path: Path) -> bytes:
    """The key in a file that only its owner reads; made when there is none."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        key = path.read_bytes()
        if len(key) != _KEY_BYTES:
            raise ConfigError(f"{path} is not a redaction key of {_KEY_BYTES} bytes") from None
        return key
    key = os.urandom(_KEY_BYTES)
    with os.fdopen(descriptor, "wb") as file:
        file.write(key)
        file.flush()
        os.fsync(file.fileno())
    return key
