"""Langfuse's own decorators and observations, with scores on the trace and on a span."""

import contextlib

from langfuse import get_client, observe, propagate_attributes

langfuse = get_client()
assert langfuse.auth_check()
ASKED = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Weather in Paris?"},
]


@observe(as_type="tool")
def weather(city):
    raise ValueError("no such city")


@observe()
def answer(question):
    with langfuse.start_as_current_observation(
        as_type="retriever", name="search", input=question
    ) as found:
        found.update(output=[{"id": "d1", "text": "Paris: sunny", "score": 0.8}])
    with langfuse.start_as_current_observation(
        as_type="generation",
        name="chat",
        model="gpt-4o-mini",
        input=ASKED,
        model_parameters={"temperature": 0},
    ) as call:
        call.update(
            output={"role": "assistant", "content": "Paris is sunny."},
            usage_details={"input": 600, "output": 200, "cache_read_input_tokens": 400},
        )
        langfuse.score_current_span(name="tone", value="polite", data_type="CATEGORICAL")
    with contextlib.suppress(ValueError):
        weather("Paris")
    langfuse.score_current_trace(name="helpful", value=1.0, comment="nice")
    return "Paris is sunny."


with propagate_attributes(user_id="u1", session_id="s1", tags=["t1"], metadata={"tenant": "acme"}):
    answer("Weather in Paris?")
langfuse.flush()
langfuse.shutdown()
