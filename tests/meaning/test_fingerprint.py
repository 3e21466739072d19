"""Fingerprints of tools' arguments and system messages, in every convention that shows them."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from support.segments import load, write
from vagus.meaning.fingerprint import arguments_sql, system_sql
from vagus.store.chdb import ChdbEngine

TOLD = "You are a helpful shop."
MESSAGES = [{"role": "system", "content": TOLD}, {"role": "user", "content": "Hi"}]
PARTS = [{"role": "system", "parts": [{"type": "text", "content": TOLD}]}]
LISTED = [{"role": "system", "content": [{"type": "text", "text": TOLD}]}]


def fingerprints(engine: ChdbEngine, folder: Path, *spans: dict[str, str]) -> list[tuple[str, str]]:
    """Arguments and system message of each span, as the engine reads them off what was stored."""
    message = ExportTraceServiceRequest()
    scope = message.resource_spans.add().scope_spans.add()
    for number, attributes in enumerate(spans, start=1):
        span = scope.spans.add(trace_id=bytes(16), span_id=number.to_bytes(8, "big"))
        for key, value in attributes.items():
            span.attributes.add(key=key).value.string_value = value
    project = os.urandom(6).hex()
    path = folder / f"{project}.segment"
    write(path, project, message.SerializeToString())
    load(engine, path)
    found = engine.query(
        f"SELECT {arguments_sql()} AS arguments, {system_sql()} AS said FROM spans "
        "WHERE project = {p:String} ORDER BY span_id",
        {"p": project},
    )
    return list(found.rows())


@pytest.mark.parametrize(
    "said",
    [
        {"llm.prompt_template.template": TOLD},
        {"gen_ai.system_instructions": TOLD, "gen_ai.input.messages": "[]"},
        {
            "llm.input_messages.0.message.role": "system",
            "llm.input_messages.0.message.content": TOLD,
        },
        {"gen_ai.prompt.0.role": "system", "gen_ai.prompt.0.content": TOLD},
        {"gen_ai.input.messages": json.dumps(PARTS)},
        {"langfuse.observation.input": json.dumps(MESSAGES)},
        {"ai.prompt.messages": json.dumps(LISTED)},
        {"ai.prompt": json.dumps({"system": TOLD, "messages": MESSAGES[1:]})},
        {"input.value": json.dumps({"messages": MESSAGES})},
    ],
    ids=lambda said: next(iter(said)),
)  # fmt: skip
def test_one_system_message_has_one_fingerprint_in_every_convention(
    engine: ChdbEngine, tmp_path: Path, said: dict[str, str]
) -> None:
    plain, shown = fingerprints(engine, tmp_path, {"llm.system_prompt": TOLD}, said)
    assert len(shown[1]) == 12
    assert shown[1] == plain[1]


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"gen_ai.prompt.0.role": "user", "gen_ai.prompt.0.content": "Hi"},
        {"gen_ai.input.messages": json.dumps(MESSAGES[1:])},
        {"gen_ai.input.messages": "[broken"},
        {"gen_ai.input.messages": "[" * 50_000},
        {"input.value": "Where is my parcel?"},
        {"input.value": '{"messages": 3}'},
        {"gen_ai.input.messages": json.dumps([*MESSAGES, {"content": "x" * 70_000}])},
    ],
)
def test_what_a_user_said_is_no_system_message(
    engine: ChdbEngine, tmp_path: Path, said: dict[str, str]
) -> None:
    assert fingerprints(engine, tmp_path, said)[0][1] == ""


def test_another_text_has_another_fingerprint(engine: ChdbEngine, tmp_path: Path) -> None:
    one, other = fingerprints(
        engine, tmp_path, {"llm.system_prompt": TOLD}, {"llm.system_prompt": TOLD + " Be brief."}
    )
    assert one[1] != other[1]


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ({"gen_ai.tool.call.arguments": '{"q":1}'}, {"input.value": '{"q":1}'}, True),
        ({"gen_ai.tool.call.arguments": '{"q":1}'}, {"ai.toolCall.args": '{"q":2}'}, False),
        (
            {"input.value": '{"args":{"id":"o-1"},"id":"call_Ab1"}'},
            {"input.value": '{"args":{"id":"o-1"},"id":"call_Zz9"}'},
            True,
        ),
        (
            {"input.value": '{"args":{"id":"o-1"},"id":"call_Ab1"}'},
            {"input.value": '{"args":{"id":"o-2"},"id":"call_Ab1"}'},
            False,
        ),
    ],
)
def test_calls_of_a_tool_are_the_same_when_only_their_ids_differ(
    engine: ChdbEngine, tmp_path: Path, one: dict[str, str], other: dict[str, str], is_same: bool
) -> None:
    (first, _), (second, _) = fingerprints(engine, tmp_path, one, other)
    assert first
    assert (first == second) is is_same
