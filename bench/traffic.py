"""GenAI spans of about two kilobytes in requests of 250, made fast enough not to be the limit."""

from __future__ import annotations

import json
import os
import random
import time
from collections.abc import Callable

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

SPANS_PER_TRACE = 10
Values = dict[str, str | int | float]
#: The attributes of a span in another convention, by the number of its trace.
Dress = Callable[[int, Values], Values]
_TEAMS = ("search", "support", "growth", "platform")
_MODELS = (("openai", "gpt-4.1-mini"), ("openai", "gpt-4.1"), ("anthropic", "claude-sonnet-4-5"))
_WORDS = (
    "order",
    "refund",
    "delivery",
    "parcel",
    "account",
    "invoice",
    "return",
    "policy",
    "week",
    "customer",
    "address",
    "payment",
    "discount",
    "warranty",
    "shipping",
    "status",
    "change",
)


def words(chance: random.Random, count: int) -> str:
    return " ".join(chance.choices(_WORDS, k=count))


def _message(role: str, text: str) -> str:
    return json.dumps([{"role": role, "parts": [{"type": "text", "content": text}]}])


class Requests:
    """Export requests that differ in every id, from a few that are built once.

    Building a request with protobuf costs more than receiving it, so ids are written over those of
    a template: they are found as bytes, and replaced.
    """

    def __init__(
        self, spans: int = 250, *, templates: int = 8, seed: int = 1, dress: Dress | None = None
    ) -> None:
        self.spans = spans
        self._dress = dress
        self._traces_made = 0
        self._chance = random.Random(seed)
        self._templates = [self._template() for _ in range(templates)]
        self._turn = 0

    def _template(self) -> tuple[bytes, list[bytes]]:
        request = ExportTraceServiceRequest()
        group = request.resource_spans.add()
        for key, value in (
            ("service.name", "assistant"),
            ("service.version", "1.4.2"),
            ("deployment.environment.name", "production"),
            ("telemetry.sdk.name", "opentelemetry"),
        ):
            group.resource.attributes.add(key=key).value.string_value = value
        scope = group.scope_spans.add()
        scope.scope.name = "bench"
        traces = []
        for _ in range(self.spans // SPANS_PER_TRACE):
            trace_id = os.urandom(16)
            traces.append(trace_id)
            self._trace(scope, trace_id)
        return request.SerializeToString(), traces

    def _trace(self, scope: object, trace_id: bytes) -> None:
        chance = self._chance
        self._traces_made += 1
        team, (provider, model) = chance.choice(_TEAMS), chance.choice(_MODELS)
        end_ns = time.time_ns()
        kinds = (
            "invoke_agent",
            "embeddings",
            "retrieval",
            "chat",
            "execute_tool",
            "chat",
            "execute_tool",
            "chat",
            "retrieval",
            "chat",
        )
        for number, kind in enumerate(kinds[:SPANS_PER_TRACE]):
            span = scope.spans.add(  # type: ignore[attr-defined]
                trace_id=trace_id,
                span_id=trace_id[:7] + bytes([number + 1]),
                parent_span_id=trace_id[:7] + b"\x01" if number else b"",
                name=f"{kind} {model}" if kind == "chat" else kind,
                kind=3,
                start_time_unix_nano=end_ns - (20 - number) * 100_000_000,
                end_time_unix_nano=end_ns - (19 - number) * 100_000_000 if number else end_ns,
            )
            values: Values = {
                "gen_ai.operation.name": kind,
                "gen_ai.provider.name": provider,
                "gen_ai.request.model": model,
                "gen_ai.response.model": model,
                "gen_ai.response.id": f"resp-{chance.getrandbits(64):016x}",
                "gen_ai.usage.input_tokens": chance.randint(200, 3000),
                "gen_ai.usage.output_tokens": chance.randint(10, 800),
                "gen_ai.usage.cache_read.input_tokens": chance.randint(0, 200),
                "gen_ai.request.temperature": 0.2,
                "gen_ai.conversation.id": f"session-{chance.randint(1, 5000)}",
                "user.id": f"user-{chance.randint(1, 2000)}",
                "vagus.team": team,
                "vagus.feature": chance.choice(("answers", "orders", "returns")),
                "gen_ai.response.time_to_first_chunk": chance.random(),
                "gen_ai.input.messages": _message("user", words(chance, 80)),
                "gen_ai.output.messages": _message("assistant", words(chance, 90)),
            }
            dressed = self._dress(self._traces_made, values) if self._dress else values
            for key, value in dressed.items():
                target = span.attributes.add(key=key).value
                if isinstance(value, str):
                    target.string_value = value
                elif isinstance(value, int):
                    target.int_value = value
                else:
                    target.double_value = value

    def next(self) -> bytes:
        """The next request; its trace ids were never used before."""
        return self.next_with_traces()[0]

    def next_with_traces(self) -> tuple[bytes, list[str]]:
        """The next request and the hexadecimal ids of its traces, of ten spans each."""
        body, traces = self._templates[self._turn % len(self._templates)]
        self._turn += 1
        fresh = os.urandom(16 * len(traces))
        for number, old in enumerate(traces):
            new = fresh[number * 16 : number * 16 + 16]
            # A span's id begins like its trace's, so that no two spans anywhere share one.
            body = body.replace(old, new).replace(old[:7], new[:7])
        ids = [fresh[at : at + 16].hex() for at in range(0, len(fresh), 16)]
        return body, ids
