"""Phoenix's own set-up with OpenInference's instrumentation of OpenAI and its decorators."""

import contextlib

import openai
from openinference.instrumentation import using_attributes
from phoenix.otel import register

provider = register(protocol="http/protobuf", batch=True, auto_instrument=True, verbose=False)
tracer = provider.get_tracer("assistant")
client = openai.OpenAI(max_retries=0)
MODEL = "gpt-4o-mini"
WEATHER = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}


@tracer.tool
def weather(city: str) -> str:
    """Look the weather up."""
    raise ValueError("no such city")


@tracer.chain
def answer(question: str) -> str:
    asked = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": question},
    ]
    with tracer.start_as_current_span("search", openinference_span_kind="retriever") as search:
        search.set_input(question)
        search.set_attributes(
            {
                "retrieval.documents.0.document.id": "d1",
                "retrieval.documents.0.document.score": 0.8,
                "retrieval.documents.0.document.content": "Paris: sunny",
            }
        )
    client.chat.completions.create(model=MODEL, messages=asked, tools=[WEATHER], temperature=0)
    with contextlib.suppress(ValueError):
        weather("Paris")
    stream = client.chat.completions.create(
        model=MODEL, messages=asked, stream=True, stream_options={"include_usage": True}
    )
    text = "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)
    client.responses.create(model=MODEL, input=question, instructions="Be brief.")
    client.embeddings.create(model="text-embedding-3-small", input=[question])
    with contextlib.suppress(openai.NotFoundError):
        client.chat.completions.create(model="missing", messages=asked)
    return text


with using_attributes(session_id="s1", user_id="u1", metadata={"tenant": "acme"}, tags=["t1"]):
    answer("Weather in Paris?")
provider.force_flush()
provider.shutdown()
