"""Spans of the kinds that AI applications are made of, in OpenTelemetry's GenAI words.

Each is a context manager, for `with` and for `async with`; what is learned on the way is written
with its methods.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self

from opentelemetry.context import attach, get_current
from opentelemetry.context.context import Context

from vagus.sdk._guard import guard
from vagus.sdk._step import Step, kind_attributes, start

Document = Mapping[str, Any] | str
Message = Mapping[str, Any] | str

_NOTHING: list[dict[str, Any]] = []


class _Helper:
    """The part all helpers share: a span that is current inside the block."""

    _kind = "chain"
    _is_client = False

    def __init__(self, name: str, attributes: Mapping[str, Any]) -> None:
        self._name = name
        self._attributes = {**kind_attributes(self._kind), **attributes}
        self._content: list[tuple[str, Any]] = []
        self._step: Step | None = None
        self._before: Context | None = None

    def __enter__(self) -> Self:
        self._before = get_current()
        self._step = start(self._name, self._attributes, is_client=self._is_client)
        if self._step is not None:
            attach(self._step.context)
            for key, value in self._content:
                self._step.write_content(key, value)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._before is not None:
            attach(self._before)
        if self._step is not None:
            if error is not None:
                self._step.fail(error)
            self._step.end()

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.__exit__(kind, error, trace)

    def attributes(self, **attributes: Any) -> Self:
        """Set any other attributes on the span."""
        self._write(attributes)
        return self

    def _write(self, attributes: Mapping[str, Any]) -> None:
        if self._step is not None:
            self._step.write(attributes)

    def _write_content(self, key: str, value: Any) -> None:
        if self._step is not None:
            self._step.write_content(key, value)

    def _write_json(self, key: str, value: Any) -> None:
        if self._step is not None:
            self._step.write_json(key, value)


class retrieval(_Helper):
    """A search in a data source: `with vagus.retrieval(question, data_source="help") as search`."""

    _kind = "retrieval"
    _is_client = True

    def __init__(
        self,
        query: str,
        *,
        data_source: str | None = None,
        top_k: int | None = None,
        index_version: str | None = None,
    ) -> None:
        name = f"retrieval {data_source}" if data_source else "retrieval"
        super().__init__(
            name,
            {
                "gen_ai.data_source.id": data_source,
                "gen_ai.retrieval.top_k": top_k,
                "vagus.retrieval.index_version": index_version,
            },
        )
        self._content = [("gen_ai.retrieval.query.text", query)]

    def documents(self, documents: Iterable[Document]) -> Self:
        """What was found, best first: texts, or mappings with id, score, content, metadata."""
        self._write_json("gen_ai.retrieval.documents", _documents_of(documents))
        return self


class rerank(_Helper):
    """A reordering of documents by relevance: `with vagus.rerank(question, model="…") as order`."""

    _kind = "rerank"
    _is_client = True

    def __init__(
        self,
        query: str,
        *,
        model: str | None = None,
        provider: str | None = None,
        top_k: int | None = None,
    ) -> None:
        super().__init__(
            f"rerank {model}" if model else "rerank",
            {
                "gen_ai.request.model": model,
                "gen_ai.provider.name": provider,
                "reranker.model_name": model,
                "reranker.top_k": top_k,
            },
        )
        self._content = [("reranker.query", query)]

    def inputs(self, documents: Iterable[Document]) -> Self:
        """The documents as they came in."""
        self._write_documents("reranker.input_documents", documents)
        return self

    def outputs(self, documents: Iterable[Document]) -> Self:
        """The documents in their new order."""
        self._write_documents("reranker.output_documents", documents)
        return self

    @guard(default=None)
    def _write_documents(self, prefix: str, documents: Iterable[Document]) -> None:
        for position, document in enumerate(_documents_of(documents)):
            for key, value in document.items():
                place = f"{prefix}.{position}.document.{key}"
                if isinstance(value, bool | int | float):
                    self._write({place: value})
                else:
                    self._write_content(place, value)


class tool(_Helper):
    """A tool call: `with vagus.tool("order_lookup", arguments={"order": 17}) as call`."""

    _kind = "tool"

    def __init__(
        self,
        name: str,
        *,
        arguments: Any = None,
        call_id: str | None = None,
        type: str = "function",
    ) -> None:
        super().__init__(
            f"execute_tool {name}",
            {"gen_ai.tool.name": name, "gen_ai.tool.type": type, "gen_ai.tool.call.id": call_id},
        )
        self._content = [] if arguments is None else [("gen_ai.tool.call.arguments", arguments)]

    def result(self, result: Any) -> Self:
        """What the tool answered."""
        self._write_content("gen_ai.tool.call.result", result)
        return self


class agent(_Helper):
    """One run of an agent: `with vagus.agent("refunds") as run`."""

    _kind = "agent"

    def __init__(self, name: str, *, input: Any = None) -> None:
        super().__init__(f"invoke_agent {name}", {"gen_ai.agent.name": name})
        self._content = [] if input is None else [("input.value", input)]

    def output(self, output: Any) -> Self:
        """What the agent answered in the end."""
        self._write_content("output.value", output)
        return self


class embedding(_Helper):
    """A call of an embedding model: `with vagus.embedding("text-embedding-3-small") as call`."""

    _kind = "embedding"
    _is_client = True

    def __init__(
        self, model: str, *, provider: str | None = None, dimensions: int | None = None
    ) -> None:
        super().__init__(
            f"embeddings {model}",
            {
                "gen_ai.request.model": model,
                "gen_ai.provider.name": provider,
                "gen_ai.embeddings.dimension.count": dimensions,
            },
        )

    def usage(self, *, input_tokens: int) -> Self:
        """The tokens that the provider counted."""
        self._write({"gen_ai.usage.input_tokens": input_tokens})
        return self


class llm(_Helper):
    """A call of a language model, for clients without an instrumentation of their own."""

    _kind = "llm"
    _is_client = True

    def __init__(
        self,
        model: str,
        *,
        provider: str | None = None,
        messages: Sequence[Message] | str | None = None,
        temperature: float | None = None,
        max_tokens: int | None = None,
        stream: bool | None = None,
    ) -> None:
        super().__init__(
            f"chat {model}",
            {
                "gen_ai.request.model": model,
                "gen_ai.provider.name": provider,
                "gen_ai.request.temperature": temperature,
                "gen_ai.request.max_tokens": max_tokens,
                "gen_ai.request.stream": stream,
            },
        )
        self._messages = messages

    def __enter__(self) -> Self:
        super().__enter__()
        if self._messages is not None:
            self._write_json("gen_ai.input.messages", _messages_of(self._messages, "user"))
        return self

    def first_token(self) -> Self:
        """Call when the first piece of a streamed answer arrives."""
        if self._step is not None:
            elapsed_s = time.perf_counter() - self._step.start_s
            self._write({"gen_ai.response.time_to_first_chunk": elapsed_s})
        return self

    def output(
        self, messages: Sequence[Message] | str, *, finish_reason: str | None = None
    ) -> Self:
        """What the model answered, and why it stopped."""
        self._write_json("gen_ai.output.messages", _messages_of(messages, "assistant"))
        if finish_reason:
            self._write({"gen_ai.response.finish_reasons": [finish_reason]})
        return self

    def usage(
        self,
        *,
        input_tokens: int | None = None,
        output_tokens: int | None = None,
        cache_read_tokens: int | None = None,
        cache_write_tokens: int | None = None,
        reasoning_tokens: int | None = None,
    ) -> Self:
        """The tokens counted by the provider; input includes cached, output reasoning."""
        self._write(
            {
                "gen_ai.usage.input_tokens": input_tokens,
                "gen_ai.usage.output_tokens": output_tokens,
                "gen_ai.usage.cache_read.input_tokens": cache_read_tokens,
                "gen_ai.usage.cache_write.input_tokens": cache_write_tokens,
                "gen_ai.usage.reasoning.output_tokens": reasoning_tokens,
            }
        )
        return self

    def response(self, *, model: str | None = None, id: str | None = None) -> Self:
        """Which model really answered, and the id of its answer."""
        self._write({"gen_ai.response.model": model, "gen_ai.response.id": id})
        return self


@guard(default=_NOTHING)
def _documents_of(documents: Iterable[Document]) -> list[dict[str, Any]]:
    return [
        {"content": document} if isinstance(document, str) else dict(document)
        for document in documents
    ]


@guard(default=_NOTHING)
def _messages_of(messages: Sequence[Message] | str, role: str) -> list[dict[str, Any]]:
    given = [messages] if isinstance(messages, str) else messages
    return [_message_of(message, role) for message in given]


def _message_of(message: Message, role: str) -> dict[str, Any]:
    if isinstance(message, str):
        return {"role": role, "parts": [{"type": "text", "content": message}]}
    if "parts" in message:
        return dict(message)
    content = message.get("content")
    parts = [{"type": "text", "content": content}] if isinstance(content, str) else content
    return {"role": message.get("role", role), "parts": parts or []}
