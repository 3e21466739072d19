import asyncio
import json

import pytest

import vagus
from sdk.otlp_receiver import Receiver


def test_retrieval_speaks_the_conventions(receiver: Receiver) -> None:
    found = [{"id": "a1", "score": 0.9, "content": "Returns take 30 days."}, "plain text"]
    with vagus.retrieval(
        "how long?", data_source="help", top_k=5, index_version="2026-11-20"
    ) as search:
        search.documents(found)

    assert vagus.flush(5)
    attributes = receiver.named("retrieval help").attributes
    documents = json.loads(attributes.pop("gen_ai.retrieval.documents"))
    assert documents == [found[0], {"content": "plain text"}]
    assert attributes == {
        "openinference.span.kind": "RETRIEVER",
        "gen_ai.operation.name": "retrieval",
        "gen_ai.data_source.id": "help",
        "gen_ai.retrieval.top_k": 5,
        "gen_ai.retrieval.query.text": "how long?",
        "vagus.retrieval.index_version": "2026-11-20",
    }


def test_rerank_keeps_both_orders(receiver: Receiver) -> None:
    with vagus.rerank("q", model="rerank-v3.5", provider="cohere", top_k=1) as order:
        order.inputs([{"id": "a", "score": 0.1}, {"id": "b", "score": 0.2}])
        order.outputs([{"id": "b", "score": 0.9}])

    assert vagus.flush(5)
    attributes = receiver.named("rerank rerank-v3.5").attributes
    assert attributes["reranker.input_documents.0.document.id"] == "a"
    assert attributes["reranker.input_documents.1.document.score"] == 0.2
    assert attributes["reranker.output_documents.0.document.id"] == "b"
    assert attributes["gen_ai.operation.name"] == "rerank"


def test_tool_agent_and_embedding(receiver: Receiver) -> None:
    with vagus.agent("refunds", input="refund 17") as run:
        with vagus.tool("order_lookup", arguments={"order": 17}, call_id="c1") as call:
            call.result({"state": "shipped"})
        with vagus.embedding("text-embedding-3-small", provider="openai", dimensions=8) as vector:
            vector.usage(input_tokens=12)
        run.output("done")

    assert vagus.flush(5)
    agent = receiver.named("invoke_agent refunds")
    tool = receiver.named("execute_tool order_lookup")
    vector_span = receiver.named("embeddings text-embedding-3-small")
    assert tool.parent_id == vector_span.parent_id == agent.span_id
    assert agent.attributes["output.value"] == "done"
    assert json.loads(tool.attributes["gen_ai.tool.call.result"]) == {"state": "shipped"}
    assert vector_span.attributes["gen_ai.usage.input_tokens"] == 12


def test_llm_records_messages_usage_and_first_token(receiver: Receiver) -> None:
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]
    with vagus.llm("gpt-4.1-mini", provider="openai", messages=messages, stream=True) as call:
        call.first_token()
        call.output("Hello", finish_reason="stop")
        call.usage(input_tokens=20, output_tokens=3, cache_read_tokens=8)
        call.response(model="gpt-4.1-mini-2025-04-14", id="r1")

    assert vagus.flush(5)
    attributes = receiver.named("chat gpt-4.1-mini").attributes
    assert json.loads(attributes["gen_ai.input.messages"])[1] == {
        "role": "user",
        "parts": [{"type": "text", "content": "Hi"}],
    }
    assert json.loads(attributes["gen_ai.output.messages"])[0]["role"] == "assistant"
    assert attributes["gen_ai.response.finish_reasons"] == ["stop"]
    assert attributes["gen_ai.usage.input_tokens"] == 20
    assert attributes["gen_ai.usage.cache_read.input_tokens"] == 8
    assert 0 <= attributes["gen_ai.response.time_to_first_chunk"] < 5
    assert "gen_ai.usage.reasoning.output_tokens" not in attributes


def test_an_error_inside_is_recorded_and_passes(receiver: Receiver) -> None:
    async def main() -> None:
        async with vagus.tool("refund"):
            raise PermissionError("too much")

    with pytest.raises(PermissionError):
        asyncio.run(main())

    assert vagus.flush(5)
    assert receiver.named("execute_tool refund").attributes["error.type"] == "PermissionError"


def test_helpers_work_without_init() -> None:
    with vagus.retrieval("q") as search, vagus.llm("m", messages="hi") as call:
        search.documents(["a"])
        call.output("b")
