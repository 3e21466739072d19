"""What is watched in a project, as feeds and gauges: objectives, monitors, and who fires."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from sqlalchemy import select

from vagus.errors import BadInput
from vagus.measures.catalogue import Catalogue, Direction, Kind
from vagus.measures.filter import check_dimension, parse, where
from vagus.present.export.feeds import Feed
from vagus.present.export.names import (
    MONITOR_DENOMINATOR,
    MONITOR_FIRING,
    MONITOR_NUMERATOR,
    SLO_BAD,
    SLO_EVENTS,
    label_name,
    label_value,
)
from vagus.store.meta.db import Meta
from vagus.store.meta.tables import monitors, slos
from vagus.watch.episodes import open_episodes
from vagus.watch.monitor import Monitor, Threshold, decode_monitor
from vagus.watch.slo import Slo, decode_slo

#: Beyond these, objectives and monitors have no series; a project with so many asks Vagus itself.
MAX_WATCHED = 200
_MAX_EPISODES = 500
_QUOTIENTS = (Kind.RATIO, Kind.MEAN)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Watched:
    """The objectives and enabled monitors of a project, by id."""

    project: str
    slos: tuple[Slo, ...]
    monitors: tuple[Monitor, ...]


def read_watched(meta: Meta, project: str) -> Watched:
    """What is watched now; a declaration that cannot be read is left out, as the watcher does."""
    with meta.read() as connection:
        query = select(slos.c.spec).where(slos.c.project == project)
        objectives = connection.execute(query.order_by(slos.c.id).limit(MAX_WATCHED)).scalars()
        found_slos = tuple(_readable(decode_slo, objectives))
        query = select(monitors.c.spec).where(monitors.c.project == project, monitors.c.enabled)
        specs = connection.execute(query.order_by(monitors.c.id).limit(MAX_WATCHED)).scalars()
        return Watched(project, found_slos, tuple(_readable(decode_monitor, specs)))


def _readable(decode: Callable[[Any], T], specs: Iterable[Any]) -> Iterator[T]:
    for spec in specs:
        try:
            yield decode(spec)
        except BadInput:
            continue


def watched_feeds(watched: Watched, catalogue: Catalogue) -> list[Feed]:
    """The counters of the objectives, and of the monitors that compare a quotient with a limit.

    One that can no longer be asked, as when its measure is gone, is left out: the others go on.
    """
    slos = (_slo_feed(slo, catalogue) for slo in watched.slos if _can_ask(slo, catalogue))
    native = (m for m in watched.monitors if has_native_rule(m, catalogue))
    return [*slos, *(_monitor_feed(monitor, catalogue) for monitor in native)]


def has_native_rule(monitor: Monitor, catalogue: Catalogue) -> bool:
    """Whether Prometheus can judge the monitor by itself: a limit on a quotient of sums."""
    return (
        isinstance(monitor.rule, Threshold)
        and _can_ask(monitor, catalogue)
        and catalogue.get(monitor.measure).kind in _QUOTIENTS
    )


def _can_ask(asked: Slo | Monitor, catalogue: Catalogue) -> bool:
    try:
        source = catalogue.get(asked.measure).source
        where(parse(asked.filter), source)
        for dimension in asked.by if isinstance(asked, Monitor) else ():
            check_dimension(dimension, source, "by")
    except BadInput:
        return False
    return True


def slo_labels(slo: Slo) -> dict[str, str]:
    """The labels that Sloth gives the series of an objective, so that its dashboards find ours."""
    return {
        "sloth_id": f"{slo.project}-{slo.id}",
        "sloth_service": slo.project,
        "sloth_slo": slo.id,
    }


def _slo_feed(slo: Slo, catalogue: Catalogue) -> Feed:
    measure = catalogue.get(slo.measure)
    return Feed(
        measure=measure,
        counters={"numerator": SLO_BAD, "denominator": SLO_EVENTS},
        labels=tuple(slo_labels(slo).items()),
        filter=slo.filter,
        counts_good=measure.direction is Direction.DOWN_IS_BAD,
    )


def _monitor_feed(monitor: Monitor, catalogue: Catalogue) -> Feed:
    return Feed(
        measure=catalogue.get(monitor.measure),
        counters={"numerator": MONITOR_NUMERATOR, "denominator": MONITOR_DENOMINATOR},
        labels=(("monitor", monitor.id),),
        by=monitor.by,
        filter=monitor.filter,
        split=tuple(label_name(dimension) for dimension in monitor.by),
    )


def firing_gauge(meta: Meta, watched: Watched) -> Metric:
    """1 for each group that fires and 0 for each monitor that does not, as Vagus judged it."""
    gauge = GaugeMetricFamily(
        MONITOR_FIRING,
        "Whether a monitor fires for a group, judged by Vagus; group is empty when none fires.",
        labels=["project", "monitor", "severity", "group"],
    )
    firing = open_episodes(meta, watched.project)[-_MAX_EPISODES:]
    for episode in firing:
        group = ",".join(f"{name}={value}" for name, value in sorted(episode.group.items()))
        labels = (watched.project, episode.monitor_id, episode.severity, label_value(group))
        gauge.add_metric([*labels], 1.0)
    quiet = {episode.monitor_id for episode in firing}
    for monitor in watched.monitors:
        if monitor.id not in quiet:
            gauge.add_metric([watched.project, monitor.id, monitor.severity, ""], 0.0)
    return gauge
