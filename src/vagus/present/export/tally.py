"""Running totals of a project's counters and histograms, as Prometheus wants them.

The number of series is bounded: the first `MAX_GROUPS` groups of a feed, the largest of a minute
first, have their own; all others share `_other`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from vagus.present.export.distributions import DISTRIBUTIONS, Exemplar, Filled
from vagus.present.export.feeds import Growth
from vagus.present.export.names import MAX_GROUPS, OTHER, label_value

Labels = tuple[tuple[str, str], ...]
Series = tuple[str, Labels]
_BY_NAME = {distribution.name: distribution for distribution in DISTRIBUTIONS}
_Place = tuple[str, Labels]


@dataclass(slots=True)
class Histogram:
    """Counts of each bucket (not cumulated), the sum, and the newest exemplar of each bucket."""

    counts: list[int]
    total: float = 0.0
    exemplars: dict[int, Exemplar] = field(default_factory=dict)


class Tally:
    """All totals of one project; `minute_s` is the first minute that is not in them."""

    def __init__(self, project: str, minute_s: int) -> None:
        self.project = project
        self.minute_s = minute_s
        self.counters: dict[Series, float] = {}
        self.histograms: dict[Series, Histogram] = {}
        self._groups: dict[_Place, set[tuple[str, ...]]] = {}

    def add(self, growths: Iterable[Growth], filled: Iterable[Filled]) -> None:
        """Count what one minute or more brought; the largest groups come first."""
        for growth in growths:
            feed = growth.feed
            named = tuple(zip(feed.split, map(label_value, growth.key), strict=True))
            for name, amount in growth.amounts.items():
                place = (name, feed.labels)
                labels = (("project", self.project), *feed.labels, *self._own(place, named))
                series = (name, labels)
                self.counters[series] = self.counters.get(series, 0.0) + amount
        for part in filled:
            distribution = part.distribution
            named = ((distribution.label, label_value(part.group)),)
            place = (distribution.name, ())
            labels = (("project", self.project), *self._own(place, named))
            buckets = len(distribution.bounds) + 1
            kept = self.histograms.setdefault((distribution.name, labels), Histogram([0] * buckets))
            kept.counts[part.bucket] += part.n
            kept.total += part.total
            kept.exemplars[part.bucket] = part.exemplar

    def _own(self, place: _Place, named: Labels) -> Labels:
        """The labels of a group: its own while there is room, `_other` after that."""
        groups = self._groups.setdefault(place, set())
        key = tuple(value for _, value in named)
        if key in groups or not key:
            return named
        if len(groups) >= MAX_GROUPS:
            return tuple((name, OTHER) for name, _ in named)
        groups.add(key)
        return named

    def as_state(self) -> dict[str, Any]:
        """The totals as JSON-like data, without exemplars; `from_state` reads them."""
        return {
            "minute_s": self.minute_s,
            "counters": [[name, labels, n] for (name, labels), n in self.counters.items()],
            "histograms": [
                [name, labels, kept.counts, kept.total]
                for (name, labels), kept in self.histograms.items()
            ],
            "groups": [
                [name, labels, sorted(keys)] for (name, labels), keys in self._groups.items()
            ],
        }

    @classmethod
    def from_state(cls, project: str, state: Any) -> Tally:
        """The totals that were kept; histograms whose bounds have changed since begin again."""
        tally = cls(project, int(state["minute_s"]))
        for name, labels, total in state["counters"]:
            tally.counters[name, _labels(labels)] = float(total)
        for name, labels, counts, total in state["histograms"]:
            known = _BY_NAME.get(name)
            if known is not None and len(counts) == len(known.bounds) + 1:
                tally.histograms[name, _labels(labels)] = Histogram(list(counts), float(total))
        for name, labels, keys in state["groups"]:
            tally._groups[name, _labels(labels)] = {tuple(key) for key in keys}
        return tally


def _labels(pairs: Sequence[Sequence[str]]) -> Labels:
    return tuple((str(name), str(value)) for name, value in pairs)


def cumulated(histogram: Histogram) -> Iterator[int]:
    """The counts as a histogram of Prometheus has them: each bucket holds those below it."""
    running = 0
    for count in histogram.counts:
        running += count
        yield running
