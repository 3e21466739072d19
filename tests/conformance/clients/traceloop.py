"""Traceloop's SDK: OpenLLMetry's instrumentation of OpenAI under its decorators."""

import contextlib

import openai
from traceloop.sdk import Traceloop
from traceloop.sdk.decorators import task, tool, workflow

Traceloop.init(app_name="guide", disable_batch=True)
client = openai.OpenAI(max_retries=0)
MODEL = "gpt-4o-mini"
WEATHER = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
ASKED = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Weather in Paris?"},
]


@tool(name="weather")
def weather(city):
    raise ValueError("no such city")


@task(name="ask")
def ask():
    client.chat.completions.create(model=MODEL, messages=ASKED, tools=[WEATHER], temperature=0)
    stream = client.chat.completions.create(
        model=MODEL, messages=ASKED, stream=True, stream_options={"include_usage": True}
    )
    return "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)


@workflow(name="answer")
def answer(question):
    Traceloop.set_association_properties({"user_id": "u1", "session_id": "s1", "tenant": "acme"})
    text = ask()
    client.responses.create(model=MODEL, input=question, instructions="Be brief.")
    client.embeddings.create(model="text-embedding-3-small", input=[question])
    with contextlib.suppress(ValueError):
        weather("Paris")
    with contextlib.suppress(openai.NotFoundError):
        client.chat.completions.create(model="missing", messages=ASKED)
    return text


answer("Weather in Paris?")
