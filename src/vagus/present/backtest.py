"""What monitors would have said of a stretch of the past, judged by event time; tells nobody."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import msgspec

from vagus.diagnose.diagnose import diagnose
from vagus.errors import BadInput
from vagus.measures.catalogue import Catalogue
from vagus.model.episode import Episode
from vagus.model.finding import Finding
from vagus.respond.incident import Incident, list_incidents
from vagus.store.engine import Engine
from vagus.store.meta.db import Meta
from vagus.watch.circumstances import read_circumstances
from vagus.watch.classify import classify
from vagus.watch.monitor import Monitor
from vagus.watch.replay import replay_all

LONGEST_S = 92 * 86_400
#: So many episodes are diagnosed, the earliest first; of the others only their number is told.
MOST_FINDINGS = 200
_MOST_INCIDENTS = 1000
#: An incident counts as found when an episode began this near to its time.
_NEAR_MS = 30 * 60_000
_AT_ONCE = 2


@dataclass(frozen=True, slots=True)
class Judged:
    """One episode that would have been, with what would have been said of it.

    `chance` is that of being systematic. `finding` is None beyond the number that is diagnosed.
    """

    episode: Episode
    chance: float
    finding: Finding | None


@dataclass(frozen=True, slots=True)
class Known:
    """An incident that there was, and when the first episode near it would have been detected."""

    incident: Incident
    detected_ms: int | None


@dataclass(frozen=True, slots=True)
class Backtest:
    """All episodes by onset, the incidents of that time, and how many lack a finding."""

    episodes: tuple[Judged, ...]
    incidents: tuple[Known, ...]
    undiagnosed: int


def backtest(
    engine: Engine,
    meta: Meta,
    catalogue: Catalogue,
    project: str,
    monitors: Sequence[Monitor],
    window_s: tuple[int, int],
    with_findings: bool = True,
) -> Backtest:
    """Replay monitors over `window_s`; raises `BadInput` for a stretch that is too long."""
    start_s, end_s = window_s
    if end_s - start_s > LONGEST_S:
        limit = f"{LONGEST_S // 86_400} days"
        raise BadInput("the stretch is too long to replay", field="from", limit=limit)
    by_id = {monitor.id: monitor for monitor in monitors}
    found = replay_all(engine, catalogue, monitors, start_s // 60, -(-end_s // 60))
    found.sort(key=lambda e: (e.onset_ms, e.fired_ms, e.episode_id))
    asked = min(len(found), MOST_FINDINGS) if with_findings else 0

    def judge(place: int) -> Judged:
        episode = found[place]
        narrowing = by_id[episode.monitor_id].filter
        seen = read_circumstances(engine, catalogue, episode, narrowing, end_s * 1000)
        word, signs, chance = classify(seen)
        classed = msgspec.structs.replace(episode, classification=word, signs=signs)
        if place >= asked:
            return Judged(classed, chance, None)
        finding = diagnose(
            engine,
            meta,
            catalogue,
            project=project,
            measure=episode.measure,
            filter=narrowing,
            group=episode.group,
            onset_ms=episode.onset_ms,
            now_ms=end_s * 1000,
        )
        return Judged(classed, chance, finding)

    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="vagus-backtest") as pool:
        judged = tuple(pool.map(judge, range(len(found))))
    known = _known(meta, project, found, (start_s * 1000, end_s * 1000))
    return Backtest(judged, known, len(found) - asked if with_findings else 0)


def _known(
    meta: Meta, project: str, found: Sequence[Episode], window_ms: tuple[int, int]
) -> tuple[Known, ...]:
    """The incidents that began in the window, and whether an episode near them was found."""
    rows = []
    for incident in list_incidents(meta, project, limit=_MOST_INCIDENTS):
        if not window_ms[0] <= incident.occurred_ms < window_ms[1]:
            continue
        near = [e.fired_ms for e in found if abs(e.onset_ms - incident.occurred_ms) <= _NEAR_MS]
        rows.append(Known(incident, min(near, default=None)))
    return tuple(sorted(rows, key=lambda known: known.incident.occurred_ms))
