"""What monitors would have said over a stretch of event time, by the very detectors that watch.

Nothing is stored and nobody is told. History that was pushed in afterwards can be judged that way,
and a monitor before it is saved.
"""

from __future__ import annotations

from collections.abc import Sequence

from vagus.measures.catalogue import Catalogue
from vagus.model.episode import Episode
from vagus.store.engine import Engine
from vagus.watch.lane import FALSE_ALARMS, Lane, march, open_lane
from vagus.watch.monitor import Monitor
from vagus.watch.transition import closed_episode, opened_episode

# A detector begins a day before the stretch, as far back as the live one looks when it starts.
LEAD_MIN = 1440


def replay(
    engine: Engine, catalogue: Catalogue, monitor: Monitor, start_min: int, end_min: int
) -> list[Episode]:
    """The episodes of one monitor, as if it were the project's only one."""
    return replay_all(engine, catalogue, [monitor], start_min, end_min)


def replay_all(
    engine: Engine,
    catalogue: Catalogue,
    monitors: Sequence[Monitor],
    start_min: int,
    end_min: int,
    false_alarms: float = FALSE_ALARMS,
) -> list[Episode]:
    """The episodes that touch `[start_min, end_min)`, by the time of their alarm.

    All monitors are gone through in step, because they share the project's budget of false alarms.
    """
    begin = max(0, start_min - LEAD_MIN)
    begin -= begin % 60
    lanes = [open_lane(engine, catalogue, monitor, begin) for monitor in monitors]
    now = begin
    while now < end_min and lanes:
        upto = min(end_min, now + min(lane.feed.chunk_min for lane in lanes))
        for lane in lanes:
            lane.load(upto)
        march(lanes, upto, false_alarms)
        now = upto
    found = [episode for lane in lanes for episode in _episodes(lane)]
    touching = [e for e in found if e.resolved_ms is None or e.resolved_ms >= start_min * 60_000]
    return sorted(touching, key=lambda episode: (episode.fired_ms, episode.episode_id))


def _episodes(lane: Lane) -> list[Episode]:
    """The episodes of a lane, each alarm with the end that follows it."""
    by_row: dict[int, list[tuple[int, str]]] = {}
    for closed in lane.detector.closed:
        by_row.setdefault(closed.row, []).append((closed.minute, closed.reason))
    episodes = []
    for opened in lane.detector.opened:
        episode = opened_episode(lane, opened)
        ends = iter(end for end in by_row.get(opened.row, ()) if end[0] >= opened.fired_min)
        end = next(ends, None)
        episodes.append(episode if end is None else closed_episode(lane, episode, *end))
    return episodes
