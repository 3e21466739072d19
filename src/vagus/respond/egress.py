"""The way out: one POST to a checked address, with caps on time and without redirects."""

from __future__ import annotations

import ipaddress
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

import anyio
import httpx

from vagus.errors import ConfigError, Unavailable
from vagus.respond.address import Destination, Network, bracketed, check_addresses, check_url

Resolve = Callable[[str, int], Awaitable[list[str]]]

TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What the other side said: never its body, which nobody here needs to see."""

    status: int
    retry_after: str


async def resolve_host(host: str, port: int) -> list[str]:
    """The addresses of a host, from the system's resolver."""
    found = await anyio.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


def parse_networks(ranges: Sequence[str]) -> tuple[Network, ...]:
    """The ranges an operator allows, such as 10.1.0.0/16; raises `ConfigError`."""
    try:
        return tuple(ipaddress.ip_network(text) for text in ranges)
    except ValueError as e:
        raise ConfigError(f"an allowed range must be like 10.1.0.0/16: {e}") from e


class Egress:
    """Posts to URLs that people typed; `allow_private` names the private ranges that are fine."""

    def __init__(
        self,
        *,
        allow_private: Sequence[str] = (),
        resolve: Resolve = resolve_host,
        timeout_s: float = TIMEOUT_S,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._allowed = parse_networks(allow_private)
        self._resolve = resolve
        self._timeout_s = timeout_s
        self._tls = tls or ssl.create_default_context()

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Sends `body`; raises `BadInput` for a forbidden address, `Unavailable` without answer."""
        destination = check_url(url)
        try:
            with anyio.fail_after(self._timeout_s):
                address = await self._checked_address(destination)
                return await self._send(destination, address, body, headers)
        except TimeoutError as e:
            raise Unavailable(f"no answer within {self._timeout_s:g} s") from e
        except (OSError, UnicodeError) as e:
            raise Unavailable(f"the name {destination.host} does not resolve") from e
        except httpx.HTTPError as e:
            # The class says enough; its text may repeat bytes of the other side.
            raise Unavailable(f"the connection failed: {type(e).__name__}") from e

    async def _checked_address(self, destination: Destination) -> str:
        found = await self._resolve(destination.host, destination.port)
        return str(check_addresses(found, self._allowed)[0])

    async def _send(
        self, destination: Destination, address: str, body: bytes, headers: Mapping[str, str]
    ) -> Answer:
        # The checked address itself goes into the URL, so nothing resolves the name again;
        # certificate and virtual host still belong to the name.
        place = f"{destination.scheme}://{bracketed(address)}:{destination.port}{destination.path}"
        client = httpx.AsyncClient(
            verify=self._tls, trust_env=False, follow_redirects=False, timeout=self._timeout_s
        )
        async with (
            client,
            client.stream(
                "POST",
                place,
                content=body,
                headers={**headers, "Host": destination.host_header},
                extensions={"sni_hostname": destination.host},
            ) as response,
        ):
            return Answer(response.status_code, response.headers.get("retry-after", ""))


def retry_after_ms(text: str, now_ms: int) -> int:
    """The wait that a `Retry-After` header asks for: seconds or a date; 0 if it says nothing."""
    if text.isascii() and text.isdigit() and len(text) < 10:
        return int(text) * 1000
    try:
        return max(0, int(parsedate_to_datetime(text).timestamp() * 1000) - now_ms)
    except (ValueError, TypeError, OverflowError):
        return 0
