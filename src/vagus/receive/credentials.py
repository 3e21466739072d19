"""The ingest key, wherever an OTLP exporter or a rival's SDK puts it."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping

_OWN = "x-vagus-key"
# Each of these is where some SDK or vendor guide puts the key of an OTLP exporter.
_NAMED = (
    "x-api-key",
    "api-key",
    "api_key",
    "x-auth-token",
    "x-otlp-api-key",
    "dd-api-key",
    "x-honeycomb-team",
    "x-ingest-key",
    "signoz-ingestion-key",
    "lightstep-access-token",
    "x-amz-firehose-access-key",
)
_BEARING = ("authorization", "helicone-auth", "proxy-authorization")
_SCHEMES = ("bearer", "token", "apikey", "api-key")


def find_key(headers: Mapping[str, str]) -> str | None:
    """The key among headers or gRPC metadata with lower-case names, or None.

    With Basic authentication it is the password, or the user name where there is no password.
    """
    if own := headers.get(_OWN, "").strip():
        return own
    for name in _BEARING:
        if key := _from_authorization(headers.get(name, "")):
            return key
    for name in _NAMED:
        if key := headers.get(name, "").strip():
            return key
    return None


def _from_authorization(value: str) -> str | None:
    scheme, _, rest = value.strip().partition(" ")
    rest = rest.strip()
    if not rest:
        # Some SDKs send the bare key and no scheme.
        return scheme if scheme and scheme.lower() not in (*_SCHEMES, "basic") else None
    if scheme.lower() == "basic":
        return _from_basic(rest)
    return rest if scheme.lower() in _SCHEMES else None


def _from_basic(encoded: str) -> str | None:
    try:
        user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return password or user or None
