"""Questions to a server that the operator named: bounded, checked, never redirected."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlencode

import httpx

from vagus.config import InfraSettings
from vagus.errors import BadInput, ConfigError, Unavailable
from vagus.measures.promql import Infra, PrometheusSource, load_queries
from vagus.respond.address import Destination, bracketed, check_addresses, check_url
from vagus.store.engine import Engine

MAX_BYTES = 16 * 1024**2
TIMEOUT_S = 6.0
#: The operator named the host, so private networks are fine; where clouds keep credentials is not.
_ANYWHERE = (ipaddress.ip_network("0.0.0.0/0"), ipaddress.ip_network("::/0"))


class Inquiry:
    """Posts forms to paths under one address and gives back the body of a good answer."""

    def __init__(self, url: str, bearer: str = "") -> None:
        try:
            self._destination = check_url(url.rstrip("/"))
        except BadInput as e:
            raise ConfigError(f"infra.prometheus_url: {e}") from e
        self._credential = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        # Each question is checked and connected anew: a kept connection would outlive the check.
        self._client = httpx.Client(
            trust_env=False,
            follow_redirects=False,
            timeout=TIMEOUT_S,
            limits=httpx.Limits(max_keepalive_connections=0),
        )

    def __call__(self, path: str, form: Mapping[str, str]) -> bytes:
        """The body; raises `BadInput` when refused, `Unavailable` without a usable answer."""
        place = self._destination
        try:
            address = _checked_address(place)
            url = (
                f"{place.scheme}://{bracketed(address)}:{place.port}{place.path.rstrip('/')}{path}"
            )
            with self._client.stream(
                "POST",
                url,
                content=urlencode(form),
                headers={
                    "Host": place.host_header,
                    "Content-Type": "application/x-www-form-urlencoded",
                    **self._credential,
                },
                extensions={"sni_hostname": place.host},
            ) as answer:
                return _body(answer)
        except OSError as e:
            raise Unavailable(f"the name {place.host} does not resolve") from e
        except httpx.HTTPError as e:
            raise Unavailable(f"the connection failed: {type(e).__name__}") from e


def open_infra(settings: InfraSettings, engine: Engine) -> Infra:
    """Infrastructure as the settings want it: with a Prometheus server, or of OTLP alone."""
    if not settings.prometheus_url:
        return Infra(engine)
    queries = load_queries(Path(settings.queries)) if settings.queries else load_queries()
    projects = [part.strip() for part in settings.projects.split(",") if part.strip()]
    ask = Inquiry(settings.prometheus_url, settings.prometheus_bearer)
    return Infra(engine, PrometheusSource(ask, queries, projects))


def _checked_address(place: Destination) -> str:
    found = socket.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM)
    return str(check_addresses([str(entry[4][0]) for entry in found], _ANYWHERE)[0])


def _body(answer: httpx.Response) -> bytes:
    if answer.status_code >= 500 or answer.status_code == 429:
        raise Unavailable(f"the server answered {answer.status_code}")
    if answer.status_code != 200:
        raise BadInput(f"the server answered {answer.status_code}", field="query")
    taken = bytearray()
    for part in answer.iter_bytes():
        taken += part
        if len(taken) > MAX_BYTES:
            raise BadInput("the answer is too large", field="query", limit=f"{MAX_BYTES} bytes")
    return bytes(taken)
