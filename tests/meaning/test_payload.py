"""Requests and answers of providers and frameworks, told apart by their shape alone."""

from __future__ import annotations

import json
from typing import Any

import pytest

from vagus.meaning.content import (
    Blob,
    File,
    JsonPart,
    Message,
    Reasoning,
    Text,
    ToolCall,
    ToolCallResponse,
    Uri,
)
from vagus.meaning.payload import read_messages

BRIEF = Message("system", [Text("Be brief.")])
HI = Message("user", [Text("hi")])
HELLO = Message("assistant", [Text("hello")])
STOPPED = Message("assistant", [Text("hello")], "", "stop")
CALL = Message("assistant", [ToolCall("c", "w", {"a": 1})])
ANSWER = Message("tool", [ToolCallResponse("c", "sunny")])

REQUESTS: dict[str, tuple[Any, list[Message]]] = {
    "openai responses, text": (
        {"model": "m", "instructions": "Be brief.", "input": "hi"},
        [BRIEF, HI],
    ),
    "openai responses, items": (
        {
            "model": "m",
            "input": [
                {"role": "developer", "content": "Be brief."},
                {"role": "user", "content": [{"type": "input_text", "text": "hi"}]},
                {"type": "reasoning", "id": "rs", "summary": [{"type": "summary_text",
                    "text": "hm"}],
                 "encrypted_content": "gAAA"},
                {"type": "function_call", "id": "fc", "call_id": "c", "name": "w",
                 "arguments": '{"a": 1}'},
                {"type": "function_call_output", "call_id": "c", "output": "sunny"},
            ],
        },
        [BRIEF, HI, Message("assistant", [Reasoning("hm", "gAAA"), ToolCall("c", "w", {"a": 1})]),
         ANSWER],
    ),
    "anthropic": (
        {
            "model": "m",
            "max_tokens": 9,
            "system": [{"type": "text", "text": "Be brief.",
                "cache_control": {"type": "ephemeral"}}],
            "messages": [
                {"role": "user", "content": "hi"},
                {"role": "assistant", "content": [{"type": "tool_use", "id": "c", "name": "w",
                                                   "input": {"a": 1}}]},
                {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c",
                                              "content": "sunny", "is_error": True}]},
            ],
        },
        [BRIEF, HI, CALL, Message("user", [ToolCallResponse("c", "sunny", True)])],
    ),
    "gemini": (
        {
            "systemInstruction": {"parts": [{"text": "Be brief."}]},
            "contents": [
                {"role": "user", "parts": [{"text": "hi"}]},
                {"role": "model", "parts": [{"functionCall": {"name": "w", "args": {"a": 1}}}]},
                {"role": "user", "parts": [
                    {"functionResponse": {"name": "w", "response": {"sky": "sun"}}}]},
            ],
        },
        [BRIEF, HI, Message("assistant", [ToolCall("", "w", {"a": 1})]),
         Message("user", [ToolCallResponse("w", {"sky": "sun"})])],
    ),
    "gemini, one text": ({"model": "m", "contents": "hi"}, [HI]),
    "bedrock converse": (
        {
            "modelId": "m",
            "system": [{"text": "Be brief."}],
            "messages": [
                {"role": "user", "content": [{"text": "hi"}]},
                {"role": "assistant", "content": [
                    {"toolUse": {"toolUseId": "c", "name": "w", "input": {"a": 1}}}]},
                {"role": "user", "content": [
                    {"toolResult": {"toolUseId": "c", "content": [{"text": "sunny"}]}}]},
            ],
        },
        [BRIEF, HI, CALL, Message("user", [ToolCallResponse("c", [{"text": "sunny"}])])],
    ),
    "cohere v1": (
        {"message": "hi", "preamble": "Be brief.",
         "chat_history": [{"role": "USER", "message": "before"},
                          {"role": "CHATBOT", "message": "hello"}]},
        [BRIEF, Message("user", [Text("before")]), HELLO, HI],
    ),
    "ollama generate": ({"model": "m", "system": "Be brief.", "prompt": "hi"}, [BRIEF, HI]),
    "langchain prompts": ({"prompts": ["hi"]}, [HI]),
    "langchain agent": (
        {"input": "hi", "chat_history": [{"type": "ai", "content": "hello"}]},
        [HELLO, HI],
    ),
    "langchain pairs": ({"messages": [["system", "Be brief."], ["human", "hi"]]}, [BRIEF, HI]),
    "langchain tool message": (
        [{"type": "tool", "tool_call_id": "c", "content": "sunny", "status": "success"}],
        [ANSWER],
    ),
    "langchain content blocks with the same call twice": (
        [{"type": "ai", "content": [{"type": "tool_use", "id": "c", "name": "w",
            "input": {"a": 1}}],
          "tool_calls": [{"name": "w", "args": {"a": 1}, "id": "c"}]}],
        [CALL],
    ),
    "llamaindex": (
        {"messages": [{"role": "user", "additional_kwargs": {},
                       "blocks": [{"block_type": "text", "text": "hi"}]}]},
        [HI],
    ),
    "pydantic-ai's own dump": (
        [
            {"kind": "request", "parts": [
                {"part_kind": "system-prompt", "content": "Be brief."},
                {"part_kind": "user-prompt", "content": "hi"}]},
            {"kind": "response", "parts": [
                {"part_kind": "tool-call", "tool_name": "w", "args": '{"a": 1}',
                 "tool_call_id": "c"}]},
            {"kind": "request", "parts": [
                {"part_kind": "tool-return", "tool_name": "w", "content": "sunny",
                 "tool_call_id": "c"}]},
        ],
        [BRIEF, HI, CALL, ANSWER],
    ),
    "arguments of a function": ({"args": [], "kwargs": {"messages": [{"role": "user",
        "content": "hi"}]}},
                                [HI]),
    "python's repr": ("[{'role': 'user', 'content': 'hi', 'name': None}]", [HI]),
    "plain object": ({"question": "hi", "k": 3}, [Message("user", [JsonPart({"question": "hi",
        "k": 3})])]),
    "nothing said": ({"messages": [], "input": ""}, []),
}  # fmt: skip

ANSWERS: dict[str, tuple[Any, list[Message]]] = {
    "chat completion": (
        {"choices": [{"index": 0, "finish_reason": "tool_calls", "message": {
            "role": "assistant", "content": None, "reasoning_content": "hm",
            "tool_calls": [{"id": "c", "type": "function",
                            "function": {"name": "w", "arguments": '{"a": 1}'}}]}}]},
        [Message("assistant", [Reasoning("hm"), ToolCall("c", "w", {"a": 1})], "", "tool_call")],
    ),
    "completion": ({"choices": [{"text": "hello", "index": 0, "finish_reason": "length"}]},
                   [Message("assistant", [Text("hello")], "", "length")]),
    "response": (
        {"object": "response", "status": "completed", "output": [
            {"type": "web_search_call", "id": "ws", "status": "completed",
             "action": {"type": "search", "query": "q"}},
            {"type": "message", "role": "assistant", "content": [
                {"type": "output_text", "text": "hello", "annotations": []}]}]},
        [Message("assistant", [ToolCall("ws", "web_search", {"type": "search", "query": "q"})]),
            HELLO],
    ),
    "response with a tool of its own": (
        [{"type": "mcp_call", "id": "m1", "name": "w", "arguments": '{"a": 1}', "output": "sunny"}],
        [Message("assistant", [ToolCall("m1", "w", {"a": 1})]),
         Message("tool", [ToolCallResponse("m1", "sunny")])],
    ),
    "anthropic": (
        {"id": "msg", "type": "message", "role": "assistant", "stop_reason": "end_turn",
         "content": [{"type": "thinking", "thinking": "hm", "signature": "s"},
                     {"type": "redacted_thinking", "data": "EmwK"},
                     {"type": "text", "text": "hello"}]},
        [Message("assistant", [Reasoning("hm", "s"), Reasoning("", "EmwK"), Text("hello")], "",
            "stop")],
    ),
    "gemini": (
        {"candidates": [{"content": {"role": "model", "parts": [
            {"text": "hm", "thought": True}, {"text": "hello"}]}, "finishReason": "STOP"}]},
        [Message("assistant", [Reasoning("hm"), Text("hello")], "", "stop")],
    ),
    "bedrock converse": (
        {"output": {"message": {"role": "assistant", "content": [{"text": "hello"}]}},
         "stopReason": "end_turn"},
        [STOPPED],
    ),
    "bedrock titan": ({"results": [{"outputText": "hello", "completionReason": "FINISH"}]},
                      [Message("assistant", [JsonPart({"results": [
                          {"outputText": "hello", "completionReason": "FINISH"}]})])]),
    "cohere v2": (
        {"id": "x", "finish_reason": "COMPLETE",
         "message": {"role": "assistant", "content": [{"type": "text", "text": "hello"}]}},
        [STOPPED],
    ),
    "ollama chat": ({"model": "m", "message": {"role": "assistant", "content": "hello"},
                     "done_reason": "stop", "done": True}, [STOPPED]),
    "ollama generate": ({"model": "m", "response": "hello", "done": True, "done_reason": "stop"},
                        [STOPPED]),
    "langchain generation": (
        {"generations": [[{"text": "hello", "generation_info": {"finish_reason": "stop"},
                           "type": "Generation"}]]},
        [STOPPED],
    ),
    "langgraph update": ({"update": {"messages": [{"type": "ai", "content": "hello"}]}}, [HELLO]),
    "refusal": ({"role": "assistant", "content": None, "refusal": "No."},
                [Message("assistant", [Text("No.")])]),
    "spoken": (
        {"role": "assistant", "content": None,
         "audio": {"id": "a", "data": "AAAA", "transcript": "hello", "expires_at": 1}},
        [Message("assistant", [Text("hello"), Blob("AAAA", "", "audio", 3)])],
    ),
    "one text": ({"output": "hello"}, [HELLO]),
    "error": ({"output": None}, []),
}  # fmt: skip


@pytest.mark.parametrize("name", REQUESTS)
@pytest.mark.parametrize("form", ["structured", "text", "text in text"])
def test_a_request_is_read_by_its_shape(name: str, form: str) -> None:
    value, expected = REQUESTS[name]
    assert read_messages(_written(value, form), "user") == expected


@pytest.mark.parametrize("name", ANSWERS)
@pytest.mark.parametrize("form", ["structured", "text", "text in text"])
def test_an_answer_is_read_by_its_shape(name: str, form: str) -> None:
    value, expected = ANSWERS[name]
    assert read_messages(_written(value, form), "assistant") == expected


def _written(value: Any, form: str) -> Any:
    if form == "structured":
        return value
    once = json.dumps(value)
    return once if form == "text" else json.dumps(once)


HEX = "ab" * 32
REFERENCE = f"vagus-blob:sha256:{HEX};image/png;70000"


@pytest.mark.parametrize(
    ("block", "part"),
    [
        (
            {"type": "image_url", "image_url": {"url": "https://x.test/a.png"}},
            Uri("https://x.test/a.png", "", "image"),
        ),
        (
            {"type": "input_image", "image_url": "data:image/jpeg;base64,AAAA"},
            Blob("AAAA", "image/jpeg", "image", 3),
        ),
        (
            {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{REFERENCE}"}},
            Blob("", "image/png", "image", 70_000, HEX),
        ),
        (
            {
                "type": "image",
                "source": {"type": "base64", "media_type": "image/png", "data": REFERENCE},
            },
            Blob("", "image/png", "image", 70_000, HEX),
        ),
        ({"text": REFERENCE}, Text(REFERENCE)),
        (REFERENCE, Blob("", "image/png", "image", 70_000, HEX)),
        (
            {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}},
            Blob("AAAA", "audio/wav", "audio", 3),
        ),
        (
            {
                "type": "file",
                "file": {
                    "filename": "a.pdf",
                    "file_data": "data:application/pdf;base64,AAAA",
                },
            },
            Blob("AAAA", "application/pdf", "document", 3, "", "a.pdf"),
        ),
        (
            {"type": "input_file", "file_id": "file-1", "filename": "a.pdf"},
            File("file-1", "", "", "a.pdf"),
        ),
        (
            {"type": "document", "source": {"type": "file", "file_id": "f"}, "title": "T"},
            File("f", "", "document", "T"),
        ),
        (
            {
                "type": "document",
                "source": {"type": "text", "media_type": "text/plain", "data": "t"},
            },
            Text("t"),
        ),
        (
            {"inlineData": {"mimeType": "video/mp4", "data": "AAA="}},
            Blob("AAA=", "video/mp4", "video", 2),
        ),
        (
            {"fileData": {"mimeType": "application/pdf", "fileUri": "gs://b/a.pdf"}},
            Uri("gs://b/a.pdf", "application/pdf", "document"),
        ),
        (
            {"image": {"format": "png", "source": {"bytes": "AA=="}}},
            Blob("AA==", "image/png", "image", 1),
        ),
        (
            {
                "document": {
                    "format": "pdf",
                    "name": "n",
                    "source": {"s3Location": {"uri": "s3://b/k"}},
                }
            },
            Uri("s3://b/k", "application/pdf", "document", "n"),
        ),
        (
            {"type": "image", "source_type": "base64", "mime_type": "image/png", "data": "AAAA"},
            Blob("AAAA", "image/png", "image", 3),
        ),
        (
            {"type": "file", "mediaType": "text/csv", "data": {"type": "Buffer", "data": [65, 66]}},
            Blob("QUI=", "text/csv", "document", 2),
        ),
        (
            {"type": "image-url", "url": "https://x.test/a.png"},
            Uri("https://x.test/a.png", "", "image"),
        ),
        (
            {"type": "binary", "media_type": "audio/mpeg", "content": "AAAA"},
            Blob("AAAA", "audio/mpeg", "audio", 3),
        ),
        (
            {"type": "uri", "mime_type": "image/png", "modality": "image", "uri": "s3://b/k"},
            Uri("s3://b/k", "image/png", "image"),
        ),
        (
            {"type": "image_generation_call", "id": "ig", "result": "AAAA"},
            Blob("AAAA", "", "image", 3),
        ),
        ({"type": "image"}, JsonPart({"type": "image"})),
    ],
)
def test_media_say_what_they_are_how_large_and_where(block: Any, part: Any) -> None:
    sent = [{"role": "user", "content": [block]}]
    assert read_messages(sent, "user") == [Message("user", [part])]
