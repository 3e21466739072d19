"""`vagus.score`: a verdict about a span or a trace, sent in the background."""

from __future__ import annotations

import json
import math
import random
import re
import time
from typing import Any, Literal

from opentelemetry import trace

from vagus.sdk._address import Address
from vagus.sdk._guard import guard, say_once
from vagus.sdk._queue import Limits, Queue

_LIMITS = Limits(items=1000, size_bytes=4 * 1024 * 1024, batch=100, delay_s=0.5)
_TIMEOUT_S = 10.0
_RETRY_AFTER_S = (0.5, 2.0)
_NAME_LIMIT = 200
_EXPLANATION_LIMIT = 4000
_SIZE_BYTES = 1500
_HEX_TRACE = re.compile("[0-9a-fA-F]{32}")
_HEX_SPAN = re.compile("[0-9a-fA-F]{16}")

Score = dict[str, Any]


class ScoreSender:
    """The queue of scores and the HTTP call behind it."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._is_closing = False
        self.queue: Queue[Score] = Queue("vagus-scores", self._send, _LIMITS)

    def close(self, timeout_s: float) -> None:
        """Flush until the timeout, then give up on what is left."""
        self.queue.close(timeout_s)
        self._is_closing = True

    def _send(self, batch: list[Score]) -> bool:
        for pause_s in (*_RETRY_AFTER_S, None):
            status = self._post(batch)
            if 200 <= status < 300:
                return True
            if pause_s is None or self._is_closing or status not in (0, 429, 502, 503, 504):
                say_once("score", f"vagus: {len(batch)} scores could not be sent (HTTP {status})")
                return False
            time.sleep(pause_s)
        return False

    def _post(self, batch: list[Score]) -> int:
        # Imported here because it is slow and most programs send no scores.
        import urllib.error
        import urllib.request

        # 0 stands for 'never reached it'.
        request = urllib.request.Request(  # noqa: S310 - the address is the operator's own
            self._address.scores_url,
            data=json.dumps(batch).encode(),
            headers={"content-type": "application/json", **self._address.headers},
            method="POST",
        )
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:  # noqa: S310
                return int(answer.status)
        except urllib.error.HTTPError as error:
            error.close()
            return error.code
        except OSError:
            return 0


class _Target:
    """Where `score` puts its scores; None before `init` and after `shutdown`."""

    queue: Queue[Score] | None = None


def send_scores_to(queue: Queue[Score] | None) -> None:
    """Set, or with None unset, the queue that `score` fills."""
    _Target.queue = queue


@guard(default=None)
def score(
    name: str,
    value: float | None = None,
    *,
    label: str | None = None,
    passed: bool | None = None,
    explanation: str | None = None,
    trace_id: str | None = None,
    span_id: str | None = None,
    source: Literal["code", "model", "human", "user", "external"] | None = None,
) -> None:
    """Give a verdict about a span or trace; by default about the current span.

    `source` is user for the verdict of a user of the program, human for a reviewer's, code or
    model for an evaluator's. Ids are hex, as in OpenTelemetry. With only `trace_id`, the whole
    trace is meant. Never waits: scores travel in the background, and those that find no room are
    counted in `health()`.
    """
    queue = _Target.queue
    if queue is None:
        return
    if trace_id is None and span_id is None:
        current = trace.get_current_span().get_span_context()
        if current.is_valid:
            trace_id, span_id = f"{current.trace_id:032x}", f"{current.span_id:016x}"
    said = {
        # The id makes a repeated request harmless.
        "id": f"{random.getrandbits(128):032x}",
        "name": str(name)[:_NAME_LIMIT],
        "value": None if value is None else float(value),
        "label": None if label is None else str(label)[:_NAME_LIMIT],
        "passed": passed,
        "explanation": None if explanation is None else str(explanation)[:_EXPLANATION_LIMIT],
        "trace_id": trace_id,
        "span_id": span_id,
        "source": source,
        "time": time.time(),
    }
    fault = _fault_of(said)
    if fault:
        say_once(f"score {fault}", f"vagus: score {name!r} is not sent: it {fault}")
        return
    queue.put({key: item for key, item in said.items() if item is not None}, _SIZE_BYTES)


def _fault_of(said: Score) -> str:
    # The server refuses a batch as a whole, so one bad score must not get into it.
    if not _HEX_TRACE.fullmatch(said["trace_id"] or ""):
        return "has no trace to belong to"
    if said["span_id"] is not None and not _HEX_SPAN.fullmatch(said["span_id"]):
        return "has a span id that is not 16 hexadecimal digits"
    if said["value"] is None and said["passed"] is None and not said["label"]:
        return "says neither a value nor a label nor passed"
    if said["value"] is not None and not math.isfinite(said["value"]):
        return "has a value that is no finite number"
    return "" if said["name"] else "has no name"
