"""What providers really answer becomes, to the billionth of a dollar, what was worked out by hand.

Each case goes through the parser of its provider, through OTLP, through the field table and the
fold; then all of them once more through the engine.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from support.golden import PARTS, Case, load_cases, price_of
from support.segments import load, write
from support.spans import make_span
from vagus.config import SettleSettings
from vagus.meaning.read import read_fields
from vagus.receive.dialects.build import Telemetry, span_id_of, trace_id_of
from vagus.receive.parse import check_request
from vagus.receive.providers.read import read_exchange
from vagus.settle.fold import fold_trace
from vagus.settle.journal import Journal
from vagus.settle.settler import Settler

CASES = load_cases()
START_NS = 1_790_000_000_000_000_000
EXACT_USD = 1e-9


def telemetry_of(cases: list[Case]) -> Telemetry:
    """The cases as OTLP, each a trace of its own."""
    telemetry = Telemetry()
    for case in cases:
        reading = read_exchange(case.exchange)
        telemetry.add_span(
            resource={"service.name": "golden"},
            scope="golden",
            trace_id=trace_id_of(case.id),
            span_id=span_id_of(case.id),
            name=case.id,
            start_ns=START_NS,
            end_ns=START_NS + 10**9,
            attributes=reading.attributes(),
            error=reading.error,
        )
    return telemetry


def text_of(value: Any) -> str:
    """An attribute as the store keeps it."""
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return msgspec.json.encode([v.string_value for v in value.array_value.values]).decode()
    if kind == "bool_value":
        return "true" if value.bool_value else "false"
    return str(getattr(value, kind))


def row_of(case: Case) -> dict[str, Any]:
    """The ledger row of a case, by the pure way."""
    (resource,) = telemetry_of([case]).traces.resource_spans
    (span,) = resource.scope_spans[0].spans
    attributes = {pair.key: text_of(pair.value) for pair in span.attributes}
    fields = read_fields(attributes, {"service.name": "golden"})
    known = {k: v for k, v in fields.items() if hasattr(make_span(1), k)}
    said = {
        **known,
        "name": span.name,
        "status": "error" if span.status.code == 2 else "unset",
        "status_message": span.status.message,
        "start_ns": START_NS,
        "end_ns": START_NS + 10**9,
        "received_ms": START_NS // 10**6,
        "attributes": attributes,
    }
    settled = fold_trace("p", [make_span(1, **said)], version=1, price=price_of(), log_events={})
    (step,) = settled.steps
    return {name: getattr(step, name) for name in step.__struct_fields__}


def check(case: Case, row: dict[str, Any]) -> None:
    """The row says what was worked out, to the last token and the billionth of a dollar."""
    assert {name: row[name] for name in case.tokens} == case.tokens
    if case.total is None:
        assert row["cost_usd"] is None
    else:
        assert row["cost_usd"] == pytest.approx(float(case.total), rel=0, abs=EXACT_USD)
    for part in PARTS if case.parts else ():
        expected = float(case.parts[part])
        assert row[f"cost_{part}_usd"] == pytest.approx(expected, rel=0, abs=EXACT_USD), part
    if case.computed is not None:
        computed = float(case.computed)
        assert row["computed_cost_usd"] == pytest.approx(computed, rel=0, abs=EXACT_USD)
    assert {name: row[name] for name in case.also} == case.also
    assert row["is_billable"] == 1


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_a_raw_answer_becomes_the_row_that_was_worked_out(case: Case) -> None:
    check(case, row_of(case))


def test_there_are_enough_cases_of_every_provider() -> None:
    by_file: dict[str, int] = {}
    for case in CASES:
        stem = case.id.partition(":")[0]
        by_file[stem] = by_file.get(stem, 0) + 1

    assert len({case.id for case in CASES}) == len(CASES) >= 120
    assert set(by_file) == {
        "anthropic", "azure", "bedrock", "cohere", "deepseek", "gemini", "mistral",
        "openai_chat", "openai_responses", "others", "xai",
    }  # fmt: skip
    assert min(by_file.values()) >= 6


class Memory:
    """Where a settler keeps how far it came."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}

    def get(self, key: str) -> str | None:
        return self.values.get(key)

    def put(self, key: str, value: str) -> None:
        self.values[key] = value


def test_the_engine_says_the_same_of_all_cases(engine: Any, project: str, tmp_path: Path) -> None:
    request = telemetry_of(CASES).traces.SerializeToString()
    checked = check_request("traces", request)
    path = tmp_path / "golden.seg"
    write(path, project, checked.request, checked.nested, received_ns=START_NS)
    settler = Settler(
        engine,
        Journal(tmp_path / "journal", engine),
        Memory(),
        SettleSettings(),
        price=price_of(),
        on_verdicts=lambda verdicts: None,
        clock_s=lambda: 0.0,
    )
    settler.loaded("traces", load(engine, path))
    settler.tick(everything=True)
    found = engine.query("SELECT * FROM ledger WHERE project = {p:String}", {"p": project}).dicts()
    rows = {row["trace_id"]: row for row in found}

    assert len(rows) == len(CASES)
    for case in CASES:
        check(case, rows[trace_id_of(case.id).hex()])
