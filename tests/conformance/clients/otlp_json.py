"""A small assistant traced by hand with the OpenTelemetry SDK; the exporter is set up outside."""

import json

from opentelemetry import trace
from opentelemetry.exporter.otlp.json.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
tracer = provider.get_tracer("assistant", "1.0")


def said(role, text):
    """Messages as the GenAI conventions have them."""
    return json.dumps([{"role": role, "parts": [{"type": "text", "content": text}]}])


AGENT = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "guide"}
CONTEXT = {"session.id": "s1", "user.id": "u1"}
with tracer.start_as_current_span("invoke_agent guide", attributes=AGENT | CONTEXT):
    with tracer.start_as_current_span("chat gpt-4o-mini", kind=trace.SpanKind.CLIENT) as call:
        call.set_attributes(
            {
                "gen_ai.operation.name": "chat",
                "gen_ai.provider.name": "openai",
                "gen_ai.request.model": "gpt-4o-mini",
                "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
                "gen_ai.response.finish_reasons": ["stop"],
                "gen_ai.input.messages": said("user", "Weather in Paris?"),
                "gen_ai.output.messages": said("assistant", "Paris is sunny."),
                "gen_ai.usage.input_tokens": 1000,
                "gen_ai.usage.output_tokens": 200,
                "gen_ai.usage.cache_read.input_tokens": 400,
                "gen_ai.usage.reasoning.output_tokens": 50,
            }
        )
    try:
        with tracer.start_as_current_span("execute_tool weather") as tool:
            tool.set_attributes(
                {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "weather"}
            )
            raise ValueError("no such city")
    except ValueError:
        pass
provider.shutdown()
