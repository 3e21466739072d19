"""`/metrics`: how this process does, and what the measures of one project were a moment ago.

Measures are gauges over the last five whole minutes. A value that is unknown has no sample, never
a zero. Labels are the project, and the service or the model where there are few; what goes beyond
the cap is summed up as `_other` where summing makes sense, and counted everywhere.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import generate_latest
from prometheus_client.metrics_core import Metric

from vagus.errors import VagusError
from vagus.measures.catalogue import Catalogue, Kind, Measure
from vagus.measures.slice import Request, Slice, slice_measure
from vagus.store.engine import Engine

WINDOW_S = 300
MAX_GROUPS = 20
OTHER = "_other"
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

# What a measure is split by: the table's rows belong to a service, or are calls of a model.
_SPLIT = {"traces": "service", "steps": "model", "scores": "name"}
_LABEL = {"service": "service", "model": "model", "name": "score"}
_ADDITIVE = (Kind.COUNT, Kind.SUM)
_LONGEST_LABEL = 200


@dataclass(frozen=True, slots=True)
class _Rendered:
    minute: int
    text: bytes


class PrometheusPage:
    """Renders the page of a project; its measures are asked for once a minute."""

    def __init__(self, engine: Engine, catalogue: Catalogue) -> None:
        self._engine = engine
        self._catalogue = catalogue
        self._lock = threading.Lock()
        self._kept: dict[str, _Rendered] = {}

    def render(self, project: str, now_s: int) -> bytes:
        """The whole page, in Prometheus' text format."""
        return generate_latest(REGISTRY) + self._measures(project, now_s)

    def _measures(self, project: str, now_s: int) -> bytes:
        minute = now_s // 60
        # Two scrapes at once would ask the same; the second waits and reads what the first found.
        with self._lock:
            kept = self._kept.get(project)
            if kept is None or kept.minute != minute:
                registry = CollectorRegistry()
                registry.register(_Families(self._families(project, minute * 60)))
                kept = _Rendered(minute, generate_latest(registry))
                self._kept = {
                    name: page for name, page in self._kept.items() if page.minute == minute
                } | {project: kept}
        return kept.text

    def _families(self, project: str, end_s: int) -> list[Metric]:
        left_out = GaugeMetricFamily(
            "vagus_measure_groups_left_out",
            f"Groups beyond the {MAX_GROUPS} largest, which have no sample of their own.",
            labels=["project", "measure"],
        )
        failed = GaugeMetricFamily(
            "vagus_measure_failed", "Measures that could not be asked for.", labels=["project"]
        )
        families: list[Metric] = []
        failures = 0
        for measure in self._catalogue:
            try:
                total, split = self._ask(measure, project, end_s)
            except VagusError:
                # One measure that fails must not hide the others; the count tells of it.
                failures += 1
                continue
            families += _of_measure(measure, project, total, split)
            left_out.add_metric([project, measure.id], split.truncated)
        failed.add_metric([project], failures)
        return [*families, left_out, failed]

    def _ask(self, measure: Measure, project: str, end_s: int) -> tuple[Slice, Slice]:
        window = (max(0, end_s - WINDOW_S), end_s)
        total = Request(measure.id, *window)
        split = Request(measure.id, *window, by=(_SPLIT[measure.table],), limit=MAX_GROUPS)
        return (
            slice_measure(self._engine, project, total, self._catalogue),
            slice_measure(self._engine, project, split, self._catalogue),
        )


class _Families:
    """A collector of families that are known already."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterator[Metric]:
        yield from self._families


def _of_measure(measure: Measure, project: str, total: Slice, split: Slice) -> list[Metric]:
    by = _LABEL[_SPLIT[measure.table]]
    about = f"{measure.name}, over the last {WINDOW_S // 60} minutes; unit: {measure.unit}."
    name = f"vagus_measure_{_spelled_out(measure.id)}"
    whole = GaugeMetricFamily(name, about, labels=["project"])
    parts = GaugeMetricFamily(f"{name}_by_{by}", f"{about} By {by}.", labels=["project", by])
    value = total.series[0].total.value
    if value is not None:
        whole.add_metric([project], value)
    shown = 0.0
    for series in split.series:
        if series.total.value is not None:
            parts.add_metric([project, series.key[0][:_LONGEST_LABEL]], series.total.value)
            shown += series.total.value
    if split.truncated and measure.kind in _ADDITIVE and value is not None:
        parts.add_metric([project, OTHER], value - shown)
    return [whole, parts]


def _spelled_out(measure_id: str) -> str:
    """Prometheus wants units in full."""
    return re.sub(r"_per_s$", "_per_second", measure_id)
