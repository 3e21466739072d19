"""Timelines: small text scripts that say what happened and what a monitor must have said.

    rule sequential target=0.05 lambda=3     the rule, as `name=value`
    measure up_is_good                       the rate counts good outcomes
    seed 7                                   draw outcomes; without it rates are exact
    0-180 rate 3% n=20 [dispersion=0.02]     minutes, rate, samples a minute
    0-180 value 800 n=20                     a value that is not a rate
    180-200 gap                              nothing arrives
    late 120-130 at 135 rate 3% n=20         more for old minutes, seen from minute 135 on
    expect 10-179 ok pending                 at each of these looks, one of these states
    expect-onset 175-185                     where the first episode's onset must lie
    expect-episodes 1                        how many episodes there were

Minute t is judged with what had arrived by its end; `expect 120` speaks of the look after
minute 119 was complete.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from vagus.model.episode import Episode, State
from vagus.watch.detector import Detector
from vagus.watch.feed import Block, Feed
from vagus.watch.lane import Lane, march
from vagus.watch.monitor import Monitor, Threshold, decode_monitor
from vagus.watch.settings import settings_of
from vagus.watch.signal import Family, Signal
from vagus.watch.thresholds import ThresholdDetector
from vagus.watch.transition import known_of, transitions
from vagus.watch.verdict import state_of_row

# Minute, n, numerator, denominator, value.
Row = tuple[int, float, float | None, float | None, float | None]

# Far from 0, so that minutes and steps cannot be mistaken for each other.
EPOCH_MIN = 29_000_000 - 29_000_000 % 60


@dataclass
class Timeline:
    """A parsed script."""

    rule: dict[str, object] = field(default_factory=dict)
    is_up_bad: bool = True
    rows: dict[int, Row] = field(default_factory=dict)
    late: list[tuple[int, int, Row]] = field(default_factory=list)
    expected: list[tuple[range, set[str]]] = field(default_factory=list)
    onset: tuple[int, int] | None = None
    episodes: int | None = None
    end: int = 0


def read(path: Path) -> Timeline:
    """The timeline in a file."""
    timeline = Timeline()
    rng: np.random.Generator | None = None
    for line in path.read_text().splitlines():
        words = line.partition("#")[0].split()
        if not words:
            continue
        match words:
            case ["rule", kind, *options]:
                timeline.rule = {"type": kind, **dict(_option(word) for word in options)}
            case ["measure", direction]:
                timeline.is_up_bad = direction != "up_is_good"
            case ["seed", number]:
                rng = np.random.default_rng(int(number))
            case ["expect", span, *states]:
                timeline.expected.append((_looks(span), {str(State(s)) for s in states}))
            case ["expect-onset", span]:
                timeline.onset = _span(span)
            case ["expect-episodes", number]:
                timeline.episodes = int(number)
            case ["late", span, "at", when, *what]:
                start, end = _span(span)
                timeline.late += [
                    (int(when), minute, _row(minute, what, rng)) for minute in range(start, end)
                ]
            case [span, *what]:
                start, end = _span(span)
                timeline.end = max(timeline.end, end)
                if what != ["gap"]:
                    for minute in range(start, end):
                        timeline.rows[minute] = _row(minute, what, rng)
    return timeline


def _span(text: str) -> tuple[int, int]:
    start, _, end = text.partition("-")
    return int(start), int(end or start)


def _looks(text: str) -> range:
    start, end = _span(text)
    return range(start, end + 1)


def _option(word: str) -> tuple[str, object]:
    name, _, value = word.partition("=")
    if value.replace(".", "", 1).isdigit():
        return name, float(value) if "." in value else int(value)
    return name, value


def _row(minute: int, what: list[str], rng: np.random.Generator | None) -> Row:
    kind, level, *rest = what
    options = dict(_option(word) for word in rest)
    n = float(options["n"])  # type: ignore[arg-type]
    if kind == "value":
        return minute, n, None, None, float(level)
    rate = float(level.rstrip("%")) / 100
    hits = rate * n
    if rng is not None:
        shared = float(options.get("dispersion", 0.0))  # type: ignore[arg-type]
        total = 1 / shared - 1 if shared else 0.0
        p = rng.beta(rate * total, (1 - rate) * total) if shared else rate
        n = float(rng.poisson(n))
        hits = float(rng.binomial(int(n), p))
    return minute, n, hits, n, hits / n if n else None


@dataclass
class Played:
    """What a monitor said after each minute, and the episodes that came of it."""

    states: list[str]
    evidence: list[str]
    episodes: list[Episode]


class ScriptFeed(Feed):
    """A feed whose series is a script's rows, as they were known at a look."""

    def __init__(self, monitor: Monitor, is_up_bad: bool, is_rate: bool) -> None:
        self.monitor = monitor
        self.step_min = 1
        self.signal = None
        if not isinstance(monitor.rule, Threshold):
            self.signal = Signal(Family.SHARE, (1 if is_up_bad else -1,))
        elif not is_rate:
            self.step_min = monitor.rule.window_min
        self.is_rate = is_rate
        self.by, self.dimension, self.keys, self.left_out = (), "", [()], 0
        self._index = {(): 0}
        self.rows: dict[int, Row] = {}

    def read(self, start_min: int, end_min: int) -> Block:
        rule = self.monitor.rule
        width = rule.window_min if isinstance(rule, Threshold) and self.is_rate else 1
        step = self.step_min
        start_min -= start_min % step
        end_min -= end_min % step
        cells = [self._cell(m, width, step) for m in range(start_min, end_min, step)]
        x, n = (np.array([[cell[i] for cell in cells]]).reshape(1, -1) for i in (0, 1))
        return Block(start_min, step, x, n)

    def _cell(self, minute: int, width: int, step: int) -> tuple[float, float]:
        rows = [self.rows[m] for m in range(minute - width + 1, minute + step) if m in self.rows]
        n = sum(row[1] for row in rows)
        if not n:
            return 0.0, 0.0
        if not self.is_rate:
            return float(np.mean([row[4] for row in rows])), n
        return sum(row[2] or 0.0 for row in rows) / n, n


def play(timeline: Timeline) -> Played:
    """Look once a minute, as the watcher does: the settled lane is carried, the rest on trial."""
    monitor = decode_monitor(
        {"id": "m", "name": "m", "project": "p", "measure": "x", "rule": timeline.rule}
    )
    is_rate = all(row[2] is not None for row in timeline.rows.values())
    feed = ScriptFeed(monitor, timeline.is_up_bad, is_rate)
    feed.rows = {EPOCH_MIN + minute: row for minute, row in timeline.rows.items()}
    lane = Lane(monitor, feed, _detector(monitor, feed), EPOCH_MIN - monitor.horizon_min)
    played = Played([], [], [])
    for now in range(timeline.end + 1):
        for when, minute, row in timeline.late:
            if when == now:
                at = EPOCH_MIN + minute
                feed.rows[at] = _merged(feed.rows.get(at), (at, *row[1:]))
        _look(lane, EPOCH_MIN + now, played)
    return played


def _detector(monitor: Monitor, feed: ScriptFeed) -> Detector | ThresholdDetector:
    start = EPOCH_MIN - monitor.horizon_min
    detector: Detector | ThresholdDetector
    if isinstance(monitor.rule, Threshold):
        detector = ThresholdDetector(monitor.rule, feed.step_min)
        detector.grow(1)
        return detector
    assert feed.signal is not None
    detector = Detector(settings_of(monitor.rule), feed.signal)
    detector.grow(1)
    detector.begin(start - start % 60)
    return detector


def _merged(old: Row | None, new: Row) -> Row:
    if old is None:
        return new
    n = old[1] + new[1]
    hits = (old[2] or 0.0) + (new[2] or 0.0)
    return old[0], n, hits, n, hits / n


def _look(lane: Lane, now: int, played: Played) -> None:
    known = list(played.episodes)
    lane.detector.facts.clear()
    for episode in known:
        lane.tell((), known_of(lane, episode))
    full = dict(lane.feed.rows)
    lane.feed.rows = {minute: row for minute, row in full.items() if minute < now}
    settled = max(lane.until_min, now - 15)
    lane.load(settled)
    march([lane], settled)
    lane.load(now)
    trial = lane.clone()
    march([trial], now)
    lane.ended()
    lane.feed.rows = full
    for transition in transitions(trial, known):
        episode = transition.episode
        played.episodes = [e for e in played.episodes if e.episode_id != episode.episode_id]
        played.episodes.append(episode)
    state = state_of_row(trial, 0)
    played.states.append(str(state.state))
    played.evidence.append(state.evidence)
