"""Settled traces that wait for the evaluators, and how far through them the evaluators are."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from vagus.assess.quality.sampling import is_sampled
from vagus.model.facts import FactStore
from vagus.store.engine import Engine

CHECKPOINT = "quality.checkpoint"

_VERSIONS_AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class Waiting:
    """One trace of the sample, with where its spans lie."""

    project: str
    trace_id: str
    minute_s: int
    time_ms: int
    first_segment: int
    last_segment: int


@dataclass(slots=True)
class Batch:
    """The sampled traces of one settling round; `version` is done when all of them are."""

    version: int
    traces: list[Waiting]
    weight: float | None = None


class Backlog:
    """Reads newly settled traces in the order they settled; the checkpoint survives a crash."""

    def __init__(self, engine: Engine, state: FactStore, rate: float) -> None:
        self._engine = engine
        self._state = state
        self._rate = rate
        self._batches: deque[Batch] = deque()
        saved = state.get(CHECKPOINT)
        self._read_to = self._done_to = int(saved) if saved else 0

    def current(self) -> Batch | None:
        """The oldest batch that is not done; None when nothing waits."""
        if not self._batches:
            self._read()
        return self._batches[0] if self._batches else None

    def finish(self) -> None:
        """The current batch is done, and so are its settling round and all before it."""
        self._done_to = self._batches.popleft().version
        if not self._batches:
            self._done_to = self._read_to
        self._state.put(CHECKPOINT, str(self._done_to))

    def oldest_minute_s(self) -> int | None:
        """The oldest event minute among the settled traces not done yet, in epoch seconds."""
        found = self._engine.query(
            "SELECT count() AS n, toUnixTimestamp(min(minute)) AS minute FROM traces "
            "WHERE version > {done:UInt64} AND sign = 1",
            {"done": self._done_to},
        )
        ((count, minute_s),) = found.rows()
        return minute_s if count else None

    def _read(self) -> None:
        """Take in the next settling rounds; a round is one version and is never split."""
        versions = self._engine.query(
            "SELECT DISTINCT version FROM traces WHERE version > {done:UInt64} AND sign = 1 "
            "ORDER BY version LIMIT {most:UInt32}",
            {"done": self._read_to, "most": _VERSIONS_AT_ONCE},
        )["version"]
        if not versions:
            return
        found = self._engine.query(
            "SELECT version, project, trace_id, toUnixTimestamp(minute) AS minute, "
            "toUnixTimestamp64Milli(start) AS time_ms, first_segment, last_segment FROM traces "
            "WHERE version > {done:UInt64} AND version <= {last:UInt64} AND sign = 1 "
            # What recorded neither a call nor an answer must not use up the budget.
            "AND (billable_calls > 0 OR output != '') "
            "ORDER BY version, first_segment, trace_id",
            {"done": self._read_to, "last": versions[-1]},
        )
        for version, project, trace_id, *place in found.rows():
            if is_sampled(trace_id, self._rate):
                if not self._batches or self._batches[-1].version != version:
                    self._batches.append(Batch(version, []))
                self._batches[-1].traces.append(Waiting(project, trace_id, *place))
        self._read_to = versions[-1]
        if not self._batches:
            self._done_to = self._read_to
            self._state.put(CHECKPOINT, str(self._done_to))
