"""OpenLIT with the OpenAI client under one of its own spans."""

import contextlib

import openai
import openlit

openlit.init(application_name="guide", environment="test", disable_batch=True)
client = openai.OpenAI(max_retries=0)
MODEL = "gpt-4o-mini"
ASKED = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Weather in Paris?"},
]


@openlit.trace
def answer(question):
    client.chat.completions.create(model=MODEL, messages=ASKED, temperature=0)
    stream = client.chat.completions.create(
        model=MODEL, messages=ASKED, stream=True, stream_options={"include_usage": True}
    )
    text = "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)
    client.embeddings.create(model="text-embedding-3-small", input=[question])
    with contextlib.suppress(openai.NotFoundError):
        client.chat.completions.create(model="missing", messages=ASKED)
    return text


answer("Weather in Paris?")
