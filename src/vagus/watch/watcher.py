"""The loop's body: every enabled monitor is evaluated once a minute, and episodes follow."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator
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
from vagus.watch.monitor import (
    BUDGET_PREFIX,
    POLICY_PREFIX,
    SLO_PREFIX,
    Monitor,
    decode_monitor,
)
from vagus.watch.points import Points
from vagus.watch.series import Answer, Reader
from vagus.watch.slo import decode_slo, monitor_of
from vagus.watch.transition import Transition, close, judge, transitions

_log = logging.getLogger(__name__)
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
    ) -> None:
        self._meta = meta
        self._reader = Reader(engine, catalogue)
        self._watermark_s = watermark_s
        self._judged: dict[tuple[str, str], tuple[Monitor, int]] = {}

    def tick(self, now_s: float) -> list[Transition]:
        """Evaluate what has a new minute to judge; returns what became of the episodes."""
        until_min = int(min(now_s, self._watermark_s()) // 60)
        found: list[Transition] = []
        for project in self._projects():
            ensure_defaults(self._meta, project, int(now_s * 1000))
            active = self._active(project)
            for monitor in active:
                key = (project, monitor.id)
                if self._judged.get(key) == (monitor, until_min):
                    continue
                found += self._guarded(monitor, until_min)
                self._judged[key] = (monitor, until_min)
            found += self._retire(project, {monitor.id for monitor in active}, until_min)
        return found

    def recheck(self) -> None:
        """Judge everything again from the start at the next tick: old telemetry has come in."""
        self._judged.clear()
        self._reader.forget()

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

    def _guarded(self, monitor: Monitor, until_min: int) -> list[Transition]:
        """One monitor's evaluation; its failure is shown and counted, and stops no other."""
        began = time.perf_counter()
        try:
            found = self._evaluate(monitor, until_min)
        except VagusError as e:
            _log.warning("monitor %s of %s failed: %s", monitor.id, monitor.project, e)
            _evaluations.labels("failed").inc()
            states = kept.MonitorStates(judged_until_ms=until_min * 60_000, error=str(e))
            kept.write_states(self._meta, monitor.project, monitor.id, states)
            return []
        _evaluations.labels("done").inc()
        _seconds.observe(time.perf_counter() - began)
        return found

    def _evaluate(self, monitor: Monitor, until_min: int) -> list[Transition]:
        since_ms = (until_min - monitor.horizon_min) * 60_000
        known = kept.open_or_recent(self._meta, monitor.project, monitor.id, since_ms)
        answer = self._reader.read(monitor, until_min)
        groups = dict(answer.groups)
        for episode in known:
            key = tuple(episode.group.get(name, "") for name in monitor.by)
            if episode.resolved_ms is None and key not in groups:
                groups |= self._one_group(monitor, answer, episode)
        found: list[Transition] = []
        states: list[kept.GroupState] = []
        for key, points in groups.items():
            group = dict(zip(monitor.by, key, strict=True))
            of_group = [episode for episode in known if episode.group == group]
            verdict = judge(monitor, points, answer.is_up_bad, of_group)
            states.append(kept.state_of(group, verdict))
            found += transitions(monitor, group, verdict, of_group, answer.end_min)
        kept.write(self._meta, [transition.episode for transition in found])
        kept.write_states(
            self._meta,
            monitor.project,
            monitor.id,
            kept.MonitorStates(
                judged_until_ms=answer.end_min * 60_000,
                groups=states,
                groups_left_out=answer.truncated,
            ),
        )
        return found

    def _one_group(
        self, monitor: Monitor, answer: Answer, episode: Episode
    ) -> dict[tuple[str, ...], Points]:
        """A group with an open episode that is no longer among the largest, or has no data."""
        key = tuple(episode.group.get(name, "") for name in monitor.by)
        alone = self._reader.read_group(monitor, answer.end_min, episode.group)
        start_min = answer.end_min - monitor.horizon_min
        return {key: alone.groups.get(key, Points.of((), start_min, answer.end_min))}

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
