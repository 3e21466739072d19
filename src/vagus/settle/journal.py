"""Settled rows on their way into the engine, written down first so that they go in exactly once.

Several tables and their rollups cannot be written in one transaction. A batch is therefore written
to a file and fsynced, then inserted with its number as deduplication token; after a crash the same
file is inserted again and the engine drops what it already has.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from vagus.store.engine import Engine


class Batch(msgspec.Struct):
    """What one round of settling writes; rows with sign -1 cancel earlier ones.

    `repricings` say what was shown before, where prices or rules changed a row.
    """

    number: int
    traces: list[dict[str, Any]]
    steps: list[dict[str, Any]]
    repricings: list[dict[str, Any]] = []


class Journal:
    """The batches that are not known to be in the engine yet; normally at most one."""

    def __init__(self, directory: Path, engine: Engine) -> None:
        self._directory = directory
        self._engine = engine
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)

    def recover(self) -> int:
        """Insert what a crash left behind; the number of batches found."""
        for unfinished in self._directory.glob("*.part"):
            unfinished.unlink()
        found = sorted(self._directory.glob("*.json"))
        for path in found:
            self._insert(msgspec.json.decode(path.read_bytes(), type=Batch))
            path.unlink()
        return len(found)

    def write(
        self,
        number: int,
        traces: Sequence[Any],
        steps: Sequence[Any],
        repricings: Sequence[Any] = (),
    ) -> None:
        """Make a batch durable and insert it; `StoreError` leaves it for `recover`."""
        batch = {"number": number, "traces": traces, "steps": steps, "repricings": repricings}
        path = self._directory / f"{number:020d}.json"
        unfinished = path.with_suffix(".part")
        with unfinished.open("wb") as file:
            file.write(msgspec.json.encode(batch))
            file.flush()
            os.fsync(file.fileno())
        unfinished.rename(path)
        self._insert(Batch(number, list(traces), list(steps), list(repricings)))
        path.unlink()

    def _insert(self, batch: Batch) -> None:
        self._engine.insert("steps", batch.steps, token=f"steps-{batch.number}")
        self._engine.insert("traces", batch.traces, token=f"traces-{batch.number}")
        if batch.repricings:
            self._engine.insert("repricings", batch.repricings, token=f"repricings-{batch.number}")
