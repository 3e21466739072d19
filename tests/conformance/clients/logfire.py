"""Pydantic Logfire with its instrumentation of OpenAI, sent to another collector."""

import contextlib

import logfire
import openai

logfire.configure(service_name="guide", environment="test")
logfire.instrument_openai()
client = openai.OpenAI(max_retries=0)
MODEL = "gpt-4o-mini"
ASKED = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Weather in Paris?"},
]


@logfire.instrument("answer", record_return=True)
def answer(question):
    said = client.chat.completions.create(model=MODEL, messages=ASKED, temperature=0)
    client.embeddings.create(model="text-embedding-3-small", input=[question])
    logfire.info("looked up", city="Paris")
    try:
        with logfire.span("weather"):
            raise ValueError("no such city")
    except ValueError:
        pass
    with contextlib.suppress(openai.NotFoundError):
        client.chat.completions.create(model="missing", messages=ASKED)
    return said.choices[0].message.content


answer("Weather in Paris?")
logfire.force_flush()
logfire.shutdown()
