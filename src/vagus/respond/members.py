"""The episodes of incidents."""

from __future__ import annotations

import msgspec
from sqlalchemy import Connection, select

from vagus.model.episode import Episode
from vagus.store.meta.tables import episodes, incident_episodes

OPEN_STATES = ("open", "acknowledged")


def members_of(connection: Connection, incident_ids: list[str]) -> dict[str, tuple[Episode, ...]]:
    """The episodes of each incident, by onset."""
    query = (
        select(incident_episodes.c.incident_id, episodes.c.data)
        .join(episodes, episodes.c.id == incident_episodes.c.episode_id)
        .where(incident_episodes.c.incident_id.in_(incident_ids))
        .order_by(episodes.c.onset_ms, episodes.c.id)
    )
    found: dict[str, tuple[Episode, ...]] = {}
    for row in connection.execute(query):
        episode = msgspec.convert(row.data, Episode)
        found[row.incident_id] = (*found.get(row.incident_id, ()), episode)
    return found
