"""Remote-write: every measure sent to a Prometheus, minute by minute of event time.

A minute is sent once it is settled, in the order of time, and kept as done only after the receiver
took it; so a crash or an hour without receiver loses nothing and repeats at most one minute, with
the same values. Counters go on where they stood.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import prometheus_client
from prometheus_client.metrics_core import Metric
from prometheus_client.samples import Sample

from vagus.errors import Unavailable
from vagus.measures.catalogue import Catalogue
from vagus.present.export.distributions import read_filled
from vagus.present.export.families import counter_families, histogram_families
from vagus.present.export.feeds import measure_feeds, read_growth
from vagus.present.export.prometheus import measure_gauges
from vagus.present.export.tally import Tally
from vagus.present.export.watched import firing_gauge, read_watched, watched_feeds
from vagus.present.export.wire import Mark, TimeSeries, encode
from vagus.store.engine import Engine
from vagus.store.meta import state as checkpoints
from vagus.store.meta.access.projects import list_projects
from vagus.store.meta.db import Meta

#: Sends one body; gives the status, raises `Unavailable` when there was no answer.
Send = Callable[[bytes], int]

SERIES_PER_REQUEST = 1000
#: So many minutes are read at once while catching up.
_STRIDE_MIN = 30
#: What is older than this when the receiver comes back is counted and not sent.
MAX_BEHIND_MIN = 24 * 60
_IDLE_S = 5.0
_LONGEST_WAIT_S = 60.0

_sent = prometheus_client.Counter("vagus_remote_write_samples", "Samples that were taken.")
_dropped = prometheus_client.Counter(
    "vagus_remote_write_dropped_samples", "Samples given up, by reason.", ["reason"]
)
_retries = prometheus_client.Counter(
    "vagus_remote_write_retries", "Requests to be sent again: no answer, 429 or 5xx."
)
_reached = prometheus_client.Gauge(
    "vagus_remote_write_reached_timestamp_seconds", "The minute up to which all was taken."
)


@dataclass(frozen=True, slots=True)
class _Body:
    content: bytes
    samples: int


class RemoteWriter:
    """Sends what has settled since the last tick; one caller at a time.

    `watermark_s` is the epoch second up to which telemetry is settled.
    """

    def __init__(
        self,
        engine: Engine,
        meta: Meta,
        catalogue: Catalogue,
        send: Send,
        watermark_s: Callable[[], float],
    ) -> None:
        self._engine = engine
        self._meta = meta
        self._catalogue = catalogue
        self._send = send
        self._watermark_s = watermark_s
        self._tallies: dict[str, Tally] = {}
        self._failures = 0

    def tick(self) -> float:
        """Send every minute that is ready; the seconds to wait before the next tick."""
        until_s = int(self._watermark_s()) // 60 * 60
        try:
            for project in list_projects(self._meta):
                self._catch_up(project.id, until_s)
        except Unavailable:
            self._failures += 1
            _retries.inc()
            # What was counted and not taken is counted again from what was kept.
            self._tallies.clear()
            return min(_LONGEST_WAIT_S, 2.0 ** min(self._failures, 6))
        self._failures = 0
        _reached.set(until_s)
        return _IDLE_S

    def _catch_up(self, project: str, until_s: int) -> None:
        tally = self._tallies.get(project) or self._restore(project, until_s)
        self._tallies[project] = tally
        oldest_s = until_s - MAX_BEHIND_MIN * 60
        if tally.minute_s < oldest_s:
            held = len(tally.counters) + len(tally.histograms)
            _dropped.labels("too_old").inc(held * (oldest_s - tally.minute_s) // 60)
            tally.minute_s = oldest_s
        watched = read_watched(self._meta, project)
        feeds = [*measure_feeds(self._catalogue), *watched_feeds(watched, self._catalogue)]
        while tally.minute_s < until_s:
            window_s = (tally.minute_s, min(until_s, tally.minute_s + _STRIDE_MIN * 60))
            growths = read_growth(self._engine, project, feeds, window_s)
            filled = read_filled(self._engine, project, window_s)
            for minute_s in range(*window_s, 60):
                known = {_key(sample) for sample in _samples(_totals(tally))}
                tally.add(
                    (growth for growth in growths if growth.minute_s == minute_s),
                    (part for part in filled if part.minute_s == minute_s),
                )
                tally.minute_s = minute_s + 60
                series = [*_grown(tally, known, minute_s)]
                if tally.minute_s == until_s:
                    series += self._moments(project, until_s)
                self._write(series)
                checkpoints.put(self._meta, _place(project), tally.as_state())

    def _restore(self, project: str, until_s: int) -> Tally:
        kept: Any = checkpoints.get(self._meta, _place(project))
        if kept is not None:
            return Tally.from_state(project, kept)
        # Kept at once, so that a receiver which is down from the start misses nothing.
        tally = Tally(project, until_s)
        checkpoints.put(self._meta, _place(project), tally.as_state())
        return tally

    def _moments(self, project: str, end_s: int) -> Iterator[TimeSeries]:
        """The gauges, which are of the newest minute only: nobody needs them of hours ago."""
        watched = read_watched(self._meta, project)
        families = [
            *measure_gauges(self._engine, self._catalogue, project, end_s),
            firing_gauge(self._meta, watched),
        ]
        for sample in _samples(families):
            yield TimeSeries(_labels(sample), [(end_s * 1000, sample.value)])

    def _write(self, series: Sequence[TimeSeries]) -> None:
        for body in _bodies(series):
            status = self._send(body.content)
            if status == 429 or status >= 500:
                raise Unavailable(f"the receiver answered {status}")
            if status >= 300:
                # Sent again it would be refused again; the receiver keeps what it could use.
                _dropped.labels("refused").inc(body.samples)
            else:
                _sent.inc(body.samples)


def _place(project: str) -> str:
    return f"export/remote_write/{project}"


def _totals(tally: Tally) -> list[Metric]:
    return [*counter_families(tally), *histogram_families(tally)]


def _samples(families: Iterable[Metric]) -> Iterator[Sample]:
    for family in families:
        yield from family.samples


def _key(sample: Sample) -> tuple[str, frozenset[tuple[str, str]]]:
    return sample.name, frozenset(sample.labels.items())


def _labels(sample: Sample) -> Mapping[str, str]:
    return {"__name__": sample.name, **sample.labels}


def _grown(
    tally: Tally, known: set[tuple[str, frozenset[tuple[str, str]]]], minute_s: int
) -> Iterator[TimeSeries]:
    """The totals at the end of a minute; a new series begins with the zero it started from."""
    start_ms, end_ms = minute_s * 1000, (minute_s + 60) * 1000
    for sample in _samples(_totals(tally)):
        samples = [(end_ms, sample.value)]
        if _key(sample) not in known:
            # Without it Prometheus would not see the first growth as growth.
            samples.insert(0, (start_ms, 0.0))
        yield TimeSeries(_labels(sample), samples, _marks(sample, start_ms))


def _marks(sample: Sample, since_ms: int) -> list[Mark]:
    shown = sample.exemplar
    if shown is None or shown.timestamp is None:
        return []
    time_ms = int(float(shown.timestamp) * 1000)
    return [Mark(shown.labels, shown.value, time_ms)] if time_ms >= since_ms else []


def _bodies(series: Sequence[TimeSeries]) -> Iterator[_Body]:
    for start in range(0, len(series), SERIES_PER_REQUEST):
        part = series[start : start + SERIES_PER_REQUEST]
        yield _Body(encode(part), sum(len(one.samples) for one in part))
