"""The way out of remote-write: one POST to the address that the operator set, nowhere else."""

from __future__ import annotations

from collections.abc import Mapping

import httpx

from vagus.errors import ConfigError, Unavailable

_TIMEOUT_S = 30.0
_HEADERS = {
    "Content-Type": "application/x-protobuf",
    "Content-Encoding": "snappy",
    "X-Prometheus-Remote-Write-Version": "0.1.0",
    "User-Agent": "vagus",
}


class Sender:
    """Posts bodies; redirects are not followed and proxies of the environment are not used."""

    def __init__(self, url: str, *, bearer: str = "", headers: Mapping[str, str]) -> None:
        if not url.startswith(("http://", "https://")):
            raise ConfigError(
                "export.remote_write_url must be like http://prometheus:9090/api/v1/write"
            )
        self._url = url
        credential = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        self._client = httpx.Client(
            headers={**headers, **_HEADERS, **credential},
            trust_env=False,
            follow_redirects=False,
            timeout=_TIMEOUT_S,
        )

    def __call__(self, body: bytes) -> int:
        """Send one body; the status of the answer. Raises `Unavailable` when there was none."""
        try:
            return self._client.post(self._url, content=body).status_code
        except httpx.HTTPError as e:
            raise Unavailable(f"remote-write got no answer: {type(e).__name__}") from e

    def close(self) -> None:
        """Let the connection go."""
        self._client.close()


def parse_headers(text: str) -> dict[str, str]:
    """Headers written as `Name=value,Other=value`; raises `ConfigError`."""
    found = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, sign, value = part.partition("=")
        if not sign or not name.strip() or not (name + value).isprintable():
            raise ConfigError("export.remote_write_headers must be like X-Scope-OrgID=team,Other=1")
        found[name.strip()] = value.strip()
    return found
