"""Episodes and the last verdicts, kept in the metadata store."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import or_, select

from vagus.model.episode import Episode, State
from vagus.store.meta import state as checkpoints
from vagus.store.meta.db import Meta
from vagus.store.meta.tables import episodes
from vagus.store.meta.write import upsert


def group_key(group: Mapping[str, str]) -> str:
    """One text for a group, the same whatever the order of its dimensions."""
    return json.dumps(dict(sorted(group.items())), ensure_ascii=False, separators=(",", ":"))


def episode_id(project: str, monitor_id: str, group: Mapping[str, str], fired_min: int) -> str:
    """The id of an episode: the same after a restart, so that it is never opened twice."""
    parts = (project, monitor_id, group_key(group), str(fired_min))
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:24]


def open_or_recent(meta: Meta, project: str, monitor_id: str, since_ms: int) -> list[Episode]:
    """The monitor's open episodes, and those that ended after `since_ms`."""
    query = select(episodes.c.data).where(
        episodes.c.project == project,
        episodes.c.monitor_id == monitor_id,
        or_(episodes.c.resolved_ms.is_(None), episodes.c.resolved_ms >= since_ms),
    )
    return _read(meta, query)


def open_episodes(meta: Meta, project: str) -> list[Episode]:
    """Every open episode of a project."""
    return _read(
        meta,
        select(episodes.c.data).where(
            episodes.c.project == project, episodes.c.resolved_ms.is_(None)
        ),
    )


def _read(meta: Meta, query: Any) -> list[Episode]:
    with meta.read() as connection:
        rows = connection.execute(query.order_by(episodes.c.fired_ms)).all()
    return [msgspec.convert(row.data, Episode, strict=False) for row in rows]


def write(meta: Meta, changed: Sequence[Episode]) -> None:
    """Keep episodes as they are now, all or none."""
    if not changed:
        return
    with meta.begin() as connection:
        for episode in changed:
            row = {
                "id": episode.episode_id,
                "project": episode.project,
                "monitor_id": episode.monitor_id,
                "group_key": group_key(episode.group),
                "data": msgspec.to_builtins(episode),
                "state": episode.state.value,
                "onset_ms": episode.onset_ms,
                "fired_ms": episode.fired_ms,
                "resolved_ms": episode.resolved_ms,
            }
            upsert(connection, episodes, row)


class GroupState(msgspec.Struct, frozen=True, kw_only=True):
    """What a monitor last said about one group; times are epoch milliseconds."""

    group: dict[str, str]
    state: State
    evidence: str
    value: float | None = None
    baseline: float | None = None
    n: float = 0.0
    e_value: float | None = None
    onset_ms: int | None = None
    fired_ms: int | None = None


class MonitorStates(msgspec.Struct, frozen=True, kw_only=True):
    """What a monitor last said about all its groups, up to when it judged, or why it could not.

    `groups_left_out` counts groups beyond the monitor's `max_groups`, which nobody watches.
    """

    judged_until_ms: int
    groups: list[GroupState] = []
    groups_left_out: int = 0
    error: str = ""


def _state_key(project: str, monitor_id: str) -> str:
    return f"watch/{project}/{monitor_id}"


def write_states(meta: Meta, project: str, monitor_id: str, states: MonitorStates) -> None:
    """Keep the last verdicts of a monitor."""
    checkpoints.put(meta, _state_key(project, monitor_id), msgspec.to_builtins(states))


def states_of(meta: Meta, project: str, monitor_id: str) -> MonitorStates | None:
    """The last verdicts of a monitor; None before its first evaluation."""
    kept = checkpoints.get(meta, _state_key(project, monitor_id))
    return None if kept is None else msgspec.convert(kept, MonitorStates, strict=False)
