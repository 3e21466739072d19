"""Conversations of every convention, and hostile attributes."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vagus.meaning.content import (
    Blob,
    Conversation,
    Event,
    JsonPart,
    Message,
    Reasoning,
    Text,
    Tool,
    ToolCall,
    ToolCallResponse,
    Uri,
)
from vagus.meaning.messages import (
    log_event,
    plain_input,
    plain_output,
    read_conversation,
    read_events,
)
from vagus.meaning.values import MAX_ITEMS, loads

WEATHER_CALL = ToolCall("call_1", "get_weather", {"city": "Paris"})
ASKED = [
    Message("system", [Text("Be brief.")]),
    Message("user", [Text("Weather in Paris?")]),
    Message("assistant", [WEATHER_CALL]),
    Message("tool", [ToolCallResponse("call_1", {"sky": "rain"})]),
]
ANSWERED = [Message("assistant", [Text("It rains.")], "", "stop")]

GEN_AI = {
    "gen_ai.system_instructions": json.dumps([{"type": "text", "content": "Be brief."}]),
    "gen_ai.input.messages": json.dumps(
        [
            {
                "role": "user",
                "name": None,
                "parts": [{"type": "text", "content": "Weather in Paris?"}],
            },
            {
                "role": "assistant",
                "parts": [
                    {
                        "type": "tool_call",
                        "id": "call_1",
                        "name": "get_weather",
                        "arguments": {"city": "Paris"},
                    }
                ],
            },
            {
                "role": "tool",
                "parts": [
                    {"type": "tool_call_response", "id": "call_1", "response": {"sky": "rain"}}
                ],
            },
        ]
    ),
    "gen_ai.output.messages": json.dumps(
        [
            {
                "role": "assistant",
                "parts": [{"type": "text", "content": "It rains."}],
                "finish_reason": "stop",
            }
        ]
    ),
}
OPENAI_ASKED = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Weather in Paris?"},
    {
        "role": "assistant",
        "content": None,
        "tool_calls": [
            {
                "id": "call_1",
                "type": "function",
                "function": {"name": "get_weather", "arguments": '{"city": "Paris"}'},
            }
        ],
    },
    {"role": "tool", "tool_call_id": "call_1", "content": '{"sky": "rain"}'},
]
OPENAI_CHOICES = [
    {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "It rains."}}
]
RAW_OPENAI = {
    "gen_ai.input.messages": json.dumps(OPENAI_ASKED),
    "gen_ai.output.messages": json.dumps(OPENAI_CHOICES),
}
PROMPT_JSON = {
    "gen_ai.prompt": json.dumps({"messages": OPENAI_ASKED}),
    "gen_ai.completion": json.dumps({"choices": OPENAI_CHOICES}),
}
OPENINFERENCE = {
    "llm.input_messages.0.message.role": "system",
    "llm.input_messages.0.message.content": "Be brief.",
    "llm.input_messages.1.message.role": "user",
    "llm.input_messages.1.message.contents.0.message_content.type": "text",
    "llm.input_messages.1.message.contents.0.message_content.text": "Weather in Paris?",
    "llm.input_messages.2.message.role": "assistant",
    "llm.input_messages.2.message.tool_calls.0.tool_call.id": "call_1",
    "llm.input_messages.2.message.tool_calls.0.tool_call.function.name": "get_weather",
    "llm.input_messages.2.message.tool_calls.0.tool_call.function.arguments": '{"city": "Paris"}',
    "llm.input_messages.3.message.role": "tool",
    "llm.input_messages.3.message.tool_call_id": "call_1",
    "llm.input_messages.3.message.content": '{"sky": "rain"}',
    "llm.output_messages.0.message.role": "assistant",
    "llm.output_messages.0.message.content": "It rains.",
    "llm.output_messages.0.message.finish_reason": "stop",
}
OPENLLMETRY = {
    "gen_ai.prompt.0.role": "system",
    "gen_ai.prompt.0.content": "Be brief.",
    "gen_ai.prompt.1.role": "user",
    "gen_ai.prompt.1.content": '[{"type": "text", "text": "Weather in Paris?"}]',
    "gen_ai.prompt.2.role": "assistant",
    "gen_ai.prompt.2.tool_calls.0.id": "call_1",
    "gen_ai.prompt.2.tool_calls.0.name": "get_weather",
    "gen_ai.prompt.2.tool_calls.0.arguments": '{"city": "Paris"}',
    "gen_ai.prompt.10.role": "tool",
    "gen_ai.prompt.10.tool_call_id": "call_1",
    "gen_ai.prompt.10.content": '{"sky": "rain"}',
    "gen_ai.completion.0.role": "assistant",
    "gen_ai.completion.0.content": "It rains.",
    "gen_ai.completion.0.finish_reason": "stop",
}
OLD_EVENTS = [
    Event("gen_ai.system.message", {"gen_ai.system": "openai", "content": "Be brief."}),
    Event("gen_ai.user.message", {"content": "Weather in Paris?"}),
    Event("gen_ai.assistant.message", {"tool_calls": json.dumps(OPENAI_ASKED[2]["tool_calls"])}),
    Event("gen_ai.tool.message", {"id": "call_1", "content": '{"sky": "rain"}'}),
    Event(
        "gen_ai.choice", {"index": 0, "finish_reason": "stop", "message": '{"content":"It rains."}'}
    ),
]
DETAILS = [
    log_event(
        "gen_ai.client.inference.operation.details",
        {},
        {
            "kvlistValue": {
                "values": [{"key": k, "value": {"stringValue": v}} for k, v in GEN_AI.items()]
            }
        },
    )
]
CONTENT_EVENTS = [
    Event("gen_ai.content.prompt", {"gen_ai.prompt": json.dumps(OPENAI_ASKED)}),
    Event("gen_ai.content.completion", {"gen_ai.completion": json.dumps(OPENAI_CHOICES)}),
]
DOUBLE = {key: json.dumps(value) for key, value in RAW_OPENAI.items()}
STRUCTURED = {key: json.loads(value) for key, value in RAW_OPENAI.items()}


@pytest.mark.parametrize(
    ("attributes", "events"),
    [
        pytest.param(GEN_AI, [], id="gen_ai messages"),
        pytest.param(RAW_OPENAI, [], id="raw chat completions under gen_ai keys"),
        pytest.param(DOUBLE, [], id="double-encoded"),
        pytest.param(STRUCTURED, [], id="structured values"),
        pytest.param(PROMPT_JSON, [], id="gen_ai.prompt as JSON"),
        pytest.param(OPENINFERENCE, [], id="openinference"),
        pytest.param(OPENLLMETRY, [], id="openllmetry with a gap in the indices"),
        pytest.param({}, OLD_EVENTS, id="message events"),
        pytest.param({}, CONTENT_EVENTS, id="content events"),
        pytest.param({}, DETAILS, id="operation details log"),
    ],
)
def test_every_convention_gives_the_same_conversation(
    attributes: dict[str, Any], events: list[Event]
) -> None:
    assert read_conversation(attributes, events) == Conversation(ASKED, ANSWERED, [])


def test_a_tool_span_is_a_call_and_its_response() -> None:
    span = {
        "gen_ai.tool.name": "get_weather",
        "gen_ai.tool.call.id": "call_1",
        "gen_ai.tool.call.arguments": '{"city": "Paris"}',
        "gen_ai.tool.call.result": '{"sky": "rain"}',
    }
    found = read_conversation(span)
    assert found.input == [Message("assistant", [WEATHER_CALL])]
    assert found.output == [Message("tool", [ToolCallResponse("call_1", {"sky": "rain"})])]


@pytest.mark.parametrize(
    ("block", "part"),
    [
        ({"type": "thinking", "thinking": "Hm."}, Reasoning("Hm.")),
        (
            {"type": "image_url", "image_url": {"url": "https://x.test/a.png"}},
            Uri("https://x.test/a.png", "", "image"),
        ),
        (
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
            Blob("AAAA", "image/png", "image", 3),
        ),
        (
            {
                "type": "image",
                "source": {"type": "base64", "media_type": "image/png", "data": "AA"},
            },
            Blob("AA", "image/png", "image", 1),
        ),
        (
            {"type": "blob", "mime_type": "a/b", "modality": "audio", "content": "AA"},
            Blob("AA", "a/b", "audio", 1),
        ),
        (
            {"type": "tool_use", "id": "t", "name": "find", "input": {"q": 1}},
            ToolCall("t", "find", {"q": 1}),
        ),
        (
            {"type": "tool_result", "tool_use_id": "t", "content": "found"},
            ToolCallResponse("t", "found"),
        ),
        ({"text": "from Google or Bedrock"}, Text("from Google or Bedrock")),
        ({"toolUse": {"toolUseId": "t", "name": "find", "input": {}}}, ToolCall("t", "find", {})),
        ({"type": "hologram", "x": 1}, JsonPart({"type": "hologram", "x": 1})),
    ],
)
def test_parts_of_every_provider_are_read(block: dict[str, Any], part: Any) -> None:
    sent = {"gen_ai.input.messages": json.dumps([{"role": "user", "content": [block]}])}
    assert read_conversation(sent).input == [Message("user", [part])]


def test_openinference_images_become_uris() -> None:
    key = "llm.input_messages.0.message.contents.0.message_content"
    sent = {f"{key}.type": "image", f"{key}.image.image.url": "https://x.test/a.png"}
    assert read_conversation(sent).input == [
        Message("user", [Uri("https://x.test/a.png", "", "image")])
    ]


def test_langchain_messages_keep_their_roles() -> None:
    sent = {
        "input.value": json.dumps(
            {
                "messages": [
                    [
                        {
                            "id": ["langchain", "HumanMessage"],
                            "kwargs": {"content": "Hi", "type": "human"},
                        }
                    ]
                ]
            }
        )
    }
    assert read_conversation(sent).input == [Message("user", [Text("Hi")])]


@pytest.mark.parametrize(
    "attributes",
    [
        {
            "gen_ai.tool.definitions": json.dumps(
                [{"type": "function", "name": "f", "description": "d", "parameters": {"a": 1}}]
            )
        },
        {
            "llm.tools.0.tool.json_schema": json.dumps(
                {
                    "type": "function",
                    "function": {"name": "f", "description": "d", "parameters": {"a": 1}},
                }
            )
        },
        {
            "llm.request.functions.0.name": "f",
            "llm.request.functions.0.description": "d",
            "llm.request.functions.0.parameters": '{"a": 1}',
        },
    ],
)
def test_offered_tools_are_read(attributes: dict[str, str]) -> None:
    assert read_conversation(attributes).tools == [Tool("f", "d", {"a": 1})]


@pytest.mark.parametrize(
    ("attributes", "asked", "answered"),
    [
        (GEN_AI, "Weather in Paris?", "It rains."),
        (
            {"input.value": '{"question": "Why?"}', "output.value": '{"answer": "Because."}'},
            "Why?",
            "Because.",
        ),
        (
            {"input.value": '{"a": 1}', "input.mime_type": "text/plain", "output.value": "plain"},
            '{"a": 1}',
            "plain",
        ),
        (
            {
                "traceloop.entity.input": '{"inputs": {"question": "Why?"}, "tags": []}',
                "traceloop.entity.output": '{"outputs": {"answer": "Because."}}',
            },
            "Why?",
            "Because.",
        ),
        (
            {"traceloop.entity.input": '{"args": ["Why?"], "kwargs": {}}'},
            "Why?",
            "",
        ),
        ({"gen_ai.retrieval.query.text": "stale index"}, "stale index", ""),
        ({"gen_ai.tool.call.arguments": '{"city": "Paris"}'}, '{"city":"Paris"}', ""),
        ({}, "", ""),
    ],
)
def test_previews_are_the_question_and_the_answer(
    attributes: dict[str, str], asked: str, answered: str
) -> None:
    assert (plain_input(attributes), plain_output(attributes)) == (asked, answered)


def test_previews_keep_to_their_limit() -> None:
    assert plain_input({"input.value": "x" * 5000}, limit=10) == "x" * 10


def test_hostile_indices_are_bounded() -> None:
    sent = {f"gen_ai.prompt.{i * 999}.content": "x" for i in range(3 * MAX_ITEMS)}
    sent |= {"gen_ai.prompt.99999999999999999999.content": "far", "gen_ai.prompt.-1.content": "no"}
    assert len(read_conversation(sent).input) == MAX_ITEMS


def test_deep_json_stays_text() -> None:
    deep = "[" * 100_000 + "]" * 100_000
    assert loads(deep) == deep
    assert loads("[" * 200 + "]" * 200) == "[" * 200 + "]" * 200


def test_events_are_read_from_their_columns() -> None:
    found = read_events(
        ["a", "b"], ['{"k": "v"}', '[{"key": "k", "value": {"intValue": "9007199254740993"}}]']
    )
    assert found == [Event("a", {"k": "v"}), Event("b", {"k": 9007199254740993})]


def test_the_content_model_encodes_as_typed_json() -> None:
    assert msgspec.json.decode(msgspec.json.encode(ASKED[2].parts)) == [
        {"type": "tool_call", "id": "call_1", "name": "get_weather", "arguments": {"city": "Paris"}}
    ]


KEYS = st.sampled_from(
    sorted(
        set(GEN_AI)
        | set(OPENINFERENCE)
        | set(OPENLLMETRY)
        | set(PROMPT_JSON)
        | {
            "llm.input_messages.0",
            "llm.input_messages.0.message",
            "llm.tools.0.tool",
            "llm.tools.0",
            "llm.choices.0.completion.text",
            "llm.prompts",
            "gen_ai.prompt.0",
            "gen_ai.tool.definitions",
            "gen_ai.tool.call.arguments",
            "traceloop.entity.input",
            "input.value",
            "input.mime_type",
        }
    )
)
WORDS = st.sampled_from(
    ["role", "content", "parts", "type", "text", "tool_calls", "function", "message", "image_url",
     "source", "id", "kwargs", "messages", "choices", "tool", "user", "image", "tool_result"]
)  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=5),
    max_leaves=20,
)
VALUES = JSON | JSON.map(json.dumps) | JSON.map(lambda v: json.dumps(json.dumps(v))) | st.text()
EVENTS = st.lists(
    st.builds(
        Event,
        st.sampled_from([event.name for event in OLD_EVENTS + DETAILS + CONTENT_EVENTS]),
        st.dictionaries(WORDS | KEYS, VALUES, max_size=4),
    ),
    max_size=3,
)


@given(st.dictionaries(KEYS, VALUES, max_size=8), EVENTS)
@settings(max_examples=400, deadline=None)
def test_any_attributes_give_a_conversation(
    attributes: dict[str, Any], events: list[Event]
) -> None:
    found = read_conversation(attributes, events)
    assert all(isinstance(m, Message) for m in found.input + found.output)
    assert isinstance(plain_input(attributes, events), str)
    assert isinstance(plain_output(attributes, events), str)


@given(st.text(), st.text())
def test_any_event_text_gives_an_event(name: str, text: str) -> None:
    assert read_events([name], [text])[0].name == name
