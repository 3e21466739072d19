"""History is priced again exactly, as often as one likes, and what was shown before is kept."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, update

from support.spans import make_span
from vagus.assess.cost.book import PriceBook
from vagus.assess.cost.jobs import Job, Order, create_job, get_job, save_job
from vagus.assess.cost.prices import list_price
from vagus.assess.cost.reprice import Repricer
from vagus.audit.log import Audit
from vagus.errors import BadInput, StoreError
from vagus.settle.fold import fold_trace
from vagus.settle.journal import Journal
from vagus.store.chdb import ChdbEngine
from vagus.store.meta.db import Meta
from vagus.store.meta.migrate import upgrade
from vagus.store.meta.money import attribution_rules, prices

START_S = 1_790_000_040
M = 1_000_000
#: One clock for all tests: its moments are the numbers of batches in the engine they share.
_MOMENTS_NS = itertools.count((START_S + 90_000) * 10**9, 1_000_000)


class Bench:
    """A project with settled traces, and a repricer over them."""

    def __init__(self, engine: ChdbEngine, folder: Path, project: str) -> None:
        self.engine, self.project = engine, project
        self.meta = Meta.at(folder / "meta.db")
        upgrade(self.meta)
        self.audit = Audit(self.meta)
        self.batches = folder / "journal"
        self.journal = Journal(self.batches, engine)
        self.book = PriceBook(self.meta)
        self.repricer = self.new_repricer()

    def new_repricer(self) -> Repricer:
        return Repricer(
            self.engine,
            self.journal,
            self.meta,
            self.book,
            self.audit,
            clock_ns=self.clock_ns,
            batch_traces=4,
        )

    def clock_ns(self) -> int:
        return next(_MOMENTS_NS)

    def settle(self, number: int, **said: Any) -> None:
        """Settle a trace of one call that began `number` minutes after the start."""
        start_ns = (START_S + 60 * number) * 10**9
        told = {
            "trace_id": f"{self.project}-{number}", "kind": "llm", "provider": "openai",
            "request_model": "our-model", "input_tokens": M, "output_tokens": M,
            "start_ns": start_ns, "end_ns": start_ns + 10**9, "received_ms": start_ns // 10**6,
            "service": "shop",
        }  # fmt: skip
        span = make_span(number, **(told | said))
        settled = fold_trace(
            self.project,
            [span],
            version=self.clock_ns(),
            price=list_price,
            log_events={},
            rules=self.book.rules(self.project),
        )
        self.journal.write(self.clock_ns(), [settled.trace], settled.steps)

    def set_price(self, spec: dict[str, Any]) -> None:
        with self.meta.begin() as connection:
            row = {"id": "own", "project": self.project, "created_ms": 1, "updated_ms": 1}
            connection.execute(insert(prices).values(**row, spec=spec))

    def change_price(self, spec: dict[str, Any]) -> None:
        with self.meta.begin() as connection:
            connection.execute(update(prices).values(spec=spec))

    def set_rules(self, rules: list[dict[str, Any]]) -> None:
        row = {"project": self.project, "rules": rules, "updated_ms": 1}
        with self.meta.begin() as connection:
            connection.execute(attribution_rules.delete())
            connection.execute(insert(attribution_rules).values(**row))

    def order(self, *, dry_run: bool = False, minutes: int = 1000) -> Job:
        end_s = START_S + 60 * minutes
        order = Order(start_s=START_S, end_s=end_s, dry_run=dry_run, why="new", actor="user:ann")
        return create_job(self.meta, self.project, order, self.clock_ns() // 10**6)

    def run(self, **how: Any) -> Job:
        job = self.order(**how)
        while self.repricer.tick():
            pass
        return get_job(self.meta, self.project, job.id)

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        return list(self.engine.query(sql, {"project": self.project}).rows())

    def costs(self) -> tuple[Any, ...]:
        """Cost and unknown calls by the ledger, by the traces, by their rollup, and by rows."""
        (ledger,) = self.ask(
            "SELECT sum(cost_usd), countIf(cost_source = 'unknown') FROM ledger "
            "WHERE project = {project:String}"
        )
        (traces,) = self.ask(
            "SELECT sum(cost_usd * sign), sum(toInt64(unknown_cost_calls) * sign) FROM traces "
            "WHERE project = {project:String}"
        )
        (rollup,) = self.ask(
            "SELECT toFloat64(sum(cost_usd_sum)), sum(cost_unknown_sum) FROM step_minutes "
            "WHERE project = {project:String}"
        )
        return ledger, traces, rollup


@pytest.fixture
def bench(engine: ChdbEngine, tmp_path: Path, project: str) -> Iterator[Bench]:
    """A fresh project with its own metadata."""
    bench = Bench(engine, tmp_path, project)
    yield bench
    bench.meta.close()


PRICE = {"model": {"equals": "our-model"}, "per_million": {"input": 2.0, "output": 3.0}}


def test_an_unknown_cost_becomes_known_everywhere(bench: Bench) -> None:
    for number in range(10):
        bench.settle(number)
    assert bench.costs() == ((None, 10), (0.0, 10), (0.0, 10))
    bench.set_price(PRICE)
    job = bench.run()
    assert bench.costs() == ((50.0, 0), (50.0, 0), (50.0, 0))
    found = job.progress
    assert (found.traces, found.calls, found.changed) == (10, 10, 10)
    assert (found.unknown_before, found.unknown_after) == (10, 0)
    assert (found.before_usd, found.after_usd) == (0.0, 50.0)


def test_pricing_again_with_the_same_prices_writes_nothing(bench: Bench) -> None:
    for number in range(6):
        bench.settle(number, request_model="gpt-4.1-mini", cache_read_tokens=M // 2)
    before = bench.ask(
        "SELECT count(), sum(sign), max(version) FROM steps WHERE project = {project:String}"
    )
    job = bench.run()
    assert job.state == "done"
    assert job.progress.changed == 0
    assert before == bench.ask(
        "SELECT count(), sum(sign), max(version) FROM steps WHERE project = {project:String}"
    )


def test_what_was_shown_before_is_kept(bench: Bench) -> None:
    bench.settle(0, request_model="gpt-4.1-mini")
    bench.set_price({"model": {"starts_with": "gpt-4.1"}, "list_factor": 0.5})
    job = bench.run()
    kept = bench.ask(
        "SELECT before_usd, after_usd, before_source, after_price_source, before_price_id, "
        "after_price_id, why, actor FROM repricings WHERE project = {project:String}"
    )
    assert kept == [
        (2.0, 1.0, "computed", "contract", "openai/gpt-4.1-mini", "own/own", "new", "user:ann")
    ]
    actions = [entry.action for entry in bench.audit.read(bench.project)]
    assert actions == ["reprice.done"]
    assert job.progress.after_usd == 1.0


def test_a_dry_run_says_the_same_and_writes_nothing(bench: Bench) -> None:
    for number in range(5):
        bench.settle(number)
    bench.set_price(PRICE)
    dry = bench.run(dry_run=True)
    assert dry.progress.after_usd == 25.0
    assert dry.progress.changed == 5
    assert bench.costs() == ((None, 5), (0.0, 5), (0.0, 5))
    assert bench.run().progress.after_usd == 25.0


def test_a_price_holds_from_its_day_to_its_end_by_the_time_of_the_call(bench: Bench) -> None:
    for number in range(4):
        bench.settle(number)
    bench.set_price(
        PRICE | {"valid_from_ms": (START_S + 60) * 1000, "valid_to_ms": (START_S + 180) * 1000}
    )
    bench.run()
    assert bench.costs() == ((10.0, 2), (10.0, 2), (10.0, 2))


def test_only_the_asked_stretch_of_time_is_priced_again(bench: Bench) -> None:
    for number in range(4):
        bench.settle(number)
    bench.set_price(PRICE)
    bench.run(minutes=2)
    assert bench.costs()[0] == (10.0, 2)


def test_an_interrupted_job_goes_on_and_counts_everything(bench: Bench) -> None:
    for number in range(10):
        bench.settle(number)
    bench.set_price(PRICE)
    job = bench.order()
    assert bench.repricer.tick()
    # The process dies after the second batch was written and before that was noted down.
    noted = get_job(bench.meta, bench.project, job.id)
    bench.repricer.tick()
    save_job(bench.meta, noted)
    again = bench.new_repricer()
    while again.tick():
        pass
    done = get_job(bench.meta, bench.project, job.id)
    assert bench.costs() == ((50.0, 0), (50.0, 0), (50.0, 0))
    assert (done.progress.changed, done.progress.after_usd) == (10, 50.0)


def test_a_batch_that_was_only_written_down_is_inserted_once(bench: Bench) -> None:
    bench.settle(0)
    bench.set_price(PRICE)
    bench.order()
    failing = _Failing(bench.engine)
    journal = Journal(bench.batches, failing)  # type: ignore[arg-type]
    broken = Repricer(
        bench.engine, journal, bench.meta, bench.book, bench.audit, clock_ns=bench.clock_ns
    )
    with pytest.raises(StoreError):
        broken.tick()
    assert bench.journal.recover() == 1
    while bench.repricer.tick():
        pass
    assert bench.costs() == ((5.0, 0), (5.0, 0), (5.0, 0))
    assert bench.ask("SELECT count() FROM repricings WHERE project = {project:String}") == [(1,)]


class _Failing:
    """An engine that takes the steps and then fails."""

    def __init__(self, engine: ChdbEngine) -> None:
        self._engine = engine

    def insert(self, table: str, rows: Any, *, token: str | None = None) -> None:
        if table != "steps":
            raise StoreError("the disk is full")
        self._engine.insert(table, rows, token=token)


def test_prices_may_change_again_and_again(bench: Bench) -> None:
    bench.settle(0)
    bench.set_price(PRICE)
    for usd in (1.0, 4.0, 2.5):
        bench.change_price(PRICE | {"per_million": {"input": usd, "output": 0.0}})
        bench.run()
        assert bench.costs() == ((usd, 0), (usd, 0), (usd, 0))
    assert bench.ask(
        "SELECT before_usd, after_usd FROM repricings WHERE project = {project:String} "
        "ORDER BY changed_at"
    ) == [(None, 1.0), (1.0, 4.0), (4.0, 2.5)]


def test_rules_are_applied_to_history_and_taken_back(bench: Bench) -> None:
    bench.settle(0)
    bench.settle(1, team="growth")
    teams = "SELECT team FROM {} FINAL WHERE project = {{project:String}} ORDER BY minute"
    bench.set_rules([{"when": "service:shop model~OUR", "set": {"team": "payments"}}])
    bench.run()
    for table in ("traces", "steps"):
        assert bench.ask(teams.format(table)) == [("payments",), ("growth",)]
    bench.set_rules([{"when": "service:shop", "set": {"team": "all"}, "override": True}])
    bench.run()
    assert bench.ask(teams.format("traces")) == [("all",), ("all",)]
    bench.set_rules([])
    bench.run()
    for table in ("traces", "steps"):
        assert bench.ask(teams.format(table)) == [("",), ("growth",)]
    by_team = bench.ask(
        "SELECT team, sum(requests_sum) AS n FROM trace_minutes WHERE project = {project:String} "
        "GROUP BY team HAVING n != 0 ORDER BY team"
    )
    assert by_team == [("", 1), ("growth", 1)]


def test_a_reported_cost_stays_and_its_computed_one_follows(bench: Bench) -> None:
    bench.settle(0, reported_cost_usd=7.0)
    bench.set_price(PRICE)
    bench.run()
    assert bench.ask(
        "SELECT cost_usd, computed_cost_usd, toString(cost_source), price_source FROM ledger "
        "WHERE project = {project:String}"
    ) == [(7.0, 5.0, "reported", "reported")]


def test_too_many_waiting_jobs_are_refused(bench: Bench) -> None:
    for _ in range(10):
        bench.order()
    with pytest.raises(BadInput, match="too many jobs"):
        bench.order()
