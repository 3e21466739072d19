"""An episode: one stretch of time in which a monitor was firing for one group."""

from __future__ import annotations

import enum

import msgspec


class State(enum.StrEnum):
    """What a monitor says about one group; having too little data is a state of its own."""

    OK = "ok"
    PENDING = "pending"
    FIRING = "firing"
    RESOLVED = "resolved"
    INSUFFICIENT_DATA = "insufficient_data"


class Sign(msgspec.Struct, frozen=True, kw_only=True):
    """One fact that tells a transient episode from a systematic one.

    `points_to` is transient, systematic or neither; `weight` how strongly, in nats of the odds of
    systematic (negative speaks for transient). `query` is the slice that shows it.
    """

    statement: str
    points_to: str
    weight: float
    query: dict[str, object] = {}


class Episode(msgspec.Struct, frozen=True, kw_only=True):
    """One firing stretch; `onset_ms` estimates when the change began, before it was noticed.

    `group` maps the monitor's group-by dimensions to values ({} for the whole project).
    `severity` is page or ticket; times are epoch milliseconds. `classification` is transient,
    systematic or undecided, with the signs that it rests on; it may change while the episode lasts.
    """

    episode_id: str
    project: str
    monitor_id: str
    monitor: str
    measure: str
    group: dict[str, str]
    severity: str
    state: State
    onset_ms: int
    fired_ms: int
    resolved_ms: int | None = None
    value: float | None = None
    baseline: float | None = None
    evidence: str = ""
    classification: str = "undecided"
    signs: list[Sign] = []
