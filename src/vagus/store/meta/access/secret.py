"""Secrets: how keys look, how tokens are made, and how both are hashed for keeping.

A key is `vg_<kind>_<id>_<secret>_<crc>`: a public id, 32 random bytes in base 62, and a CRC-32 of
what comes before it, so that a secret scanner knows a real key without asking anyone. What is
stored is HMAC-SHA256 under the instance's pepper; a slow hash adds nothing to 256 random bits.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
import string
import zlib
from dataclasses import dataclass
from pathlib import Path

from vagus.errors import ConfigError

_ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
_KEY = re.compile(r"vg_(ingest|api)_([0-9A-Za-z]{12})_([0-9A-Za-z]{43})_([0-9A-Za-z]{6})")
_PEPPER_BYTES = 32


@dataclass(frozen=True, slots=True)
class Key:
    """A key taken apart; its checksum is right, but nothing else is known of it yet."""

    kind: str
    id: str
    text: str


def mint_key(kind: str) -> Key:
    """A new random key of a kind, `ingest` or `api`."""
    key_id = "".join(secrets.choice(_ALPHABET) for _ in range(12))
    body = f"vg_{kind}_{key_id}_{_base62(int.from_bytes(secrets.token_bytes(32)), 43)}"
    return Key(kind, key_id, f"{body}_{_checksum(body)}")


def parse_key(text: str) -> Key | None:
    """The parts of a key, or None where it has the wrong form or a wrong checksum."""
    # The pattern alone bounds the length: a megabyte in a header is not looked at twice.
    match = _KEY.fullmatch(text) if len(text) < 128 else None
    if match is None or _checksum(text.rpartition("_")[0]) != match[4]:
        return None
    return Key(match[1], match[2], text)


def mint_token() -> str:
    """A new random token for a link or a cookie: 256 bits."""
    return secrets.token_urlsafe(32)


class Pepper:
    """The instance's secret under which keys and tokens are hashed."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    @classmethod
    def at(cls, path: Path) -> Pepper:
        """The pepper kept in the file `path`, made on first use; only its owner may read it."""
        try:
            return cls(_read(path))
        except FileNotFoundError:
            _write_new(path, secrets.token_bytes(_PEPPER_BYTES))
            return cls(_read(path))

    def hash(self, text: str) -> bytes:
        """The hash to store of a key or token."""
        return hmac.digest(self._secret, text.encode("utf-8", "surrogateescape"), hashlib.sha256)

    def matches(self, text: str, stored: bytes) -> bool:
        """Whether `text` has the stored hash, in constant time."""
        return hmac.compare_digest(self.hash(text), stored)


def _base62(number: int, width: int) -> str:
    digits = []
    for _ in range(width):
        number, digit = divmod(number, 62)
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits))


def _checksum(body: str) -> str:
    return _base62(zlib.crc32(body.encode()), 6)


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        mode = os.fstat(file.fileno()).st_mode
        secret = file.read()
    if mode & 0o077:
        raise ConfigError(f"{path} can be read by others; run `chmod 600 {path}`")
    if len(secret) != _PEPPER_BYTES:
        raise ConfigError(
            f"{path} must hold {_PEPPER_BYTES} bytes, not {len(secret)}; restore it from a "
            "backup, or remove it, which makes every key and session worthless"
        )
    return secret


def _write_new(path: Path, secret: bytes) -> None:
    # Written beside and linked into place, so that two servers that start at once agree on one.
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        os.write(descriptor, secret)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    try:
        os.link(draft, path)
    except FileExistsError:
        return
    finally:
        draft.unlink()
