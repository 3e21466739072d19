"""MLflow's tracing decorators, exported by OTLP."""

import contextlib

import mlflow
from mlflow.entities import SpanType

USED = {"input_tokens": 1000, "output_tokens": 200, "total_tokens": 1200}


@mlflow.trace(span_type=SpanType.RETRIEVER)
def search(question):
    return [{"page_content": "Paris: sunny", "metadata": {"doc_uri": "d1"}, "id": "d1"}]


@mlflow.trace(span_type=SpanType.CHAT_MODEL)
def chat(messages):
    span = mlflow.get_current_active_span()
    span.set_attributes(
        {
            "mlflow.llm.model": "gpt-4o-mini",
            "mlflow.llm.provider": "openai",
            "mlflow.chat.tokenUsage": USED | {"cache_read_input_tokens": 400},
        }
    )
    return {"choices": [{"message": {"role": "assistant", "content": "Paris is sunny."}}]}


@mlflow.trace(span_type=SpanType.TOOL)
def weather(city):
    raise ValueError("no such city")


@mlflow.trace(span_type=SpanType.AGENT)
def answer(question):
    search(question)
    chat([{"role": "system", "content": "Be brief."}, {"role": "user", "content": question}])
    with contextlib.suppress(ValueError):
        weather("Paris")
    return "Paris is sunny."


answer("Weather in Paris?")
mlflow.flush_trace_async_logging()
