"""The loop's body: every enabled monitor is evaluated once a minute, and episodes follow."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import prometheus_client
from sqlalchemy import select

from vagus.errors import VagusError
from vagus.measures.catalogue import Catalogue
from vagus.model.episode import Episode
from vagus.store.engine import Engine
from vagus.store.meta.db import Meta
from vagus.store.meta.tables import monitors, projects, slos
from vagus.watch import episodes as kept
from vagus.watch.defaults import ensure_defaults
from vagus.watch.lane import FALSE_ALARMS, Lane, march, open_lane
from vagus.watch.monitor import (
    BUDGET_PREFIX,
    POLICY_PREFIX,
    SLO_PREFIX,
    Monitor,
    decode_monitor,
)
from vagus.watch.slo import decode_slo, monitor_of
from vagus.watch.transition import Transition, close, key_of, known_of, transitions
from vagus.watch.verdict import states_of_lane

_log = logging.getLogger(__name__)
# Late spans mostly fall into so many minutes; they are judged again at each look.
LATE_MIN = 15
# Their episodes are opened and closed by who keeps the budgets.
_OF_BUDGETS = (BUDGET_PREFIX, POLICY_PREFIX)
_evaluations = prometheus_client.Counter(
    "vagus_watch_evaluations", "Evaluations of monitors, by outcome.", ["outcome"]
)
_seconds = prometheus_client.Histogram(
    "vagus_watch_evaluation_seconds", "Time one monitor took to evaluate, queries included."
)


class Watcher:
    """Evaluates the monitors and objectives of all projects; one caller at a time.

    `watermark_s` gives the epoch second up to which telemetry is settled and evaluated: only
    whole minutes before it are judged.
    """

    def __init__(
        self,
        engine: Engine,
        meta: Meta,
        catalogue: Catalogue,
        watermark_s: Callable[[], float],
        false_alarms: float = FALSE_ALARMS,
    ) -> None:
        self._meta = meta
        self._engine, self._catalogue = engine, catalogue
        self._false_alarms = false_alarms
        self._lanes: dict[tuple[str, str], Lane] = {}
        self._watermark_s = watermark_s
        self._judged: dict[tuple[str, str], tuple[Monitor, int]] = {}

    def tick(self, now_s: float) -> list[Transition]:
        """Evaluate what has a new minute to judge; returns what became of the episodes."""
        until_min = int(min(now_s, self._watermark_s()) // 60)
        found: list[Transition] = []
        for project in self._projects():
            ensure_defaults(self._meta, project, int(now_s * 1000))
            active = self._active(project)
            found += self._look(project, active, until_min)
            found += self._retire(project, {monitor.id for monitor in active}, until_min)
        return found

    def recheck(self) -> None:
        """Judge everything again from the start at the next tick: old telemetry has come in."""
        self._lanes.clear()
        self._judged.clear()

    def _projects(self) -> list[str]:
        with self._meta.read() as connection:
            return list(connection.execute(select(projects.c.id).order_by(projects.c.id)).scalars())

    def _active(self, project: str) -> list[Monitor]:
        """The project's enabled monitors and its objectives; one that cannot be read is skipped."""
        with self._meta.read() as connection:
            query = select(monitors.c.spec).where(monitors.c.project == project, monitors.c.enabled)
            specs = list(connection.execute(query.order_by(monitors.c.id)).scalars())
            query = select(slos.c.spec).where(slos.c.project == project).order_by(slos.c.id)
            objectives = list(connection.execute(query).scalars())
        return [
            *_readable(decode_monitor, specs),
            *_readable(
                lambda spec: monitor_of(decode_slo(spec)),
                [spec for spec in objectives if spec.get("severity") != "none"],
            ),
        ]

    def _look(self, project: str, active: Sequence[Monitor], until_min: int) -> list[Transition]:
        """Judge the project's monitors together; one that fails is shown, and stops no other."""
        ready: list[tuple[Lane, list[Episode]]] = []
        settled_min = until_min - LATE_MIN
        for monitor in active:
            key = (project, monitor.id)
            if self._judged.get(key) == (monitor, until_min):
                continue
            self._judged[key] = (monitor, until_min)
            try:
                ready.append(self._prepared(monitor, settled_min))
            except VagusError as e:
                self._failed(monitor, until_min, e)
        looks = self._advance(ready, settled_min, until_min)
        return [t for lane, known in looks for t in self._write(lane, known)]

    def _failed(self, monitor: Monitor, until_min: int, error: VagusError) -> None:
        _log.warning("monitor %s of %s failed: %s", monitor.id, monitor.project, error)
        _evaluations.labels("failed").inc()
        self._lanes.pop((monitor.project, monitor.id), None)
        states = kept.MonitorStates(judged_until_ms=until_min * 60_000, error=str(error))
        kept.write_states(self._meta, monitor.project, monitor.id, states)

    def _prepared(self, monitor: Monitor, settled_min: int) -> tuple[Lane, list[Episode]]:
        """The monitor's lane and the episodes that the store has of it."""
        key = (monitor.project, monitor.id)
        lane = self._lanes.get(key)
        if lane is None or lane.monitor != monitor or lane.until_min > settled_min:
            start_min = max(0, settled_min - monitor.horizon_min)
            lane = open_lane(self._engine, self._catalogue, monitor, start_min - start_min % 60)
            self._lanes[key] = lane
        since_ms = lane.until_min * 60_000
        known = kept.open_or_recent(self._meta, monitor.project, monitor.id, since_ms)
        lane.detector.facts.clear()
        for episode in known:
            if set(episode.group) == set(lane.feed.by):
                lane.tell(key_of(lane, episode), known_of(lane, episode))
        return lane, known

    def _advance(
        self, ready: Sequence[tuple[Lane, list[Episode]]], settled_min: int, until_min: int
    ) -> list[tuple[Lane, list[Episode]]]:
        """Settle what late data can hardly change any more, and look at the rest on trial."""
        began = time.perf_counter()
        lanes = [lane for lane, _ in ready]
        loaded_min = 0
        while lanes and loaded_min < until_min:
            now = min(lane.until_min for lane in lanes)
            loaded_min = min(until_min, now + min(lane.feed.chunk_min for lane in lanes))
            for lane in lanes:
                if lane.until_min < loaded_min:
                    lane.load(loaded_min)
            march(lanes, min(settled_min, loaded_min), self._false_alarms)
        looks = [(lane.clone(), known) for lane, known in ready]
        march([lane for lane, _ in looks], until_min, self._false_alarms)
        for lane in lanes:
            lane.block = None
            lane.ended()
        if lanes:
            _evaluations.labels("done").inc(len(lanes))
            _seconds.observe((time.perf_counter() - began) / len(lanes))
        return looks

    def _write(self, lane: Lane, known: Sequence[Episode]) -> list[Transition]:
        """Keep what the look found: the episodes, and what is said about each group."""
        monitor = lane.monitor
        found = transitions(lane, known)
        kept.write(self._meta, [transition.episode for transition in found])
        states = kept.MonitorStates(
            judged_until_ms=lane.until_min * 60_000,
            groups=states_of_lane(lane),
            groups_left_out=lane.feed.left_out,
        )
        kept.write_states(self._meta, monitor.project, monitor.id, states)
        return found

    def _retire(self, project: str, active: set[str], until_min: int) -> list[Transition]:
        """Open episodes whose monitor was deleted or switched off are resolved."""
        found = [
            close(episode, until_min, "the monitor was switched off")
            for episode in kept.open_episodes(self._meta, project)
            if episode.monitor_id not in active and not episode.monitor_id.startswith(_OF_BUDGETS)
        ]
        kept.write(self._meta, [transition.episode for transition in found])
        return found


def _readable(read: Callable[[Any], Monitor], specs: Iterable[Any]) -> Iterator[Monitor]:
    for spec in specs:
        try:
            yield read(spec)
        except VagusError as e:
            _log.warning("a stored monitor cannot be read: %s", e)
            _evaluations.labels("unreadable").inc()


def filter_of(meta: Meta, project: str, monitor_id: str) -> str:
    """The filter of a monitor or objective; '' when there is none or it is gone."""
    is_objective = monitor_id.startswith(SLO_PREFIX)
    table, key = (slos if is_objective else monitors), monitor_id.removeprefix(SLO_PREFIX)
    query = select(table.c.spec).where(table.c.project == project, table.c.id == key)
    with meta.read() as connection:
        spec = connection.execute(query).scalar()
    return str(spec.get("filter", "")) if spec else ""
