"""Full disks, failing syncs, torn files and hostile requests against a real server."""

from __future__ import annotations

import argparse
import contextlib
import gzip
import http.client
import json
import os
import secrets
import shutil
import subprocess
import tempfile
import time
import urllib.error
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from google.rpc.status_pb2 import Status

from bench.record import save
from bench.servers import Vagus
from bench.traffic import SPANS_PER_TRACE, Requests

MIB = 1024 * 1024
PROTOBUF = {"content-type": "application/x-protobuf"}
JSON = {"content-type": "application/json"}
_PATIENCE_S = 90.0


class Impossible(Exception):
    """This machine does not let the fault be made; says what is missing."""


@dataclass
class Answer:
    """What came back for one request; status 0 when nothing did."""

    status: int
    said: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0


@dataclass
class Outcome:
    """What a fault did; `broken` names the promises that did not hold."""

    fault: str
    what: str = ""
    statuses: list[int] = field(default_factory=list)
    seconds: float = 0.0
    is_up: bool = False
    broken: list[str] = field(default_factory=list)

    def expect(self, held: bool, promise: str) -> None:
        """Note a promise that did not hold."""
        if not held:
            self.broken.append(promise)


def post(
    server: Vagus, body: bytes, headers: dict[str, str] | None = None, *, path: str = "/v1/traces"
) -> Answer:
    """Send one request and take whatever comes back."""
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=120)
    started = time.perf_counter()
    try:
        # A large body may be refused before it has been sent; then sending breaks off.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.request("POST", path, body, headers or PROTOBUF)
        reply = connection.getresponse()
        said = {name.lower(): value for name, value in reply.getheaders()}
        content = reply.read()
        found = Answer(reply.status, _sentence(content) if reply.status >= 300 else "", said)
    except (OSError, http.client.HTTPException) as error:
        found = Answer(0, str(error))
    finally:
        connection.close()
    found.seconds = time.perf_counter() - started
    return found


def _sentence(body: bytes) -> str:
    """What a refusal says: OTLP answers in the encoding of the request."""
    if body.startswith(b"{"):
        return str(json.loads(body)["message"])
    return str(Status.FromString(body).message)


def is_up(server: Vagus) -> bool:
    """Whether it takes a request and answers a question."""
    with contextlib.suppress(OSError):
        taken = post(server, Requests(10, templates=1).next()).status == 200
        return taken and server.sql("SELECT count() FROM spans")[0][0] is not None
    return False


def missing_or_doubled(server: Vagus, acknowledged: set[str]) -> list[str]:
    """Waits for the log to be loaded; the traces that are not there as they were sent."""
    deadline_s = time.monotonic() + _PATIENCE_S
    while True:
        rows: Any = server.sql(
            "SELECT trace_id, count(), uniqExact(span_id) FROM spans GROUP BY trace_id"
        )
        stored = {trace_id: (count, distinct) for trace_id, count, distinct in rows}
        whole = (SPANS_PER_TRACE, SPANS_PER_TRACE)
        wrong = [trace_id for trace_id in acknowledged if stored.get(trace_id) != whole]
        if not wrong or time.monotonic() > deadline_s:
            return wrong
        time.sleep(0.3)


@contextlib.contextmanager
def running(server: Vagus) -> Iterator[Vagus]:
    """The server, killed afterwards whatever happened to it."""
    server.start()
    try:
        yield server
    finally:
        server.kill()


def needs_root(program: str) -> None:
    """Raises `Impossible` unless we are root and have the program."""
    if os.geteuid() != 0:
        raise Impossible("only root can do this")
    if shutil.which(program) is None:
        raise Impossible(f"{program} is not installed")


def _small_disk(directory: Path, size: str) -> tuple[str, ...]:
    needs_root("unshare")
    make = f'mkdir -p {directory} && mount -t tmpfs -o size={size} none {directory} && exec "$@"'
    tried = subprocess.run(["unshare", "-m", "sh", "-c", make, "sh", "true"], capture_output=True)
    if tried.returncode:
        raise Impossible("this machine does not let a small disk be mounted")
    return ("unshare", "-m", "sh", "-c", make, "sh")


def _fill(server: Vagus, directory: Path, leave: int) -> Path:
    """Fill a disk that only the server sees, but for some bytes; the file that does it."""
    inside = Path(f"/proc/{server.facts['pid']}/root{directory}")
    ballast = inside / "ballast"
    size = shutil.disk_usage(inside).free - leave
    with ballast.open("wb") as file:
        for _ in range(size // MIB):
            file.write(bytes(MIB))
    return ballast


def disk_full(folder: Path) -> Outcome:
    """The disk of the whole data directory fills up, and is given room again."""
    data = folder / "data"
    outcome = Outcome("disk full")
    server = Vagus(data, wrapper=_small_disk(data, "300m"))
    requests, acknowledged = Requests(50, templates=2), set[str]()
    with running(server):
        for _ in range(4):
            body, traces = requests.next_with_traces()
            if post(server, body).status == 200:
                acknowledged |= set(traces)
        outcome.expect(not missing_or_doubled(server, acknowledged), "loaded before the fault")
        ballast = _fill(server, data, leave=17 * MIB)
        refused: list[Answer] = []
        for number in range(400):
            body, traces = requests.next_with_traces()
            answer = post(server, body)
            outcome.statuses.append(answer.status)
            if answer.status == 200:
                acknowledged |= set(traces)
            else:
                refused.append(answer)
            if len(refused) == 5:
                break
            if number == 100:
                _top_up(ballast)
        outcome.expect(bool(refused), "a full disk is said")
        outcome.expect({a.status for a in refused} <= {503}, "a full disk is 503")
        retried = all(int(answer.headers.get("retry-after", 0)) > 0 for answer in refused)
        outcome.expect(retried, "Retry-After")
        read = server.sql("SELECT count() FROM spans")[0][0]
        listed: Any = server.get("/api/v1/traces")
        outcome.expect(bool(read) and "rows" in listed, "reads go on")
        ballast.unlink()
        started = time.perf_counter()
        while post(server, requests.next()).status != 200 and time.perf_counter() - started < 60:
            time.sleep(0.2)
        outcome.seconds = time.perf_counter() - started
        outcome.expect(outcome.seconds <= 10, "taking in again 10 s after there is room")
        lost = missing_or_doubled(server, acknowledged)
        outcome.expect(not lost, f"{len(lost)} of {len(acknowledged)} acknowledged traces wrong")
        outcome.is_up = is_up(server)
        outcome.what = (
            f"refused: {refused[0].said!r}; reads went on; taken in again with room"
            if refused
            else "nothing was refused"
        )
    return outcome


def _top_up(ballast: Path) -> None:
    """Take most of what is left of the disk."""
    left = shutil.disk_usage(ballast.parent).free - 2 * MIB
    with ballast.open("ab") as file:
        for _ in range(max(0, left // MIB)):
            file.write(bytes(MIB))


def store_refuses(folder: Path) -> Outcome:
    """The engine's own disk is full: the log holds what comes, up to its limit."""
    data = folder / "data"
    outcome = Outcome("engine refuses inserts")
    flags = ("--receive-max-backlog-bytes", str(4 * MIB))
    server = Vagus(data, *flags, wrapper=_small_disk(data / "engine", "200m"))
    requests, acknowledged = Requests(50, templates=2), set[str]()
    with running(server):
        ballast = _fill(server, data / "engine", leave=0)
        with contextlib.suppress(OSError), ballast.open("ab") as file:
            while True:
                file.write(bytes(4096))
                file.flush()
        answer = Answer(0)
        for _ in range(200):
            body, traces = requests.next_with_traces()
            answer = post(server, body)
            outcome.statuses.append(answer.status)
            if answer.status != 200:
                break
            acknowledged |= set(traces)
        outcome.expect(len(acknowledged) > 0, "the log takes what the engine refuses")
        outcome.expect(answer.status == 429, "a full log is 429")
        outcome.expect(int(answer.headers.get("retry-after", 0)) > 0, "Retry-After")
        outcome.expect(bool(server.sql("SELECT count() FROM spans")), "reads go on")
        outcome.what = f"the log took {len(acknowledged)} traces, then: {answer.said!r}"
        ballast.unlink()
        started = time.perf_counter()
        lost = missing_or_doubled(server, acknowledged)
        outcome.seconds = time.perf_counter() - started
        outcome.expect(not lost, f"{len(lost)} of {len(acknowledged)} acknowledged traces wrong")
        outcome.is_up = is_up(server)
    return outcome


def sync_fails(folder: Path) -> Outcome:
    """The kernel says EIO to every sync from one moment on."""
    needs_root("strace")
    outcome = Outcome("fsync error")
    server = Vagus(folder / "data")
    requests, acknowledged = Requests(50, templates=2), set[str]()
    with running(server):
        for _ in range(3):
            body, traces = requests.next_with_traces()
            if post(server, body).status == 200:
                acknowledged |= set(traces)
        assert server.process is not None
        with _failing_syncs(server.facts["pid"]):
            started = time.perf_counter()
            while server.process.poll() is None and time.perf_counter() - started < 30:
                outcome.statuses.append(post(server, requests.next()).status)
            outcome.seconds = time.perf_counter() - started
        code = server.process.poll()
        outcome.expect(200 not in outcome.statuses, "no acknowledgement after the error")
        outcome.expect(code not in (None, 0), "the process ends with an error")
    with running(server):
        lost = missing_or_doubled(server, acknowledged)
        outcome.expect(not lost, f"{len(lost)} of {len(acknowledged)} acknowledged traces wrong")
        outcome.is_up = is_up(server)
    outcome.what = f"the process ended with status {code}; all was there after the next start"
    return outcome


@contextlib.contextmanager
def _failing_syncs(pid: str) -> Iterator[None]:
    inject = "inject=fsync,fdatasync:error=EIO"
    tracer = subprocess.Popen(
        ["strace", "-f", "-p", pid, "-e", "trace=fsync,fdatasync", "-e", inject],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert tracer.stderr is not None
    said = tracer.stderr.readline()
    if "attached" not in said:
        tracer.kill()
        raise Impossible(f"strace cannot attach: {said.strip()}")
    drain = subprocess.Popen(["cat"], stdin=tracer.stderr, stdout=subprocess.DEVNULL)
    try:
        yield
    finally:
        tracer.kill()
        tracer.wait()
        drain.wait()
        tracer.stderr.close()


def torn_tail(folder: Path) -> Outcome:
    """The process dies in the middle of writing a record to the log."""
    outcome = Outcome("torn segment tail")
    data = folder / "data"
    requests, acknowledged = Requests(50, templates=2), set[str]()
    server = Vagus(data, "--receive-segment-ms", "600000")
    with running(server):
        for _ in range(5):
            body, traces = requests.next_with_traces()
            outcome.statuses.append(post(server, body).status)
            acknowledged |= set(traces)
    segment = max((data / "wal" / "traces").glob("*.seg"))
    whole = segment.read_bytes()
    with segment.open("ab") as file:
        file.write(whole[: len(whole) // 12])
    server = Vagus(data)
    with running(server):
        outcome.seconds = server.ready_s
        lost = missing_or_doubled(server, acknowledged)
        outcome.expect(not lost, f"{len(lost)} of {len(acknowledged)} acknowledged traces wrong")
        outcome.expect(not (data / "wal" / "quarantine").exists(), "only the tail is cut")
        outcome.is_up = is_up(server)
    outcome.what = "the torn record was cut off, every acknowledged one was loaded once"
    return outcome


def _refused(server: Vagus, fault: str, status: int, answers: list[Answer]) -> Outcome:
    outcome = Outcome(fault, answers[0].said, [answer.status for answer in answers])
    outcome.seconds = max(answer.seconds for answer in answers)
    outcome.expect(all(answer.status == status for answer in answers), f"the status is {status}")
    outcome.expect(all(len(answer.said) > 20 for answer in answers), "it says what is wrong")
    outcome.is_up = is_up(server)
    outcome.expect(outcome.is_up, "the server is up")
    return outcome


def truncated_protobuf(server: Vagus) -> Outcome:
    """A request of which the end is missing."""
    body = Requests(10, templates=1).next()
    answers = [post(server, body[:-1]), post(server, body[: len(body) // 2])]
    return _refused(server, "truncated protobuf", 400, answers)


def wrong_gzip(server: Vagus) -> Outcome:
    """Bodies that say gzip and are something else, or break off."""
    body = Requests(10, templates=1).next()
    headers = PROTOBUF | {"content-encoding": "gzip"}
    packed = gzip.compress(body)
    bad = packed[:-8] + bytes(8)
    answers = [post(server, wrong, headers) for wrong in (body, packed[: len(packed) // 2], bad)]
    return _refused(server, "wrong gzip", 400, answers)


def bomb(server: Vagus) -> Outcome:
    """One megabyte that becomes one gigabyte."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    zeros = bytes(MIB)
    packed = b"".join(packer.compress(zeros) for _ in range(1024)) + packer.flush()
    before_mib = server.memory_mib()
    answer = post(server, packed, PROTOBUF | {"content-encoding": "gzip"})
    grown_mib = server.memory_mib() - before_mib
    outcome = _refused(server, "1 GB bomb of 1 MB", 413, [answer])
    outcome.expect(answer.seconds < 5, "refused within 5 s")
    outcome.expect(grown_mib < 256, f"memory grew by {grown_mib:.0f} MiB")
    outcome.what += f" ({len(packed)} bytes, memory grew by {max(0.0, grown_mib):.0f} MiB)"
    return outcome


def deep_value(server: Vagus) -> Outcome:
    """An attribute of 10,000 arrays in each other, in protobuf and in JSON."""
    value = b""
    for _ in range(10_000):
        value = _field(5, _field(1, value))
    attribute = _field(9, _field(1, b"deep") + _field(2, value))
    span_ids = os.urandom(16), os.urandom(8)
    span = _field(1, span_ids[0]) + _field(2, span_ids[1]) + attribute
    protobuf = _field(1, _field(2, _field(2, span)))
    text = '{"stringValue":"x"}'
    text = '{"arrayValue":{"values":[' * 10_000 + text + "]}}" * 10_000
    spans = (
        f'[{{"traceId":"{secrets.token_hex(16)}","spanId":"{secrets.token_hex(8)}",'
        f'"attributes":[{{"key":"deep","value":{text}}}]}}]'
    )
    request = f'{{"resourceSpans":[{{"scopeSpans":[{{"spans":{spans}}}]}}]}}'
    outcome = _refused(server, "10,000-deep AnyValue", 400, [post(server, request.encode(), JSON)])
    # The wire format says how long each level is, so protobuf can be kept without descending.
    taken = post(server, protobuf)
    outcome.statuses.append(taken.status)
    outcome.expect(taken.status in (200, 400), "protobuf is kept or refused")
    if taken.status == 200:
        shown = _shown_attribute(server, span_ids, "deep")
        outcome.expect("$depth" in shown, "the value is bounded where it is shown")
        outcome.what += "; in protobuf it is kept, as JSON to a depth of 32 and as bytes below"
    return outcome


def _shown_attribute(server: Vagus, span_ids: tuple[bytes, bytes], key: str) -> str:
    trace_id, span_id = (one.hex() for one in span_ids)
    deadline_s = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline_s:
        with contextlib.suppress(urllib.error.HTTPError):
            span: Any = server.get(f"/api/v1/traces/{trace_id}/spans/{span_id}")
            return next(str(one["value"]) for one in span["attributes"] if one["key"] == key)
        time.sleep(0.2)
    return ""


def _field(number: int, content: bytes) -> bytes:
    length, head = len(content), bytearray((number << 3 | 2,))
    while length > 127:
        head.append(length & 127 | 128)
        length >>= 7
    return bytes(head) + bytes((length,)) + content


def _with_attribute(trace_id: bytes, size: int) -> bytes:
    now_ns = time.time_ns()
    start, end = now_ns.to_bytes(8, "little"), (now_ns + 10**9).to_bytes(8, "little")
    times = b"\x39" + start + b"\x41" + end
    attribute = _field(9, _field(1, b"input.value") + _field(2, _field(1, b"x" * size)))
    span = _field(1, trace_id) + _field(2, os.urandom(8)) + _field(5, b"huge") + times + attribute
    return _field(1, _field(2, _field(2, span)))


def huge_attribute(server: Vagus) -> Outcome:
    """An attribute of 100 MB under the default limit, plain and compressed."""
    body = _with_attribute(os.urandom(16), 100_000_000)
    packed = gzip.compress(body, 1)
    answers = [post(server, body), post(server, packed, PROTOBUF | {"content-encoding": "gzip"})]
    return _refused(server, "100 MB attribute, default limit", 413, answers)


def huge_attribute_allowed(folder: Path) -> Outcome:
    """The same with a limit that lets it in: it is kept, and shown cut."""
    outcome = Outcome("100 MB attribute, limit raised")
    trace_id = os.urandom(16)
    server = Vagus(folder / "data", "--receive-max-body-bytes", "200000000")
    with running(server):
        taken = post(server, _with_attribute(trace_id, 100_000_000))
        outcome.statuses.append(taken.status)
        outcome.expect(taken.status == 200, f"it is taken, not: {taken.said[:200]}")
        path = f"/api/v1/traces/{trace_id.hex()}"
        started = time.perf_counter()
        answer: Any = None
        while taken.status == 200 and time.perf_counter() - started < _PATIENCE_S:
            with contextlib.suppress(urllib.error.HTTPError):
                answer = server.get(path)
                if answer["trace"]["is_settled"]:
                    break
            time.sleep(0.3)
        outcome.expect(bool(answer and answer["trace"]["is_settled"]), "the trace settles")
        started = time.perf_counter()
        if answer:
            span: Any = server.get(f"{path}/spans/{answer['columns']['span_id'][0]}")
            (shown,) = (one for one in span["attributes"] if one["key"] == "input.value")
            outcome.expect(len(json.dumps(span)) < MIB, "the answer is cut")
            outcome.expect(
                len(shown["value"]) + (shown["cut"] or 0) == 100_000_000, "the cut is counted"
            )
            outcome.what = f"kept whole; shown are {len(shown['value'])} bytes, {shown['cut']} cut"
        outcome.seconds = time.perf_counter() - started
        outcome.is_up = is_up(server)
    return outcome


#: Faults that need a server of their own, and those that are requests to one that runs.
OF_SERVERS: tuple[Callable[[Path], Outcome], ...] = (
    disk_full,
    store_refuses,
    sync_fails,
    torn_tail,
    huge_attribute_allowed,
)
OF_REQUESTS: tuple[Callable[[Vagus], Outcome], ...] = (
    truncated_protobuf,
    wrong_gzip,
    bomb,
    deep_value,
    huge_attribute,
)


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    outcomes: list[Outcome] = []
    left_out: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="vagus-faults-") as folder:
        with running(Vagus(Path(folder) / "requests")) as server:
            outcomes += [fault(server) for fault in OF_REQUESTS]
        for fault in OF_SERVERS:
            place = Path(folder) / fault.__name__
            place.mkdir()
            try:
                outcomes.append(fault(place))
            except Impossible as why:
                left_out[fault.__name__] = str(why)
    save(
        "faults",
        "disk full, fsync error, torn segment tail, truncated protobuf, wrong gzip, 1 GB bomb of "
        "1 MB, 10,000-deep AnyValue, 100 MB attribute: clear error or bounded handling, server up, "
        "nothing acknowledged lost",
        {one.fault: _figures(one) for one in outcomes} | {"left out": left_out},
        met=not left_out and all(one.is_up and not one.broken for one in outcomes),
    )


def _figures(outcome: Outcome) -> dict[str, Any]:
    return {
        "what_happened": outcome.what,
        "statuses": sorted(set(outcome.statuses)),
        "seconds": round(outcome.seconds, 3),
        "server_up": outcome.is_up,
        "broken": outcome.broken,
    }


if __name__ == "__main__":
    main()
