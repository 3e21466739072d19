"""The SDK of this repository: a tree of the usual kinds and two scores."""

import contextlib

import vagus

vagus.init("guide")
QUESTION = "Weather in Paris?"
with vagus.context(user="u1", session="s1"), vagus.agent("guide", input=QUESTION) as run:
    with vagus.retrieval(QUESTION, data_source="cities") as search:
        search.documents([{"id": "d1", "score": 0.8, "content": "Paris: sunny"}])
    with vagus.llm("gpt-4o-mini", provider="openai", messages=QUESTION) as call:
        call.output("Paris is sunny.", finish_reason="stop")
        call.usage(input_tokens=1000, output_tokens=200, cache_read_tokens=400)
        call.response(model="gpt-4o-mini-2024-07-18", id="r-1")
        vagus.score("tone", 0.5, label="polite", source="model")
    with contextlib.suppress(ValueError), vagus.tool("weather", arguments={"city": "Paris"}):
        raise ValueError("no such city")
    run.output("Paris is sunny.")
    vagus.score("helpful", passed=True, source="user", explanation="nice")
vagus.shutdown(10)
