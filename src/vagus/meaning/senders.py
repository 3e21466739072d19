"""Who sent a span: the conventions that keys give away, and the SDKs that scopes name."""

from __future__ import annotations

from vagus.meaning.field import Field, Kind, text

#: A key that only one convention uses, most telling first: vendors, then what they build on.
_MARKS: tuple[tuple[str, str], ...] = (
    *((key, "langfuse") for key in (
        "langfuse.observation.type", "langfuse.observation.input", "langfuse.observation.output",
        "langfuse.observation.model.name", "langfuse.trace.name", "langfuse.trace.tags",
        "langfuse.internal.as_root", "langfuse.observation.usage_details",
    )),
    *((key, "langsmith") for key in (
        "langsmith.span.kind", "langsmith.trace.name", "langsmith.trace.session_name",
        "langsmith.span.runtime",
    )),
    *((key, "vercel") for key in ("ai.operationId", "ai.model.id", "ai.telemetry.functionId")),
    *((key, "mlflow") for key in ("mlflow.spanType", "mlflow.traceRequestId", "mlflow.spanInputs")),
    *((key, "logfire") for key in ("logfire.msg", "logfire.span_type", "logfire.msg_template")),
    *((key, "weave") for key in (
        "weave.parent_call.id", "weave.content_refs", "weave.eval.run_id", "wandb.thread_id",
        "gen_ai.conversation.name",
    )),
    *((key, "laminar") for key in ("lmnr.span.type", "lmnr.span.path", "lmnr.span.input")),
    *((key, "agentops") for key in (
        "agentops.span.kind", "agentops.entity.input", "agentops.tags",
    )),
    *((key, "openlit") for key in (
        "gen_ai.sdk.version", "openlit.agent.version_hash", "gen_ai.client.token.usage",
        "gen_ai.framework.component.name",
    )),
    *((key, "trulens") for key in (
        "ai.observability.span_type", "ai.observability.app_name", "ai.observability.record_id",
    )),
    *((key, "litellm") for key in ("litellm.call_id", "litellm.cost.total", "hidden_params")),
    *((key, "datadog") for key in ("meta.span.kind", "_dd.p.tid", "dd.llmobs.ml_app")),
    *((key, "opik") for key in ("opik.span.type", "opik.thread_id")),
    *((key, "helicone") for key in ("helicone.session_id", "helicone.user_id")),
    *((key, "openinference") for key in (
        "openinference.span.kind", "llm.model_name", "llm.token_count.prompt",
        "llm.invocation_parameters",
    )),
    *((key, "openllmetry") for key in (
        "traceloop.span.kind", "traceloop.workflow.name", "traceloop.entity.name",
        "llm.request.type", "gen_ai.openai.api_base",
    )),
    *((key, "otel") for key in (
        "gen_ai.operation.name", "gen_ai.provider.name", "gen_ai.system", "gen_ai.request.model",
        "gen_ai.tool.name", "gen_ai.agent.name", "mcp.method.name",
    )),
    *((key, "vagus") for key in ("vagus.span.kind", "vagus.native.id")),
)  # fmt: skip

#: Names of instrumentation scopes that are an SDK's, by how they begin, and its convention where
#: it has one of its own. Any other scope is the application's own name for its tracer.
SCOPES: tuple[tuple[str, str], ...] = (
    ("langfuse-sdk", "langfuse"),
    ("langsmith", "langsmith"),
    ("openinference.", "openinference"),
    ("@arizeai/", "openinference"),
    ("opentelemetry.instrumentation.", ""),
    ("@opentelemetry/instrumentation-", ""),
    ("@traceloop/", "openllmetry"),
    ("traceloop.", "openllmetry"),
    ("logfire", "logfire"),
    ("pydantic-ai", "logfire"),
    ("@ai-sdk/", "vercel"),
    ("weave.", "weave"),
    ("mlflow", "mlflow"),
    ("trulens", "trulens"),
    ("openlit", "openlit"),
    ("lmnr", "laminar"),
    ("agentops", "agentops"),
    ("litellm", "litellm"),
    ("opik", "opik"),
    ("ddtrace", "datadog"),
    ("strands", ""),
    ("gcp.vertex.agent", ""),
    ("google.adk", ""),
    ("genkit", ""),
    ("haystack", ""),
    ("crewai", ""),
    ("spring-ai", ""),
    ("org.springframework.ai", ""),
    ("Microsoft.SemanticKernel", ""),
    ("Experimental.Microsoft.Extensions.AI", ""),
    ("vagus", "vagus"),
)

#: Scopes whose input tokens leave the cached ones out, by how they begin: they pass on what Bedrock
#: says as it is.
EXCLUSIVE_SCOPES = (
    "opentelemetry.instrumentation.bedrock",
    "opentelemetry.instrumentation.botocore",
)

#: What a known scope adds to the attributes of its resource, so that the table can name it.
SCOPE_SDK, SCOPE_VERSION, SCOPE_CONVENTION = "@sdk", "@sdk_version", "@convention"
#: And how an `EXCLUSIVE_SCOPES` counts.
SCOPE_ACCOUNTING = "@cache_accounting"

SENDER: tuple[Field, ...] = (
    text("sdk", "vagus.sdk", resource=("wandb.sdk.name", SCOPE_SDK, "telemetry.sdk.name")),
    text(
        "sdk_version",
        "vagus.sdk_version",
        "lmnr.span.sdk_version",
        resource=("wandb.sdk.version", SCOPE_VERSION, "telemetry.sdk.version"),
    ),
    Field(
        "convention",
        Kind.MARK,
        ("vagus.convention", *(key for key, _ in _MARKS)),
        (SCOPE_CONVENTION,),
        dict(_MARKS),
    ),
)
