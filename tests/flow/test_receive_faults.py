"""The receiver as a process of its own, hurt in the ways that real machines hurt it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from receive.samples_of_otlp import entry, open_wal, stored_requests, trace_request
from vagus.receive.inflate import zstd

SOURCE = Path(__file__).parents[2] / "src"
MIB = 1024 * 1024
TRACES = {"content-type": "application/x-protobuf"}

SERVER = """
import os, socket, sys
from pathlib import Path
import uvicorn
from starlette.applications import Starlette
from vagus.receive.otlp_http import routes
from vagus.receive.receiver import Receiver
from vagus.receive.wal import Wal

wal = Wal(
    Path(sys.argv[1]), segment_bytes=int(sys.argv[2]), segment_ms=50, max_backlog_bytes=1 << 30,
    min_free_bytes=0, on_fatal=lambda error: os._exit(70),
)
receiver = Receiver(wal, lambda key, headers: "default", max_body_bytes=64 << 20)
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
config = uvicorn.Config(Starlette(routes=routes(receiver)), log_level="error", loop="uvloop")
uvicorn.Server(config).run(sockets=[listener])
"""


@contextlib.contextmanager
def _server(
    directory: Path, *, wrapper: tuple[str, ...] = (), segment_bytes: int = 256 * 1024, **options
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    command = [*wrapper, sys.executable, "-c", SERVER, str(directory), str(segment_bytes)]
    environment = os.environ | {"PYTHONPATH": str(SOURCE)}
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
        start_new_session=True,
        **options,
    )
    try:
        yield process, f"http://127.0.0.1:{int(process.stdout.readline())}/v1/traces"
    finally:
        # The whole group, because a wrapper that is killed alone leaves its server behind.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()


def _body(name: str, spans: int = 20) -> bytes:
    return trace_request(spans, name=name).SerializeToString()


def _name(body: bytes) -> str:
    request = ExportTraceServiceRequest.FromString(body)
    return request.resource_spans[0].scope_spans[0].spans[0].name


def _recovered(directory: Path) -> list[str]:
    wal = open_wal(directory)
    wal.close()
    return [_name(body) for body in stored_requests(wal)]


def _post_until_it_ends(url: str, prefix: str, acknowledged: list[str]) -> None:
    with httpx.Client(headers=TRACES) as client, contextlib.suppress(httpx.TransportError):
        for number in range(100_000):
            name = f"{prefix}-{number}"
            if client.post(url, content=_body(name)).status_code == 200:
                acknowledged.append(name)


@pytest.mark.parametrize("seed", range(5))
def test_nothing_acknowledged_is_lost_or_doubled_by_kill_9(tmp_path: Path, seed: int) -> None:
    delay_s = random.Random(seed).uniform(0, 0.3)
    acknowledged: list[str] = []
    for life in range(2):
        with _server(tmp_path) as (process, url):
            threads = [
                threading.Thread(
                    target=_post_until_it_ends, args=(url, f"{life}-{client}", acknowledged)
                )
                for client in range(4)
            ]
            for thread in threads:
                thread.start()
            deadline = time.monotonic() + 10
            while len(acknowledged) < 10 * (life + 1) and time.monotonic() < deadline:
                time.sleep(0.001)
            time.sleep(delay_s)
            process.send_signal(signal.SIGKILL)
            for thread in threads:
                thread.join(20)

    recovered = _recovered(tmp_path)

    assert len(acknowledged) >= 20
    assert set(acknowledged) <= set(recovered)
    assert len(recovered) == len(set(recovered))


def test_a_request_retried_after_kill_9_is_stored_once(tmp_path: Path) -> None:
    body = _body("retried")
    for _ in range(3):
        with _server(tmp_path) as (process, url):
            assert httpx.post(url, content=body, headers=TRACES).status_code == 200
            process.send_signal(signal.SIGKILL)

    assert _recovered(tmp_path) == ["retried"]


def test_random_damage_to_the_newest_segment_never_costs_a_sound_record(tmp_path: Path) -> None:
    wal = open_wal(tmp_path / "wal")
    for number in range(20):
        asyncio.run(wal.append(entry(_body(str(number), 2))))
    wal.close()
    (path,) = (tmp_path / "wal" / "traces").iterdir()
    whole = path.read_bytes()
    dice = random.Random(11)
    for turn in range(60):
        directory = tmp_path / str(turn)
        shutil.copytree(tmp_path / "wal", directory)
        copy = directory / "traces" / path.name
        at = dice.randrange(len(whole))
        if turn % 2:
            copy.write_bytes(whole[:at])
        else:
            copy.write_bytes(whole[:at] + bytes((whole[at] ^ 0xFF,)) + whole[at + 1 :])

        recovered = _recovered(directory)

        if turn % 2:
            assert recovered == [str(number) for number in range(len(recovered))]
            assert not (directory / "quarantine").exists()
        else:
            assert len(recovered) == 19
        assert _recovered(directory) == recovered


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")
def test_a_full_disk_is_503_and_service_resumes_when_there_is_room(tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    mount = f'mount -t tmpfs -o size=4m none {small} && exec "$@"'
    wrapper = ("unshare", "-m", "sh", "-c", mount, "sh")
    answers, acknowledged = [], []
    with _server(small / "wal", wrapper=wrapper) as (process, url), httpx.Client() as client:
        inside = Path(f"/proc/{process.pid}/root{small}")
        ballast = inside / "ballast"
        ballast.write_bytes(bytes(2 * MIB))
        for number in range(40):
            body = _body(f"{number}-" + "x" * 100_000, 1)
            answers.append(client.post(url, content=body, headers=TRACES))
            if answers[-1].status_code == 200:
                acknowledged.append(_name(body))
        ballast.unlink()
        later = client.post(url, content=_body("later"), headers=TRACES)
        shutil.copytree(inside / "wal", tmp_path / "copy")

    codes = [answer.status_code for answer in answers]
    assert set(codes) == {200, 503}
    assert codes == sorted(codes)
    assert all(int(one.headers["retry-after"]) > 0 for one in answers if one.status_code == 503)
    assert later.status_code == 200
    assert set(_recovered(tmp_path / "copy")) == {*acknowledged, "later"}
    assert not (tmp_path / "copy" / "quarantine").exists()


def test_a_record_that_was_written_in_part_is_taken_back_and_what_was_acknowledged_stays(
    tmp_path: Path,
) -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))

    acknowledged = []
    codes = []
    with (
        _server(tmp_path, segment_bytes=64 * MIB, preexec_fn=limit) as (_, url),
        httpx.Client() as client,
    ):
        for number in range(20):
            body = _body(f"{number}-" + "x" * 70_000, 1)
            codes.append(client.post(url, content=body, headers=TRACES).status_code)
            if codes[-1] == 200:
                acknowledged.append(_name(body))

    assert set(codes) <= {200, 503}
    assert 503 in codes
    assert set(_recovered(tmp_path)) == set(acknowledged)


def _strace(injection: str) -> tuple[str, ...]:
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed, so system calls cannot be made to fail")
    return ("strace", "-f", "-qq", "-o", os.devnull, "-e", "trace=fdatasync", "-e", injection)


def test_an_fsync_error_of_the_kernel_ends_the_process_without_an_acknowledgement(
    tmp_path: Path,
) -> None:
    wrapper = _strace("inject=fdatasync:error=EIO:when=4")
    acknowledged, refused = [], []
    with _server(tmp_path, wrapper=wrapper) as (process, url):
        for number in range(50):
            name = str(number)
            try:
                code = httpx.post(url, content=_body(name), headers=TRACES).status_code
            except httpx.TransportError:
                break
            (acknowledged if code == 200 else refused).append(name)
        ended = process.wait(10)

    assert ended == 70
    assert acknowledged == ["0", "1", "2"]
    assert set(_recovered(tmp_path)) >= set(acknowledged)


def test_a_bomb_of_a_gigabyte_costs_the_server_no_more_than_its_limit(tmp_path: Path) -> None:
    squeezer = zstd.ZstdCompressor()
    zeros = bytes(MIB)
    bomb = b"".join(squeezer.compress(zeros) for _ in range(1024)) + squeezer.flush()
    with _server(tmp_path) as (process, url):
        httpx.post(url, content=_body("before"), headers=TRACES)
        before_kib = _peak_kib(process.pid)
        started = time.monotonic()
        headers = TRACES | {"content-encoding": "zstd"}
        codes = [httpx.post(url, content=bomb, headers=headers).status_code for _ in range(4)]
        took_s = time.monotonic() - started
        after_kib = _peak_kib(process.pid)
        alive = httpx.post(url, content=_body("after"), headers=TRACES).status_code

    assert codes == [413] * 4
    assert took_s < 5
    assert after_kib - before_kib < 100 * 1024
    assert alive == 200


def _peak_kib(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+)", status)[1])
