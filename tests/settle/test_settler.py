"""A trace that went quiet becomes rows, once, and again when a span comes late."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from support.segments import load, write
from vagus.assess.cost.prices import list_price
from vagus.config import SettleSettings
from vagus.model.score import Score
from vagus.settle.journal import Journal
from vagus.settle.settler import Settler
from vagus.store.chdb import ChdbEngine

NOW_NS = 1_795_000_000_000_000_000


class Memory:
    def __init__(self) -> None:
        self.values: dict[str, str] = {}

    def get(self, key: str) -> str | None:
        return self.values.get(key)

    def put(self, key: str, value: str) -> None:
        self.values[key] = value


class Workshop:
    """A settler with a clock of its own, and hands to feed it."""

    def __init__(self, engine: ChdbEngine, directory: Path, project: str) -> None:
        self.engine, self.directory, self.project = engine, directory, project
        self.now_s = 0.0
        self.state = Memory()
        self.scores: list[Score] = []
        self.settler = self.make()

    def make(self) -> Settler:
        return Settler(
            self.engine,
            Journal(self.directory / "journal", self.engine),
            self.state,
            SettleSettings(),
            price=list_price,
            on_verdicts=lambda verdicts: self.scores.extend(verdicts.scores),
            clock_s=lambda: self.now_s,
        )

    def send(
        self, message: ExportTraceServiceRequest | ExportLogsServiceRequest, signal: str = "traces"
    ) -> int:
        path = self.directory / f"{os.urandom(6).hex()}.seg"
        write(path, self.project, message.SerializeToString(), signal=signal, received_ns=NOW_NS)
        number = load(self.engine, path, signal=signal)
        self.settler.loaded(signal, number)
        return number

    def rows(self, table: str, columns: str) -> list[tuple[object, ...]]:
        found = self.engine.query(
            f"SELECT {columns} FROM {table} FINAL WHERE project = {{p:String}} ORDER BY start",
            {"p": self.project},
        )
        return list(found.rows())

    def signed(self, table: str, expression: str) -> object:
        return self.engine.query(
            f"SELECT {expression} FROM {table} WHERE project = {{p:String}}", {"p": self.project}
        ).one()


@pytest.fixture
def shop(engine: ChdbEngine, project: str, tmp_path: Path) -> Workshop:
    return Workshop(engine, tmp_path, project)


def span(
    message: ExportTraceServiceRequest,
    trace: bytes,
    number: int,
    parent: int = 0,
    *,
    start_ms: int = 0,
    ms: int = 10,
    error: str = "",
    **attributes: str | float,
) -> None:
    if not message.resource_spans:
        message.resource_spans.add().scope_spans.add()
    made = (
        message.resource_spans[0]
        .scope_spans[0]
        .spans.add(
            trace_id=trace,
            span_id=number.to_bytes(8, "big"),
            parent_span_id=parent.to_bytes(8, "big") if parent else b"",
            name=f"span {number}",
            start_time_unix_nano=NOW_NS + start_ms * 1_000_000,
            end_time_unix_nano=NOW_NS + (start_ms + ms) * 1_000_000,
        )
    )
    if error:
        made.status.code, made.status.message = 2, error
    for key, value in attributes.items():
        target = made.attributes.add(key=key.replace("__", ".")).value
        if isinstance(value, str):
            target.string_value = value
        elif isinstance(value, int):
            target.int_value = value
        else:
            target.double_value = value


def llm(**more: str | float) -> dict[str, str | int | float]:
    return {
        "gen_ai__operation__name": "chat",
        "gen_ai__provider__name": "openai",
        "gen_ai__request__model": "gpt-4.1-mini",
        "gen_ai__usage__input_tokens": 1000,
        "gen_ai__usage__output_tokens": 100,
        **more,
    }


AGENT = {"gen_ai__operation__name": "invoke_agent"}


def one_trace(
    *add: Callable[[ExportTraceServiceRequest, bytes], None],
) -> ExportTraceServiceRequest:
    message, trace = ExportTraceServiceRequest(), os.urandom(16)
    for step in add:
        step(message, trace)
    return message


def test_an_open_trace_is_not_settled_until_it_is_quiet(shop: Workshop) -> None:
    shop.send(one_trace(lambda m, t: span(m, t, 1, **llm())))
    assert shop.settler.tick() == 0
    shop.now_s = 4
    assert shop.settler.tick() == 1
    assert shop.rows("traces", "span_count, billable_calls, input_tokens") == [(1, 1, 1000)]


def test_a_call_reported_by_parent_and_child_is_charged_once(shop: Workshop) -> None:
    shop.send(
        one_trace(
            lambda m, t: span(
                m, t, 1, **AGENT, gen_ai__usage__input_tokens=1000, gen_ai__usage__output_tokens=100
            ),
            lambda m, t: span(m, t, 2, 1, **llm()),
        )
    )
    shop.settler.tick(everything=True)
    assert shop.rows("ledger", "kind, input_tokens, round(cost_usd, 9)") == [("llm", 1000, 0.00056)]
    assert shop.rows("traces", "flags") == [(["repeated_usage"],)]


def test_an_unknown_model_costs_unknown_and_is_counted(shop: Workshop) -> None:
    shop.send(one_trace(lambda m, t: span(m, t, 1, **llm(gen_ai__request__model="our-own"))))
    shop.settler.tick(everything=True)
    assert shop.rows("steps", "cost_usd, cost_source") == [(None, "unknown")]
    assert shop.rows("traces", "cost_usd, unknown_cost_calls") == [(0.0, 1)]


def test_a_late_span_settles_its_trace_again(shop: Workshop) -> None:
    trace = os.urandom(16)
    shop.send(one_trace(lambda m, _: span(m, trace, 1, **AGENT)))
    shop.settler.tick(everything=True)
    shop.send(one_trace(lambda m, _: span(m, trace, 2, 1, **llm())))
    shop.settler.tick(everything=True)
    assert shop.rows("traces", "span_count, orphan_count, input_tokens") == [(2, 0, 1000)]
    assert shop.signed("traces", "sum(sign)") == 1
    assert shop.signed("steps", "sum(sign)") == 2
    assert shop.signed("trace_minutes", "sum(requests_sum)") == 1
    assert shop.signed("trace_minutes", "sum(input_tokens_sum)") == 1000


def test_children_that_arrive_before_their_parent_are_orphans_only_until_then(
    shop: Workshop,
) -> None:
    trace = os.urandom(16)
    shop.send(one_trace(lambda m, _: span(m, trace, 2, 1, **llm())))
    shop.settler.tick(everything=True)
    assert shop.rows("traces", "orphan_count, flags") == [(1, ["orphans", "no_root"])]
    shop.send(one_trace(lambda m, _: span(m, trace, 1, **AGENT)))
    shop.settler.tick(everything=True)
    assert shop.rows("traces", "orphan_count, flags") == [(0, [])]


def test_a_span_sent_twice_counts_once(shop: Workshop) -> None:
    trace = os.urandom(16)
    for _ in range(2):
        shop.send(one_trace(lambda m, _: span(m, trace, 1, **llm())))
    shop.settler.tick(everything=True)
    assert shop.rows("traces", "span_count, input_tokens, flags") == [
        (1, 1000, ["duplicate_spans"])
    ]


def test_a_retried_call_is_marked_and_the_trace_ends_well(shop: Workshop) -> None:
    shop.send(
        one_trace(
            lambda m, t: span(m, t, 1, ms=100, **AGENT),
            lambda m, t: span(
                m,
                t,
                2,
                1,
                error="429 Too Many Requests",
                gen_ai__operation__name="chat",
                gen_ai__provider__name="openai",
                gen_ai__request__model="gpt-4.1-mini",
            ),
            lambda m, t: span(m, t, 3, 1, start_ms=20, **llm()),
        )
    )
    shop.settler.tick(everything=True)
    assert shop.rows("steps", "span_id, error_class, is_retry, cost_source")[1:] == [
        ("0000000000000002", "rate_limit", 0, "none"),
        ("0000000000000003", "", 1, "computed"),
    ]
    assert shop.rows("traces", "status, retry_calls") == [("ok", 1)]


def test_context_said_on_the_root_reaches_every_step(shop: Workshop) -> None:
    shop.send(
        one_trace(
            lambda m, t: span(m, t, 1, **AGENT, vagus__team="search", session__id="s1"),
            lambda m, t: span(m, t, 2, 1, **llm()),
        )
    )
    shop.settler.tick(everything=True)
    assert shop.rows("steps", "team, session") == [("search", "s1"), ("search", "s1")]


def test_retrieval_is_measured(shop: Workshop) -> None:
    documents = (
        '[{"id":"a","score":0.9,"updated_at":"2026-11-10T00:00:00Z"},{"id":"b","score":0.2,'
        '"updated_at":"2026-11-10T00:00:00Z"}]'
    )
    shop.send(
        one_trace(
            lambda m, t: span(
                m,
                t,
                1,
                gen_ai__operation__name="retrieval",
                gen_ai__data_source__id="kb",
                gen_ai__retrieval__documents=documents,
            ),
        )
    )
    shop.settler.tick(everything=True)
    ((kind, retrieved, score, age),) = shop.rows(
        "steps", "kind, retrieved, top_score, document_age_days"
    )
    assert (kind, retrieved, score) == ("retrieval", 2, 0.9)
    assert isinstance(age, float)
    assert 8 < age < 9
    assert shop.rows("traces", "index_name, retrievals") == [("kb", 1)]


def test_an_absurd_clock_is_set_aside_and_flagged(shop: Workshop) -> None:
    message = one_trace(lambda m, t: span(m, t, 1, **llm()))
    message.resource_spans[0].scope_spans[0].spans[0].start_time_unix_nano = 2**63 - 1
    shop.send(message)
    shop.settler.tick(everything=True)
    assert shop.rows("traces", "toUnixTimestamp(minute), duration_ms, flags") == [
        (NOW_NS // 10**9 // 60 * 60, 0.0, ["clock_skew"])
    ]


def test_evaluation_events_become_scores(shop: Workshop) -> None:
    message = one_trace(lambda m, t: span(m, t, 1, **llm()))
    event = (
        message.resource_spans[0]
        .scope_spans[0]
        .spans[0]
        .events.add(name="gen_ai.evaluation.result")
    )
    event.attributes.add(key="gen_ai.evaluation.name").value.string_value = "helpful"
    event.attributes.add(key="gen_ai.evaluation.score.value").value.double_value = 0.25
    event.attributes.add(key="gen_ai.evaluation.score.label").value.string_value = "fail"
    shop.send(message)
    shop.settler.tick(everything=True)
    assert [(s.name, s.value, s.passed) for s in shop.scores] == [("helpful", 0.25, False)]


def test_a_genai_log_event_gives_its_span_the_words(shop: Workshop) -> None:
    trace = os.urandom(16)
    logs = ExportLogsServiceRequest()
    record = (
        logs.resource_logs.add()
        .scope_logs.add()
        .log_records.add(
            trace_id=trace,
            span_id=(1).to_bytes(8, "big"),
            event_name="gen_ai.client.inference.operation.details",
            time_unix_nano=NOW_NS,
        )
    )
    record.attributes.add(
        key="gen_ai.input.messages"
    ).value.string_value = '[{"role":"user","parts":[{"type":"text","content":"Where is it?"}]}]'
    shop.send(logs, "logs")
    shop.settler.tick(everything=True)
    shop.send(one_trace(lambda m, _: span(m, trace, 1, **llm())))
    shop.settler.tick(everything=True)
    assert shop.rows("traces", "input") == [("Where is it?",)]


def test_a_restart_goes_on_where_it_stopped(shop: Workshop) -> None:
    shop.send(one_trace(lambda m, t: span(m, t, 1, **llm())))
    shop.settler.tick(everything=True)
    shop.send(one_trace(lambda m, t: span(m, t, 1, **llm())))
    shop.settler = shop.make()
    shop.settler.recover()
    shop.settler.tick(everything=True)
    assert shop.signed("traces", "sum(sign)") == 2
    assert shop.signed("trace_minutes", "sum(requests_sum)") == 2


def test_a_batch_found_in_the_journal_is_not_counted_twice(shop: Workshop, tmp_path: Path) -> None:
    shop.send(one_trace(lambda m, t: span(m, t, 1, **llm())))
    kept: list[bytes] = []
    journal = shop.settler._journal
    insert = journal._insert

    def insert_and_keep(batch: object) -> None:
        (path,) = (tmp_path / "journal").glob("*.json")
        kept.append(path.read_bytes())
        insert(batch)  # type: ignore[arg-type]

    journal._insert = insert_and_keep  # type: ignore[method-assign]
    shop.settler.tick(everything=True)
    (tmp_path / "journal" / f"{1:020d}.json").write_bytes(kept[0])
    assert Journal(tmp_path / "journal", shop.engine).recover() == 1
    assert shop.signed("steps", "sum(sign)") == 1
    assert shop.signed("step_minutes", "sum(input_tokens_sum)") == 1000


def test_a_span_that_was_announced_and_ended_is_one_span(shop: Workshop) -> None:
    """Logfire sends a span when it begins under an id of its own, and again when it ends."""
    trace = os.urandom(16)
    begun, ended = ExportTraceServiceRequest(), ExportTraceServiceRequest()
    span(begun, trace, 99, 2, **{"logfire.span_type": "pending_span"})
    pending = begun.resource_spans[0].scope_spans[0].spans[0]
    pending.attributes.add(key="logfire.pending_parent_id").value.string_value = f"{1:016x}"
    shop.send(begun)
    span(ended, trace, 1, ms=50)
    span(ended, trace, 2, 1, ms=30, **llm())
    shop.send(ended)
    shop.settler.tick(everything=True)

    assert shop.rows("traces", "span_count, orphan_count, billable_calls, flags") == [(2, 0, 1, [])]
    assert shop.rows("steps", "span_id, parent_span_id, duration_ms") == [
        (f"{2:016x}", f"{1:016x}", 30.0)
    ]


def test_a_settled_trace_shows_the_signs_of_its_spans(shop: Workshop) -> None:
    message = ExportTraceServiceRequest()
    trace = os.urandom(16)
    tool = {"gen_ai__operation__name": "execute_tool", "gen_ai__tool__name": "search",
            "gen_ai__tool__call__arguments": '{"q": "parcel"}'}  # fmt: skip
    span(message, trace, 1, ms=100, gen_ai__operation__name="invoke_agent", vagus__dataset="golden")
    call = llm(gen_ai__request__temperature=0.7, gen_ai__system_instructions="Be kind.",
               metadata__user_api_key_hash="sk-secret")  # fmt: skip
    span(message, trace, 2, 1, start_ms=10, ms=20, **call)
    span(message, trace, 3, 1, start_ms=40, ms=10, **tool)
    span(message, trace, 4, 1, start_ms=60, ms=40, **tool)
    resource = message.resource_spans[0].resource
    for key, value in (("host.name", "pod-1"), ("service.instance.id", "i-1")):
        resource.attributes.add(key=key).value.string_value = value
    shop.send(message)
    shop.settler.tick(everything=True)

    assert shop.rows("traces", "host, dataset, waiting_ms") == [("pod-1", "golden", 30.0)]
    rows = shop.rows("steps", "temperature, length(prompt_hash), length(api_key), is_repeated")
    assert rows == [("", 0, 0, None), ("0.7", 12, 12, None), ("", 0, 0, 0), ("", 0, 0, 1)]
