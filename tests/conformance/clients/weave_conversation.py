"""Weave's conversations: a turn with a call of a model and a tool, sent by OTLP."""

import contextlib

import weave

client = weave.init("acme/guide")
USED = weave.Usage(input_tokens=1000, output_tokens=200, cache_read_input_tokens=400)
with (
    weave.start_conversation(agent_name="guide", conversation_id="s1") as conversation,
    conversation.start_turn(user_message="Weather in Paris?") as turn,
):
    with turn.start_llm(model="gpt-4o-mini", provider_name="openai") as call:
        call.record(
            input_messages=[weave.Message(role="user", content="Weather in Paris?")],
            usage=USED,
            response_id="r-1",
        )
        call.output("Paris is sunny.")
    with (
        contextlib.suppress(ValueError),
        turn.start_tool(name="weather", arguments='{"city":"Paris"}'),
    ):
        raise ValueError("no such city")
client.finish()
