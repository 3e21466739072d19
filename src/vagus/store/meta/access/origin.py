"""Checks on where a browser's request comes from: against forgery and DNS rebinding.

Headers are given with lower-case names.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from vagus.errors import Forbidden

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def check_same_origin(method: str, headers: Mapping[str, str], public_url: str = "") -> None:
    """Refuses a state-changing request that another site may have made a browser send.

    For requests whose only credential is a cookie or the network address; a key in a header
    cannot be forged. `public_url` is the address people use when a proxy changes `Host`.
    """
    if method.upper() in _SAFE:
        return
    site = headers.get("sec-fetch-site")
    if site is not None and site != "same-origin":
        raise Forbidden("this request came from another site")
    origin = headers.get("origin")
    if origin is not None:
        own = {headers.get("host", "").lower(), urlsplit(public_url).netloc.lower()} - {""}
        scheme, _, host = origin.lower().partition("://")
        if scheme not in ("http", "https") or host not in own:
            raise Forbidden("this request came from another site")
    if site is None and origin is None:
        raise Forbidden("a request with a cookie must say its Origin; use an API key in scripts")


def check_loopback_host(headers: Mapping[str, str]) -> None:
    """Refuses a request under a foreign host name while no credential is asked for.

    Without this a web page could let its own name point at 127.0.0.1 and read everything.
    """
    try:
        host = urlsplit(f"//{headers.get('host', '')}").hostname
    except ValueError:
        host = None
    if host is None or (host not in _LOOPBACK and not host.endswith(".localhost")):
        raise Forbidden("without sign-in, Vagus answers only to localhost")
