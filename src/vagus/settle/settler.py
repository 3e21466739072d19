"""Settling: waits until a trace is quiet, folds it, and writes what it meant."""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import prometheus_client

from vagus.config import SettleSettings
from vagus.meaning.content import Event
from vagus.meaning.fingerprint import arguments_sql, system_sql
from vagus.meaning.messages import log_event, read_events
from vagus.model.facts import FactStore
from vagus.model.score import Score
from vagus.settle.attribution import Rules
from vagus.settle.charge import PriceCall
from vagus.settle.evaluation import (
    EVENT,
    Verdicts,
    carried_scores,
    event_scores,
    read_verdicts,
)
from vagus.settle.fold import Settled, event_time, fold_trace
from vagus.settle.journal import Journal
from vagus.settle.span import Span
from vagus.store.engine import Columns, Engine

log = logging.getLogger(__name__)

TRACES = prometheus_client.Counter("vagus_settled_traces_total", "Traces settled, again included.")
LATE = prometheus_client.Counter(
    "vagus_settled_again_total", "Traces settled again for late spans."
)
OPEN = prometheus_client.Gauge("vagus_settle_open_traces", "Traces that are not quiet yet.")

_BATCH_SPANS = 10_000
#: A round of settling ends after this long; what is left waits for the next one.
_ROUND_S = 0.5
#: Under this name the state keeps the segments up to which everything is settled, by signal.
CHECKPOINT = "settle.checkpoint"
#: Longer attribute values are left out of previews and document statistics.
_LONGEST = 262_144

Key = tuple[str, str]


@dataclass(slots=True)
class _Open:
    """A trace with spans that are not settled."""

    segment: int
    first_seen_s: float
    last_seen_s: float
    spans: int
    oldest_ms: int


class Settler:
    """Settles the traces of loaded segments; `loaded` and `tick` are called by one thread."""

    def __init__(
        self,
        engine: Engine,
        journal: Journal,
        state: FactStore,
        settings: SettleSettings,
        *,
        price: PriceCall,
        on_verdicts: Callable[[Verdicts], None],
        rules: Callable[[str], Rules | None] = lambda project: None,
        clock_s: Callable[[], float] = time.monotonic,
        clock_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self._engine = engine
        self._journal = journal
        self._state = state
        self._settings = settings
        self._price = price
        self._on_verdicts = on_verdicts
        self._rules = rules
        self._clock_s = clock_s
        self._clock_ns = clock_ns
        self._open: dict[Key, _Open] = {}
        self._seen: dict[str, int] = {"traces": 0, "logs": 0}
        self._version = 0

    def recover(self) -> None:
        """Go on where the last process stopped: finish its batch, reopen what it had open."""
        self._journal.recover()
        saved = self._state.get(CHECKPOINT)
        self._seen.update(msgspec.json.decode(saved, type=dict[str, int]) if saved else {})
        self._take_verdicts("segment > {segment:UInt64}", self._seen["logs"])
        for signal in ("traces", "logs"):
            newest = self._open_since(signal, "segment > {segment:UInt64}", self._seen[signal])
            self._seen[signal] = max(self._seen[signal], newest)

    def loaded(self, signal: str, segment: int) -> None:
        """A segment has been loaded: its traces are open (again), its verdicts become scores."""
        if signal == "logs":
            self._take_verdicts("segment = {segment:UInt64}", segment)
        if signal in self._seen:
            self._open_since(signal, "segment = {segment:UInt64}", segment)
            self._seen[signal] = max(self._seen[signal], segment)

    def _take_verdicts(self, condition: str, segment: int) -> None:
        """Hand on what log records say about traces, spans and sessions; twice does no harm."""
        for verdicts in read_verdicts(self._engine, condition, segment):
            self._on_verdicts(verdicts)

    def _open_since(self, signal: str, condition: str, segment: int) -> int:
        table = "spans" if signal == "traces" else "logs"
        time_ns = "start_ns" if signal == "traces" else "time_ns"
        also = "" if signal == "traces" else f" AND {_CONTENT_EVENTS}"
        found = self._engine.query(
            f"SELECT project, trace_id, min(segment) AS first, max(segment) AS last, "
            f"count() AS spans, min({time_ns}) AS oldest_ns, max(received) AS received "
            f"FROM {table} WHERE {condition} AND trace_id != ''{also} GROUP BY project, trace_id",
            {"segment": segment},
        )
        now_s, newest = self._clock_s(), segment
        for row in found.dicts():
            newest = max(newest, row["last"])
            key = (row["project"], row["trace_id"])
            known = self._open.get(key)
            if known is None:
                oldest_ms = row["oldest_ns"] // 1_000_000
                self._open[key] = _Open(row["first"], now_s, now_s, row["spans"], oldest_ms)
            else:
                known.last_seen_s = now_s
                known.spans += row["spans"]
                known.segment = min(known.segment, row["first"])
        OPEN.set(len(self._open))
        return newest

    def oldest_open_ms(self) -> int | None:
        """The event time of the oldest span that is not settled, in epoch ms."""
        return min((trace.oldest_ms for trace in list(self._open.values())), default=None)

    def tick(self, *, everything: bool = False) -> int:
        """Settle traces that are quiet, for one round (or all traces); the number settled."""
        settled, until_s = 0, time.monotonic() + _ROUND_S
        for batch in self._batches(self._due(everything)):
            earlier = self._earlier(batch)
            self._settle([key for key in batch if key not in earlier], is_late=False)
            self._settle([key for key in batch if key in earlier], is_late=True)
            settled += len(batch)
            self._checkpoint()
            OPEN.set(len(self._open))
            if time.monotonic() >= until_s and not everything:
                break
        return settled

    def _due(self, everything: bool) -> list[Key]:
        now_s = self._clock_s()
        quiet_s, longest_s = self._settings.quiet_ms / 1000, self._settings.max_open_ms / 1000
        return [
            key
            for key, trace in self._open.items()
            if everything
            or now_s - trace.last_seen_s >= quiet_s
            or now_s - trace.first_seen_s >= longest_s
        ]

    def _batches(self, due: Sequence[Key]) -> Iterable[list[Key]]:
        batch: list[Key] = []
        spans = 0
        for key in due:
            batch.append(key)
            spans += self._open[key].spans
            if spans >= _BATCH_SPANS:
                yield batch
                batch, spans = [], 0
        if batch:
            yield batch

    def _checkpoint(self) -> None:
        oldest = min((trace.segment for trace in self._open.values()), default=None)
        reached = (
            self._seen
            if oldest is None
            else {signal: min(segment, oldest - 1) for signal, segment in self._seen.items()}
        )
        self._state.put(CHECKPOINT, msgspec.json.encode(reached).decode())

    def _settle(self, batch: Sequence[Key], *, is_late: bool) -> None:
        if not batch:
            return
        self._version = max(self._version + 1, self._clock_ns())
        spans = self._spans(batch, is_late=is_late)
        events = self._log_events(batch)
        settled: list[Settled] = []
        scores: list[Score] = []
        for key, arrived in spans.items():
            project, _ = key
            told = events.get(key, {})
            settled.append(
                fold_trace(
                    project,
                    arrived,
                    version=self._version,
                    price=self._price,
                    log_events=told,
                    rules=self._rules(project),
                )
            )
            scores += _scores(project, arrived)
        self._write(settled, list(spans) if is_late else [])
        if scores:
            self._on_verdicts(Verdicts(scores))
        for key in batch:
            del self._open[key]
        TRACES.inc(len(settled))

    def _earlier(self, batch: Sequence[Key]) -> set[Key]:
        """Those of the batch that were settled before."""
        found = self._engine.query(
            "SELECT project, trace_id FROM traces WHERE trace_id IN {ids:Array(String)} "
            "GROUP BY project, trace_id HAVING sum(sign) > 0",
            {"ids": [trace_id for _, trace_id in batch]},
        )
        wanted = set(batch)
        return {key for key in found.rows() if key in wanted}

    def _spans(self, batch: Sequence[Key], *, is_late: bool) -> dict[Key, list[Span]]:
        ids = [trace_id for _, trace_id in batch]
        where = "trace_id IN {ids:Array(String)}"
        params: dict[str, Any] = {"ids": ids}
        if not is_late:
            # New traces lie in the newest segments, so nothing older has to be looked at.
            where = f"segment >= {{segment:UInt64}} AND {where}"
            params["segment"] = min(self._open[key].segment for key in batch)
        found = self._engine.query(_SPANS.replace("{where}", where), params)
        spans = _by_trace(found, set(batch))
        self._add_call_contents(spans, params, where)
        return spans

    def _add_call_contents(
        self, spans: Mapping[Key, Sequence[Span]], params: Mapping[str, Any], where: str
    ) -> None:
        """Read the messages of first and last calls of traces whose root shows no content."""
        wanted: dict[str, Span] = {}
        for arrived in spans.values():
            if any(not s.parent_span_id and _shows_content(s.attributes) for s in arrived):
                continue
            calls = sorted((s for s in arrived if s.kind == "llm"), key=lambda s: s.start_ns)
            wanted |= {s.span_id: s for s in (*calls[:1], *calls[-1:]) if not s.attributes}
        if not wanted:
            return
        found = self._engine.query(
            f"SELECT span_id, {_ATTRIBUTES} AS attributes FROM spans "
            f"WHERE {where} AND span_id IN {{span_ids:Array(String)}}",
            {**params, "span_ids": list(wanted)},
        )
        for span_id, attributes in found.rows():
            wanted[span_id].attributes = attributes

    def _log_events(self, batch: Sequence[Key]) -> dict[Key, dict[str, list[Event]]]:
        """GenAI events that came as log records, by trace and span."""
        found = self._engine.query(
            "SELECT project, trace_id, span_id, event_name, body, "
            f"{_ATTRIBUTES} AS attributes FROM logs "
            f"WHERE trace_id IN {{ids:Array(String)}} AND {_CONTENT_EVENTS}",
            {"ids": [trace_id for _, trace_id in batch]},
        )
        events: dict[Key, dict[str, list[Event]]] = defaultdict(lambda: defaultdict(list))
        for row in found.dicts():
            event = log_event(row["event_name"], row["attributes"], row["body"])
            events[row["project"], row["trace_id"]][row["span_id"]].append(event)
        return events

    def _write(self, settled: Sequence[Settled], earlier: Sequence[Key]) -> None:
        traces: list[Any] = [row.trace for row in settled]
        steps: list[Any] = [step for row in settled for step in row.steps]
        if earlier:
            LATE.inc(len(earlier))
            traces = [*self._cancelled("traces", earlier), *traces]
            steps = [*self._cancelled("steps", earlier), *steps]
        self._journal.write(self._version, traces, steps)

    def _cancelled(self, table: str, keys: Sequence[Key]) -> list[dict[str, Any]]:
        """The rows that stand for these traces now, with the sign that takes them away."""
        found = self._engine.query(
            f"SELECT * REPLACE (toInt8(-1) AS sign, toDecimal64(start, 6) AS start, "
            f"toUnixTimestamp(minute) AS minute) FROM {table} FINAL "
            "WHERE trace_id IN {ids:Array(String)}",
            {"ids": [trace_id for _, trace_id in keys]},
            {"output_format_json_quote_decimals": 1},
        )
        wanted = set(keys)
        return [row for row in found.dicts() if (row["project"], row["trace_id"]) in wanted]


_ATTRIBUTES = (
    f"mapFromArrays(arrayMap(k -> toString(k), attr_keys), "
    f"arrayMap(v -> if(length(v) > {_LONGEST}, '', v), attr_values))"
)
#: The keys under which spans of any kind carry their first verdict.
_VERDICT_KEYS = [
    f"{scope}{plural}.0.{noun}.name"
    for scope in ("", "trace.", "session.")
    for plural, noun in (("evaluations", "evaluation"), ("annotations", "annotation"))
]
_SPECIAL = {
    "tool_arguments": f"if(kind IN ('tool', 'mcp'), {arguments_sql()}, '')",
    # A version tells more, and where there is one the text need not be read.
    "prompt_hash": f"if(kind = 'llm' AND prompt_version = '', {system_sql()}, '')",
    "received_ms": "toUnixTimestamp64Milli(received)",
    "attributes": (
        "if(kind IN ('retrieval', 'rerank', 'evaluator', 'guardrail') OR parent_span_id = '' "
        f"OR hasAny(attr_keys, {_VERDICT_KEYS}), {_ATTRIBUTES}, "
        "CAST(map(), 'Map(String, String)'))"
    ),
}
_SPANS = (
    "SELECT project, "
    + ", ".join(
        f"{_SPECIAL[name]} AS {name}" if name in _SPECIAL else name
        for name in Span.__struct_fields__
    )
    + " FROM spans WHERE {where}"
)
#: Log records that hold the content of a span; verdicts are taken when they are loaded.
_CONTENT_EVENTS = f"startsWith(event_name, 'gen_ai.') AND event_name != '{EVENT}'"
_CONTENT = ("gen_ai.input.messages", "input.value", "traceloop.entity.input", "gen_ai.prompt")


def _shows_content(attributes: Mapping[str, str]) -> bool:
    return any(key in attributes for key in _CONTENT)


def _by_trace(found: Columns, wanted: set[Key]) -> dict[Key, list[Span]]:
    spans: dict[Key, list[Span]] = defaultdict(list)
    for project, *values in found.rows():
        span = Span(*values)
        if (project, span.trace_id) in wanted:
            spans[project, span.trace_id].append(span)
    return spans


def _scores(project: str, arrived: Sequence[Span]) -> list[Score]:
    """What the spans of a trace say of themselves and of each other."""
    scores = []
    spans = {span.span_id: span for span in arrived}
    for span in arrived:
        when_ms, _ = event_time(span)
        if EVENT in span.event_names:
            events = read_events(span.event_names, span.event_attributes)
            scores += event_scores(project, span.trace_id, span.span_id, when_ms, events)
        if span.attributes:
            scores += carried_scores(project, span, when_ms, spans)
    return scores
