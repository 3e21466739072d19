"""Langfuse's second SDK: everything in batches of JSON."""

from langfuse import Langfuse

langfuse = Langfuse()
trace = langfuse.trace(
    name="answer",
    user_id="u1",
    session_id="s1",
    input="Weather in Paris?",
    tags=["t1"],
    metadata={"tenant": "acme"},
)
search = trace.span(name="search", input="Weather in Paris?")
search.end(output=[{"id": "d1", "text": "Paris: sunny", "score": 0.8}])
call = trace.generation(
    name="chat",
    model="gpt-4o-mini",
    input=[
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Weather in Paris?"},
    ],
    model_parameters={"temperature": 0},
)
call.end(output="Paris is sunny.", usage={"input": 1000, "output": 200, "unit": "TOKENS"})
call.score(name="tone", value="polite")
failed = trace.span(name="weather", input={"city": "Paris"})
failed.end(level="ERROR", status_message="ValueError: no such city")
trace.score(name="helpful", value=1.0, comment="nice")
trace.update(output="Paris is sunny.")
langfuse.flush()
langfuse.shutdown()
