"""The field table says the same in SQL and in Python, whatever a span says."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from support.meaning import Case, loaded_fields
from support.segments import load, write
from vagus.meaning.codes import MOST_SLOTS, SLOT, STRIDE, codes, silent_words
from vagus.meaning.document import double_text
from vagus.meaning.field import LONGEST_DOCUMENT, Field
from vagus.meaning.fields import FIELDS
from vagus.meaning.kinds import KIND_SOURCES
from vagus.meaning.read import read_fields
from vagus.meaning.senders import SCOPES
from vagus.store.chdb import ChdbEngine

KEYS = sorted(
    {source.partition("#")[0] for row in FIELDS for source in row.sources}
    | {key for key, _ in KIND_SOURCES}
)
RESOURCE_KEYS = sorted({source for row in FIELDS for source in row.resource})
MEMBERS = sorted({part for row in FIELDS for s in row.sources for part in s.split("#")[1:]})
WORDS = st.sampled_from(
    [
        *("", "unknown", "None", '"unknown"', '"chat"', '""', '"', "chat", "LLM", "OpenAI"),
        *("openai.chat", "openai/gpt-4", "auto", "langchain", "12", "0", "-3", "1.5", "1e3"),
        *("9e99", "nan", "inf", '["stop"]', '"[\\"STOP\\"]"', "[]", "[1]", "[broken", "true"),
        *("2026-11-23T10:00:00.5Z", "2026-02-31T10:00:00Z", "2026-11-23T10:00:00+05:30"),
        *("ERROR", "DEFAULT", "EUR", "70000", "ß\u200b'\\\n", "\x00", "\u212a", "workflow"),
        *(word for _, values in KIND_SOURCES for word in values),
    ]
)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**80), 2**80)
    | st.floats(allow_nan=True, allow_infinity=True)
    | WORDS
    | st.text(max_size=5)
)
DOCUMENTS = st.recursive(
    LEAVES,
    lambda inner: (
        st.dictionaries(st.sampled_from(MEMBERS), inner, max_size=5) | st.lists(inner, max_size=2)
    ),
    max_leaves=8,
)
VALUES = (
    WORDS
    | st.text(max_size=20)
    | DOCUMENTS.map(json.dumps)
    | DOCUMENTS.map(lambda value: json.dumps(value, ensure_ascii=False)[:-1])
    | DOCUMENTS.map(lambda value: json.dumps(json.dumps(value)))
    | DOCUMENTS.map(repr)
)
TEXTS = VALUES.filter(lambda value: value.isprintable() or _is_text(value))
CASES = st.builds(
    Case,
    st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=10), TEXTS, max_size=12),
    st.dictionaries(st.sampled_from(RESOURCE_KEYS), TEXTS, max_size=3),
    st.tuples(st.sampled_from([prefix for prefix, _ in SCOPES]) | st.just("shop"), WORDS),
    st.sampled_from([0, 1, 1_795_000_000_000_000_000, 2**64 - 1]),
)
_numbers = itertools.count()


def _is_text(value: str) -> bool:
    return not any("\ud800" <= c <= "\udfff" for c in value)


def _silent(row: Field) -> bool:
    return "" in row.values.values()


@given(st.lists(CASES, min_size=20, max_size=40))
@settings(
    max_examples=12,
    deadline=None,
    # Each example is a whole segment: the failing span is shown, and not made smaller.
    phases=[Phase.generate],
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.large_base_example,
        HealthCheck.data_too_large,
    ],
)
def test_the_loader_and_the_reader_agree(
    engine: ChdbEngine, tmp_path: Path, cases: list[Case]
) -> None:
    number = next(_numbers)
    loaded = loaded_fields(engine, f"agree-{number}", tmp_path / f"{number}.seg", cases)
    for case, fields in zip(cases, loaded, strict=True):
        assert fields == case.read()


def bombs() -> list[dict[str, str]]:
    key = "langfuse.observation.usage_details"
    members = ",".join(f'"m{n}":0' for n in range(5_000))
    return [
        {key: "[" * 100_000 + "]" * 100_000},
        {key: '{"input":' * 5_000 + "1" + "}" * 5_000},
        {key: f'{{{members},"input":3}}'},
        {key: '{"input":3,"pad":"' + "x" * LONGEST_DOCUMENT + '"}'},
        {key: '{"input":1' + "0" * 4_000 + "}"},
        {key: '{"input":1e999}'},
        {key: '{"input":3,"input":4,"input_cached_tokens":"NaN"}'},
        {"gen_ai.provider.name": "x" * 1_000_000, "input.value": "y" * 1_000_000},
        {"gen_ai.response.finish_reasons": "[" * 50_000},
        {"metadata": '"' + "\\" * 999 + '"'},
    ]


def test_hostile_json_is_read_alike_and_is_bounded(
    engine: ChdbEngine, project: str, tmp_path: Path
) -> None:
    cases = [Case(attributes) for attributes in bombs()]
    loaded = loaded_fields(engine, project, tmp_path / "a.seg", cases)
    assert loaded == [case.read() for case in cases]
    assert loaded[2]["input_tokens"] == 3
    assert loaded[3]["input_tokens"] is None


def test_bytes_that_are_no_text_give_a_row_and_come_back(
    engine: ChdbEngine, project: str, tmp_path: Path
) -> None:
    broken = b'{"a":"\xff\xfe"}'
    key = b"metadata"
    value = b"\x0a" + bytes([len(broken)]) + broken
    pair = b"\x0a" + bytes([len(key)]) + key + b"\x12" + bytes([len(value)]) + value
    span = b"\x0a\x10" + bytes(16) + b"\x12\x08" + bytes(8) + b"\x4a" + bytes([len(pair)]) + pair
    spans = b"\x12" + bytes([len(span)]) + span
    body = b"\x12" + bytes([len(spans)]) + spans
    write(tmp_path / "a.seg", project, b"\x0a" + bytes([len(body)]) + body)
    load(engine, tmp_path / "a.seg")
    found = engine.query(
        "SELECT hex(attr_values[1]) FROM spans WHERE project = {p:String}", {"p": project}
    )
    assert bytes.fromhex(found.one()) == broken


def test_attributes_come_back_unchanged(engine: ChdbEngine, project: str, tmp_path: Path) -> None:
    message = ExportTraceServiceRequest()
    span = message.resource_spans.add().scope_spans.add().spans.add(span_id=b"12345678")
    sent: dict[str, Any] = {key: f'"{key}"\x00\u200b\\' for key in KEYS}
    for key, value in sent.items():
        span.attributes.add(key=key).value.string_value = value
    write(tmp_path / "a.seg", project, message.SerializeToString())
    load(engine, tmp_path / "a.seg")
    found = engine.query(
        "SELECT attributes FROM spans WHERE project = {p:String}", {"p": project}
    ).one()
    assert found == sent


def test_every_source_has_a_code_of_its_own() -> None:
    slots = Counter(
        slot
        for code in (*codes().keys.values(), *codes().members.values())
        for n in range(MOST_SLOTS)
        if (slot := code >> 14 * n & SLOT)
    )
    expected = sum(len(row.sources) for row in FIELDS) + len(KIND_SOURCES)
    assert (len(slots), max(slots.values())) == (expected, 1)
    assert all(len(row.sources) + len(row.resource) <= STRIDE for row in FIELDS)


def test_a_key_has_one_list_of_words_that_say_nothing() -> None:
    for key in KEYS:
        rows = [row for row in FIELDS if key in row.sources and _silent(row)]
        assert len(rows) <= 1
        assert bool(silent_words(key)) == bool(rows)


def test_numbers_look_as_the_engine_shows_them(engine: ChdbEngine) -> None:
    numbers = [0.0, -0.0, 1.0, 0.1, 1e-6, 1e-7, 123456.789, 1e20, 1e21, 1.5e300, 5e-324, 2.0**63]
    shown = engine.query("SELECT arrayMap(x -> toString(x), {n:Array(Float64)})", {"n": numbers})
    assert [double_text(number) for number in numbers] == shown.one()


def test_what_nobody_said_is_empty_or_unknown() -> None:
    fields = read_fields({}, {})
    assert fields.pop("kind") == "other"
    assert set(fields.values()) == {"", None}
