"""History priced and attributed again: exactly, as often as one likes, and never forgetting.

The settled rows hold all that a price is computed from, so nothing else is read. A row that comes
out different is cancelled and written anew through the journal of settling, together with what it
said before. A batch that was written is found unchanged when it is looked at again, which is what
makes a job that was interrupted go on where it stopped.

It must run in the thread that settles: two writers that cancel one row would take it away twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from vagus.assess.cost.book import PriceBook
from vagus.assess.cost.jobs import Job, next_job, save_job
from vagus.audit.log import Audit
from vagus.settle.attribution import TARGETS, restore
from vagus.settle.charge import charge_step
from vagus.settle.journal import Journal
from vagus.settle.rows import StepRow, TraceRow
from vagus.store.engine import Engine
from vagus.store.meta.db import Meta

#: Settling waits for a batch, so it is small.
BATCH_TRACES = 1000
#: Amounts that differ by less are the same amount, added up in another order.
_SAME_USD = 1e-12
_SCOPE = "project = {project:String} AND minute >= toDateTime({start_s:Int64}, 'UTC')"


@dataclass(slots=True)
class _Batch:
    """What one batch of traces changes."""

    traces: list[Any] = field(default_factory=list)
    steps: list[Any] = field(default_factory=list)
    record: list[dict[str, Any]] = field(default_factory=list)


class Repricer:
    """Works through the jobs, one batch at a time; `tick` belongs to the thread that settles."""

    def __init__(
        self,
        engine: Engine,
        journal: Journal,
        meta: Meta,
        book: PriceBook,
        audit: Audit,
        *,
        clock_ns: Callable[[], int],
        batch_traces: int = BATCH_TRACES,
    ) -> None:
        self._engine = engine
        self._journal = journal
        self._meta = meta
        self._book = book
        self._audit = audit
        self._clock_ns = clock_ns
        self._batch_traces = batch_traces
        self._fresh = ""

    def tick(self) -> bool:
        """Do one batch of the oldest job; false when there is none."""
        job = next_job(self._meta)
        if job is None:
            return False
        if self._fresh != job.id:
            self._book.read_again()
            self._fresh = job.id
        rows, reached = self._next_traces(job)
        if rows:
            batch = self._price(job, rows)
            if batch.record and not job.order.dry_run:
                number = self._clock_ns()
                self._journal.write(number, batch.traces, batch.steps, batch.record)
            _count(job, rows, batch.record)
        job.updated_ms = self._clock_ns() // 1_000_000
        if reached is None:
            self._finish(job)
        else:
            job.progress.minute, job.progress.trace_id = reached
        save_job(self._meta, job)
        return True

    def _finish(self, job: Job) -> None:
        job.state = "done"
        if not job.order.dry_run:
            self._take_totals(job)
        self._audit.record(
            job.order.actor,
            "reprice.done",
            f"reprice:{job.id}",
            job.project,
            {**msgspec.to_builtins(job.order), **msgspec.to_builtins(job.progress)},
            now_ms=job.updated_ms,
        )

    def _take_totals(self, job: Job) -> None:
        """Count from what is recorded: an interrupted batch was written and not counted."""
        found = self._engine.query(
            "SELECT count() AS changed, sum(ifNull(before_usd, 0)) AS before_usd, "
            "sum(ifNull(after_usd, 0)) AS after_usd, "
            "countIf(before_source = 'unknown') AS unknown_before, "
            "countIf(after_source = 'unknown') AS unknown_after FROM repricings "
            "WHERE project = {project:String} AND job = {job:String}",
            {"project": job.project, "job": job.id},
        )
        for name, value in next(iter(found.dicts())).items():
            setattr(job.progress, name, value)

    def _next_traces(self, job: Job) -> tuple[list[dict[str, Any]], tuple[int, str] | None]:
        """The traces behind the last one that was looked at, as they stand now.

        With them comes where to go on; None at the end. A trace that settled again has several
        rows, so the first look only finds how far one batch can reach.
        """
        limit = self._batch_traces
        params: dict[str, Any] = {
            "project": job.project,
            "start_s": job.progress.minute,
            "end_s": job.order.end_s,
            "after": job.progress.trace_id,
        }
        behind = (
            f"{_SCOPE} AND minute < toDateTime({{end_s:Int64}}, 'UTC') "
            "AND (minute, trace_id) > (toDateTime({start_s:Int64}, 'UTC'), {after:String})"
        )
        minutes = self._engine.query(
            f"SELECT toUnixTimestamp(minute) AS minute_s FROM traces WHERE {behind} "
            f"ORDER BY minute LIMIT {limit:d}",
            params,
        )["minute_s"]
        if not minutes:
            return [], None
        rows = self._rows(
            "traces",
            f"{behind} AND minute <= toDateTime({{last_s:Int64}}, 'UTC') "
            f"ORDER BY minute, trace_id LIMIT {limit:d}",
            {**params, "last_s": minutes[-1]},
        )
        if len(rows) == limit:
            return rows, (rows[-1]["minute"], rows[-1]["trace_id"])
        return rows, (minutes[-1] + 60, "") if len(minutes) == limit else None

    def _rows(self, table: str, where: str, params: Mapping[str, Any]) -> list[dict[str, Any]]:
        found = self._engine.query(
            "SELECT * REPLACE (toDecimal64(start, 6) AS start, toUnixTimestamp(minute) AS minute) "
            f"FROM {table} FINAL WHERE {where}",
            params,
            {"output_format_json_quote_decimals": 1},
        )
        return list(found.dicts())

    def _price(self, job: Job, traces: list[dict[str, Any]]) -> _Batch:
        rules = self._book.rules(job.project)
        steps: dict[str, list[dict[str, Any]]] = {}
        asked = self._rows(
            "steps",
            f"{_SCOPE} AND minute <= toDateTime({{last_s:Int64}}, 'UTC') "
            "AND trace_id IN {ids:Array(String)} "
            "AND (is_billable = 1 OR {every:UInt8} OR notEmpty(before_rules)) "
            "ORDER BY minute, trace_id, start, span_id",
            {
                "project": job.project,
                "start_s": traces[0]["minute"],
                "last_s": traces[-1]["minute"],
                "ids": [row["trace_id"] for row in traces],
                "every": int(rules is not None),
            },
        )
        for row in asked:
            steps.setdefault(row["trace_id"], []).append(row)
        batch = _Batch()
        for trace in traces:
            self._price_trace(job, trace, steps.get(trace["trace_id"], []), batch)
        return batch

    def _price_trace(
        self, job: Job, old: dict[str, Any], steps: list[dict[str, Any]], batch: _Batch
    ) -> None:
        rules = self._book.rules(job.project)
        charged = []
        for before in steps:
            step = _step_of(before)
            if rules is None:
                restore(step)
            else:
                rules.apply(step)
            charge_step(step, self._book.price)
            if step.is_billable:
                charged.append(step)
            self._keep(job, before, step, batch.steps, batch.record)
        trace = TraceRow(**old)
        if rules is None:
            restore(trace)
        else:
            rules.apply(trace)
        trace.cost_usd = sum(step.cost_usd or 0.0 for step in charged)
        trace.unknown_cost_calls = sum(step.cost_source == "unknown" for step in charged)
        is_moved = _dimensions(old) != _dimensions(msgspec.structs.asdict(trace))
        self._keep(job, old, trace, batch.traces, batch.record if is_moved else [])

    def _keep(
        self,
        job: Job,
        before: dict[str, Any],
        row: StepRow | TraceRow,
        out: list[Any],
        record: list[dict[str, Any]],
    ) -> None:
        """Write a row anew if it came out different, and what it said before."""
        after = msgspec.structs.asdict(row)
        if not _differs(before, after):
            return
        row.version, row.sign = before["version"] + 1, 1
        out += [{**before, "sign": -1}, row]
        record.append(_changed(job, before, after, self._clock_ns() // 1_000_000))


def _step_of(row: dict[str, Any]) -> StepRow:
    """A stored step; one of before reported amounts were kept has only the amount itself."""
    step = StepRow(**row)
    if step.cost_source == "reported" and step.reported_cost_usd is None:
        step.reported_cost_usd = step.cost_usd
    return step


def _differs(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    return any(_is_other(before[name], after[name]) for name in after)


def _is_other(before: Any, after: Any) -> bool:
    if isinstance(before, int | float) and isinstance(after, int | float):
        return abs(before - after) > _SAME_USD
    return bool(before != after)


def _dimensions(row: Mapping[str, Any]) -> dict[str, str]:
    return {name: row[name] for name in TARGETS}


def _changed(
    job: Job, before: Mapping[str, Any], after: Mapping[str, Any], now_ms: int
) -> dict[str, Any]:
    names = [name for name in TARGETS if before[name] != after[name]]
    is_step = "span_id" in after
    return {
        "project": job.project,
        "minute": before["minute"],
        "job": job.id,
        "changed_at": f"{now_ms / 1000:.3f}",
        "actor": job.order.actor,
        "why": job.order.why,
        "trace_id": before["trace_id"],
        "span_id": before.get("span_id", ""),
        "provider": before["provider"],
        "model": before["model"],
        "before_usd": before["cost_usd"] if is_step else None,
        "after_usd": after["cost_usd"] if is_step else None,
        "before_source": before.get("cost_source", ""),
        "after_source": after.get("cost_source", ""),
        "before_price_source": before.get("price_source", ""),
        "after_price_source": after.get("price_source", ""),
        "before_price_id": before.get("price_id", ""),
        "after_price_id": after.get("price_id", ""),
        "before_dimensions": {name: before[name] for name in names},
        "after_dimensions": {name: after[name] for name in names},
    }


def _count(job: Job, rows: list[dict[str, Any]], record: Iterable[Mapping[str, Any]]) -> None:
    progress = job.progress
    progress.traces += len(rows)
    progress.calls += sum(row["billable_calls"] for row in rows)
    for change in record:
        progress.changed += 1
        progress.before_usd += change["before_usd"] or 0.0
        progress.after_usd += change["after_usd"] or 0.0
        progress.unknown_before += change["before_source"] == "unknown"
        progress.unknown_after += change["after_source"] == "unknown"
