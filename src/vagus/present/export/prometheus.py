"""`/metrics`: how this process does, and what the measures of one project were a moment ago.

Measures are gauges over the last five whole minutes, and counters and histograms since the first
scrape of this process, from which Prometheus makes any other window. A value that is unknown has
no sample, never a zero. Labels are the project, and the service or the model where there are few;
what goes beyond the cap is summed up as `_other` where summing makes sense, and counted everywhere.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric

from vagus.errors import VagusError
from vagus.measures.catalogue import Catalogue, Kind, Measure
from vagus.measures.slice import Request, Slice, slice_measure
from vagus.present.export.families import advance, counter_families, histogram_families
from vagus.present.export.feeds import measure_feeds
from vagus.present.export.names import BY_LABEL, MAX_GROUPS, OTHER, SPLIT, gauge_name, label_value
from vagus.present.export.tally import Tally
from vagus.present.export.watched import firing_gauge, read_watched, watched_feeds
from vagus.store.engine import Engine
from vagus.store.meta.db import Meta

WINDOW_S = 300
#: A scraper that comes back after longer finds its counters begun again, not a day to be read.
_LONGEST_GAP_S = 3600
_ADDITIVE = (Kind.COUNT, Kind.SUM)


@dataclass(frozen=True, slots=True)
class _Kept:
    minute: int
    families: list[Metric]
    tally: Tally


class PrometheusPage:
    """Renders the page of a project; its measures are asked for once a minute.

    `watermark_s` is the epoch second up to which telemetry is settled: counters stop there.
    """

    def __init__(
        self,
        engine: Engine,
        meta: Meta,
        catalogue: Catalogue,
        watermark_s: Callable[[], float] | None = None,
    ) -> None:
        self._engine = engine
        self._meta = meta
        self._catalogue = catalogue
        self._watermark_s = watermark_s
        self._lock = threading.Lock()
        self._kept: dict[str, _Kept] = {}

    def render(self, project: str, now_s: int, accept: str = "") -> tuple[bytes, str]:
        """The whole page and its media type: OpenMetrics where `accept` asks for it."""
        encode, media_type = choose_encoder(accept)
        registry = CollectorRegistry()
        registry.register(_Families([*REGISTRY.collect(), *self._families_of(project, now_s)]))
        return encode(registry), media_type

    def _families_of(self, project: str, now_s: int) -> list[Metric]:
        minute = now_s // 60
        # Two scrapes at once would ask the same; the second waits and reads what the first found.
        with self._lock:
            kept = self._kept.get(project)
            if kept is None or kept.minute != minute:
                kept = self._read(project, minute, kept)
                self._kept[project] = kept
        return kept.families

    def _read(self, project: str, minute: int, before: _Kept | None) -> _Kept:
        end_s = minute * 60
        settled_s = min(end_s, int(self._watermark_s() if self._watermark_s else end_s) // 60 * 60)
        tally = before.tally if before else Tally(project, settled_s - WINDOW_S)
        if settled_s - tally.minute_s > _LONGEST_GAP_S:
            tally = Tally(project, settled_s)
        watched = read_watched(self._meta, project)
        feeds = [*measure_feeds(self._catalogue), *watched_feeds(watched, self._catalogue)]
        advance(self._engine, feeds, tally, settled_s)
        families = [
            *measure_gauges(self._engine, self._catalogue, project, end_s),
            *counter_families(tally),
            *histogram_families(tally),
            firing_gauge(self._meta, watched),
        ]
        return _Kept(minute, families, tally)


def measure_gauges(
    engine: Engine, catalogue: Catalogue, project: str, end_s: int
) -> Iterator[Metric]:
    """Every measure over the last five minutes before a whole minute, in total and split."""
    left_out = GaugeMetricFamily(
        "vagus_measure_groups_left_out",
        f"Groups beyond the {MAX_GROUPS} largest, which have no sample of their own.",
        labels=["project", "measure"],
    )
    failed = GaugeMetricFamily(
        "vagus_measure_failed", "Measures that could not be asked for.", labels=["project"]
    )
    failures = 0
    for measure in catalogue:
        try:
            total, split = _ask(engine, catalogue, measure, project, end_s)
        except VagusError:
            # One measure that fails must not hide the others; the count tells of it.
            failures += 1
            continue
        yield from _of_measure(measure, project, total, split)
        left_out.add_metric([project, measure.id], split.truncated)
    failed.add_metric([project], failures)
    yield from (left_out, failed)


def _ask(
    engine: Engine, catalogue: Catalogue, measure: Measure, project: str, end_s: int
) -> tuple[Slice, Slice]:
    window = (max(0, end_s - WINDOW_S), end_s)
    total = Request(measure.id, *window)
    split = Request(measure.id, *window, by=(SPLIT[measure.table],), limit=MAX_GROUPS)
    return (
        slice_measure(engine, project, total, catalogue),
        slice_measure(engine, project, split, catalogue),
    )


class _Families:
    """A collector of families that are known already."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterator[Metric]:
        yield from self._families


def _of_measure(measure: Measure, project: str, total: Slice, split: Slice) -> list[Metric]:
    by = BY_LABEL[SPLIT[measure.table]]
    about = f"{measure.name}, over the last {WINDOW_S // 60} minutes; unit: {measure.unit}."
    name = gauge_name(measure.id)
    whole = GaugeMetricFamily(name, about, labels=["project"])
    parts = GaugeMetricFamily(f"{name}_by_{by}", f"{about} By {by}.", labels=["project", by])
    value = total.series[0].total.value
    if value is not None:
        whole.add_metric([project], value)
    shown = 0.0
    for series in split.series:
        if series.total.value is not None:
            parts.add_metric([project, label_value(series.key[0])], series.total.value)
            shown += series.total.value
    if split.truncated and measure.kind in _ADDITIVE and value is not None:
        parts.add_metric([project, OTHER], value - shown)
    return [whole, parts]
