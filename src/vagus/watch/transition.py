"""What a look does to episodes: opened, kept up to date, or resolved; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec

from vagus.model.episode import Episode, State
from vagus.watch.detector import Known, Opened
from vagus.watch.episodes import episode_id
from vagus.watch.lane import Lane
from vagus.watch.signal import Signal
from vagus.watch.verdict import closed_text, group_of, opened_text, state_of_row

_MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True)
class Transition:
    """An episode that was opened, updated with new evidence, or resolved."""

    kind: Literal["opened", "updated", "resolved"]
    episode: Episode


def known_of(lane: Lane, episode: Episode) -> Known:
    """A stored episode as a detector must know it."""
    resolved, signal, base = episode.resolved_ms, lane.feed.signal, episode.baseline
    if signal is not None and base is not None:
        base = signal.level_of(base)
    return Known(
        onset_min=episode.onset_ms // _MINUTE_MS,
        fired_min=episode.fired_ms // _MINUTE_MS,
        # It was resolved after the minute that proved it.
        cleared_min=None if resolved is None else resolved // _MINUTE_MS - 1,
        baseline=base,
    )


def opened_episode(lane: Lane, opened: Opened) -> Episode:
    """The episode of an alarm, as it was at its first minute."""
    monitor, group, signal = lane.monitor, group_of(lane, opened.row), lane.feed.signal
    return Episode(
        episode_id=episode_id(monitor.project, monitor.id, group, opened.fired_min),
        project=monitor.project,
        monitor_id=monitor.id,
        monitor=monitor.name,
        measure=monitor.measure,
        group=group,
        severity=monitor.severity,
        state=State.FIRING,
        onset_ms=opened.onset_min * _MINUTE_MS,
        fired_ms=opened.fired_min * _MINUTE_MS,
        value=_shown(signal, opened.level),
        baseline=_shown(signal, opened.base),
        evidence=opened_text(lane, opened),
    )


def closed_episode(lane: Lane, episode: Episode, minute: int, reason: str) -> Episode:
    """The episode, ended by what was seen in a minute."""
    return close(episode, minute + 1, closed_text(lane, reason)).episode


def transitions(lane: Lane, known: Sequence[Episode]) -> list[Transition]:
    """What a look did to the episodes of a monitor; `known` are those the store has.

    An alarm that had already ended at the look is no episode: nobody was told of it.
    """
    detector = lane.detector
    open_by_group = {key_of(lane, e): e for e in known if e.resolved_ms is None}
    ended = {closed.row: closed for closed in detector.closed}
    found: list[Transition] = []
    for key, episode in open_by_group.items():
        row = lane.feed.row(key)
        if detector.firing[row] and detector.fired[row] == episode.fired_ms // _MINUTE_MS:
            found += _updated(lane, row, episode)
        elif row in ended:
            closed = ended[row]
            resolved = closed_episode(lane, episode, closed.minute, closed.reason)
            found.append(Transition("resolved", resolved))
    latest = {opened.row: opened for opened in detector.opened if detector.firing[opened.row]}
    for row, opened in latest.items():
        if lane.feed.keys[row] not in open_by_group:
            found.append(Transition("opened", opened_episode(lane, opened)))
    return found


def _updated(lane: Lane, row: int, episode: Episode) -> list[Transition]:
    state = state_of_row(lane, row)
    value = episode.value if state.value is None else state.value
    changed = msgspec.structs.replace(episode, value=value, evidence=state.evidence)
    return [Transition("updated", changed)] if changed != episode else []


def close(episode: Episode, end_min: int, reason: str) -> Transition:
    """The episode, ended at a minute for a reason."""
    resolved_ms = max(end_min * _MINUTE_MS, episode.fired_ms)
    return Transition(
        "resolved",
        msgspec.structs.replace(
            episode, state=State.RESOLVED, resolved_ms=resolved_ms, evidence=reason
        ),
    )


def key_of(lane: Lane, episode: Episode) -> tuple[str, ...]:
    """The group of an episode in the order of the monitor's dimensions."""
    return tuple(episode.group.get(name, "") for name in lane.feed.by)


def _shown(signal: Signal | None, level: float) -> float | None:
    if level != level:
        return None
    return level if signal is None else signal.shown(level)
