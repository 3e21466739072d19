"""A provider of models on this machine: OpenAI, Anthropic and Bedrock as their clients call them.

It always says the same, with the same usage, so that expectations can be worked out by hand. A
model whose name holds `missing` is a 404.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SAID = "Paris is sunny."
#: What every provider here says that a call used, each in its own words.
CHAT_USAGE = {
    "prompt_tokens": 1000,
    "completion_tokens": 200,
    "total_tokens": 1200,
    "prompt_tokens_details": {"cached_tokens": 400},
    "completion_tokens_details": {"reasoning_tokens": 50},
}
RESPONSE_USAGE = {
    "input_tokens": 1000,
    "output_tokens": 200,
    "total_tokens": 1200,
    "input_tokens_details": {"cached_tokens": 400},
    "output_tokens_details": {"reasoning_tokens": 50},
}
#: Anthropic and Bedrock count cached tokens beside the input: 500 + 400 + 100 = 1,000 in all.
MESSAGE_USAGE = {
    "input_tokens": 500,
    "cache_read_input_tokens": 400,
    "cache_creation_input_tokens": 100,
    "output_tokens": 200,
}
CONVERSE_USAGE = {
    "inputTokens": 500,
    "outputTokens": 200,
    "totalTokens": 1200,
    "cacheReadInputTokens": 400,
    "cacheWriteInputTokens": 100,
}
CREATED_S = 1_760_000_000
#: Two answers never have the same id, for a provider charges an answer once.
_numbers = itertools.count(1)
Events = list[tuple[str, dict[str, Any]]]


def chat(body: dict[str, Any]) -> dict[str, Any]:
    """A chat completion: a call of the offered tool first, words once the tool has answered."""
    asked = body["messages"][-1]["role"]
    said: dict[str, Any] = {"role": "assistant", "content": SAID}
    if body.get("tools") and asked != "tool":
        call = {"name": body["tools"][0]["function"]["name"], "arguments": '{"city":"Paris"}'}
        calls = [{"id": "call_1", "type": "function", "function": call}]
        said = {"role": "assistant", "content": None, "tool_calls": calls}
    reason = "tool_calls" if said.get("tool_calls") else "stop"
    return {
        "id": f"chatcmpl-{next(_numbers)}",
        "object": "chat.completion",
        "created": CREATED_S,
        "model": f"{body['model']}-2024-07-18",
        "choices": [{"index": 0, "finish_reason": reason, "message": said}],
        "usage": CHAT_USAGE,
    }


def chat_chunks(body: dict[str, Any]) -> Events:
    """The same words as a stream; usage comes last, when it was asked for."""
    head = {
        "id": f"chatcmpl-{next(_numbers)}",
        "object": "chat.completion.chunk",
        "created": CREATED_S,
        "model": f"{body['model']}-2024-07-18",
    }

    def choice(delta: dict[str, Any], reason: str | None = None) -> dict[str, Any]:
        return head | {"choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}

    words = SAID.split(" ")
    chunks = [choice({"role": "assistant", "content": words[0]})]
    chunks += [choice({"content": f" {word}"}) for word in words[1:]]
    chunks.append(choice({}, "stop"))
    if (body.get("stream_options") or {}).get("include_usage"):
        chunks.append(head | {"choices": [], "usage": CHAT_USAGE})
    return [("", chunk) for chunk in chunks]


def response(body: dict[str, Any]) -> dict[str, Any]:
    """An answer of OpenAI's responses API."""
    text = {"type": "output_text", "text": SAID, "annotations": []}
    message = {
        "type": "message",
        "id": "msg_1",
        "role": "assistant",
        "status": "completed",
        "content": [text],
    }
    return {
        "id": f"resp_{next(_numbers)}",
        "object": "response",
        "created_at": CREATED_S,
        "model": f"{body['model']}-2024-07-18",
        "status": "completed",
        "output": [message],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": RESPONSE_USAGE,
    }


def embeddings(body: dict[str, Any]) -> dict[str, Any]:
    """A vector of three numbers for each text."""
    texts = body["input"] if isinstance(body["input"], list) else [body["input"]]
    rows = [
        {"object": "embedding", "index": n, "embedding": [0.1, 0.2, 0.3]} for n in range(len(texts))
    ]
    usage = {"prompt_tokens": 8, "total_tokens": 8}
    return {"object": "list", "model": body["model"], "data": rows, "usage": usage}


def message(body: dict[str, Any]) -> dict[str, Any]:
    """An answer of Anthropic's messages API."""
    return {
        "id": f"msg_{next(_numbers)}",
        "type": "message",
        "role": "assistant",
        "model": body["model"],
        "content": [{"type": "text", "text": SAID}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": MESSAGE_USAGE,
    }


def message_events(body: dict[str, Any]) -> Events:
    """The same as the events of Anthropic's stream."""
    start = message(body) | {"content": [], "stop_reason": None}
    start["usage"] = MESSAGE_USAGE | {"output_tokens": 1}
    text = {"type": "text_delta", "text": SAID}
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": start},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": text},
        {"type": "content_block_stop", "index": 0},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn", "stop_sequence": None},
            "usage": {"output_tokens": 200},
        },
        {"type": "message_stop"},
    ]
    return [(event["type"], event) for event in events]


def converse(body: dict[str, Any]) -> dict[str, Any]:
    """An answer of Bedrock's Converse."""
    return {
        "output": {"message": {"role": "assistant", "content": [{"text": SAID}]}},
        "stopReason": "end_turn",
        "usage": CONVERSE_USAGE,
        "metrics": {"latencyMs": 5},
    }


class Handler(BaseHTTPRequestHandler):
    """Answers by the end of the path, which no two providers share."""

    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the output is the client's."""

    def do_GET(self) -> None:
        """Answer with nothing: some clients fetch a list of prices."""
        self._json(200, {})

    def do_POST(self) -> None:
        """Answer one call."""
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        path = self.path.partition("?")[0]
        if "missing" in str(body.get("model", "")) or "missing" in path:
            error = {"message": "The model does not exist.", "type": "not_found_error"}
            self._json(404, {"type": "error", "error": error, "message": error["message"]})
        elif path.endswith("/chat/completions"):
            self._either(body, chat, chat_chunks, "[DONE]")
        elif path.endswith("/messages"):
            self._either(body, message, message_events, "")
        elif path.endswith("/responses"):
            self._json(200, response(body))
        elif path.endswith("/embeddings"):
            self._json(200, embeddings(body))
        elif path.endswith("/converse"):
            self._json(200, converse(body))
        else:
            self._json(404, {"error": {"message": f"no such path: {path}"}})

    def _either(self, body: dict[str, Any], whole: Any, events: Any, last: str) -> None:
        if not body.get("stream"):
            self._json(200, whole(body))
            return
        lines = []
        for name, event in events(body):
            lines.append(f"event: {name}\n" if name else "")
            lines.append(f"data: {json.dumps(event)}\n\n")
        lines.append(f"data: {last}\n\n" if last else "")
        self._send(200, "text/event-stream", "".join(lines).encode())

    def _json(self, status: int, body: dict[str, Any]) -> None:
        self._send(status, "application/json", json.dumps(body).encode())

    def _send(self, status: int, media_type: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-type", media_type)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextlib.contextmanager
def provider() -> Iterator[str]:
    """A running provider; gives its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
