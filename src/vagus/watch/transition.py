"""What a verdict does to an episode: opened, kept up to date, or resolved; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec

from vagus.model.episode import Episode, State
from vagus.watch.episodes import episode_id
from vagus.watch.evaluate import evaluate
from vagus.watch.monitor import Monitor
from vagus.watch.points import Points
from vagus.watch.verdict import Previous, Verdict

_MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True)
class Transition:
    """An episode that was opened, updated with new evidence, or resolved."""

    kind: Literal["opened", "updated", "resolved"]
    episode: Episode


def judge(
    monitor: Monitor, points: Points, is_up_bad: bool, of_group: Sequence[Episode]
) -> Verdict:
    """The verdict on one group, knowing its open episode and its closed ones."""
    previous, excluded = None, []
    for episode in of_group:
        onset_min = episode.onset_ms // _MINUTE_MS
        if episode.resolved_ms is None:
            previous = Previous(onset_min, episode.fired_ms // _MINUTE_MS, episode.baseline)
        else:
            excluded.append((onset_min, episode.resolved_ms // _MINUTE_MS))
    return evaluate(monitor.rule, points, is_up_bad=is_up_bad, previous=previous, excluded=excluded)


def transitions(
    monitor: Monitor,
    group: dict[str, str],
    verdict: Verdict,
    of_group: Sequence[Episode],
    end_min: int,
) -> list[Transition]:
    """What the verdict does to the group's episode: none or one transition."""
    open_now = next((episode for episode in of_group if episode.resolved_ms is None), None)
    if open_now is None:
        return [_opened(monitor, group, verdict)] if verdict.state is State.FIRING else []
    if verdict.state is not State.FIRING:
        cleared = end_min if verdict.cleared_min is None else verdict.cleared_min + 1
        return [close(open_now, cleared, verdict.evidence)]
    value = open_now.value if verdict.value is None else verdict.value
    changed = msgspec.structs.replace(open_now, value=value, evidence=verdict.evidence)
    return [Transition("updated", changed)] if changed != open_now else []


def close(episode: Episode, end_min: int, reason: str) -> Transition:
    """The episode, ended at a minute for a reason."""
    resolved_ms = max(end_min * _MINUTE_MS, episode.fired_ms)
    return Transition(
        "resolved",
        msgspec.structs.replace(
            episode, state=State.RESOLVED, resolved_ms=resolved_ms, evidence=reason
        ),
    )


def _opened(monitor: Monitor, group: dict[str, str], verdict: Verdict) -> Transition:
    onset_min, fired_min = verdict.times()
    episode = Episode(
        episode_id=episode_id(monitor.project, monitor.id, group, fired_min),
        project=monitor.project,
        monitor_id=monitor.id,
        monitor=monitor.name,
        measure=monitor.measure,
        group=group,
        severity=monitor.severity,
        state=State.FIRING,
        onset_ms=onset_min * _MINUTE_MS,
        fired_ms=fired_min * _MINUTE_MS,
        value=verdict.value,
        baseline=verdict.baseline,
        evidence=verdict.evidence,
    )
    return Transition("opened", episode)
