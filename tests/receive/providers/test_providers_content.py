"""Messages, tools and settings of every provider in the words of OTel GenAI."""

from __future__ import annotations

import json
from typing import Any

import pytest

from vagus.receive.providers.exchange import Exchange
from vagus.receive.providers.read import read_exchange


def said(**parts: Any) -> dict[str, Any]:
    return read_exchange(Exchange(**parts)).attributes()


def asked(request: dict[str, Any], url: str = "") -> list[Any]:
    return list(json.loads(said(request=request, url=url)["gen_ai.input.messages"]))


def answered(response: Any, **more: Any) -> list[Any]:
    return list(json.loads(said(response=response, **more)["gen_ai.output.messages"]))


def text(content: str) -> dict[str, str]:
    return {"type": "text", "content": content}


CALL = {"type": "tool_call", "id": "c1", "name": "f", "arguments": {"x": 1}}
TOOLS_ASKED = {
    "openai": {
        "messages": [
            {"role": "user", "content": "hi"},
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    {
                        "id": "c1",
                        "type": "function",
                        "function": {"name": "f", "arguments": '{"x":1}'},
                    }
                ],
            },
            {"role": "tool", "tool_call_id": "c1", "content": "4"},
        ]
    },
    "responses": {
        "input": [
            {"role": "user", "content": [{"type": "input_text", "text": "hi"}]},
            {"type": "function_call", "call_id": "c1", "name": "f", "arguments": '{"x":1}'},
            {"type": "function_call_output", "call_id": "c1", "output": "4"},
        ]
    },
    "anthropic": {
        "anthropic_version": "x",
        "messages": [
            {"role": "user", "content": "hi"},
            {
                "role": "assistant",
                "content": [{"type": "tool_use", "id": "c1", "name": "f", "input": {"x": 1}}],
            },
            {
                "role": "user",
                "content": [{"type": "tool_result", "tool_use_id": "c1", "content": "4"}],
            },
        ],
    },
    "gemini": {
        "contents": [
            {"role": "user", "parts": [{"text": "hi"}]},
            {
                "role": "model",
                "parts": [{"functionCall": {"id": "c1", "name": "f", "args": {"x": 1}}}],
            },
            {
                "role": "user",
                "parts": [{"functionResponse": {"id": "c1", "name": "f", "response": 4}}],
            },
        ]
    },
    "converse": {
        "inferenceConfig": {},
        "messages": [
            {"role": "user", "content": [{"text": "hi"}]},
            {
                "role": "assistant",
                "content": [{"toolUse": {"toolUseId": "c1", "name": "f", "input": {"x": 1}}}],
            },
            {"role": "user", "content": [{"toolResult": {"toolUseId": "c1", "content": 4}}]},
        ],
    },
}


@pytest.mark.parametrize("provider", TOOLS_ASKED)
def test_a_tool_call_and_its_answer_read_the_same_of_every_provider(provider: str) -> None:
    assert asked(TOOLS_ASKED[provider]) == [
        {"role": "user", "parts": [text("hi")]},
        {"role": "assistant", "parts": [CALL]},
        {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c1", "response": 4}]},
    ]


SYSTEMS = [
    {"anthropic_version": "x", "system": "be kind", "messages": []},
    {"anthropic_version": "x", "system": [{"type": "text", "text": "be kind"}], "messages": []},
    {"contents": [], "systemInstruction": {"parts": [{"text": "be kind"}]}},
    {"inferenceConfig": {}, "system": [{"text": "be kind"}], "messages": []},
    {"input": "hi", "instructions": "be kind"},
]


@pytest.mark.parametrize("request_", SYSTEMS)
def test_a_system_prompt_stands_apart(request_: dict[str, Any]) -> None:
    found = said(request=request_)

    assert json.loads(found["gen_ai.system_instructions"]) == [text("be kind")]


PICTURES = [
    (
        {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://a/b"}}]},
        {"type": "uri", "uri": "https://a/b", "mime_type": "", "modality": "image"},
    ),
    (
        {
            "role": "user",
            "content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}],
        },
        {"type": "blob", "content": "AA==", "mime_type": "image/png", "modality": "image"},
    ),
    (
        {
            "role": "user",
            "content": [
                {
                    "type": "image",
                    "source": {"type": "base64", "media_type": "image/png", "data": "AA=="},
                }
            ],
        },
        {"type": "blob", "content": "AA==", "mime_type": "image/png", "modality": "image"},
    ),
    (
        {
            "role": "user",
            "content": [{"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}}],
        },
        {"type": "blob", "content": "AA==", "mime_type": "audio/wav", "modality": "audio"},
    ),
    (
        {"role": "user", "content": [{"type": "file", "file": {"file_id": "f1"}}]},
        {"type": "file", "file_id": "f1", "mime_type": "", "modality": "document"},
    ),
    (
        {"role": "user", "content": [{"image": {"format": "png", "source": {"bytes": "AA=="}}}]},
        {"type": "blob", "content": "AA==", "mime_type": "image/png", "modality": "image"},
    ),
    (
        {"role": "user", "parts": [{"inlineData": {"mimeType": "image/png", "data": "AA=="}}]},
        {"type": "blob", "content": "AA==", "mime_type": "image/png", "modality": "image"},
    ),
]


@pytest.mark.parametrize(("message", "part"), PICTURES)
def test_media_keep_their_kind_their_type_and_their_place(
    message: dict[str, Any], part: dict[str, Any]
) -> None:
    assert asked({"messages": [message]}) == [{"role": "user", "parts": [part]}]


def test_what_a_model_thought_is_told_from_what_it_said() -> None:
    thought = [{"type": "reasoning", "content": "hm"}, text("4")]
    chat = {"choices": [{"message": {"reasoning_content": "hm", "content": "4"}}]}
    message = {
        "type": "message",
        "content": [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "4"}],
    }
    generated = {
        "candidates": [{"content": {"parts": [{"text": "hm", "thought": True}, {"text": "4"}]}}]
    }
    converse = {
        "output": {
            "message": {
                "role": "assistant",
                "content": [
                    {"reasoningContent": {"reasoningText": {"text": "hm"}}},
                    {"text": "4"},
                ],
            }
        }
    }

    for answer in (chat, message, generated, converse):
        assert answered(answer) == [{"role": "assistant", "parts": thought}]


TOOLS = [
    {"tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]},
    {"tools": [{"type": "function", "name": "f", "parameters": {"type": "object"}}]},
    {"tools": [{"name": "f", "input_schema": {"type": "object"}}]},
    {"tools": [{"functionDeclarations": [{"name": "f", "parameters": {"type": "object"}}]}]},
    {
        "toolConfig": {
            "tools": [{"toolSpec": {"name": "f", "inputSchema": {"json": {"type": "object"}}}}]
        }
    },
]


@pytest.mark.parametrize("request_", TOOLS)
def test_the_tools_offered_read_the_same_of_every_provider(request_: dict[str, Any]) -> None:
    found = said(request=request_)

    assert json.loads(found["gen_ai.tool.definitions"]) == [
        {"type": "function", "name": "f", "parameters": {"type": "object"}}
    ]


@pytest.mark.parametrize(
    "request_",
    [
        {"temperature": 0.5, "max_completion_tokens": 9, "top_p": 0.9, "stop": "x"},
        {"temperature": 0.5, "max_tokens": 9, "top_p": 0.9, "stop_sequences": ["x"]},
        {
            "generationConfig": {
                "temperature": 0.5,
                "maxOutputTokens": 9,
                "topP": 0.9,
                "stopSequences": ["x"],
            }
        },
        {
            "inferenceConfig": {
                "temperature": 0.5,
                "maxTokens": 9,
                "topP": 0.9,
                "stopSequences": ["x"],
            }
        },
    ],
)
def test_settings_read_the_same_of_every_provider(request_: dict[str, Any]) -> None:
    found = said(request=request_)

    assert found["gen_ai.request.temperature"] == 0.5
    assert found["gen_ai.request.max_tokens"] == 9
    assert found["gen_ai.request.top_p"] == 0.9
    assert found["gen_ai.request.stop_sequences"] == ["x"]


def test_the_pieces_of_a_stream_become_one_message_with_its_call() -> None:
    chunks = [
        {"type": "message_start", "message": {"id": "m", "model": "claude", "usage": {}}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "He"}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "y"}},
        {
            "type": "content_block_start",
            "index": 1,
            "content_block": {"type": "tool_use", "id": "c1", "name": "f", "input": {}},
        },
        {"type": "content_block_delta", "index": 1, "delta": {"partial_json": '{"x"'}},
        {"type": "content_block_delta", "index": 1, "delta": {"partial_json": ":1}"}},
        {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {}},
        {"type": "message_stop"},
    ]

    assert answered(chunks) == [{"role": "assistant", "parts": [text("Hey"), CALL]}]


@pytest.mark.parametrize(
    ("url", "provider", "model"),
    [
        ("https://api.openai.com/v1/chat/completions", "openai", ""),
        (
            "https://x.openai.azure.com/openai/deployments/d1/chat/completions",
            "azure.ai.openai",
            "d1",
        ),
        (
            "https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-pro:generateContent",
            "gcp.gemini",
            "gemini-2.5-pro",
        ),
        (
            "https://us-central1-aiplatform.googleapis.com/v1/projects/p/locations/l/publishers/"
            "google/models/gemini-2.5-flash:streamGenerateContent",
            "gcp.vertex_ai",
            "gemini-2.5-flash",
        ),
        (
            "https://bedrock-runtime.us-east-1.amazonaws.com/model/amazon.nova-lite-v1%3A0/converse",
            "aws.bedrock",
            "amazon.nova-lite-v1:0",
        ),
        ("https://api.x.ai/v1/chat/completions", "x_ai", ""),
        ("https://evil.example/api.openai.com", "openai", ""),
    ],
)
def test_the_address_names_the_provider_and_the_model(url: str, provider: str, model: str) -> None:
    found = said(url=url)

    assert found["gen_ai.provider.name"] == provider
    assert found.get("gen_ai.request.model", "") == model
