"""AgentOps with the OpenAI client under its decorators."""

import contextlib

import agentops
import openai
from agentops.sdk.decorators import operation, tool, trace

agentops.init(auto_start_session=False, default_tags=["t1"])
client = openai.OpenAI(max_retries=0)
ASKED = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Weather in Paris?"},
]


@tool(name="weather")
def weather(city):
    raise ValueError("no such city")


@operation
def ask():
    said = client.chat.completions.create(model="gpt-4o-mini", messages=ASKED, temperature=0)
    return said.choices[0].message.content


@trace(name="answer")
def answer(question):
    said = ask()
    with contextlib.suppress(ValueError):
        weather("Paris")
    return said


answer("Weather in Paris?")
