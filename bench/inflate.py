"""What a hostile or a large body costs the receiver: bombs, and the check of good requests."""

from __future__ import annotations

import gzip
import subprocess
import sys
import time
import zlib

import msgspec
from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from bench.record import save
from bench.traffic import Requests
from vagus.receive.inflate import inflate, zstd
from vagus.receive.otlp_json import json_to_protobuf
from vagus.receive.parse import check_request
from vagus.receive.record import request_id

MIB = 1024 * 1024
LIMIT = 64 * MIB
ROUNDS = 40

# A process of its own for each bomb, because peak memory never goes down again.
BOMB = """
import resource, sys, time
from vagus.errors import TooLarge
from vagus.receive.inflate import inflate
data = sys.stdin.buffer.read()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
started = time.perf_counter()
try:
    inflate(data, sys.argv[1], int(sys.argv[2]))
    raise SystemExit("the bomb was let in")
except TooLarge:
    took = time.perf_counter() - started
print(took, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
"""


def bombs() -> dict[str, bytes]:
    """A gigabyte of zeros in each encoding."""
    zeros = bytes(MIB)
    packers = {
        "gzip": zlib.compressobj(9, wbits=31),
        "deflate": zlib.compressobj(9),
        "zstd": zstd.ZstdCompressor(),
    }
    return {
        name: b"".join(packer.compress(zeros) for _ in range(1024)) + packer.flush()
        for name, packer in packers.items()
    }


def refuse(name: str, bomb: bytes) -> tuple[float, float]:
    """Seconds and mebibytes until a bomb is refused."""
    done = subprocess.run(
        [sys.executable, "-c", BOMB, name, str(LIMIT)], input=bomb, capture_output=True, check=True
    )
    seconds, mebibytes = map(float, done.stdout.split())
    return seconds, mebibytes


def check_rate(encoding: str, bodies: list[bytes]) -> float:
    """Spans a second through inflation, conversion, check and hash, on one thread."""
    started = time.perf_counter()
    for body in bodies:
        if encoding == "json":
            plain = json_to_protobuf("traces", body)
        else:
            plain = inflate(body, encoding, LIMIT)
        check_request("traces", plain)
        request_id("default", "traces", body)
    return len(bodies) * 250 / (time.perf_counter() - started)


def to_json(body: bytes) -> bytes:
    """The request as OTLP/JSON."""
    tree = json_format.MessageToDict(ExportTraceServiceRequest.FromString(body))
    for resource in tree["resourceSpans"]:
        for scope in resource["scopeSpans"]:
            for number, span in enumerate(scope["spans"]):
                span |= {"traceId": f"{number + 1:032x}", "spanId": f"{number + 1:016x}"}
                span.pop("parentSpanId", None)
    return msgspec.json.encode(tree)


def main() -> None:
    """Measure, print and save."""
    figures: dict[str, object] = {}
    worst_s = worst_mib = 0.0
    for name, bomb in bombs().items():
        seconds, mebibytes = refuse(name, bomb)
        figures[f"{name} bomb"] = (
            f"1 GiB in {len(bomb):,} bytes refused in {seconds:.3f} s with {mebibytes:.0f} MiB"
        )
        worst_s, worst_mib = max(worst_s, seconds), max(worst_mib, mebibytes)
    requests = Requests()
    plain = [requests.next() for _ in range(ROUNDS)]
    packed = {
        "identity": plain,
        "gzip": [gzip.compress(body, 6) for body in plain],
        "deflate": [zlib.compress(body, 6) for body in plain],
        "zstd": [zstd.compress(body) for body in plain],
        "json": [to_json(body) for body in plain[:10]],
    }
    for name, bodies in packed.items():
        figures[f"check of {name}, spans/s on one thread"] = round(check_rate(name, bodies))
    save(
        "inflate",
        "a bomb of 1 GiB is refused within 1 s and 96 MiB of memory",
        figures,
        met=worst_s <= 1 and worst_mib <= 96,
    )


if __name__ == "__main__":
    main()
