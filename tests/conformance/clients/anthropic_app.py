"""Calls of the Anthropic client; the instrumentation to use is named by the environment."""

import contextlib
import importlib
import os

import anthropic
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(provider)
module, _, name = os.environ["INSTRUMENTOR"].partition(":")
getattr(importlib.import_module(module), name)().instrument(tracer_provider=provider)

client = anthropic.Anthropic(max_retries=0)
ASKED = {
    "max_tokens": 300,
    "system": "Be brief.",
    "messages": [{"role": "user", "content": "Weather in Paris?"}],
}
MODEL = "claude-sonnet-4-20250514"
with provider.get_tracer("assistant").start_as_current_span("answer"):
    client.messages.create(model=MODEL, **ASKED)
    for _ in client.messages.create(model=MODEL, stream=True, **ASKED):
        pass
    with contextlib.suppress(anthropic.NotFoundError):
        client.messages.create(model="missing", **ASKED)
provider.shutdown()
