"""Two servers on one metadata database make one incident of one episode, not two."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import insert

from support.databases import running_postgresql
from vagus.audit.log import Audit
from vagus.model.episode import Episode, State
from vagus.respond import outbox
from vagus.respond.incident import list_incidents, read_incident
from vagus.respond.lifecycle import respond
from vagus.respond.targets import Targets
from vagus.store.meta.db import Meta
from vagus.store.meta.migrate import upgrade
from vagus.store.meta.tables import projects

_NOW_MS = 1_700_000_000_000


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database with the newest tables and the project `p`, once of each kind."""
    if request.param == "sqlite":
        yield _prepared(f"sqlite:///{tmp_path / 'meta.db'}")
    else:
        with running_postgresql() as address:
            yield _prepared(address)


def _prepared(url: str) -> str:
    meta = Meta(url)
    upgrade(meta)
    with meta.begin() as connection:
        connection.execute(insert(projects).values(id="p", name="P", created_ms=1))
    Targets(meta, Audit(meta)).create("p", "n", "https://a.example/", actor="u", now_ms=1)
    meta.close()
    return url


def _episode(number: int) -> Episode:
    return Episode(
        episode_id=f"e{number}",
        project="p",
        monitor_id=f"m{number}",
        monitor="Errors",
        measure="error_rate",
        group={"feature": str(number)},
        severity="page",
        state=State.FIRING,
        onset_ms=_NOW_MS,
        fired_ms=_NOW_MS,
    )


def test_servers_that_respond_at_once_open_each_incident_once(url: str) -> None:
    servers = [Meta(url) for _ in range(2)]
    waiting = threading.Barrier(2)
    episodes = [_episode(number) for number in range(10)]

    def serve(meta: Meta) -> None:
        waiting.wait(10)
        respond(meta, episodes, lambda _episode: None, _NOW_MS)

    threads = [threading.Thread(target=serve, args=(meta,)) for meta in servers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    incidents = list_incidents(servers[0], "p")
    assert sorted(incident.number for incident in incidents) == list(range(1, 11))
    assert sorted(e.episode_id for i in incidents for e in i.episodes) == sorted(
        episode.episode_id for episode in episodes
    )
    for incident in incidents:
        events = read_incident(servers[0], "p", incident.id)[1]
        assert [event.kind for event in events] == ["opened"]
    assert len(outbox.deliveries(servers[0], "p")) == 10
    for meta in servers:
        meta.close()
