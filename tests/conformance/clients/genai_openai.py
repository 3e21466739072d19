"""OpenTelemetry's own GenAI instrumentation of the OpenAI client."""

import contextlib

import openai
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.genai.openai import OpenAIInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
OpenAIInstrumentor().instrument(tracer_provider=provider)
client = openai.OpenAI(max_retries=0)
MODEL = "gpt-4o-mini"
WEATHER = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
ASKED = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Weather in Paris?"},
]
with provider.get_tracer("assistant").start_as_current_span("answer"):
    client.chat.completions.create(model=MODEL, messages=ASKED, tools=[WEATHER], temperature=0)
    for _ in client.chat.completions.create(
        model=MODEL, messages=ASKED, stream=True, stream_options={"include_usage": True}
    ):
        pass
    client.responses.create(model=MODEL, input="Weather in Paris?", instructions="Be brief.")
    client.embeddings.create(model="text-embedding-3-small", input=["Weather in Paris?"])
    with contextlib.suppress(openai.NotFoundError):
        client.chat.completions.create(model="missing", messages=ASKED)
provider.shutdown()
