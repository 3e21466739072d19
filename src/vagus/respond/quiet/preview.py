"""What a silence would cover if it were made now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

from vagus.respond.members import OPEN_STATES, members_of
from vagus.respond.quiet.matcher import Matcher, labels_of, match_all, speaking
from vagus.store.meta.db import Meta
from vagus.store.meta.tables import incidents


@dataclass(frozen=True, slots=True)
class Preview:
    """How many open incidents would go silent, which, and how many episodes are covered."""

    incidents: int
    episodes: int
    incident_numbers: list[int]


def preview(meta: Meta, project: str, matchers: Sequence[Matcher]) -> Preview:
    """The open incidents all of whose firing episodes match, and the episodes that match."""
    query = (
        select(incidents.c.id, incidents.c.number, incidents.c.cause)
        .where(incidents.c.project == project, incidents.c.state.in_(OPEN_STATES))
        .order_by(incidents.c.number)
    )
    with meta.read() as connection:
        rows = connection.execute(query).all()
        members = members_of(connection, [row.id for row in rows])
    numbers: list[int] = []
    covered = 0
    for row in rows:
        spoken = list(speaking(members.get(row.id, ())))
        matching = [e for e in spoken if match_all(matchers, labels_of(e, row.cause))]
        covered += len(matching)
        if spoken and len(matching) == len(spoken):
            numbers.append(row.number)
    return Preview(len(numbers), covered, numbers)
