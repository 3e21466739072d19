"""Where OTLP of a history goes: to a server, or loaded and settled in this process."""

from __future__ import annotations

import itertools
import os
from pathlib import Path

import httpx

from bench.diagnosis.otlp import batches
from bench.diagnosis.scenario import History
from vagus.assess.cost.prices import list_price
from vagus.assess.quality.scores import write_scores
from vagus.config import SettleSettings
from vagus.meaning.select import statements
from vagus.receive.record import Entry, encode_record
from vagus.settle.evaluation import Verdicts
from vagus.settle.journal import Journal
from vagus.settle.settler import Settler
from vagus.store import otlp
from vagus.store.engine import Engine, Load
from vagus.store.load import nested_values

_numbers = itertools.count(5_000_000)
_TIMEOUT_S = 60.0


class _Memory:
    """A keeper of small facts that lasts as long as the process."""

    def __init__(self) -> None:
        self._values: dict[str, str] = {}

    def get(self, key: str) -> str | None:
        return self._values.get(key)

    def put(self, key: str, value: str) -> None:
        self._values[key] = value


def post(history: History, url: str, key: str = "") -> int:
    """Send a history to a server, such as http://127.0.0.1:4318; the number of requests."""
    headers = {"content-type": "application/x-protobuf"}
    if key:
        headers["authorization"] = f"Bearer {key}"
    sent = 0
    with httpx.Client(base_url=url, headers=headers, timeout=_TIMEOUT_S) as client:
        for batch in batches(history):
            client.post(f"/v1/{batch.signal}", content=batch.body).raise_for_status()
            sent += 1
    return sent


def settle(engine: Engine, project: str, history: History, directory: Path) -> None:
    """Load a history as the server loads segments, settle it, and write its verdicts."""
    latest_ns = (history.scenario.end_s + 3600) * 10**9

    def keep(verdicts: Verdicts) -> None:
        write_scores(engine, project, verdicts.scores, clock_ns=lambda: latest_ns)

    settler = Settler(
        engine,
        Journal(directory / "journal", engine),
        _Memory(),
        SettleSettings(),
        price=list_price,
        on_verdicts=keep,
        clock_ns=lambda: latest_ns,
    )
    for batch in batches(history):
        entry = Entry(batch.signal, project, batch.received_ns, os.urandom(16), batch.body, ())
        number = next(_numbers)
        file = directory / f"{number}.seg"
        file.write_bytes(b"".join(encode_record(entry)))
        _load(engine, file, batch.signal, number)
        settler.loaded(batch.signal, number)
        file.unlink()
        settler.tick(everything=True)


def _load(engine: Engine, file: Path, signal: str, number: int) -> None:
    statement = statements()[signal]
    digests, texts = nested_values(file.read_bytes())
    engine.load(
        Load(
            table=statement.table,
            columns=statement.columns,
            select=statement.select,
            message=statement.message,
            structure=statement.structure,
            schema=otlp.PROTOBUF,
            segment=file,
            token=f"bench-{number}-{os.urandom(4).hex()}",
            params={"segment": number, "nested_digests": digests, "nested_texts": texts},
        )
    )
