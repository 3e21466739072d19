"""The backend may be gone, slow or hostile; the host must not notice."""

from __future__ import annotations

import logging
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from opentelemetry import trace

import vagus
from sdk.otlp_receiver import Receiver
from vagus.sdk._queue import Limits, Queue


@pytest.fixture
def closed_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


@pytest.fixture
def black_hole() -> Iterator[str]:
    """Accepts connections and never answers."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture
def failing() -> Iterator[str]:
    receiver = Receiver(status=500)
    yield receiver.url
    receiver.close()


@pytest.fixture
def slow() -> Iterator[str]:
    receiver = Receiver(delay_s=3.0)
    yield receiver.url
    receiver.close()


@pytest.mark.parametrize("backend", ["closed_port", "black_hole", "failing", "slow"])
def test_a_bad_backend_is_bounded_in_memory_and_time(
    backend: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
    vagus.init(endpoint=request.getfixturevalue(backend), instrument=False)
    tracer = trace.get_tracer("host")

    for _ in range(6000):
        tracer.start_span("work", attributes={"text": "x" * 100}).end()
    for _ in range(1500):
        vagus.score("good", 1.0, trace_id="a" * 32)
    waiting = vagus.health()
    before_s = time.monotonic()
    vagus.flush(0.2)
    vagus.shutdown(0.4)
    stopped_s = time.monotonic() - before_s

    assert waiting.spans_waiting <= 2048 + 512
    assert waiting.scores_waiting <= 1000 + 100
    assert waiting.spans_dropped > 0
    assert waiting.scores_dropped > 0
    # The two timeouts, and room for a busy machine; an unbounded wait would take ten or more.
    assert stopped_s < 3.0


def test_a_refusing_backend_is_counted_and_said_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("vagus.sdk._guard._last_said", {})
    receiver = Receiver(status=400)
    vagus.init(endpoint=receiver.url, instrument=False)
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            trace.get_tracer("host").start_span("work").end()
            vagus.flush(5)
    found = vagus.health()
    vagus.shutdown(1)
    receiver.close()

    assert (found.spans_sent, found.spans_failed) == (0, 3)
    assert receiver.requests == 3
    assert len([item for item in caplog.records if "could not be sent" in item.message]) == 1
    assert {item.name for item in caplog.records} == {"vagus"}


def test_bytes_are_bounded_too() -> None:
    gate = threading.Event()
    queue: Queue[str] = Queue("test", lambda batch: gate.wait(5), Limits(size_bytes=1000, batch=1))
    for _ in range(50):
        queue.put("x", 300)
    queue.put("huge", 5000)

    assert queue.waiting <= 4
    assert queue.dropped + queue.waiting == 51
    gate.set()
    assert queue.close(5)


def test_a_flush_returns_at_its_timeout() -> None:
    gate = threading.Event()
    queue: Queue[str] = Queue("test", lambda batch: gate.wait(5), Limits(delay_s=0.01))
    queue.put("x", 1)

    assert queue.flush(0.05) is False
    gate.set()
    assert queue.flush(5) is True
    assert queue.sent == 1
    assert queue.close(1)
    queue.put("late", 1)
    assert queue.dropped == 1


def test_a_sender_that_raises_does_not_end_the_queue(caplog: pytest.LogCaptureFixture) -> None:
    def send(batch: list[str]) -> bool:
        if batch == ["bad"]:
            raise RuntimeError("broken")
        return True

    queue: Queue[str] = Queue("raising", send, Limits(batch=1))
    queue.put("bad", 1)
    queue.put("good", 1)

    assert queue.close(5)
    assert (queue.failed, queue.sent) == (1, 1)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_child_sends_its_own_spans_and_not_the_parents(receiver: Receiver) -> None:
    tracer = trace.get_tracer("host")
    tracer.start_span("parent").end()
    child = os.fork()
    if child == 0:
        tracer.start_span("child").end()
        os._exit(0 if vagus.flush(5) else 1)
    _, status = os.waitpid(child, 0)

    assert os.waitstatus_to_exitcode(status) == 0
    assert vagus.flush(5)
    assert sorted(span.name for span in receiver.spans) == ["child", "parent"]


def test_our_own_bug_surfaces_in_tests_and_never_in_programs(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from vagus.sdk._guard import guard

    @guard(default=7)
    def broken() -> int:
        raise RuntimeError("a bug of ours")

    with pytest.raises(RuntimeError):
        broken()
    monkeypatch.delenv("PYTEST_CURRENT_TEST")
    assert broken() == 7
    assert broken() == 7
    assert len([item for item in caplog.records if "a bug of ours" in item.message]) == 1


def test_threads_are_daemons_so_that_the_host_can_end(receiver: Receiver) -> None:
    trace.get_tracer("host").start_span("work").end()

    ours = [item for item in threading.enumerate() if item.name.startswith("vagus-")]

    assert ours
    assert all(item.daemon for item in ours)


def test_a_program_ends_at_once_when_the_backend_hangs(black_hole: str) -> None:
    program = (
        "import time, vagus\n"
        f"vagus.init(endpoint={black_hole!r}, instrument=False)\n"
        "with vagus.tool('x'): pass\n"
        "vagus.score('s', 1, trace_id='a' * 32)\n"
    )
    before_s = time.monotonic()
    environ = {**os.environ, "PYTHONPATH": str(Path(vagus.__file__).parents[1])}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, env=environ, timeout=60
    )

    assert done.returncode == 0
    # Three seconds for the last flush and the rest for starting Python on a busy machine.
    assert time.monotonic() - before_s < 9
