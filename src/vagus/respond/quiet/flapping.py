"""Flapping: a series that keeps changing its state is told of once, as a ticket on its monitor.

The measure is the share of state changes in the last 21 looks, newer changes weighing more, as
Nagios counts it; between its two thresholds a series stays what it was.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec
from sqlalchemy import Connection, or_, select

from vagus.model.episode import Episode, State
from vagus.respond.grouping import FLAPPING_PREFIX as PREFIX
from vagus.store.meta.db import Meta
from vagus.store.meta.tables import episodes
from vagus.watch.episodes import group_key

LOOKS = 21
_OLDEST_WEIGHT, _NEWEST_WEIGHT = 0.8, 1.2

Key = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Flapping:
    """When a series counts as flapping: percent of changes to begin and to end, and the looks."""

    begins_percent: float = 25.0
    ends_percent: float = 10.0
    look_ms: int = 300_000


def key_of(episode: Episode) -> Key:
    """The series that an episode belongs to."""
    return episode.project, episode.monitor_id, group_key(episode.group)


def change_percent(changes_ms: Iterable[int], now_ms: int, look_ms: int) -> float:
    """The weighted share of the last looks that saw a changed state, in percent.

    A look sees a change when the state changed since the look before, even if it changed back.
    """
    pairs = LOOKS - 1
    ages = {(now_ms - moment_ms) // look_ms for moment_ms in changes_ms}
    seen = [pairs - 1 - age for age in ages if 0 <= age < pairs]
    slope = (_NEWEST_WEIGHT - _OLDEST_WEIGHT) / (pairs - 1)
    return 100.0 * sum(_OLDEST_WEIGHT + slope * place for place in seen) / pairs


def flapping_transitions(meta: Meta, now_ms: int, policy: Flapping) -> list[Episode]:
    """The tickets on monitors that begin now, and those that are over."""
    series = _recent(meta, now_ms - (LOOKS - 1) * policy.look_ms)
    with meta.read() as connection:
        tickets = flapping_keys(connection)
    moved: list[Episode] = []
    for key in series.keys() | tickets.keys():
        members = series.get(key, [])
        percent = change_percent(_changes(members), now_ms, policy.look_ms)
        ticket = tickets.get(key)
        if ticket is None and percent >= policy.begins_percent:
            moved.append(_ticket(members, percent, now_ms, policy))
        elif ticket is not None and percent < policy.ends_percent:
            moved.append(msgspec.structs.replace(ticket, state=State.RESOLVED, resolved_ms=now_ms))
    return sorted(moved, key=lambda e: e.episode_id)


def flapping_keys(connection: Connection) -> dict[Key, Episode]:
    """The series that flap now, each with the ticket on its monitor."""
    query = select(episodes.c.data).where(
        episodes.c.state == State.FIRING,
        episodes.c.monitor_id.startswith(PREFIX, autoescape=True),
    )
    tickets = [msgspec.convert(data, Episode) for data in connection.scalars(query)]
    return {(e.project, e.monitor_id.removeprefix(PREFIX), group_key(e.group)): e for e in tickets}


def _changes(members: Sequence[Episode]) -> list[int]:
    ends = [e.resolved_ms for e in members if e.resolved_ms is not None]
    return [e.fired_ms for e in members] + ends


def _recent(meta: Meta, since_ms: int) -> dict[Key, list[Episode]]:
    moved = or_(episodes.c.fired_ms >= since_ms, episodes.c.resolved_ms >= since_ms)
    query = (
        select(episodes.c.data)
        .where(moved, ~episodes.c.monitor_id.startswith(PREFIX, autoescape=True))
        .order_by(episodes.c.fired_ms, episodes.c.id)
    )
    found: dict[Key, list[Episode]] = {}
    with meta.read() as connection:
        for data in connection.scalars(query):
            episode = msgspec.convert(data, Episode)
            found.setdefault(key_of(episode), []).append(episode)
    return found


def _ticket(members: Sequence[Episode], percent: float, now_ms: int, policy: Flapping) -> Episode:
    last = members[-1]
    name = "\0".join((*key_of(last), str(now_ms)))
    looked_min = (LOOKS - 1) * policy.look_ms // 60_000
    return Episode(
        episode_id=hashlib.sha256(f"{PREFIX}{name}".encode()).hexdigest()[:24],
        project=last.project,
        monitor_id=PREFIX + last.monitor_id,
        monitor=f"The monitor {last.monitor} flaps",
        measure=last.measure,
        group=last.group,
        severity="ticket",
        state=State.FIRING,
        onset_ms=members[0].fired_ms,
        fired_ms=now_ms,
        value=percent,
        evidence=(
            f"it fired {len(members)} times in {looked_min} minutes: {percent:.0f} % of the last "
            f"{LOOKS} looks saw a change (flapping from {policy.begins_percent:.0f} %)"
        ),
    )
