"""Datadog's LLM Observability: spans of each kind and an evaluation."""

import contextlib

from ddtrace.llmobs import LLMObs
from ddtrace.llmobs.decorators import tool, workflow

LLMObs.enable()


@tool
def weather(city):
    raise ValueError("no such city")


@workflow(session_id="s1")
def answer(question):
    with LLMObs.retrieval(name="search") as found:
        document = {"id": "d1", "score": 0.8, "text": "Paris: sunny", "name": "paris"}
        LLMObs.annotate(found, input_data=question, output_data=[document])
    with LLMObs.llm(model_name="gpt-4o-mini", model_provider="openai", name="chat") as call:
        LLMObs.annotate(
            call,
            input_data=[
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": question},
            ],
            output_data=[{"role": "assistant", "content": "Paris is sunny."}],
            metadata={"temperature": 0},
            metrics={
                "input_tokens": 1000,
                "output_tokens": 200,
                "total_tokens": 1200,
                "cache_read_input_tokens": 400,
            },
            tags={"user_id": "u1"},
        )
        LLMObs.submit_evaluation(
            label="helpful", metric_type="score", value=1.0, span=LLMObs.export_span(call)
        )
    with contextlib.suppress(ValueError):
        weather("Paris")
    LLMObs.annotate(input_data=question, output_data="Paris is sunny.", tags={"user_id": "u1"})
    return "Paris is sunny."


answer("Weather in Paris?")
LLMObs.flush()
LLMObs.disable()
