"""Which addresses Vagus may talk to when a person types an URL: the checks against SSRF.

Two checks, both needed: the form of the URL when it is saved and when it is used, and the
addresses its name stands for at the moment of connecting.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass

from vagus.errors import BadInput

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_URL = re.compile(
    r"(?P<scheme>https?)://"
    r"(?P<host>\[[0-9a-fA-F:.]+\]|[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?)"
    r"(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<path>/[A-Za-z0-9/._~!$&'()*+,;=:@%-]*)?"
    r"(?P<query>\?[A-Za-z0-9/?._~!$&'()*+,;=:@%-]*)?"
)
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_URL_LIMIT = 2000

# Written out, because what the standard library calls private differs between its versions.
_BLOCKED = tuple(
    ipaddress.ip_network(network)
    for network in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "::/3",  # unspecified, loopback, IPv4-mapped, IPv4-compatible, NAT64: all below 2000::
        "2001::/23",  # Teredo and other protocol assignments
        "2001:db8::/32",
        "2002::/16",  # 6to4 carries an IPv4 address inside
        "3fff::/20",
        "4000::/2",  # nothing is assigned from here upwards but what follows
        "8000::/1",  # unique local, link-local and multicast among them
    )
)
# Where clouds hand out credentials: refused even inside a range that is allowed.
_METADATA = frozenset(
    ipaddress.ip_address(address)
    for address in (
        "169.254.169.254",
        "169.254.170.2",
        "169.254.170.23",
        "100.100.100.200",
        "168.63.129.16",
        "192.0.0.192",
        "fd00:ec2::254",
        "fd00:ec2::23",
        "fd20:ce::254",
    )
)


@dataclass(frozen=True, slots=True)
class Destination:
    """An URL that has an acceptable form, taken apart; `host` is a name or an address."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def is_default_port(self) -> bool:
        """Whether the port is the scheme's own."""
        return self.port == (443 if self.scheme == "https" else 80)

    @property
    def host_header(self) -> str:
        """What the `Host` header says."""
        name = bracketed(self.host)
        return name if self.is_default_port else f"{name}:{self.port}"


def check_url(url: str) -> Destination:
    """The parts of an URL that may be posted to; raises `BadInput` with the reason.

    The grammar is narrower than the standard's on purpose: what two parsers could read in two
    ways (user names, backslashes, control characters, odd spellings of numbers) is refused.
    """
    match = _URL.fullmatch(url) if len(url) <= _URL_LIMIT else None
    if match is None:
        raise BadInput(
            "the URL must look like https://host[:port]/path, in plain ASCII, without a user name "
            "or a fragment",
            field="url",
            limit=f"{_URL_LIMIT} characters",
        )
    host = _check_host(match["host"].lower())
    port = int(match["port"] or (443 if match["scheme"] == "https" else 80))
    if port not in (80, 443) and not 1024 <= port <= 65535:
        raise BadInput("the port must be 80, 443 or 1024 to 65535", field="url")
    return Destination(match["scheme"], host, port, (match["path"] or "/") + (match["query"] or ""))


def check_addresses(addresses: Sequence[str], allowed: Sequence[Network] = ()) -> list[Address]:
    """The addresses a name stands for, all acceptable; raises `BadInput` if one is not.

    One bad address spoils the name: a list that mixes public and private is an attack or a mistake.
    """
    parsed = [ipaddress.ip_address(address) for address in addresses]
    if not parsed:
        raise BadInput("the host has no address", field="url")
    for address in parsed:
        if is_blocked(address, allowed):
            raise BadInput(
                "the host is on a private, local or reserved network; an operator can allow it",
                field="url",
            )
    return parsed


def is_blocked(address: Address, allowed: Sequence[Network] = ()) -> bool:
    """Whether Vagus must not connect to this address, given the ranges the operator allows."""
    plain = ipaddress.ip_address(int(address)) if address.version == 4 else _unzoned(address)
    if plain in _METADATA:
        return True
    if any(plain.version == network.version and plain in network for network in allowed):
        return False
    return any(plain.version == network.version and plain in network for network in _BLOCKED)


def bracketed(host: str) -> str:
    """The host as it is written in an URL."""
    return f"[{host}]" if ":" in host else host


def _unzoned(address: Address) -> Address:
    # A zone says which network card to use; it must not decide whether two addresses are equal.
    return ipaddress.IPv6Address(int(address))


def _check_host(host: str) -> str:
    if host.startswith("["):
        try:
            return str(ipaddress.IPv6Address(host[1:-1]))
        except ValueError as e:
            raise BadInput("the URL has a malformed IPv6 address", field="url") from e
    labels = host.split(".")
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise BadInput("the URL has a malformed host name", field="url")
    # Resolvers read 2130706433, 0x7f.1 and 017700000001 as addresses; only a.b.c.d is one here.
    if labels[-1].isdigit() or re.fullmatch(r"0x[0-9a-f]*", labels[-1]):
        try:
            return str(ipaddress.IPv4Address(host))
        except ValueError as e:
            raise BadInput("write an IPv4 address as four decimal numbers", field="url") from e
    return host
