"""What real SDKs put on their spans, trimmed, and the conversation that it is."""

from __future__ import annotations

import json
from typing import Any

import pytest

from vagus.meaning.content import (
    Blob,
    Conversation,
    Event,
    File,
    JsonPart,
    Message,
    Reasoning,
    Text,
    Tool,
    ToolCall,
    ToolCallResponse,
)
from vagus.meaning.messages import log_event, plain_input, plain_output, read_conversation

KIND = Message("system", [Text("be kind")])
HI = Message("user", [Text("hi")])
HELLO = Message("assistant", [Text("hello")])
STOPPED = Message("assistant", [Text("hello")], "", "stop")
CALLING = Message("assistant", [Text("hello"), ToolCall("call_1", "boom", {"x": 1})], "", "stop")
SCHEMA = {"type": "object", "properties": {}}
LC_SYSTEM = {"lc": 1, "type": "constructor", "id": ["langchain", "schema", "messages",
    "SystemMessage"],
             "kwargs": {"content": "be kind", "type": "system"}}  # fmt: skip
LC_HUMAN = {"lc": 1, "type": "constructor", "id": ["langchain", "schema", "messages",
    "HumanMessage"],
            "kwargs": {"content": "hi", "type": "human"}}  # fmt: skip
LC_CALLS = [{"name": "boom", "args": {"x": 1}, "id": "call_1", "type": "tool_call"}]
LC_AI = {"lc": 1, "type": "constructor", "id": ["langchain", "schema", "messages", "AIMessage"],
         "kwargs": {"content": "hello", "response_metadata": {"finish_reason": "stop"},
             "type": "ai",
                    "id": "lc_run--1", "tool_calls": LC_CALLS,
                        "invalid_tool_calls": []}}  # fmt: skip
LC_DUMP = {"content": "hello", "additional_kwargs": {}, "type": "ai", "name": None,
    "id": "lc_run--1",
           "response_metadata": {"finish_reason": "stop"}, "tool_calls": LC_CALLS}  # fmt: skip
LC_RESULT = {"generations": [[{"text": "hello", "generation_info": None, "type": "ChatGeneration",
                               "message": LC_AI}]], "llm_output": None, "run": None}  # fmt: skip
PNG = "iVBORw0KGgo="
IMAGE = Blob(PNG, "image/png", "image", 8)
OPENAI_TOOLS = [{"type": "function",
                 "function": {"name": "w", "description": "d", "parameters": SCHEMA}}]  # fmt: skip
PYDANTIC_RUN = [
    {"role": "system", "parts": [{"type": "text", "content": "be kind"}]},
    {"role": "user", "parts": [{"type": "text", "content": "hi"}]},
    {"role": "assistant", "parts": [{"type": "tool_call", "id": "c", "name": "w",
        "arguments": {"a": 1}}]},
    {"role": "user", "parts": [{"type": "tool_call_response", "id": "c", "name": "w",
        "result": "sunny"}]},
    {"role": "assistant", "parts": [{"type": "text", "content": "hello"}]},
]  # fmt: skip
PYDANTIC_ASKED = [KIND, HI, Message("assistant", [ToolCall("c", "w", {"a": 1})]),
                  Message("user", [ToolCallResponse("c", "sunny")])]  # fmt: skip


def flat(prefix: str, *messages: dict[str, Any]) -> dict[str, Any]:
    """Messages under numbered keys."""
    return {f"{prefix}.{i}.{k}": v for i, m in enumerate(messages) for k, v in m.items()}


CASES: dict[str, tuple[dict[str, Any], Conversation]] = {
    "openinference langchain model": (
        {
            "input.value": json.dumps({"messages": [[LC_SYSTEM, LC_HUMAN]]}),
            "output.value": json.dumps(LC_RESULT),
            "openinference.span.kind": "LLM",
        },
        Conversation([KIND, HI], [CALLING], []),
    ),
    "openinference langchain chain": (
        {
            "input.value": "hi",
            "output.value": json.dumps({"type": "ai", "data": LC_DUMP}),
            "openinference.span.kind": "CHAIN",
        },
        Conversation([HI], [CALLING], []),
    ),
    "openinference anthropic": (
        {
            "llm.input_messages.0.message.role": "system",
            "llm.input_messages.0.message.content": "be kind",
            **flat(
                "llm.input_messages.1.message.contents",
                {"message_content.type": "text", "message_content.text": "hi"},
                {"message_content.type": "image",
                 "message_content.image.image.url": f"data:image/png;base64,{PNG}"},
            ),
            "llm.input_messages.1.message.role": "user",
            "llm.input_messages.2.message.role": "assistant",
            **flat(
                "llm.input_messages.2.message.contents",
                {"message_content.type": "reasoning", "message_content.text": "hmm",
                 "message_content.signature": "sig0"},
                {"message_content.type": "tool_use", "tool_call.id": "t1",
                 "tool_call.function.name": "w", "tool_call.function.arguments": '{"a": 1}'},
            ),
            "llm.input_messages.2.message.tool_calls.0.tool_call.id": "t1",
            "llm.input_messages.2.message.tool_calls.0.tool_call.function.name": "w",
            "llm.input_messages.2.message.tool_calls.0.tool_call.function.arguments": '{"a": 1}',
            "llm.input_messages.3.message.role": "tool",
            "llm.input_messages.3.message.tool_call_id": "t1",
            "llm.input_messages.3.message.content": "sunny",
            "llm.output_messages.0.message.role": "assistant",
            "llm.output_messages.0.message.contents.0.message_content.type": "text",
            "llm.output_messages.0.message.contents.0.message_content.text": "hello",
            "input.value": json.dumps(
                {"model": "m", "messages": [], "tools": [{"name": "w", "input_schema": SCHEMA}]}
            ),
        },
        Conversation(
            [
                KIND,
                Message("user", [Text("hi"), IMAGE]),
                Message("assistant", [Reasoning("hmm", "sig0"), ToolCall("t1", "w", {"a": 1})]),
                Message("tool", [ToolCallResponse("t1", "sunny")]),
            ],
            [HELLO],
            [Tool("w", "", SCHEMA)],
        ),
    ),
    "openinference tool": (
        {"input.value": '{"x": 1}', "tool.name": "boom", "openinference.span.kind": "TOOL",
         "output.value": "bang", "tool.parameters": json.dumps(SCHEMA)},
        Conversation(
            [Message("assistant", [ToolCall("", "boom", {"x": 1})])],
            [Message("tool", [ToolCallResponse("", "bang")])],
            [],
        ),
    ),
    "openinference completions": (
        {"llm.prompts.0.prompt.text": "hi", "llm.choices.0.completion.text": "hello"},
        Conversation([HI], [HELLO], []),
    ),
    "openinference embedding": (
        {"embedding.embeddings.0.embedding.text": "hi",
         "embedding.embeddings.0.embedding.vector": "[0.1,0.2]",
         "embedding.embeddings.1.embedding.text": "ho", "openinference.span.kind": "EMBEDDING"},
        Conversation([Message("user", [Text("hi"), Text("ho")])], [], []),
    ),
    "openllmetry workflow": (
        {"traceloop.span.kind": "workflow",
         "traceloop.entity.input": '{"inputs": "hi", "tags": ["t1"], "kwargs": {}}',
         "traceloop.entity.output": json.dumps({"outputs": LC_AI, "kwargs": {"tags": ["t1"]}})},
        Conversation(
            [Message("user", [JsonPart({"inputs": "hi", "tags": ["t1"], "kwargs": {}})])],
            [CALLING],
            [],
        ),
    ),
    "langfuse openai chat": (
        {
            "langfuse.observation.input": json.dumps(
                {
                    "tools": OPENAI_TOOLS,
                    "messages": [
                        {"role": "system", "content": "be kind"},
                        {"role": "user", "content": [
                            {"type": "text", "text": "hi"},
                            {"type": "image_url", "image_url": {
                                "url": "@@@langfuseMedia:type=image/png|id=TEtq|"
                                       "source=base64_data_uri@@@"}},
                        ]},
                    ],
                }
            ),
            "langfuse.observation.output": '{"role": "assistant", "content": "hello"}',
            "langfuse.observation.type": "generation",
        },
        Conversation(
            [KIND, Message("user", [Text("hi"), File("TEtq", "image/png", "image")])],
            [HELLO],
            [Tool("w", "d", SCHEMA)],
        ),
    ),
    "langfuse openai responses": (
        {
            "langfuse.observation.input": json.dumps(
                {"input": [{"role": "system", "content": "be kind"}, {"role": "user",
                    "content": "hi"}],
                 "tools": [{"type": "function", "name": "w", "parameters": SCHEMA}]}
            ),
            "langfuse.observation.output": json.dumps(
                {"id": "msg_1", "content": [{"annotations": [], "text": "hello",
                    "type": "output_text",
                                             "logprobs": None}],
                 "role": "assistant", "status": "completed", "type": "message", "phase": None}
            ),
        },
        Conversation([KIND, HI], [HELLO], [Tool("w", "", SCHEMA)]),
    ),
    "langfuse langchain": (
        {
            "langfuse.observation.input": json.dumps(
                [{"role": "system", "content": "be kind"}, {"role": "user", "content": "hi"},
                 {"role": "assistant", "content": "", "tool_calls": [
                     {"name": "w", "args": {"a": 1}, "id": "c0", "type": "tool_call"}]},
                 {"role": "tool", "content": "sunny", "tool_call_id": "c0"}]
            ),
            "langfuse.observation.output": json.dumps(LC_DUMP),
        },
        Conversation(
            [KIND, HI, Message("assistant", [ToolCall("c0", "w", {"a": 1})]),
             Message("tool", [ToolCallResponse("c0", "sunny")])],
            [CALLING],
            [],
        ),
    ),
    "langfuse embedding": (
        {"langfuse.observation.input": '["hi", "ho"]',
         "langfuse.observation.output": '{"dimensions": 3, "count": 2}'},
        Conversation(
            [Message("user", [Text("hi"), Text("ho")])],
            [Message("assistant", [JsonPart({"dimensions": 3, "count": 2})])],
            [],
        ),
    ),
    "langsmith model": (
        {"langsmith.span.kind": "llm",
         "gen_ai.prompt": json.dumps({"messages": [[LC_SYSTEM, LC_HUMAN]]}),
         "gen_ai.completion": json.dumps(LC_RESULT)},
        Conversation([KIND, HI], [CALLING], []),
    ),
    "langsmith traceable": (
        {"langsmith.span.kind": "llm",
         "gen_ai.prompt": '{"messages":[{"role":"user","content":"hi"}]}',
         "gen_ai.completion": '{"role":"assistant","content":"hello","usage_metadata":'
                              '{"input_tokens":11}}'},
        Conversation([HI], [HELLO], []),
    ),
    "langsmith tool": (
        {"langsmith.span.kind": "tool", "gen_ai.tool.name": "boom",
         "gen_ai.prompt": '{"x":1}', "gen_ai.completion": '{"output":"bang"}'},
        Conversation(
            [Message("assistant", [ToolCall("", "boom", {"x": 1})])],
            [Message("tool", [ToolCallResponse("", {"output": "bang"})])],
            [],
        ),
    ),
    "mlflow": (
        {"mlflow.spanType": '"CHAT_MODEL"',
         "mlflow.spanInputs": '{"messages": [{"role": "user", "content": "hi"}]}',
         "mlflow.spanOutputs":
             '{"choices": [{"message": {"role": "assistant", "content": "hello"}}]}',
         "mlflow.chat.tools": json.dumps(OPENAI_TOOLS)},
        Conversation([HI], [HELLO], [Tool("w", "d", SCHEMA)]),
    ),
    "mlflow text": (
        {"mlflow.spanInputs": '"\\"hi\\""', "mlflow.spanOutputs": '"hello"'},
        Conversation([HI], [HELLO], []),
    ),
    "logfire function": (
        {"q": "hi", "return": "hello", "logfire.span_type": "span"},
        Conversation([], [HELLO], []),
    ),
    "logfire openai before gen_ai": (
        {"request_data": json.dumps(
            {"model": "m", "messages": [{"role": "user", "content": "hi"}], "tools": OPENAI_TOOLS}),
         "response_data": '{"message":{"role":"assistant","content":"hello"},"usage":{}}'},
        Conversation([HI], [HELLO], [Tool("w", "d", SCHEMA)]),
    ),
    "pydantic-ai run": (
        {"pydantic_ai.all_messages": json.dumps(PYDANTIC_RUN), "final_result": "hello"},
        Conversation(PYDANTIC_ASKED, [HELLO], []),
    ),
    "pydantic-ai events": (
        {"events": json.dumps([
            {"event.name": "gen_ai.system.message", "content": "be kind", "role": "system",
             "gen_ai.message.index": 0},
            {"event.name": "gen_ai.user.message", "content": "hi", "role": "user"},
            {"event.name": "gen_ai.choice", "index": 0,
             "message": {"role": "assistant", "content": "hello"}}])},
        Conversation([KIND, HI], [HELLO], []),
    ),
    "pydantic-ai run events": (
        {"all_messages_events": json.dumps([
            {"event.name": "gen_ai.user.message", "content": "hi", "role": "user"},
            {"event.name": "gen_ai.assistant.message", "content": "hello", "role": "assistant"}])},
        Conversation([HI], [HELLO], []),
    ),
    "pydantic-ai tool": (
        {"gen_ai.operation.name":
            "execute_tool", "gen_ai.tool.name": "w", "gen_ai.tool.call.id": "c",
         "tool_arguments": '{"a":1}', "tool_response": "sunny"},
        Conversation(
            [Message("assistant", [ToolCall("c", "w", {"a": 1})])],
            [Message("tool", [ToolCallResponse("c", "sunny")])],
            [],
        ),
    ),
    "vercel": (
        {
            "ai.operationId": "ai.generateText.doGenerate",
            "ai.prompt.messages": json.dumps(
                [{"role": "system", "content": "be kind"},
                 {"role": "user", "content": [
                     {"type": "text", "text": "hi"},
                     {"type": "image", "image": {"0": 137, "1": 80}, "mimeType": "image/png"}]},
                 {"role": "assistant", "content": [
                     {"type": "tool-call", "toolCallId": "c", "toolName": "w", "args": {"a": 1}}]},
                 {"role": "tool", "content": [
                     {"type": "tool-result", "toolCallId": "c", "toolName": "w",
                      "output": {"type": "text", "value": "sunny"}}]}]),
            "ai.prompt.tools": json.dumps([json.dumps(
                {"type": "function", "name": "w", "description": "d", "inputSchema": SCHEMA})]),
            "ai.response.text": "hello",
            "ai.response.reasoning": "hmm",
            "ai.response.toolCalls": json.dumps(
                [{"toolCallId": "c2", "toolName": "w", "input": '{"a":2}'}]),
            "ai.response.finishReason": "tool-calls",
        },
        Conversation(
            [KIND, Message("user", [Text("hi"), Blob("iVA=", "image/png", "image", 2)]),
             Message("assistant", [ToolCall("c", "w", {"a": 1})]),
             Message("tool", [ToolCallResponse("c", "sunny")])],
            [Message("assistant", [Reasoning("hmm"), Text("hello"), ToolCall("c2", "w", {"a": 2})],
                     "", "tool_call")],
            [Tool("w", "d", SCHEMA)],
        ),
    ),
    "vercel root": (
        {"ai.prompt": '{"system":"be kind","prompt":"hi"}', "ai.response.object": '{"a":1}'},
        Conversation([KIND, HI], [Message("assistant", [Text('{"a":1}')])], []),
    ),
    "vercel before v4": (
        {"ai.prompt": '{"messages":[{"role":"user","content":"hi"}]}', "ai.result.text": "hello"},
        Conversation([HI], [HELLO], []),
    ),
    "vercel embeddings": (
        {"ai.values": '["\\"hi\\"","\\"ho\\""]'},
        Conversation([Message("user", [Text("hi"), Text("ho")])], [], []),
    ),
    "laminar": (
        {"gen_ai.input.messages":
            '[{"role":"system","content":"be kind"},{"role":"user","content":"hi"}]',
         "gen_ai.output.messages": '[{"index":0,"message":{"role":"assistant","content":"hello"},'
                                   '"finish_reason":"stop"}]',
         "lmnr.span.input": "{}"},
        Conversation([KIND, HI], [STOPPED], []),
    ),
    "laminar function": (
        {"lmnr.span.input": '{"q":"hi"}', "lmnr.span.output": '"hello"'},
        Conversation([Message("user", [JsonPart({"q": "hi"})])], [HELLO], []),
    ),
    "agentops": (
        {"agentops.span.kind": "agent", "agentops.entity.input": '{"args": ["hi"], "kwargs": {}}',
         "agentops.entity.output": '"hello"'},
        Conversation(
            [Message("user", [JsonPart({"args": ["hi"], "kwargs": {}})])], [HELLO], []
        ),
    ),
    "trulens": (
        {"ai.observability.span_type": "record_root", "ai.observability.record_root.input": "hi",
         "ai.observability.record_root.output": "hello", "ai.observability.call.kwargs.q": "hi"},
        Conversation([HI], [HELLO], []),
    ),
    "trulens function": (
        {"ai.observability.call.kwargs.self": "<App>", "ai.observability.call.kwargs.q": "hi",
         "ai.observability.call.return": "hello"},
        Conversation([Message("user", [JsonPart({"q": "hi"})])], [HELLO], []),
    ),
    "openlit bare text": (
        {"gen_ai.input.messages": "hi", "gen_ai.output.messages": "hello"},
        Conversation([HI], [HELLO], []),
    ),
    "google adk": (
        {"gcp.vertex.agent.llm_request": json.dumps(
            {"model": "gemini-2.5-flash",
             "config": {"system_instruction": "be kind",
                        "tools": [{"function_declarations": [
                            {"name": "w", "description": "d", "parameters": SCHEMA}]}]},
             "contents": [{"parts": [{"text": "hi"}], "role": "user"},
                          {"parts": [{"function_call": {"id": "c", "args": {"a": 1}, "name": "w"}}],
                           "role": "model"},
                          {"parts": [{"function_response": {"id": "c", "name": "w",
                                                            "response": {"sky": "sun"}}}],
                           "role": "user"}]}),
         "gcp.vertex.agent.llm_response": json.dumps(
             {"content":
                 {"parts": [{"text": "hello"}], "role": "model"}, "finish_reason": "STOP"})},
        Conversation(
            [KIND, HI, Message("assistant", [ToolCall("c", "w", {"a": 1})]),
             Message("user", [ToolCallResponse("c", {"sky": "sun"})])],
            [STOPPED],
            [Tool("w", "d", SCHEMA)],
        ),
    ),
    "livekit": (
        {"lk.chat_ctx": json.dumps({"items": [
            {"id": "i1", "type": "message", "role": "system", "content": ["be kind"]},
            {"id": "i2", "type": "message", "role": "user", "content": ["hi"]},
            {"id":
                "i3", "type": "function_call", "call_id": "c", "name": "w", "arguments": '{"a":1}'},
            {"id": "i4", "type": "function_call_output", "call_id": "c", "output": "sunny",
             "is_error": False}]}),
         "lk.function_tools": '["w"]',
         "lk.response.text": "hello"},
        Conversation(
            [KIND, HI, Message("assistant", [ToolCall("c", "w", {"a": 1})]),
             Message("tool", [ToolCallResponse("c", "sunny")])],
            [HELLO],
            [Tool("w")],
        ),
    ),
    "genkit": (
        {"genkit:input": json.dumps({"messages": [{"role": "user", "content": [{"text": "hi"}]}]}),
         "genkit:output": json.dumps(
             {"message":
                 {"role": "model", "content": [{"text": "hello"}]}, "finishReason": "stop"})},
        Conversation([HI], [STOPPED], []),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_what_an_sdk_sends_is_the_conversation_it_had(name: str) -> None:
    attributes, expected = CASES[name]
    before = json.dumps(attributes)
    assert read_conversation(attributes) == expected
    assert json.dumps(attributes) == before


def test_log_events_of_a_structured_body_are_read() -> None:
    body = {"kvlistValue": {"values": [
        {"key": "index", "value": {"intValue": "0"}},
        {"key": "finish_reason", "value": {"stringValue": "stop"}},
        {"key": "message", "value": {"kvlistValue": {"values": [
            {"key": "role", "value": {"stringValue": "assistant"}},
            {"key": "content", "value": {"stringValue": "hello"}}]}}}]}}  # fmt: skip
    events = [
        log_event("", {"event.name": "gen_ai.user.message"}, '{"content": "hi"}'),
        log_event("gen_ai.choice", {}, body),
    ]
    assert read_conversation({}, events) == Conversation([HI], [STOPPED], [])


def test_a_details_event_brings_its_tools() -> None:
    held = {
        "gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": "hi"}]}],
        "gen_ai.tool.definitions": [{"type": "function", "name": "w", "parameters": SCHEMA}],
    }
    events = [Event("gen_ai.client.inference.operation.details", held)]
    assert read_conversation({}, events) == Conversation([HI], [], [Tool("w", "", SCHEMA)])


def test_blocks_inside_message_events_are_read() -> None:
    events = [
        Event("gen_ai.user.message", {"content": '[{"text": "hi"}]'}),
        Event("gen_ai.choice", {"finish_reason": "end_turn", "message": '[{"text": "hello"}]'}),
    ]
    assert read_conversation({}, events) == Conversation([HI], [STOPPED], [])


@pytest.mark.parametrize(
    ("attributes", "asked", "answered"),
    [
        ({"gen_ai.prompt": '{"q":"hi"}', "gen_ai.completion": '{"output":"hello"}'}, "hi", "hello"),
        ({"langfuse.observation.input": '{"args": ["hi"], "kwargs": {}}'}, "hi", ""),
        ({"langsmith.span.kind": "tool", "gen_ai.prompt": "{}"}, "", ""),
        ({"input.value": "{'input': 'hi'}"}, "hi", ""),
        ({"lk.user_input": "hi", "lk.response.text": "hello"}, "hi", "hello"),
        ({"pydantic_ai.all_messages": json.dumps(PYDANTIC_RUN)}, "hi", "hello"),
    ],
)
def test_previews_of_other_conventions(
    attributes: dict[str, str], asked: str, answered: str
) -> None:
    assert (plain_input(attributes), plain_output(attributes)) == (asked, answered)
