"""How long data is kept and how much of it: by age first, then by a disk cap that holds.

Data leaves by whole days, oldest first, which costs nothing. If only today is left and the cap is
still passed, the way in is closed (`is_full`) until there is room: refusing loudly is better than a
full disk, and better than dropping what was acknowledged a minute ago.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import prometheus_client

from vagus.store.engine import Engine

log = logging.getLogger(__name__)

USED = prometheus_client.Gauge("vagus_disk_used_bytes", "Bytes in the data directory.")
DROPPED = prometheus_client.Counter(
    "vagus_retention_dropped_rows_total", "Rows dropped, by table and reason.", ["table", "reason"]
)

#: Tables that are cut by day; the ones that hold raw telemetry are the first to go for the cap.
RAW = ("spans", "logs", "metric_points")
SETTLED = (
    "steps", "traces", "scores", "repricings", "step_minutes", "trace_minutes", "score_minutes",
    "document_minutes", "step_hours", "trace_hours", "score_hours", "document_hours",
    "spend_hours",
)  # fmt: skip
#: The way in opens again when this share of the cap is free.
_HEADROOM = 0.02


@dataclass(frozen=True, slots=True)
class Day:
    """One day of one table."""

    day: date
    table: str
    rows: int
    size: int


class Keeper:
    """Applies retention and the disk cap; `tick` is called every half minute or so."""

    def __init__(
        self,
        engine: Engine,
        directory: Path,
        *,
        retention_days: int,
        disk_cap_bytes: int,
        today: Callable[[], date] = lambda: datetime.now(UTC).date(),
    ) -> None:
        self._engine = engine
        self._directory = directory
        self._retention_days = retention_days
        self._cap = disk_cap_bytes
        self._today = today
        self.is_full = False

    def tick(self) -> None:
        """Drop what is too old, then what does not fit, and say whether there is room."""
        oldest = self._today() - timedelta(days=self._retention_days)
        for part in self.days():
            if part.day < oldest:
                self._drop(part, "age")
        used = directory_bytes(self._directory)
        if used > self._cap:
            used -= self._make_room(used - int(self._cap * (1 - _HEADROOM)))
        USED.set(used)
        limit = self._cap * (1 - _HEADROOM) if self.is_full else self._cap
        if self.is_full != (used > limit):
            self.is_full = not self.is_full
            log.warning(
                "the data directory holds %d of %d bytes allowed (store.disk_cap_bytes): %s",
                used,
                self._cap,
                "refusing telemetry" if self.is_full else "taking telemetry again",
            )

    def days(self) -> list[Day]:
        """What is stored, by day and table, oldest day first, raw telemetry before the rest."""
        found = self._engine.query(
            "SELECT table, partition, sum(rows) AS rows, sum(bytes_on_disk) AS size "
            "FROM system.parts WHERE active AND database = currentDatabase() "
            "AND table IN {tables:Array(String)} GROUP BY table, partition",
            {"tables": [*RAW, *SETTLED]},
        )
        days = [
            Day(date.fromisoformat(partition), table, rows, size)
            for table, partition, rows, size in found.rows()
        ]
        return sorted(days, key=lambda part: (part.day, part.table not in RAW, part.table))

    def _make_room(self, needed: int) -> int:
        freed = 0
        today = self._today()
        # Raw telemetry of every past day goes before the first settled number does.
        past = sorted((p for p in self.days() if p.day < today), key=lambda p: p.table not in RAW)
        for part in past:
            if freed >= needed:
                break
            self._drop(part, "disk_cap")
            freed += part.size
        return freed

    def _drop(self, part: Day, reason: str) -> None:
        self._engine.execute(f"ALTER TABLE {part.table} DROP PARTITION '{part.day.isoformat()}'")
        DROPPED.labels(part.table, reason).inc(part.rows)
        log.info("dropped %s of %s (%d rows): %s", part.day, part.table, part.rows, reason)


def directory_bytes(directory: Path) -> int:
    """Bytes of all files below a directory; files that vanish meanwhile do not count."""
    total = 0
    stack = [str(directory)]
    while stack:
        try:
            with os.scandir(stack.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        stack.append(entry.path)
                    else:
                        total += entry.stat(follow_symlinks=False).st_blocks * 512
        except FileNotFoundError:
            continue
    return total
