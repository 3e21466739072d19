"""LangSmith's multipart bodies over HTTP until every run is visible as a span."""

from __future__ import annotations

import argparse
import json
import random
import time
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from backports import zstd

from bench.ingest import send, until_visible
from bench.record import save
from bench.servers import vagus
from bench.traffic import words

RUNS_PER_TRACE = 4
_BOUNDARY = "bench"
HEADERS = {
    "content-type": f"multipart/form-data; boundary={_BOUNDARY}",
    "content-encoding": "zstd",
}
_RUNTIME = {
    "sdk": "langsmith-py",
    "sdk_version": "0.15.0",
    "library": "langsmith",
    "platform": "Linux",
    "runtime": "python",
    "py_implementation": "CPython",
    "runtime_version": "3.11.7",
}


class Forms:
    """Bodies as the client sends them with zstd: a create and an update of each run apart."""

    def __init__(self, seed: int = 1) -> None:
        self._chance = random.Random(seed)

    def next(self, runs: int) -> bytes:
        """One compressed body of so many runs, in traces of four."""
        parts: list[bytes] = []
        for _ in range(runs // RUNS_PER_TRACE):
            parts += self._trace()
        return zstd.compress(b"".join(parts) + f"--{_BOUNDARY}--\r\n".encode(), 3)

    def _trace(self) -> list[bytes]:
        root = self._id()
        question, answer = words(self._chance, 30), words(self._chance, 60)
        documents = [
            {"page_content": words(self._chance, 40), "metadata": {"id": f"d{n}"}, "id": f"d{n}"}
            for n in range(3)
        ]
        asked = [{"role": "user", "content": question}]
        usage = {
            "input_tokens": 300,
            "output_tokens": 80,
            "total_tokens": 380,
            "input_token_details": {"cache_read": 100},
        }
        said = {"role": "assistant", "content": answer, "usage_metadata": usage}
        return [
            *self._run(root, root, "app", "chain", {"q": question}, {"output": answer}),
            *self._run(
                root, "", "search", "retriever", {"query": question}, {"documents": documents}
            ),
            *self._run(root, "", "model", "llm", {"messages": asked}, said),
            *self._run(root, "", "lookup", "tool", {"order": 7}, {"output": {"state": "sent"}}),
        ]

    def _run(
        self, root: str, own: str, name: str, kind: str, inputs: Any, outputs: Any
    ) -> list[bytes]:
        native = own or self._id()
        began = datetime.now(UTC) - timedelta(seconds=5)
        order = f"{began:%Y%m%dT%H%M%S%f}Z{root}"
        if native != root:
            order += f".{began:%Y%m%dT%H%M%S%f}Z{native}"
        metadata = {
            "session_id": f"s{self._chance.randrange(500)}",
            "user_id": f"u{self._chance.randrange(500)}",
            "ls_method": "traceable",
            "LANGSMITH_TRACING": "true",
        }
        if kind == "llm":
            metadata |= {"ls_provider": "openai", "ls_model_name": "gpt-4.1-mini"}
        run = {
            "id": native,
            "name": name,
            "run_type": kind,
            "trace_id": root,
            "parent_run_id": None if native == root else root,
            "dotted_order": order,
            "tags": ["bench"],
            "session_name": "bench",
            "start_time": began.isoformat(),
        }
        extra = {"metadata": metadata, "runtime": _RUNTIME}
        ended = (began + timedelta(seconds=1)).isoformat()
        return [
            _part(f"post.{native}", run),
            _part(f"post.{native}.inputs", inputs),
            _part(f"post.{native}.outputs", {}),
            _part(f"post.{native}.events", []),
            _part(f"post.{native}.extra", extra),
            _part(f"patch.{native}", run | {"end_time": ended}),
            _part(f"patch.{native}.outputs", outputs),
            _part(f"patch.{native}.events", []),
            _part(f"patch.{native}.extra", extra),
        ]

    def _id(self) -> str:
        return str(uuid.UUID(int=self._chance.getrandbits(128), version=4))


def _part(name: str, content: Any) -> bytes:
    data = json.dumps(content).encode()
    return (
        (
            f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n'
            f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n"
        ).encode()
        + data
        + b"\r\n"
    )


def measure(forms: Forms, runs: int, per_request: int) -> dict[str, float]:
    """Runs a second, acknowledged and visible."""
    bodies = [forms.next(per_request) for _ in range(runs // per_request)]
    with vagus() as server:
        warm = [forms.next(per_request) for _ in range(4)]
        send(server.url, "/runs/multipart", warm, HEADERS)
        before = len(warm) * per_request

        def count() -> int:
            return int(server.sql("SELECT count() FROM spans")[0][0])  # type: ignore[call-overload]

        until_visible(count, before, time.perf_counter(), 60)
        started = time.perf_counter()
        acknowledged_s = send(server.url, "/runs/multipart", bodies, HEADERS)
        visible_s = until_visible(count, before + runs, started, 300)
        return {
            "runs": runs,
            "runs_per_request": per_request,
            "body_kib": round(sum(map(len, bodies)) / len(bodies) / 1024, 1),
            "acknowledged_per_s": round(runs / acknowledged_s),
            "visible_per_s": round(runs / visible_s),
            "resident_mib": round(server.memory_mib()),
        }


def main() -> None:
    """Measure, and write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=40_000)
    args = parser.parse_args()
    found = measure(Forms(), args.runs, 100)
    save(
        "langsmith",
        "LangSmith multipart with zstd, create and update of each run apart, 100 runs a request, "
        "4 connections, 2 cores: >= 3,000 runs/s durable and visible",
        dict(found),
        met=found["visible_per_s"] >= 3_000,
    )


if __name__ == "__main__":
    main()
