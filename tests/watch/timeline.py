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
from vagus.watch.monitor import Monitor, decode_monitor
from vagus.watch.points import Points, Row
from vagus.watch.transition import judge, transitions

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


def play(timeline: Timeline) -> Played:
    """Look once a minute, as the watcher does, keeping nothing between looks but the episodes."""
    monitor = decode_monitor(
        {"id": "m", "name": "m", "project": "p", "measure": "x", "rule": timeline.rule}
    )
    rows = dict(timeline.rows)
    played = Played([], [], [])
    for now in range(timeline.end + 1):
        for when, minute, row in timeline.late:
            if when == now:
                rows[minute] = _merged(rows.get(minute), row)
        _look(monitor, timeline.is_up_bad, rows, now, played)
    return played


def _merged(old: Row | None, new: Row) -> Row:
    if old is None:
        return new
    n = old[1] + new[1]
    hits = (old[2] or 0.0) + (new[2] or 0.0)
    return old[0], n, hits, n, hits / n


def _look(
    monitor: Monitor, is_up_bad: bool, rows: dict[int, Row], now: int, played: Played
) -> None:
    end = EPOCH_MIN + now
    start = end - monitor.horizon_min
    seen = ((EPOCH_MIN + m, *row[1:]) for m, row in rows.items() if m < now)
    points = Points.of(seen, start, end)
    known = [e for e in played.episodes if (e.resolved_ms or end * 60_000) >= start * 60_000]
    verdict = judge(monitor, points, is_up_bad, known)
    for transition in transitions(monitor, {}, verdict, known, end):
        episode = transition.episode
        played.episodes = [e for e in played.episodes if e.episode_id != episode.episode_id] + [
            episode
        ]
    played.states.append(str(verdict.state))
    played.evidence.append(verdict.evidence)
