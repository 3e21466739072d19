"""The post-mortem of one incident, with its numbers read from the telemetry as it is now."""

from __future__ import annotations

from vagus.errors import BadInput
from vagus.measures.catalogue import Catalogue
from vagus.model.filter import quote
from vagus.present.api.services import Services
from vagus.respond.incident import Incident, read_incident
from vagus.respond.postmortem import Number, Story, postmortem
from vagus.respond.query import Query, Reading, read
from vagus.respond.response import actions_of, known_of, links_of
from vagus.store.engine import Engine

_NUMBER_LIMIT = 8
_BEFORE_MS = 86_400_000


def write_postmortem(services: Services, project: str, incident_id: str) -> str:
    """The Markdown of an incident's post-mortem."""
    incident, events = read_incident(services.meta, project, incident_id)
    with services.meta.read() as connection:
        known = known_of(connection, incident_id)
        links = links_of(connection, incident_id)
        actions = actions_of(connection, incident_id)
    now_ms = services.now_ms()
    numbers = numbers_of(services.engine, services.catalogue, incident, now_ms)
    return postmortem(Story(incident, events, known, links, actions, numbers), now_ms)


def numbers_of(
    engine: Engine, catalogue: Catalogue, incident: Incident, now_ms: int
) -> list[Number]:
    """What its monitors measured, during it and over the day before it."""
    groups = [(e.measure, tuple(sorted(e.group.items()))) for e in incident.episodes]
    # How many requests were in its reach stands beside what was measured of them.
    asked = dict.fromkeys(pair for one in groups for pair in (one, ("requests", one[1])))
    end_ms = incident.resolved_ms or now_ms
    during_s = (incident.occurred_ms // 1000, max(end_ms, incident.occurred_ms + 60_000) // 1000)
    before_s = ((incident.occurred_ms - _BEFORE_MS) // 1000, incident.occurred_ms // 1000)
    found: list[Number] = []
    for measure, group in list(asked)[:_NUMBER_LIMIT]:
        if measure not in catalogue:
            continue
        words = " ".join(f"{name}:{quote(value)}" for name, value in group)
        query = Query(measure, (), words)
        readings = [
            _one(engine, catalogue, incident.project, query, window)
            for window in (during_s, before_s)
        ]
        found.append(Number(measure, catalogue.get(measure).unit, dict(group), *readings))
    return found


def _one(
    engine: Engine, catalogue: Catalogue, project: str, query: Query, window_s: tuple[int, int]
) -> Reading | None:
    try:
        answer = read(engine, catalogue, project, query, window_s)
    except BadInput:
        # A monitor may be about something that a slice cannot ask, such as a budget.
        return None
    return answer[0] if answer else None
