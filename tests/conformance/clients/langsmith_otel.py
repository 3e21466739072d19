"""LangSmith's decorator in its OpenTelemetry mode."""

import contextlib

from langsmith import Client, traceable
from opentelemetry import trace

client = Client()
USED = {
    "input_tokens": 1000,
    "output_tokens": 200,
    "total_tokens": 1200,
    "input_token_details": {"cache_read": 400},
}


@traceable(
    run_type="llm",
    metadata={"ls_provider": "openai", "ls_model_name": "gpt-4o-mini", "session_id": "s1"},
)
def chat(messages):
    return {"role": "assistant", "content": "Paris is sunny.", "usage_metadata": USED}


@traceable(run_type="tool")
def weather(city):
    raise ValueError("no such city")


@traceable(run_type="chain", tags=["t1"], metadata={"session_id": "s1", "user_id": "u1"})
def answer(question):
    chat([{"role": "system", "content": "Be brief."}, {"role": "user", "content": question}])
    with contextlib.suppress(ValueError):
        weather("Paris")
    return "Paris is sunny."


answer("Weather in Paris?", langsmith_extra={"client": client})
client.flush()
trace.get_tracer_provider().force_flush()
