"""Real published clients, unmodified, against a whole server: what they say is read back."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from conformance.client import Client, all_clients
from conformance.comparing import differences
from conformance.matrix import Matrix
from conformance.process import run_client
from conformance.reading import Seen, read_all
from support.serving import Serving, Tenant

#: How long what was sent may take to be settled and as expected.
PATIENCE_S = 15.0
CLIENTS = [
    pytest.param(c, id=c.name, marks=() if c.is_fast else pytest.mark.conformance)
    for c in all_clients()
]


@pytest.mark.parametrize("client", CLIENTS)
def test_what_an_unmodified_client_says_is_what_is_read_back(
    client: Client, receiving: Serving, provider_url: str, matrix: Matrix, tmp_path: Path
) -> None:
    tenant = receiving.tenant(client.project)

    wrong = run_client(client, _places(receiving, tenant, provider_url), tmp_path)
    wrong += _await(client, tenant)
    matrix.results[client.name] = wrong

    assert not wrong, "\n".join(wrong)


def _places(server: Serving, tenant: Tenant, provider_url: str) -> dict[str, str]:
    host, port = re.findall(r"^http://(.+):(\d+)$", server.url)[0]
    grpc = server.grpc if "://" in server.grpc else f"http://{server.grpc}"
    return {
        "url": server.url,
        "host": host,
        "port": port,
        "grpc": grpc,
        "grpc_port": grpc.rpartition(":")[2],
        "key": tenant.ingest_key,
        "provider": provider_url,
    }


def _await(client: Client, tenant: Tenant) -> list[str]:
    """What differs once everything has settled, or at the end of the patience."""
    deadline_s = time.monotonic() + PATIENCE_S
    while True:
        seen = read_all(tenant)
        wrong = differences(client, seen) + _unsettled(seen)
        is_late = time.monotonic() > deadline_s
        if is_late or (not wrong and _is_quiet(tenant)):
            return wrong
        time.sleep(0.2)


def _unsettled(seen: Seen) -> list[str]:
    return [] if seen.is_settled else ["some traces have not settled"]


def _is_quiet(tenant: Tenant) -> bool:
    answer = tenant.api.get("/api/v1/health/ingest")
    assert answer.status_code == 200, answer.text
    return bool(answer.json()["backlog_bytes"] == 0)
