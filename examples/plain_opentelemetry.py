"""A program that knows nothing of Vagus: OpenTelemetry alone, with its default endpoint.

    pip install opentelemetry-sdk opentelemetry-exporter-otlp-proto-http
    export OTEL_EXPORTER_OTLP_HEADERS="authorization=Bearer <ingest key>"
    python examples/plain_opentelemetry.py

The exporter's default endpoint is http://localhost:4318, where `vagus serve` listens.
"""

from __future__ import annotations

import json
import time

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind

provider = TracerProvider(resource=Resource.create({"service.name": "plain-example"}))
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(provider)
tracer = trace.get_tracer("example")


def fake_model(question: str) -> str:
    """Stands in for a call of a real model, so that the example needs no vendor's key."""
    time.sleep(0.05)
    return f"You asked {question!r}, and I would need a model to know."


def text(role: str, content: str) -> str:
    """One message, as OpenTelemetry's GenAI conventions want it."""
    return json.dumps([{"role": role, "parts": [{"type": "text", "content": content}]}])


def main() -> None:
    """Make one call and record it as a GenAI span."""
    question = "What is a span?"
    with tracer.start_as_current_span("chat gpt-4.1-mini", kind=SpanKind.CLIENT) as span:
        answer = fake_model(question)
        span.set_attributes(
            {
                "gen_ai.operation.name": "chat",
                "gen_ai.provider.name": "openai",
                "gen_ai.request.model": "gpt-4.1-mini",
                "gen_ai.input.messages": text("user", question),
                "gen_ai.output.messages": text("assistant", answer),
                "gen_ai.usage.input_tokens": len(question) // 4,
                "gen_ai.usage.output_tokens": len(answer) // 4,
                "user.id": "u-1",
            }
        )
    print(answer)
    provider.shutdown()


if __name__ == "__main__":
    main()
