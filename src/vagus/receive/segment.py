"""Segment files: their names, and putting a directory of them right after a crash."""

from __future__ import annotations

import logging
import os
import re
from dataclasses import dataclass
from pathlib import Path

from vagus.receive import metrics
from vagus.receive.record import Scan, scan_records

log = logging.getLogger(__name__)

_NAME = re.compile(r"(\d{20})\.seg")


@dataclass(frozen=True, slots=True)
class SegmentRef:
    """A sealed segment: nothing is ever written to it again."""

    signal: str
    id: int
    path: Path
    size: int


@dataclass(frozen=True, slots=True)
class Recovered:
    """A segment found at start, sound now, with the ids of the requests in it."""

    ref: SegmentRef
    request_ids: bytes


def segment_path(directory: Path, segment_id: int) -> Path:
    """Where the segment with this id lives."""
    return directory / f"{segment_id:020d}.seg"


def sync_directory(directory: Path) -> None:
    """Make created, renamed and removed names in a directory durable."""
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def recover_segments(directory: Path, signal: str, quarantine: Path) -> list[Recovered]:
    """Check every left-over segment, in id order, and repair what a crash or the disk did to it.

    The torn end of the newest segment was never acknowledged and is cut off. Any other damage
    moves the file to quarantine, and its sound records go on in a clean file of the same id.
    """
    for unfinished in directory.glob("*.clean"):
        unfinished.unlink()
    found = sorted(path for path in directory.iterdir() if _NAME.fullmatch(path.name))
    recovered = []
    for path in found:
        data = _read_from_disk(path)
        scan = scan_records(data)
        if scan.damage:
            is_torn = path == found[-1] and len(scan.damage) == 1 and scan.damage[0].is_cut_short
            if is_torn:
                _cut_tail(path, scan)
            else:
                _set_damage_aside(path, signal, data, scan, quarantine)
        if not scan.records:
            path.unlink(missing_ok=True)
            continue
        size = sum(end - start for start, end in scan.records)
        ref = SegmentRef(signal, int(path.stem), path, size)
        recovered.append(Recovered(ref, b"".join(scan.request_ids)))
    sync_directory(directory)
    return recovered


def move_to_quarantine(path: Path, signal: str, quarantine: Path) -> Path:
    """Take a segment out of the log but keep its bytes for a person to look at."""
    quarantine.mkdir(mode=0o700, exist_ok=True)
    target = quarantine / f"{signal}-{path.name}"
    os.replace(path, target)
    sync_directory(quarantine)
    metrics.QUARANTINED.labels(signal).inc()
    return target


def _read_from_disk(path: Path) -> bytes:
    # After a failed fsync the kernel may show pages that never reached the disk. Dropping the
    # clean pages first makes this read tell what a power cut would have left.
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
        if hasattr(os, "posix_fadvise"):
            os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(fd)
    return path.read_bytes()


def _cut_tail(path: Path, scan: Scan) -> None:
    torn = scan.damage[0]
    log.warning(
        "%s: cut %d bytes of a record that was being written when the process ended; "
        "it was never acknowledged",
        path,
        torn.end - torn.start,
    )
    metrics.TORN_BYTES.inc(torn.end - torn.start)
    with path.open("rb+") as file:
        file.truncate(torn.start)
        os.fsync(file.fileno())


def _set_damage_aside(path: Path, signal: str, data: bytes, scan: Scan, quarantine: Path) -> None:
    quarantine.mkdir(mode=0o700, exist_ok=True)
    target = quarantine / f"{signal}-{path.name}"
    log.error(
        "%s: damaged at %s; the file is kept as %s and its %d sound records go on",
        path,
        ", ".join(f"bytes {part.start}-{part.end}" for part in scan.damage),
        target,
        len(scan.records),
    )
    clean = path.with_suffix(".clean")
    with clean.open("wb") as file:
        for start, end in scan.records:
            file.write(data[start:end])
        file.flush()
        os.fsync(file.fileno())
    # The link comes before the replacement, so a crash between them loses neither file.
    target.unlink(missing_ok=True)
    os.link(path, target)
    os.replace(clean, path)
    sync_directory(quarantine)
    metrics.QUARANTINED.labels(signal).inc()
