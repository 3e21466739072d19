"""Weave's decorator with feedback on the whole call."""

import contextlib

import weave

client = weave.init("acme/guide")
USED = {"prompt_tokens": 1000, "completion_tokens": 200, "total_tokens": 1200}


@weave.op
def chat(messages):
    return {
        "id": "chatcmpl-weave",
        "model": "gpt-4o-mini",
        "usage": USED | {"prompt_tokens_details": {"cached_tokens": 400}},
        "choices": [{"message": {"role": "assistant", "content": "Paris is sunny."}}],
    }


@weave.op
def weather(city):
    raise ValueError("no such city")


@weave.op
def answer(question):
    chat([{"role": "system", "content": "Be brief."}, {"role": "user", "content": question}])
    with contextlib.suppress(ValueError):
        weather("Paris")
    return "Paris is sunny."


with weave.thread("s1"), weave.attributes({"user_id": "u1"}):
    _, call = answer.call("Weather in Paris?")
call.feedback.add_reaction("👍")
call.feedback.add("helpful", {"score": 1.0})
client.finish()
