"""A tally as families of Prometheus: counters, and histograms whose buckets have exemplars."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.samples import Exemplar as Shown

from vagus.present.export.distributions import (
    DISTRIBUTIONS,
    Distribution,
    Exemplar,
    read_filled,
)
from vagus.present.export.feeds import Feed, read_growth
from vagus.present.export.tally import Histogram, Tally, cumulated
from vagus.store.engine import Engine

_ABOUT = "A running total since counting began; divide the rates of two of them."


def advance(engine: Engine, feeds: Sequence[Feed], tally: Tally, until_s: int) -> None:
    """Bring a tally up to a whole minute."""
    if until_s <= tally.minute_s:
        return
    window_s = (tally.minute_s, until_s)
    tally.add(
        read_growth(engine, tally.project, feeds, window_s),
        read_filled(engine, tally.project, window_s),
    )
    tally.minute_s = until_s


def counter_families(tally: Tally) -> Iterator[Metric]:
    """Every counter, one family for each name and each set of label names."""
    families: dict[str, CounterMetricFamily] = {}
    for (name, labels), total in tally.counters.items():
        family = families.setdefault(name, CounterMetricFamily(name, _ABOUT))
        family.add_sample(name, dict(labels), total)
    yield from families.values()


def histogram_families(tally: Tally) -> Iterator[Metric]:
    """Every histogram that has seen something."""
    for distribution in DISTRIBUTIONS:
        family = HistogramMetricFamily(
            distribution.name, distribution.about, labels=["project", distribution.label]
        )
        for (name, labels), kept in tally.histograms.items():
            if name == distribution.name:
                values = [value for _, value in labels]
                family.add_metric(values, _buckets(distribution, kept), kept.total)
        yield family


def _buckets(
    distribution: Distribution, kept: Histogram
) -> list[tuple[str, float, Shown] | tuple[str, float]]:
    bounds = [*(f"{float(bound)!r}" for bound in distribution.bounds), "+Inf"]
    return [
        (bound, float(count), _shown(kept.exemplars[place]))
        if place in kept.exemplars
        else (bound, float(count))
        for place, (bound, count) in enumerate(zip(bounds, cumulated(kept), strict=True))
    ]


def _shown(exemplar: Exemplar) -> Shown:
    return Shown({"trace_id": exemplar.trace_id}, exemplar.value, exemplar.time_ms / 1000)
