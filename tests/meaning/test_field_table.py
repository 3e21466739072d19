"""The field table says the same in SQL and in Python, and what it says is right."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from support.segments import load, write
from vagus.meaning.fields import COLUMNS, FIELDS
from vagus.meaning.kinds import KIND_HINTS, KIND_SOURCES
from vagus.meaning.read import read_fields
from vagus.store.chdb import ChdbEngine

GOLDEN = [
    (
        "OTel GenAI, current",
        {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "openai",
            "gen_ai.request.model": "gpt-4.1",
            "gen_ai.response.model": "gpt-4.1-2025-04-14",
            "gen_ai.usage.input_tokens": "100",
            "gen_ai.usage.cache_read.input_tokens": "40",
            "gen_ai.usage.output_tokens": "0",
            "gen_ai.response.finish_reasons": '["tool_calls"]',
            "gen_ai.response.time_to_first_chunk": "0.25",
            "gen_ai.conversation.id": "c1",
        },
        {
            "kind": "llm",
            "provider": "openai",
            "request_model": "gpt-4.1",
            "response_model": "gpt-4.1-2025-04-14",
            "input_tokens": 100,
            "cache_read_tokens": 40,
            "output_tokens": 0,
            "finish_reason": "tool_call",
            "ttft_ms": 250.0,
            "session": "c1",
        },
    ),
    (
        "OTel GenAI, older names",
        {
            "gen_ai.system": "az.ai.openai",
            "gen_ai.operation.name": "text_completion",
            "gen_ai.usage.prompt_tokens": "7",
            "gen_ai.usage.completion_tokens": "3",
            "gen_ai.usage.cache_creation.input_tokens": "2",
        },
        {
            "kind": "llm",
            "provider": "azure.ai.openai",
            "input_tokens": 7,
            "output_tokens": 3,
            "cache_write_tokens": 2,
        },
    ),
    (
        "OpenInference retriever, whose own kind beats the operation",
        {
            "openinference.span.kind": "RETRIEVER",
            "gen_ai.operation.name": "embeddings",
            "session.id": "s",
            "gen_ai.conversation.id": "other",
        },
        {"kind": "retrieval", "session": "s"},
    ),
    (
        "OpenInference model call",
        {
            "openinference.span.kind": "LLM",
            "llm.model_name": "claude-sonnet-4-5",
            "llm.provider": "anthropic",
            "llm.token_count.prompt": "10",
            "llm.token_count.prompt_details.cache_read": "4",
            "llm.token_count.completion_details.reasoning": "2",
            "llm.cost.total": "0.5",
        },
        {
            "kind": "llm",
            "response_model": "claude-sonnet-4-5",
            "provider": "anthropic",
            "input_tokens": 10,
            "cache_read_tokens": 4,
            "reasoning_tokens": 2,
            "reported_cost_usd": 0.5,
        },
    ),
    (
        "OpenLLMetry chain that calls itself an agent, provider a framework, model unknown",
        {
            "traceloop.span.kind": "workflow",
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.provider.name": "langchain",
            "gen_ai.request.model": "unknown",
            "traceloop.association.properties.user_id": "u",
        },
        {"kind": "workflow", "provider": "", "request_model": "", "user": "u"},
    ),
    (
        "OpenLLMetry before 0.53",
        {"llm.request.type": "chat", "gen_ai.system": "OpenAI"},
        {"kind": "llm", "provider": "openai", "operation": "chat"},
    ),
    ("a tool", {"gen_ai.tool.name": "search"}, {"kind": "tool", "tool": "search"}),
    ("plain HTTP", {"http.request.method": "GET"}, {"kind": "http"}),
    ("nothing", {}, {"kind": "other", "input_tokens": None, "provider": ""}),
]


def spans_of(
    engine: ChdbEngine,
    project: str,
    path: Path,
    cases: list[tuple[dict[str, str], dict[str, str]]],
) -> list[dict[str, object]]:
    message = ExportTraceServiceRequest()
    for number, (attributes, resource) in enumerate(cases):
        group = message.resource_spans.add()
        for key, value in resource.items():
            group.resource.attributes.add(key=key).value.string_value = value
        span = group.scope_spans.add().spans.add(
            trace_id=bytes(16), span_id=(number + 1).to_bytes(8, "big")
        )
        for key, value in attributes.items():
            span.attributes.add(key=key).value.string_value = value
    write(path, project, message.SerializeToString())
    load(engine, path)
    names = ", ".join(["kind", *(row.name for row in COLUMNS)])
    found = engine.query(
        f"SELECT {names} FROM spans WHERE project = {{p:String}} ORDER BY span_id", {"p": project}
    )
    return list(found.dicts())


@pytest.mark.parametrize(
    ("attributes", "expected"), [c[1:] for c in GOLDEN], ids=[c[0] for c in GOLDEN]
)
def test_conventions_mean_what_they_say(
    attributes: dict[str, str], expected: dict[str, object]
) -> None:
    fields = read_fields(attributes, {})
    assert {name: fields[name] for name in expected} == expected


def test_the_loader_and_the_reader_agree(engine: ChdbEngine, project: str, tmp_path: Path) -> None:
    chance = random.Random(20261123)
    keys = [key for row in FIELDS for key in row.sources]
    keys += [key for key, _ in KIND_SOURCES] + [key for key, _ in KIND_HINTS]
    resource_keys = [key for row in FIELDS for key in row.resource]
    words = [
        "",
        "unknown",
        "None",
        "chat",
        "LLM",
        "RETRIEVER",
        "OpenAI",
        "az.ai.openai",
        "12",
        "0",
        "-3",
        "1.5",
        "1e3",
        "9e99",
        "nan",
        "inf",
        "abc",
        '["stop"]',
        '["MAX_TOKENS"]',
        "[]",
        "[1]",
        "[broken",
        "end_turn",
        "ß\u200b'\\\n",
        "langchain",
        "workflow",
    ]
    words += [word for _, values in KIND_SOURCES for word in values]
    cases = [(attributes, {}) for _, attributes, _ in GOLDEN]
    for _ in range(600):
        attributes = {k: chance.choice(words) for k in chance.sample(keys, chance.randint(0, 12))}
        resource = {k: chance.choice(words) for k in chance.sample(resource_keys, 3)}
        cases.append((attributes, resource))
    loaded = spans_of(engine, project, tmp_path / "a.seg", cases)
    assert loaded == [read_fields(attributes, resource) for attributes, resource in cases]
