"""Segments written and loaded the way the server does it."""

from __future__ import annotations

import itertools
import os
from pathlib import Path

from vagus.meaning.select import statements
from vagus.receive.record import Entry, encode_record
from vagus.store import otlp
from vagus.store.engine import Engine, Load
from vagus.store.load import nested_values

_numbers = itertools.count(1_000_000)


def write(
    path: Path,
    project: str,
    body: bytes,
    nested: tuple[tuple[bytes, str], ...] = (),
    signal: str = "traces",
    received_ns: int = 1_700_000_000_000_000_000,
) -> None:
    entry = Entry(signal, project, received_ns, os.urandom(16), body, nested)
    with path.open("ab") as file:
        file.write(b"".join(encode_record(entry)))


def load(engine: Engine, path: Path, token: str | None = None, signal: str = "traces") -> int:
    statement = statements()[signal]
    digests, texts = nested_values(path.read_bytes())
    number = next(_numbers)
    engine.load(
        Load(
            table=statement.table,
            columns=statement.columns,
            select=statement.select,
            message=statement.message,
            structure=statement.structure,
            schema=otlp.PROTOBUF,
            segment=path,
            token=token or f"test-{number}",
            params={"segment": number, "nested_digests": digests, "nested_texts": texts},
        )
    )
    return number
