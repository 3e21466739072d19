"""Evaluation of live traffic: samples settled traces, judges them, writes the scores.

`tick` is called by a thread of its own and works for a bounded time, so that neither ingest nor
settling waits for it. What was judged before a crash is found again by its id and not repeated.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence

import msgspec
import prometheus_client

from vagus.assess.quality.backlog import Backlog, Batch, Waiting
from vagus.assess.quality.evaluators.base import Evaluator, Verdict
from vagus.assess.quality.examples import Judged, SpanContent, read_example
from vagus.assess.quality.sampling import draw
from vagus.assess.quality.scores import join_late_scores, known_ids, score_id_of, write_scores
from vagus.assess.quality.spans import TOO_LARGE, read_spans
from vagus.config import QualitySettings
from vagus.errors import StoreError
from vagus.model.facts import FactStore
from vagus.model.score import Score
from vagus.store.engine import Engine

log = logging.getLogger(__name__)

EVALUATED = prometheus_client.Counter("vagus_quality_evaluated_total", "Traces evaluated.")
SKIPPED = prometheus_client.Counter(
    "vagus_quality_skipped_total", "Sampled traces not evaluated, by reason.", ["reason"]
)
FAILED = prometheus_client.Counter(
    "vagus_quality_failed_total", "Evaluations that broke off.", ["evaluator"]
)

_SLICE_S = 0.5
_CHUNK = 128
_JOIN_EVERY_MS = 5_000


class QualityRunner:
    """Judges a sample of the settled traces; every method but `pending_minute` by one thread."""

    def __init__(
        self,
        engine: Engine,
        settings: QualitySettings,
        evaluators: Sequence[Evaluator],
        state: FactStore,
        *,
        clock_s: Callable[[], float] = time.monotonic,
        clock_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self._engine = engine
        self._settings = settings
        self._evaluators = evaluators
        self._clock_s = clock_s
        self._clock_ns = clock_ns
        self._backlog = Backlog(engine, state, settings.sample_rate)
        self._budget = float(settings.max_per_minute)
        self._filled_ms: int | None = None
        self._joined_ms: int | None = None

    def tick(self, now_ms: int, *, slice_s: float = _SLICE_S) -> int:
        """Work for about `slice_s` seconds; the number of traces judged, 0 when none waits."""
        self._fill(now_ms)
        if self._joined_ms is None or now_ms - self._joined_ms >= _JOIN_EVERY_MS:
            join_late_scores(self._engine, now_ms=now_ms, clock_ns=self._clock_ns)
            self._joined_ms = now_ms
        if not self._settings.enabled:
            return 0
        judged, until_s = 0, self._clock_s() + slice_s
        while (batch := self._backlog.current()) is not None:
            judged += self._chunk(batch)
            if not batch.traces:
                self._backlog.finish()
            if self._clock_s() >= until_s:
                break
        return judged

    def pending_minute(self) -> int | None:
        """The oldest event minute whose settled traces are not all judged, in epoch seconds."""
        if not self._settings.enabled:
            return None
        return self._backlog.oldest_minute_s()

    def _fill(self, now_ms: int) -> None:
        """The budget fills evenly and holds at most one minute's worth."""
        most = float(self._settings.max_per_minute)
        elapsed_ms = 0 if self._filled_ms is None else max(0, now_ms - self._filled_ms)
        self._budget = min(most, self._budget + most * elapsed_ms / 60_000)
        self._filled_ms = now_ms

    def _chunk(self, batch: Batch) -> int:
        """Judge the next traces of a batch."""
        if batch.weight is None:
            self._draw(batch)
        chunk, batch.traces = batch.traces[:_CHUNK], batch.traces[_CHUNK:]
        judged = 0
        for project in sorted({trace.project for trace in chunk}):
            own = [trace for trace in chunk if trace.project == project]
            judged += self._judge(project, own, batch.weight or 1.0)
        return judged

    def _draw(self, batch: Batch) -> None:
        """Cut the batch to the budget; those that stay then stand for more traces each."""
        ids = [trace.trace_id for trace in batch.traces]
        sample = draw(ids, self._settings.sample_rate, int(self._budget))
        chosen = set(sample.chosen)
        batch.traces = [trace for trace in batch.traces if trace.trace_id in chosen]
        batch.weight = sample.weight
        if sample.skipped:
            SKIPPED.labels("budget").inc(sample.skipped)
        self._budget -= len(batch.traces)

    def _judge(self, project: str, traces: Sequence[Waiting], weight: float) -> int:
        spans = self._read(project, traces)
        known = known_ids(self._engine, project, [trace.trace_id for trace in traces])
        scores: list[Score] = []
        judged = 0
        for trace in traces:
            content = spans.get(trace.trace_id, [])
            found = read_example(content) if content is not None else None
            if found is None:
                SKIPPED.labels("too_large" if content is None else "no_content").inc()
                continue
            judged += 1
            scores += [
                score
                for evaluator in self._evaluators
                for score in self._scores(evaluator, trace, found, weight)
                if score.score_id not in known
            ]
        write_scores(self._engine, project, scores, is_new=True, clock_ns=self._clock_ns)
        EVALUATED.inc(judged)
        return judged

    def _read(self, project: str, traces: Sequence[Waiting]) -> dict[str, list[SpanContent] | None]:
        """The spans of the traces; None for a trace that is too large to be read."""
        try:
            return dict(read_spans(self._engine, project, traces))
        except StoreError as e:
            if TOO_LARGE not in str(e):
                raise
        if len(traces) == 1:
            return {traces[0].trace_id: None}
        half = len(traces) // 2
        return {**self._read(project, traces[:half]), **self._read(project, traces[half:])}

    def _scores(
        self, evaluator: Evaluator, trace: Waiting, found: Judged, weight: float
    ) -> list[Score]:
        try:
            verdicts = evaluator.evaluate(found.example)
        except Exception as e:
            # The loop's edge: one bad trace stops no others.
            log.exception("evaluator %s broke off on trace %s", evaluator.name, trace.trace_id)
            FAILED.labels(evaluator.name).inc()
            reason = f"The evaluator broke off: {type(e).__name__}."
            return [_score(evaluator, trace, found, weight, _broken(evaluator, reason), "failed")]
        return [_score(evaluator, trace, found, weight, verdict, "ok") for verdict in verdicts]


def _broken(evaluator: Evaluator, reason: str) -> Verdict:
    return Verdict(name=evaluator.name, value=0, passed=False, label="failed", explanation=reason)


def _score(
    evaluator: Evaluator,
    trace: Waiting,
    found: Judged,
    weight: float,
    verdict: Verdict,
    status: str,
) -> Score:
    is_ok = status == "ok"
    identity = (trace.project, trace.trace_id, evaluator.name, evaluator.version, verdict.name)
    return Score(
        project=trace.project,
        score_id=score_id_of(*identity),
        name=verdict.name,
        time_ms=trace.time_ms,
        trace_id=trace.trace_id,
        span_id=found.span_id,
        value=verdict.value if is_ok else None,
        label=verdict.label,
        passed=verdict.passed if is_ok else None,
        explanation=verdict.explanation,
        detail=msgspec.json.encode(verdict.detail).decode() if verdict.detail else "",
        source="code",
        evaluator=evaluator.name,
        evaluator_version=evaluator.version,
        weight=weight,
        status=status,
    )
