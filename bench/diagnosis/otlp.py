"""The real sink: a history as OTLP, spans by the GenAI conventions, verdicts as evaluation events.

Nothing here is told that a sender would not know: settling has to find out by itself what was a
retry, a repeated call, a duplicate or a wait.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from bench.diagnosis import steps as s
from bench.diagnosis.arrived import Arrived, what_arrived
from bench.diagnosis.infra import infra_series
from bench.diagnosis.organisation import PROVIDERS, SOURCES
from bench.diagnosis.rows import owners
from bench.diagnosis.scenario import History
from bench.diagnosis.steps import FAILURES

Value = str | int | float | list[str]
_BATCH_S = 600
_SERVER, _CLIENT, _INTERNAL = 2, 3, 1
_ERROR = 2
_OPERATIONS = ("invoke_workflow", "invoke_agent", "embeddings", "retrieval", "rerank", "chat",
               "execute_tool")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Batch:
    """One export request and when it arrives; `signal` is traces, logs or metrics."""

    signal: str
    received_ns: int
    body: bytes


def batches(history: History) -> Iterator[Batch]:
    """Everything of a history in the order in which it would come."""
    arrived = what_arrived(history, np.random.default_rng((history.scenario.seed, 99)))
    sender = _Sender(history, arrived)
    yield from sender.traces()
    yield from sender.verdicts()
    yield _gauges(history)


class _Sender:
    """Turns columns into spans; one request of OTLP holds ten minutes of one organisation."""

    def __init__(self, history: History, arrived: Arrived) -> None:
        self.history, self.arrived = history, arrived
        self.owner = owners(history)
        self.texts = history.words.texts
        self._begin = np.searchsorted(
            arrived.steps["request"], np.arange(len(history.requests) + 1)
        )
        self._rng = np.random.default_rng((history.scenario.seed, 98))

    def _said(self, name: str, request: int) -> str:
        if name in ("user", "session"):
            return f"{name}-{self.owner[name][request]}"
        return self.texts[int(self.owner[name][request])]

    def traces(self) -> Iterator[Batch]:
        """Spans in batches by the time when their request began."""
        r = self.history.requests
        group = ((r.at_s - self.history.scenario.start_s) // _BATCH_S).astype(int)
        for number in np.unique(group):
            here = np.flatnonzero((group == number) & self.arrived.is_here)
            message = ExportTraceServiceRequest()
            places: dict[tuple[str, ...], Any] = {}
            for request in here:
                self._trace(message, places, int(request))
            received_s = self.history.scenario.start_s + (int(number) + 1) * _BATCH_S + 60
            yield Batch("traces", received_s * 10**9, message.SerializeToString())

    def _place(self, message: Any, places: dict[tuple[str, ...], Any], request: int) -> Any:
        names = ("service", "service_version", "host", "sdk_version")
        key = tuple(self._said(name, request) for name in names)
        if key not in places:
            group = message.resource_spans.add()
            _resource(group.resource, key)
            scope = group.scope_spans.add()
            scope.scope.name = "simulated.application"
            places[key] = scope
        return places[key]

    def _trace(self, message: Any, places: dict[tuple[str, ...], Any], request: int) -> None:
        scope = self._place(message, places, request)
        trace_id = self.trace_id(request)
        common = self._common(request)
        base_ms = self.history.requests.at_s[request] * 1000
        base_ms += float(self.history.knobs.skew_ms[request])
        if self.arrived.has_root[request]:
            self._root(scope, request, trace_id, base_ms, common)
        begin, end = self._begin[request], self._begin[request + 1]
        for number, row in enumerate(range(begin, end), 1):
            self._step(scope, request, trace_id, base_ms, common, row, number)

    def trace_id(self, request: int) -> bytes:
        """The id of a trace; the other sink gives the same."""
        scenario = self.history.scenario
        return bytes.fromhex(f"{scenario.seed:08x}{scenario.rpm:08x}{request:016x}")

    def _common(self, request: int) -> dict[str, Value]:
        """What belongs to the whole request and is on each of its spans, as baggage is."""
        return {
            "vagus.team": self._said("team", request),
            "vagus.feature": self._said("feature", request),
            "vagus.tenant": self._said("tenant", request),
            "user.id": self._said("user", request),
            "gen_ai.conversation.id": self._said("session", request),
            "gen_ai.prompt.name": self._said("prompt", request),
            "gen_ai.prompt.version": self._said("prompt_version", request),
            "metadata.user_api_key_hash": self._said("api_key", request),
        }

    def _root(
        self, scope: Any, request: int, trace_id: bytes, base_ms: float, common: dict[str, Value]
    ) -> None:
        kind = int(self.history.roots["kind"][request])
        attributes = {
            **common,
            "gen_ai.operation.name": _OPERATIONS[kind],
            "cloud.region": self._said("region", request),
        }
        if kind == s.AGENT:
            attributes["gen_ai.agent.name"] = self._said("agent", request)
        span = scope.spans.add(
            trace_id=trace_id,
            span_id=_span_id(request, 0),
            name=self._said("feature", request),
            kind=_SERVER,
        )
        length_ms = float(self.history.outcome.duration_ms[request])
        _times(span, base_ms, length_ms)
        _fail(span, attributes, int(self.history.outcome.failure[request]))
        _put(span.attributes, attributes)

    def _step(
        self,
        scope: Any,
        request: int,
        trace_id: bytes,
        base_ms: float,
        common: dict[str, Value],
        row: int,
        number: int,
    ) -> None:
        steps = self.arrived.steps
        kind = int(steps["kind"][row])
        span = scope.spans.add(
            trace_id=trace_id,
            span_id=_span_id(request, number),
            parent_span_id=_span_id(request, 0),
            name=_OPERATIONS[kind],
            kind=_INTERNAL if kind == s.TOOL else _CLIENT,
        )
        start_ms = base_ms + float(steps["start_ms"][row] + steps["skew_ms"][row])
        _times(span, start_ms, float(steps["duration_ms"][row]))
        attributes: dict[str, Value] = {**common, "gen_ai.operation.name": _OPERATIONS[kind]}
        attributes["cloud.region"] = self._said("region", request)
        say = {
            s.EMBEDDING: self._embedding,
            s.RETRIEVAL: self._retrieval,
            s.RERANK: self._rerank,
            s.LLM: self._call,
            s.TOOL: self._tool,
        }[kind]
        attributes |= say(row, request)
        _fail(span, attributes, int(steps["failure"][row]))
        _put(span.attributes, attributes)

    def _usage(self, row: int) -> dict[str, Value]:
        steps = self.arrived.steps
        said: dict[str, Value] = {
            "gen_ai.provider.name": PROVIDERS[int(steps["provider"][row])],
            "gen_ai.request.model": self.texts[int(steps["request_model"][row])],
        }
        if steps["answer_model"][row]:
            said["gen_ai.response.model"] = self.texts[int(steps["answer_model"][row])]
        if np.nan_to_num(steps["reported_usd"][row]) > 0:
            said["gen_ai.usage.cost"] = float(steps["reported_usd"][row])
        return said

    def _embedding(self, row: int, request: int) -> dict[str, Value]:
        tokens = int(self.arrived.steps["input_tokens"][row])
        return {**self._usage(row), "gen_ai.usage.input_tokens": tokens}

    def _call(self, row: int, request: int) -> dict[str, Value]:
        steps = self.arrived.steps
        said = {
            **self._usage(row),
            "gen_ai.request.temperature": float(steps["temperature"][row]),
            "gen_ai.request.max_tokens": int(steps["max_tokens"][row]),
            "cloud.region": self._said("call_region", request),
        }
        tools = self._said("tool_set", request)
        if tools:
            offered = [{"type": "function", "name": name} for name in tools.split(",")]
            said["gen_ai.tool.definitions"] = json.dumps(offered)
        if steps["is_retry"][row]:
            said["gen_ai.request.attempt"] = int(steps["attempt"][row])
        if steps["has_usage"][row]:
            said |= {
                "gen_ai.response.id": f"resp-{self._rng.bytes(12).hex()}",
                "gen_ai.usage.input_tokens": int(steps["input_tokens"][row]),
                "gen_ai.usage.output_tokens": int(steps["output_tokens"][row]),
                "gen_ai.usage.cache_read.input_tokens": int(steps["cached_tokens"][row]),
            }
        if steps["finish"][row]:
            said["gen_ai.response.finish_reasons"] = [self.texts[int(steps["finish"][row])]]
        if steps["fingerprint"][row]:
            print_ = self.texts[int(steps["fingerprint"][row])]
            said["openai.response.system_fingerprint"] = print_
        if not np.isnan(steps["ttft_ms"][row]):
            said["gen_ai.response.time_to_first_chunk"] = float(steps["ttft_ms"][row]) / 1000
        return said

    def _retrieval(self, row: int, request: int) -> dict[str, Value]:
        steps = self.arrived.steps
        said: dict[str, Value] = {
            "gen_ai.data_source.id": self._said("index_name", request),
            "vagus.retrieval.index_version": self._said("index_version", request),
        }
        if not np.isnan(steps["retrieved"][row]):
            said["gen_ai.retrieval.documents"] = json.dumps(self._documents(row, request))
        return said

    def _documents(self, row: int, request: int) -> list[dict[str, Any]]:
        """Documents that have this many sources, repeats, scores, days and characters."""
        steps = self.arrived.steps
        found, distinct = int(steps["retrieved"][row]), int(steps["distinct"][row])
        names = [name for n, name in enumerate(SOURCES)
                 for _ in range(int(steps[f"source_{n}"][row]))]  # fmt: skip
        at_ms = self.history.requests.at_s[request] * 1000 + steps["start_ms"][row]
        documents = []
        for place in range(found):
            which = place if place < distinct else 0
            chars = int(steps["chars"][row])
            text = f"passage {request} {which} ".ljust(chars, "x")[:chars]
            changed_ms = at_ms - float(steps["document_age_days"][row]) * 86_400_000
            documents.append(
                {
                    "id": f"doc-{request}-{which}",
                    "score": round(float(steps["top_score"][row]) * 0.95**place, 9),
                    "content": text,
                    "metadata": {"source": names[place], "updated_at": int(changed_ms)},
                }
            )
        return documents

    def _rerank(self, row: int, request: int) -> dict[str, Value]:
        """An order before and one after, with so many documents out of place."""
        size = max(2, int(self.history.knobs.top_k[request]))
        moved = round(float(self.arrived.steps["rerank_moved"][row]) * size)
        after = [*range(1, moved), 0, *range(moved, size)] if moved else list(range(size))
        said: dict[str, Value] = {}
        for side, order in (("input", range(size)), ("output", after)):
            for place, which in enumerate(order):
                said[f"reranker.{side}_documents.{place}.document.id"] = f"doc-{which}"
        return said

    def _tool(self, row: int, request: int) -> dict[str, Value]:
        steps = self.arrived.steps
        return {
            "gen_ai.tool.name": self.texts[int(steps["tool"][row])],
            "gen_ai.tool.call.arguments": json.dumps({"id": int(steps["arguments"][row])}),
        }

    def verdicts(self) -> Iterator[Batch]:
        """Evaluation results as events of logs, in batches."""
        scores = self.history.scores
        by_time: dict[int, list[int]] = defaultdict(list)
        for row in range(len(scores)):
            request = int(scores.request[row])
            if request < 0 or self.arrived.is_here[request]:
                by_time[int(scores.at_s[row]) // _BATCH_S].append(row)
        for when, rows in sorted(by_time.items()):
            message = ExportLogsServiceRequest()
            group = message.resource_logs.add()
            _resource(group.resource, ("evaluator", "1.0.0", "", ""))
            scope = group.scope_logs.add()
            for row in rows:
                self._verdict(scope, row)
            received_ns = (when + 2) * _BATCH_S * 10**9
            yield Batch("logs", received_ns, message.SerializeToString())

    def _verdict(self, scope: Any, row: int) -> None:
        scores = self.history.scores
        request = int(scores.request[row])
        record = scope.log_records.add(
            time_unix_nano=int(scores.at_s[row] * 1e9) + row, event_name="gen_ai.evaluation.result"
        )
        said: dict[str, Value] = {
            "gen_ai.evaluation.name": self.texts[int(scores.name[row])],
            "gen_ai.evaluation.score.label": self.texts[int(scores.label[row])],
            "vagus.score.source": self.texts[int(scores.source[row])],
            "vagus.score.evaluator": self.texts[int(scores.evaluator[row])],
            "vagus.score.evaluator_version": self.texts[int(scores.evaluator_version[row])],
        }
        if not np.isnan(scores.value[row]):
            said["gen_ai.evaluation.score.value"] = float(scores.value[row])
        if scores.dataset[row]:
            said["gen_ai.evaluation.dataset"] = self.texts[int(scores.dataset[row])]
        if request < 0:
            said["session.id"] = f"run-{int(scores.at_s[row]) // 1800}"
        else:
            record.trace_id = self.trace_id(request)
            record.span_id = _span_id(request, 0)
        _put(record.attributes, said)


def _gauges(history: History) -> Batch:
    message = ExportMetricsServiceRequest()
    rng = np.random.default_rng((history.scenario.seed, 97))
    for series in infra_series(history, rng):
        group = message.resource_metrics.add()
        _resource(group.resource, (series.service, "", series.host, ""))
        metric = group.scope_metrics.add().metrics.add(name=series.metric, unit=series.unit)
        for number, value in enumerate(series.values):
            at_s = series.start_s + number * series.step_s
            metric.gauge.data_points.add(time_unix_nano=at_s * 10**9, as_double=float(value))
    return Batch("metrics", history.scenario.end_s * 10**9, message.SerializeToString())


def _span_id(request: int, number: int) -> bytes:
    return (request * 1024 + number + (1 << 62)).to_bytes(8, "big")


def _times(span: Any, start_ms: float, length_ms: float) -> None:
    start_ns = round(start_ms * 1e6)
    span.start_time_unix_nano = start_ns
    span.end_time_unix_nano = start_ns + round(length_ms * 1e6)


def _fail(span: Any, attributes: dict[str, Value], failure: int) -> None:
    if failure:
        what = FAILURES[failure]
        span.status.code = _ERROR
        span.status.message = what.message
        attributes["error.type"] = what.error_type
        if what.http_status:
            attributes["http.response.status_code"] = what.http_status


def _resource(resource: Resource, said: tuple[str, ...]) -> None:
    service, version, host, sdk = said
    values: dict[str, Value] = {
        "service.name": service,
        "deployment.environment.name": "production",
        "telemetry.sdk.name": "opentelemetry",
        "telemetry.sdk.language": "python",
    }
    more = {"service.version": version, "host.name": host, "telemetry.sdk.version": sdk}
    values |= {key: value for key, value in more.items() if value}
    _put(resource.attributes, values)


def _put(target: Any, values: Mapping[str, Value]) -> None:
    for key, value in values.items():
        place = target.add(key=key).value
        if isinstance(value, str):
            place.string_value = value
        elif isinstance(value, int):
            place.int_value = value
        elif isinstance(value, float):
            place.double_value = value
        else:
            for item in value:
                place.array_value.values.add(string_value=item)
