"""From sealed segments of the write-ahead log into the engine, in order, each exactly once."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import prometheus_client

from vagus.errors import StoreError
from vagus.receive.record import read_varint
from vagus.receive.segment import SegmentRef
from vagus.receive.wal import Wal
from vagus.store import otlp
from vagus.store.engine import Engine, Load

log = logging.getLogger(__name__)

LOADED = prometheus_client.Counter("vagus_load_segments_total", "Segments loaded.", ["signal"])
FAILED = prometheus_client.Counter(
    "vagus_load_failures_total", "Attempts to load a segment that failed.", ["signal"]
)
POISON = prometheus_client.Counter(
    "vagus_load_quarantined_total", "Requests that the engine cannot read, set aside.", ["signal"]
)
LAG = prometheus_client.Histogram(
    "vagus_load_seconds",
    "Time to load one segment.",
    ["signal"],
    buckets=(0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10),
)

#: What the engine says when the fault is in the data and trying again cannot help.
_UNREADABLE = (
    "PROTOBUF",
    "CANNOT_PARSE",
    "INCORRECT_DATA",
    "CANNOT_READ_ALL_DATA",
    "BAD_ARGUMENTS",
)
_LONGEST_PAUSE_S = 5.0
#: Segments loaded side by side; each load keeps one core busy.
_AT_ONCE = 2


@dataclass(frozen=True, slots=True)
class Statement:
    """How one signal is loaded: its table, its columns and the SELECT that fills them.

    The SELECT reads `{source}` and takes the parameters `segment`, `nested_digests` (hexadecimal
    MD5) and `nested_texts` (JSON), which stand for values nested deeper than the schema reads.
    """

    table: str
    message: str
    structure: str
    columns: tuple[str, ...]
    select: str


class Loader:
    """Loads the segments of one signal; `run` is the body of a thread."""

    def __init__(
        self,
        wal: Wal,
        engine: Engine,
        signal: str,
        statement: Statement,
        on_loaded: Callable[[str, int], None],
    ) -> None:
        self._wal = wal
        self._engine = engine
        self._signal = signal
        self._statement = statement
        self._on_loaded = on_loaded
        self._stopping = threading.Event()
        self._recovered = {segment.id for segment in wal.sealed(signal)}
        self.last_error = ""

    def run(self) -> None:
        """Load until stopped; the engine being down only makes the log wait."""
        pause_s = 0.1
        with ThreadPoolExecutor(_AT_ONCE, f"vagus-load-{self._signal}") as pool:
            while not self._stopping.is_set():
                if self._wal.next_sealed(self._signal, timeout_s=0.5) is None:
                    continue
                try:
                    self._load_waiting(pool)
                    self.last_error, pause_s = "", 0.1
                except StoreError as e:
                    FAILED.labels(self._signal).inc()
                    self.last_error = str(e)
                    log.warning("loading: %s; trying again in %.1f s", e, pause_s)
                    self._stopping.wait(pause_s)
                    pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)

    def stop(self) -> None:
        """Let `run` return after the segments it is at."""
        self._stopping.set()

    def _load_waiting(self, pool: ThreadPoolExecutor) -> None:
        """Load the oldest segments side by side; they leave the log in order.

        The order matters to settling, which remembers how far it got by the newest segment. One
        that was loaded but not taken out is loaded again, which adds nothing.
        """
        segments = self._wal.sealed(self._signal)[:_AT_ONCE]
        loads = [pool.submit(self.load, segment) for segment in segments]
        wait(loads)
        for segment, loaded in zip(segments, loads, strict=True):
            loaded.result()
            self._wal.done(segment)
            self._on_loaded(self._signal, segment.id)

    def load(self, segment: SegmentRef) -> None:
        """Put one segment into the engine; raises `StoreError` if it must wait."""
        started = time.perf_counter()
        token = f"{self._signal}-{segment.id}"
        try:
            self._insert(segment.path, segment.id, token)
            if segment.id in self._recovered and not self._is_there(segment.id):
                # A crash between noting the token and committing the rows would otherwise make the
                # engine believe that it has them.
                self._insert(segment.path, segment.id, f"{token}-again")
        except StoreError as e:
            if not any(word in str(e) for word in _UNREADABLE):
                raise
            log.error(
                "%s cannot be read as a whole, loading its requests one by one: %s", segment.path, e
            )
            self._load_one_by_one(segment)
        LOADED.labels(self._signal).inc()
        LAG.labels(self._signal).observe(time.perf_counter() - started)

    def _insert(self, path: Path, segment_id: int, token: str) -> None:
        digests, texts = nested_values(path.read_bytes())
        statement = self._statement
        self._engine.load(
            Load(
                table=statement.table,
                columns=statement.columns,
                select=statement.select,
                message=statement.message,
                structure=statement.structure,
                schema=otlp.PROTOBUF,
                segment=path,
                token=token,
                params={
                    "segment": segment_id,
                    "nested_digests": digests,
                    "nested_texts": texts,
                },
            )
        )

    def _is_there(self, segment_id: int) -> bool:
        found = self._engine.query(
            f"SELECT count() AS rows FROM {self._statement.table} "
            "WHERE segment = {segment:UInt64}",
            {"segment": segment_id},
        )
        return bool(found.one())

    def _load_one_by_one(self, segment: SegmentRef) -> None:
        for left_behind in segment.path.parent.glob(f"{segment.path.stem}.*.one"):
            left_behind.unlink()
        for number, record in enumerate(_records(segment.path.read_bytes())):
            path = segment.path.with_suffix(f".{number}.one")
            path.write_bytes(record)
            try:
                self._insert(path, segment.id, f"{self._signal}-{segment.id}-{number}")
            except StoreError as e:
                if not any(word in str(e) for word in _UNREADABLE):
                    raise
                kept = segment.path.parent.parent / "quarantine"
                kept.mkdir(exist_ok=True)
                path.rename(kept / f"{self._signal}-{segment.id}-{number}.seg")
                POISON.labels(self._signal).inc()
                log.error("request %d of %s is set aside: %s", number, segment.path, e)
            finally:
                path.unlink(missing_ok=True)


def _records(data: bytes) -> Iterator[bytes]:
    at = 0
    while (frame := read_varint(data, at)) is not None:
        length, start = frame
        yield data[at : start + length]
        at = start + length


def nested_values(data: bytes) -> tuple[list[str], list[str]]:
    """The values that the receiver turned into JSON: digests (upper-case hex) and texts.

    The lists are never empty, because the engine's `transform` takes no empty ones.
    """
    found: dict[str, str] = {"": ""}
    for record in _records(data):
        for digest, text in _nested_of(record):
            found[digest.hex().upper()] = text.decode()
    return list(found), list(found.values())


def _nested_of(record: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The `nested` fields of a record; they stand before the request, which is not looked at."""
    for number, body in _fields(record, skip_frame=True):
        if number == 15:
            return
        if number == 5:
            pair: Mapping[int, Any] = dict(_fields(body, skip_frame=False))
            yield pair.get(1, b""), pair.get(2, b"")


def _fields(message: bytes, *, skip_frame: bool) -> Iterator[tuple[int, bytes]]:
    frame = read_varint(message, 0) if skip_frame else (0, 0)
    at = frame[1] if frame else len(message)
    while (tag := read_varint(message, at)) is not None:
        number, wire = tag[0] >> 3, tag[0] & 7
        at = tag[1]
        if wire in (1, 5):
            at += 8 if wire == 1 else 4
        elif wire == 2 and (length := read_varint(message, at)) is not None:
            at = length[1] + length[0]
            yield number, message[length[1] : at] if number != 15 else b""
        else:
            return
