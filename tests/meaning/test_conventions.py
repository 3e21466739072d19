"""A span of every convention, as its SDK sends it, means what it says, in SQL and in Python."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from support.meaning import Case, loaded_fields
from vagus.meaning.read import read_fields
from vagus.store.chdb import ChdbEngine

START_NS = 1_795_000_000_000_000_000


def case(
    name: str,
    attributes: dict[str, Any],
    expected: dict[str, Any],
    *,
    resource: dict[str, str] | None = None,
    scope: tuple[str, str] = ("", ""),
) -> Any:
    """One span: values that are not text stand as the JSON that an SDK would send."""
    texts = {k: v if isinstance(v, str) else json.dumps(v) for k, v in attributes.items()}
    return pytest.param(Case(texts, resource or {}, scope, START_NS), expected, id=name)


SPANS = [
    case(
        "LiteLLM behind a key, on a pod",
        {
            "gen_ai.request.top_p": 0.9,
            "metadata.user_api_key_hash": "sk-a-key-that-must-not-be-kept",
            "langfuse.experiment.name": "nightly",
        },
        {"top_p": 0.9, "api_key": "cd975fef3ce0", "host": "pod-7", "dataset": "nightly"},
        resource={"k8s.pod.name": "pod-7", "service.instance.id": "i-3"},
    ),
    case(
        "a host is named by its own name first",
        {"gen_ai.evaluation.dataset.name": "golden"},
        {"host": "node-1", "dataset": "golden", "api_key": ""},
        resource={"service.instance.id": "i-3", "k8s.pod.name": "pod-7", "host.name": "node-1"},
    ),
    case(
        "OpenInference instrumentation",
        {
            "openinference.span.kind": "LLM",
            "llm.model_name": "gpt-4.1-2025-04-14",
            "llm.provider": "azure",
            "llm.invocation_parameters": {"temperature": 0.5, "max_tokens": 64, "stream": True},
            "llm.token_count.prompt": "100",
            "llm.token_count.prompt_details.audio": "7",
            "llm.finish_reason": "tool_calls",
            "metadata": {"thread_id": "t1", "user_id": "u1", "org_id": "acme"},
            "llm.prompt_template.version": "v3",
        },
        {
            "kind": "llm",
            "operation": "chat",
            "provider": "azure.ai.openai",
            "response_model": "gpt-4.1-2025-04-14",
            "temperature": 0.5,
            "max_tokens": 64,
            "is_streaming": "true",
            "input_tokens": 100,
            "audio_input_tokens": 7,
            "finish_reason": "tool_call",
            "session": "t1",
            "user": "u1",
            "tenant": "acme",
            "prompt_version": "v3",
            "convention": "openinference",
            "sdk": "openinference.instrumentation.openai",
            "sdk_version": "0.1.66",
        },
        scope=("openinference.instrumentation.openai", "0.1.66"),
    ),
    case(
        "Langfuse v5 generation: its parts are disjoint and are added up",
        {
            "langfuse.observation.type": "generation",
            "langfuse.observation.model.name": "claude-sonnet-4-5",
            "langfuse.observation.model.parameters": {"temperature": 0.1, "max_tokens": 256},
            "langfuse.observation.usage_details": {
                "input": 10,
                "output": 20,
                "cache_read_input_tokens": 90,
                "cache_creation_input_tokens": 5,
                "output_reasoning_tokens": 7,
                "total": 132,
            },
            "langfuse.observation.cost_details": {"input": 0.25, "output": 0.5},
            "langfuse.observation.completion_start_time": '"2026-11-18T11:06:41.250Z"',
            "langfuse.trace.metadata.tenant": '"acme"',
            "langfuse.environment": "prod",
            "langfuse.release": "r7",
            "langfuse.observation.prompt.name": "greet",
            "langfuse.observation.prompt.version": "4",
            "user.id": "u",
            "session.id": "s",
        },
        {
            "kind": "llm",
            "request_model": "claude-sonnet-4-5",
            "input_tokens": 105,
            "output_tokens": 27,
            "cache_read_tokens": 90,
            "cache_write_tokens": 5,
            "reasoning_tokens": 7,
            "cache_accounting": "inclusive",
            "reported_cost_usd": 0.75,
            "ttft_ms": 1_250.0,
            "tenant": "acme",
            "env": "prod",
            "service_version": "r7",
            "prompt": "greet",
            "prompt_version": "4",
            "temperature": 0.1,
            "max_tokens": 256,
            "convention": "langfuse",
            "sdk": "langfuse-sdk",
        },
        scope=("langfuse-sdk", "5.0.4"),
        resource={"telemetry.sdk.name": "opentelemetry", "service.version": "1"},
    ),
    case(
        "Langfuse with a total that says the parts are inside",
        {
            "langfuse.observation.usage_details": {
                "input": 100,
                "input_cached_tokens": 40,
                "output": 20,
                "output_reasoning": 5,
                "total": 120,
            }
        },
        {"input_tokens": 100, "cache_read_tokens": 40, "output_tokens": 20, "reasoning_tokens": 5},
    ),
    case(
        "Langfuse with OpenAI's usage",
        {
            "langfuse.observation.usage_details": {
                "prompt_tokens": 100,
                "completion_tokens": 20,
                "prompt_tokens_details": {"cached_tokens": 64, "audio_tokens": None},
                "completion_tokens_details": {"reasoning_tokens": 9},
            }
        },
        {
            "input_tokens": 100,
            "output_tokens": 20,
            "cache_read_tokens": 64,
            "reasoning_tokens": 9,
            "audio_input_tokens": None,
        },
    ),
    case(
        "LangSmith by OpenTelemetry: retriever, kind over operation, usage as Python shows it",
        {
            "langsmith.span.kind": "retriever",
            "gen_ai.operation.name": "embeddings",
            "langsmith.trace.session_name": "not a session",
            "langsmith.metadata.thread_id": "t9",
            "langsmith.metadata.ls_provider": "anthropic",
            "langsmith.metadata.ls_model_name": "claude-3-5-haiku",
            "gen_ai.usage.input_tokens": "12",
            "gen_ai.usage.input_token_details": "{'cache_read': 3, 'cache_creation': None}",
        },
        {
            "kind": "retrieval",
            "operation": "retrieval",
            "session": "t9",
            "provider": "anthropic",
            "request_model": "claude-3-5-haiku",
            "input_tokens": 12,
            "cache_read_tokens": 3,
            "cache_write_tokens": None,
            "cache_accounting": "inclusive",
            "convention": "langsmith",
        },
    ),
    case(
        "LangSmith metadata with LangChain's usage",
        {
            "langsmith.span.kind": "llm",
            "langsmith.metadata.usage_metadata": {
                "input_tokens": 50,
                "output_tokens": 8,
                "input_token_details": {"cache_read": 30, "audio": 4},
                "output_token_details": {"reasoning": 2},
            },
        },
        {
            "kind": "llm",
            "input_tokens": 50,
            "output_tokens": 8,
            "cache_read_tokens": 30,
            "audio_input_tokens": 4,
            "reasoning_tokens": 2,
        },
    ),
    case(
        "Pydantic AI under Logfire: both provider names, reasons as a JSON string, its own cost",
        {
            "logfire.msg": "chat gpt-4o",
            "gen_ai.operation.name": "chat",
            "gen_ai.system": "openai",
            "gen_ai.provider.name": "openai",
            "gen_ai.response.finish_reasons": '"[\\"stop\\"]"',
            "gen_ai.usage.details.reasoning_tokens": "3",
            "operation.cost": "0.0125",
            "gen_ai.agent.name": "helper",
        },
        {
            "kind": "llm",
            "finish_reason": "stop",
            "reported_cost_usd": 0.0125,
            "reasoning_tokens": 3,
            "agent": "helper",
            "convention": "logfire",
        },
        scope=("pydantic-ai", "1.9"),
    ),
    case(
        "Vercel AI SDK 5 call of Anthropic: cached tokens stand apart",
        {
            "ai.operationId": "ai.streamText.doStream",
            "ai.model.provider": "anthropic.messages",
            "ai.model.id": "claude-sonnet-4-5",
            "ai.usage.inputTokens": "20",
            "ai.usage.outputTokens": "5",
            "ai.usage.cachedInputTokens": "10",
            "ai.response.msToFirstChunk": "321.5",
            "ai.response.finishReason": "tool-calls",
            "ai.response.id": "msg_1",
            "ai.settings.maxOutputTokens": "99",
            "ai.telemetry.metadata.userId": "u",
            "ai.telemetry.metadata.sessionId": "s",
        },
        {
            "kind": "llm",
            "operation": "chat",
            "provider": "anthropic",
            "input_tokens": 20,
            "cache_read_tokens": 10,
            "cache_accounting": "exclusive",
            "ttft_ms": 321.5,
            "is_streaming": "true",
            "finish_reason": "tool_call",
            "response_id": "msg_1",
            "max_tokens": 99,
            "user": "u",
            "session": "s",
            "convention": "vercel",
        },
        scope=("ai", ""),
    ),
    case(
        "Vercel AI SDK 6: details say that cached tokens are included",
        {
            "ai.operationId": "ai.generateText.doGenerate",
            "ai.model.provider": "anthropic.messages",
            "ai.usage.inputTokens": "30",
            "ai.usage.cachedInputTokens": "10",
            "ai.usage.inputTokenDetails.cacheReadTokens": "10",
            "ai.usage.inputTokenDetails.cacheWriteTokens": "0",
        },
        {"cache_accounting": "inclusive", "cache_write_tokens": 0, "is_streaming": "false"},
    ),
    case(
        "Vercel AI SDK root: an agent, not a call",
        {"ai.operationId": "ai.generateText", "ai.telemetry.functionId": "support"},
        {"kind": "agent", "operation": "invoke_agent", "agent": "support"},
    ),
    case(
        "Weave conversation",
        {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "openai",
            "gen_ai.usage.input_tokens": "9",
            "gen_ai.usage.cache_write.input_tokens": "4",
            "gen_ai.conversation.id": "c",
        },
        {
            "kind": "llm",
            "cache_write_tokens": 4,
            "session": "c",
            "sdk": "weave",
            "sdk_version": "0.54.0",
        },
        resource={"wandb.sdk.name": "weave", "wandb.sdk.version": "0.54.0"},
        scope=("weave.conversation", ""),
    ),
    case(
        "MLflow exported: every value is JSON, texts included",
        {
            "mlflow.spanType": '"CHAT_MODEL"',
            "mlflow.llm.model": '"gpt-4o-mini"',
            "mlflow.llm.provider": '"openai"',
            "mlflow.chat.tokenUsage": json.dumps(
                {"input_tokens": 11, "output_tokens": 0, "cache_read_input_tokens": 4}
            ),
            "mlflow.llm.cost": {"input_cost": 0.1, "output_cost": 0.2, "total_cost": 0.3},
            "mlflow.trace.session": '"s"',
        },
        {
            "kind": "llm",
            "request_model": "gpt-4o-mini",
            "provider": "openai",
            "input_tokens": 11,
            "output_tokens": 0,
            "cache_read_tokens": 4,
            "reported_cost_usd": 0.3,
            "session": "s",
            "convention": "mlflow",
        },
    ),
    case(
        "TruLens: a cost in another currency is not used",
        {
            "ai.observability.span_type": "generation",
            "ai.observability.cost.cost": "3.5",
            "ai.observability.cost.cost_currency": "Snowflake credits",
            "ai.observability.cost.model": "mistral-large",
            "ai.observability.cost.num_prompt_tokens": "8",
            "ai.observability.generation.time_to_first_token_ms": "40",
            "ai.observability.generation.is_streaming": "true",
        },
        {
            "kind": "llm",
            "reported_cost_usd": None,
            "request_model": "mistral-large",
            "input_tokens": 8,
            "ttft_ms": 40.0,
            "is_streaming": "true",
            "convention": "trulens",
        },
    ),
    case(
        "OpenLIT",
        {
            "gen_ai.operation.name": "chat",
            "gen_ai.system": "mistral",
            "gen_ai.sdk.version": "1.45.0",
            "gen_ai.usage.cost": "0",
            "gen_ai.server.time_to_first_token": "0.5",
            "gen_ai.request.is_stream": "true",
            "gen_ai.request.user": "u",
            "gen_ai.environment": "dev",
        },
        {
            "provider": "mistral_ai",
            "reported_cost_usd": 0.0,
            "ttft_ms": 500.0,
            "is_streaming": "true",
            "user": "u",
            "env": "dev",
            "convention": "openlit",
            "sdk": "openlit",
        },
        resource={"telemetry.sdk.name": "openlit"},
    ),
    case(
        "Laminar",
        {
            "lmnr.span.type": "LLM",
            "gen_ai.system": "anthropic",
            "gen_ai.usage.cache_read_input_tokens": "7",
            "lmnr.association.properties.session_id": "s",
            "lmnr.association.properties.user_id": "u",
        },
        {"kind": "llm", "cache_read_tokens": 7, "session": "s", "user": "u",
         "convention": "laminar"},
    ),
    case(
        "Laminar's default kind says nothing, and its input makes it a chain",
        {"lmnr.span.type": "DEFAULT", "lmnr.span.input": {"q": 1}},
        {"kind": "chain", "convention": "laminar"},
    ),
    case(
        "AgentOps",
        {"agentops.span.kind": "operation", "gen_ai.streaming.time_to_first_token": "0.2"},
        {"kind": "chain", "ttft_ms": 200.0, "convention": "agentops"},
    ),
    case(
        "LiteLLM version 2, answered by its own cache, with a prefixed model and empty texts",
        {
            "gen_ai.operation.name": "chat",
            "gen_ai.request.model": "anthropic/claude-3-haiku",
            "gen_ai.response.model": "",
            "litellm.call_id": "x",
            "litellm.cost.total": "0.001",
            "litellm.cache_hit": "True",
            "llm.user": "None",
        },
        {
            "provider": "anthropic",
            "response_model": "",
            "reported_cost_usd": 0.001,
            "local_cache": "hit",
            "user": "",
            "convention": "litellm",
        },
    ),
    case(
        "Datadog's names",
        {
            "meta.span.kind": "task",
            "meta.model_provider": "openai",
            "metrics.input_tokens": "5",
            "metrics.ephemeral_1h_input_tokens": "2",
            "metrics.time_to_first_token": "1.5",
        },
        {"kind": "chain", "provider": "openai", "input_tokens": 5, "cache_write_1h_tokens": 2,
         "ttft_ms": 1_500.0, "convention": "datadog"},
    ),
    case(
        "Opik's and Helicone's names",
        {"opik.span.type": "llm", "opik.thread_id": "t", "helicone.user_id": "u"},
        {"kind": "llm", "session": "t", "user": "u", "convention": "opik"},
    ),
    case(
        "MCP",
        {"mcp.method.name": "tools/list", "mcp.session.id": "m", "network.transport": "pipe"},
        {"kind": "mcp", "session": "m", "convention": "otel"},
    ),
    case(
        "an OpenLLMetry chain with a framework for provider: the next source is asked",
        {
            "traceloop.span.kind": "workflow",
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.provider.name": "langchain",
            "gen_ai.system": "OpenAI",
            "gen_ai.request.model": "unknown",
        },
        {"kind": "workflow", "operation": "invoke_workflow", "provider": "openai",
         "request_model": "", "convention": "openllmetry"},
    ),
    case(
        "a tier of the answer beats the one that was asked for, and auto says nothing",
        {
            "openai.response.service_tier": "flex",
            "openai.request.service_tier": "auto",
            "gen_ai.usage.cache_write_5m.input_tokens": "1",
            "gen_ai.usage.image.output_tokens": "6",
            "gen_ai.usage.web_search_requests": "2",
        },
        {"service_tier": "flex", "cache_write_5m_tokens": 1, "image_output_tokens": 6,
         "web_search_requests": 2},
    ),
    case(
        "a task of OpenLLMetry is what its operation says",
        {"traceloop.span.kind": "task", "gen_ai.operation.name": "vector_db_retrieve"},
        {"kind": "retrieval"},
    ),
    case("a task of OpenLLMetry alone is a step", {"traceloop.span.kind": "task"},
         {"kind": "chain"}),
    *(
        case(
            f"{scope} leaves cached tokens out of the input",
            {
                "gen_ai.provider.name": "aws.bedrock",
                "gen_ai.usage.input_tokens": "500",
                "gen_ai.usage.cache_read.input_tokens": "400",
            },
            {"cache_accounting": "exclusive", "input_tokens": 500},
            scope=(scope, "1"),
        )
        for scope in (
            "opentelemetry.instrumentation.bedrock",
            "opentelemetry.instrumentation.botocore.bedrock-runtime",
        )
    ),
]  # fmt: skip


@pytest.mark.parametrize(("span", "expected"), SPANS)
def test_each_convention_means_what_it_says(span: Case, expected: dict[str, Any]) -> None:
    fields = span.read()
    assert {name: fields[name] for name in expected} == expected


def test_the_loader_says_the_same(engine: ChdbEngine, project: str, tmp_path: Path) -> None:
    cases = [span.values[0] for span in SPANS]
    loaded = loaded_fields(engine, project, tmp_path / "a.seg", cases)
    for span, fields in zip(cases, loaded, strict=True):
        assert fields == span.read()


def test_a_level_of_error_is_a_failed_span(
    engine: ChdbEngine, project: str, tmp_path: Path
) -> None:
    told = {"langfuse.observation.level": "ERROR", "langfuse.observation.status_message": "no"}
    cases = [Case(told), Case({"langfuse.observation.level": "WARNING"})]
    loaded_fields(engine, project, tmp_path / "a.seg", cases)
    found = engine.query(
        "SELECT status, status_message FROM spans WHERE project = {p:String} ORDER BY span_id",
        {"p": project},
    )
    assert list(found.rows()) == [("error", "no"), ("unset", "")]


def test_an_attribute_cannot_pretend_to_be_a_member() -> None:
    assert read_fields({"metadata#user_id": "eve"}, {})["user"] == ""
