from __future__ import annotations

import asyncio
import errno
import os
import threading
import time
from pathlib import Path

import pytest

from receive.samples_of_otlp import entry, open_wal, stored_requests
from vagus.errors import InternalError, Overloaded, Unavailable
from vagus.receive import metrics
from vagus.receive.wal import Wal


def _append(wal: Wal, *bodies: bytes) -> list[bool]:
    async def all_of_them() -> list[bool]:
        return await asyncio.gather(*(wal.append(entry(body)) for body in bodies))

    return asyncio.run(all_of_them())


class CountedFsync:
    """A real fdatasync that counts and can be held up or made to fail."""

    def __init__(self) -> None:
        self.calls = 0
        self.gate = threading.Event()
        self.gate.set()
        self.errno: int | None = None

    def __call__(self, fd: int) -> None:
        self.calls += 1
        self.gate.wait(10)
        if self.errno is not None:
            raise OSError(self.errno, os.strerror(self.errno))
        os.fdatasync(fd)


def test_what_is_acknowledged_is_in_a_sealed_segment(tmp_path: Path) -> None:
    wal = open_wal(tmp_path)

    assert _append(wal, b"one", b"two") == [True, True]
    wal.close()

    assert stored_requests(wal) == [b"one", b"two"]


def test_requests_that_wait_together_share_one_fsync(tmp_path: Path) -> None:
    fsync = CountedFsync()
    wal = open_wal(tmp_path, fsync=fsync)

    async def run() -> None:
        fsync.gate.clear()
        first = asyncio.ensure_future(wal.append(entry(b"first")))
        while fsync.calls == 0:
            await asyncio.sleep(0.001)
        rest = [asyncio.ensure_future(wal.append(entry(b"%d" % i))) for i in range(100)]
        await asyncio.sleep(0.01)
        assert not first.done()
        fsync.gate.set()
        await asyncio.gather(first, *rest)

    asyncio.run(run())
    wal.close()

    assert fsync.calls == 2
    assert len(stored_requests(wal)) == 101


def test_a_duplicate_is_acknowledged_and_not_stored_again(tmp_path: Path) -> None:
    wal = open_wal(tmp_path)

    assert _append(wal, b"same") == [True]
    assert _append(wal, b"same", b"other") == [False, True]
    wal.close()

    assert stored_requests(wal) == [b"same", b"other"]


def test_a_duplicate_waits_for_the_fsync_of_the_first(tmp_path: Path) -> None:
    fsync = CountedFsync()
    wal = open_wal(tmp_path, fsync=fsync)

    async def run() -> list[bool]:
        fsync.gate.clear()
        first = asyncio.ensure_future(wal.append(entry(b"same")))
        while fsync.calls == 0:
            await asyncio.sleep(0.001)
        second = asyncio.ensure_future(wal.append(entry(b"same")))
        await asyncio.sleep(0.02)
        assert not second.done()
        fsync.gate.set()
        return await asyncio.gather(first, second)

    assert asyncio.run(run()) == [True, False]
    wal.close()


def test_a_duplicate_is_known_after_a_restart_loaded_or_not(tmp_path: Path) -> None:
    wal = open_wal(tmp_path)
    _append(wal, b"loaded")
    wal.seal()
    wal.done(wal.sealed()[0])
    _append(wal, b"waiting")
    wal.close()

    again = open_wal(tmp_path)

    assert _append(again, b"loaded", b"waiting", b"new") == [False, False, True]
    again.close()


def test_the_window_of_request_ids_is_bounded(tmp_path: Path) -> None:
    wal = open_wal(tmp_path, recent_limit=10)
    _append(wal, *(b"%d" % i for i in range(50)))
    wal.seal()
    for ref in wal.sealed():
        wal.done(ref)
    for i in range(50, 100):
        _append(wal, b"%d" % i)
    wal.seal()
    for ref in wal.sealed():
        wal.done(ref)

    assert _append(wal, b"99", b"3") == [False, True]
    assert (tmp_path / "recent").stat().st_size <= 2 * 10 * 16
    wal.close()


def test_a_segment_is_sealed_at_its_size(tmp_path: Path) -> None:
    wal = open_wal(tmp_path, segment_bytes=1000)

    _append(wal, *(b"%03d" % i + b"x" * 400 for i in range(9)))
    wal.close()
    sizes = [ref.size for ref in wal.sealed()]

    assert len(sizes) == 3
    assert all(1000 <= size < 1500 for size in sizes)


def test_a_segment_is_sealed_at_its_age(tmp_path: Path) -> None:
    wal = open_wal(tmp_path, segment_ms=30)

    _append(wal, b"x")
    started = time.monotonic()
    ref = wal.next_sealed("traces", 5)

    assert ref is not None
    assert time.monotonic() - started < 2
    assert wal.next_sealed("logs", 0) is None
    wal.close()


def test_a_segment_stays_first_until_it_is_done(tmp_path: Path) -> None:
    wal = open_wal(tmp_path, segment_bytes=1)
    _append(wal, b"a")
    _append(wal, b"b")
    first = wal.next_sealed("traces", 1)

    assert wal.next_sealed("traces", 1) == first
    wal.done(first)
    second = wal.next_sealed("traces", 1)

    assert second.id > first.id
    assert not first.path.exists()
    with pytest.raises(InternalError, match="not waiting"):
        wal.done(first)
    wal.close()


def test_a_segment_that_cannot_be_loaded_is_kept_aside(tmp_path: Path) -> None:
    wal = open_wal(tmp_path)
    _append(wal, b"poison")
    wal.seal()
    ref = wal.sealed()[0]

    kept = wal.set_aside(ref, "the engine refused it")

    assert kept == tmp_path / "quarantine" / f"traces-{ref.path.name}"
    assert kept.stat().st_size == ref.size
    assert wal.sealed() == []
    assert wal.backlog_bytes == 0
    wal.close()


def test_ids_are_never_used_again_even_when_the_clock_goes_back(tmp_path: Path) -> None:
    seen = []
    for now_ns in (5_000_000_000, 1_000_000_000, 1):
        wal = open_wal(tmp_path, clock_ns=lambda now_ns=now_ns: now_ns)
        _append(wal, b"at %d" % now_ns)
        wal.seal()
        seen += [ref.id for ref in wal.sealed()]
        for ref in wal.sealed():
            wal.done(ref)
        wal.close()

    assert seen == sorted(set(seen))
    assert len(seen) == 3


def test_ids_of_a_lost_log_directory_do_not_come_back(tmp_path: Path) -> None:
    first = open_wal(tmp_path / "lost", clock_ns=lambda: 5_000_000_000)
    _append(first, b"x")
    first.close()

    second = open_wal(tmp_path / "new", clock_ns=lambda: 9_000_000_000)
    _append(second, b"x")
    second.close()

    assert second.sealed()[0].id > first.sealed()[0].id


def test_a_full_backlog_refuses_until_a_segment_is_loaded(tmp_path: Path) -> None:
    wal = open_wal(tmp_path, max_backlog_bytes=1500)
    _append(wal, b"a" * 1000)

    with pytest.raises(Overloaded, match="max_backlog_bytes is 1500"):
        _append(wal, b"b" * 1000)
    wal.seal()
    wal.done(wal.sealed()[0])

    assert wal.backlog_bytes == 0
    assert _append(wal, b"b" * 1000) == [True]
    wal.close()


def test_a_disk_with_too_little_room_refuses(tmp_path: Path) -> None:
    wal = open_wal(tmp_path, min_free_bytes=2**62)

    with pytest.raises(Unavailable, match="bytes are free") as caught:
        _append(wal, b"x")

    assert caught.value.retry_after_s > 0
    assert wal.backlog_bytes == 0
    wal.close()


def test_after_a_failed_fsync_nothing_is_acknowledged_again(tmp_path: Path) -> None:
    fsync = CountedFsync()
    fatal: list[Exception] = []
    wal = open_wal(tmp_path, fsync=fsync, on_fatal=fatal.append)
    _append(wal, b"before")
    fsync.errno = errno.EIO

    with pytest.raises(Unavailable, match="write-ahead log has failed"):
        _append(wal, b"lost")
    fsync.errno = None
    calls = fsync.calls

    for body in (b"before", b"lost", b"after"):
        with pytest.raises(Unavailable, match="restarted"):
            _append(wal, body)
    wal.close()
    assert wal.failed
    assert [type(error).__name__ for error in fatal] == ["DiskLost"]
    assert fsync.calls == calls


def test_what_was_acknowledged_before_a_failed_fsync_is_there_after_it(tmp_path: Path) -> None:
    fsync = CountedFsync()
    wal = open_wal(tmp_path, fsync=fsync, on_fatal=lambda error: None)
    _append(wal, b"before")
    fsync.errno = errno.EIO
    with pytest.raises(Unavailable):
        _append(wal, b"unsure")
    wal.close()

    again = open_wal(tmp_path)

    assert stored_requests(again)[0] == b"before"
    again.close()


def test_a_torn_tail_is_cut_and_the_rest_stays(tmp_path: Path) -> None:
    wal = open_wal(tmp_path)
    _append(wal, b"kept", b"torn" * 100)
    wal.close()
    path = wal.sealed()[0].path
    os.truncate(path, path.stat().st_size - 7)
    torn_before = metrics.TORN_BYTES._value.get()

    again = open_wal(tmp_path)

    assert stored_requests(again) == [b"kept"]
    assert again.backlog_bytes == path.stat().st_size
    assert metrics.TORN_BYTES._value.get() > torn_before
    assert not (tmp_path / "quarantine").exists()
    assert _append(again, b"torn" * 100) == [True]
    again.close()


@pytest.mark.parametrize("is_last", [True, False])
def test_damage_in_the_middle_is_kept_aside_and_the_sound_records_go_on(
    tmp_path: Path, is_last: bool
) -> None:
    wal = open_wal(tmp_path)
    _append(wal, b"first", b"second", b"third")
    wal.seal()
    if not is_last:
        _append(wal, b"later")
    wal.close()
    ref = wal.sealed()[0]
    data = bytearray(ref.path.read_bytes())
    data[data.index(b"second")] ^= 0xFF
    ref.path.write_bytes(data)
    counted = metrics.QUARANTINED.labels("traces")._value.get()

    again = open_wal(tmp_path)

    assert stored_requests(again) == [b"first", b"third"] + ([] if is_last else [b"later"])
    assert again.sealed()[0].id == ref.id
    assert (tmp_path / "quarantine" / f"traces-{ref.path.name}").read_bytes() == data
    assert metrics.QUARANTINED.labels("traces")._value.get() == counted + 1
    again.close()


def test_a_cut_segment_that_is_not_the_last_is_damage_and_not_a_torn_tail(tmp_path: Path) -> None:
    wal = open_wal(tmp_path)
    _append(wal, b"first", b"second")
    wal.seal()
    _append(wal, b"later")
    wal.close()
    path = wal.sealed()[0].path
    os.truncate(path, path.stat().st_size - 1)

    again = open_wal(tmp_path)

    assert stored_requests(again) == [b"first", b"later"]
    assert len(list((tmp_path / "quarantine").iterdir())) == 1
    again.close()


def test_a_flipped_length_does_not_hide_the_records_behind_it(tmp_path: Path) -> None:
    wal = open_wal(tmp_path)
    _append(wal, b"first" * 50, b"second" * 50, b"third" * 50)
    wal.close()
    path = wal.sealed()[0].path
    data = bytearray(path.read_bytes())
    data[1] = 0x7F
    path.write_bytes(data)

    again = open_wal(tmp_path)

    assert stored_requests(again) == [b"second" * 50, b"third" * 50]
    again.close()


def test_a_repair_that_was_interrupted_is_done_again(tmp_path: Path) -> None:
    wal = open_wal(tmp_path)
    _append(wal, b"first", b"second")
    wal.close()
    path = wal.sealed()[0].path
    path.with_suffix(".clean").write_bytes(b"half a repair")

    again = open_wal(tmp_path)

    assert stored_requests(again) == [b"first", b"second"]
    assert list(path.parent.iterdir()) == [path]
    again.close()


def test_a_closed_log_takes_nothing(tmp_path: Path) -> None:
    wal = open_wal(tmp_path)
    wal.close()

    with pytest.raises(Unavailable, match="stopping"):
        _append(wal, b"x")


def test_signals_have_segments_of_their_own(tmp_path: Path) -> None:
    wal = open_wal(tmp_path)

    async def run() -> None:
        signals = ("traces", "logs", "metrics")
        await asyncio.gather(*(wal.append(entry(b"x", signal=signal)) for signal in signals))

    asyncio.run(run())
    wal.close()

    assert sorted(ref.signal for ref in wal.sealed()) == ["logs", "metrics", "traces"]
    assert len({ref.id for ref in wal.sealed()}) == 3
