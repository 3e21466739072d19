"""A Pydantic AI agent with a tool, instrumented by itself."""

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from pydantic_ai import Agent, InstrumentationSettings

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
Agent.instrument_all(InstrumentationSettings(tracer_provider=provider))
agent = Agent(
    "openai-chat:gpt-4o-mini",
    name="guide",
    instructions="Be brief.",
)


@agent.tool_plain
def weather(city: str) -> str:
    """Look the weather up."""
    return "sunny"


agent.run_sync("Weather in Paris?")
provider.shutdown()
