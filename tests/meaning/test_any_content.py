"""Any attributes in any convention give content, in bounded time, and stay as they came."""

from __future__ import annotations

import copy
import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vagus.meaning.content import Conversation, Event
from vagus.meaning.conversation import offered, tool_span
from vagus.meaning.conversation.table import INPUT, OUTPUT, SYSTEM
from vagus.meaning.documents import read_documents
from vagus.meaning.messages import log_event, plain_input, plain_output, read_conversation
from vagus.meaning.prompt import read_prompt
from vagus.meaning.values import MAX_ITEMS
from vagus.meaning.verdicts import read_verdicts

KNOWN = sorted(
    {key for table in (INPUT, OUTPUT, SYSTEM) for key in table.known}
    | set(offered.KEYS)
    | set(tool_span.NAMES)
)
TAILS = st.sampled_from(
    ["0", "0.message.role", "0.message.content", "0.message.contents.0.message_content.type",
     "0.message.contents.1.message_content.image.image.url", "0.message", "0.role", "0.content",
     "0.tool_calls.0.name", "0.message.tool_calls.999999999.tool_call.function.name", "-1.content",
     "999999999.message.content", "99999999999999999999.content", "x.y.z", "0.prompt.text", "",
     "0.embedding.text", "0.tool.json_schema", "call.kwargs.q"]
)  # fmt: skip
KEYS = st.sampled_from(KNOWN).flatmap(
    lambda key: TAILS.map(lambda tail: key + tail) if key.endswith(".") else st.just(key)
)
WORDS = st.sampled_from(
    ["role", "content", "parts", "type", "text", "tool_calls", "function", "message", "image_url",
     "source", "id", "kwargs", "messages", "choices", "tool", "user", "image", "tool_result",
         "items",
     "input", "output", "contents", "candidates", "data", "kind", "part_kind", "request", "system",
     "instructions", "model", "prompt", "chat_history", "args", "delta", "additional_kwargs",
         "tools",
     "function_declarations", "toolSpec", "config", "blocks", "block_type", "ai", "generation",
         "done",
     "response", "event.name", "gen_ai.choice", "inlineData", "file", "0", "Buffer", "document"]
)  # fmt: skip
LEAVES = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6) | WORDS
    | st.sampled_from(["data:image/png;base64,AA==", "vagus-blob:sha256:",
        "@@@langfuseMedia:type=|",
                       "{'a': 1}", "\ud800", "https://x.test/a"])
)  # fmt: skip
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=6),
    max_leaves=25,
)
VALUES = JSON | JSON.map(json.dumps) | JSON.map(repr) | JSON.map(
    lambda v: json.dumps(json.dumps(v))
)  # fmt: skip
EVENTS = st.lists(
    st.builds(
        log_event,
        st.sampled_from(["gen_ai.choice", "gen_ai.user.message", "gen_ai.tool.message", "",
                         "gen_ai.client.inference.operation.details", "gen_ai.content.prompt"]),
        st.dictionaries(WORDS | st.sampled_from(KNOWN), VALUES, max_size=4),
        VALUES,
    ),
    max_size=3,
)  # fmt: skip


@given(st.dictionaries(KEYS, VALUES, max_size=8), EVENTS)
@settings(max_examples=500, deadline=None)
def test_any_attributes_give_content(attributes: dict[str, Any], events: list[Event]) -> None:
    before = copy.deepcopy(attributes)
    assert isinstance(read_conversation(attributes, events), Conversation)
    assert isinstance(plain_input(attributes, events), str)
    assert isinstance(plain_output(attributes, events), str)
    for kind in ("retrieval", "rerank"):
        read_documents(attributes, kind, events)
    read_verdicts(attributes)
    read_prompt(attributes)
    assert repr(attributes) == repr(before)


def _deep(depth: int) -> Any:
    value: Any = {"role": "user", "content": "x"}
    for _ in range(depth):
        value = {"messages": [value], "input": [value], "output": value, "content": [value]}
    return value


HOSTILE = {
    "far index": {"llm.input_messages.999999999.message.content": "x"},
    "many indices": {f"llm.input_messages.{i * 997}.message.content": "x" for i in range(20_000)},
    "many parts": {"gen_ai.input.messages": json.dumps(
        [{"role": "user", "content": [{"type": "text", "text": "x"}] * 100_000}])},
    "many messages": {"gen_ai.input.messages": json.dumps(
        [{"role": "user", "content": "x"}] * 100_000)},
    "lists in lists": {"gen_ai.prompt": "[" * 60 + json.dumps({"role": "user"}) + "]" * 60},
    "the same thing under every name": {"input.value": json.dumps(_deep(7))},
    "brackets": {"langfuse.observation.input": "[" * 2_000_000},
    "a long path": {"llm.input_messages." + "0." * 100_000: "x"},
    "quotes": {"mlflow.spanInputs": json.dumps("'" * 500_000)},
    "a long repr": {"gen_ai.prompt": "{'a': '" + "\\'" * 400_000},
    "numbers as bytes": {"ai.prompt.messages": json.dumps(
        [{"role": "user", "content": [{"type": "image", "image": dict.fromkeys(
            map(str, range(100_000)), 7)}]}])},
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_attributes_cost_little(name: str) -> None:
    started = time.perf_counter()
    found = read_conversation(HOSTILE[name])
    assert len(found.input) <= MAX_ITEMS
    assert all(len(message.parts) <= MAX_ITEMS for message in found.input)
    assert time.perf_counter() - started < 2
