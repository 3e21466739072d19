"""Laminar over gRPC: its decorator around the OpenAI client."""

import contextlib
import os

import openai
from lmnr import Laminar, observe

port = int(os.environ["LAMINAR_PORT"])
Laminar.initialize(grpc_port=port)
client = openai.OpenAI(max_retries=0)
MODEL = "gpt-4o-mini"
ASKED = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Weather in Paris?"},
]


@observe(span_type="TOOL")
def weather(city):
    raise ValueError("no such city")


@observe(session_id="s1", user_id="u1", tags=["t1"])
def answer(question):
    said = client.chat.completions.create(model=MODEL, messages=ASKED, temperature=0)
    with contextlib.suppress(ValueError):
        weather("Paris")
    with contextlib.suppress(openai.NotFoundError):
        client.chat.completions.create(model="missing", messages=ASKED)
    return said.choices[0].message.content


answer("Weather in Paris?")
Laminar.flush()
Laminar.shutdown()
