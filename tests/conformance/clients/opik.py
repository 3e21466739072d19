"""Opik's decorator with feedback scores."""

import contextlib

import opik
from opik import opik_context, track

USED = {
    "prompt_tokens": 1000,
    "completion_tokens": 200,
    "total_tokens": 1200,
    "prompt_tokens_details": {"cached_tokens": 400},
}


@track(type="tool")
def weather(city):
    raise ValueError("no such city")


@track(type="llm")
def chat(messages):
    opik_context.update_current_span(
        model="gpt-4o-mini",
        provider="openai",
        usage=USED,
        metadata={"temperature": 0},
        feedback_scores=[{"name": "tone", "value": 0.5, "category_name": "polite"}],
    )
    return {"role": "assistant", "content": "Paris is sunny."}


@track(tags=["t1"])
def answer(question):
    opik_context.update_current_trace(
        thread_id="s1",
        metadata={"tenant": "acme"},
        feedback_scores=[{"name": "helpful", "value": 1.0, "reason": "nice"}],
    )
    chat([{"role": "system", "content": "Be brief."}, {"role": "user", "content": question}])
    with contextlib.suppress(ValueError):
        weather("Paris")
    return "Paris is sunny."


answer("Weather in Paris?")
opik.flush_tracker()
