"""PydanticAI and Logfire: lists of events or messages in one attribute, payloads of the client."""

from __future__ import annotations

from vagus.meaning.content import Event, Message
from vagus.meaning.conversation.otel import choice_events, listed_events, spoken_events
from vagus.meaning.conversation.source import Said, Source


def _asked(said: Said) -> list[Message]:
    return spoken_events(listed_events(said.attributes.get("events")))


def _answered(said: Said) -> list[Message]:
    return choice_events(listed_events(said.attributes.get("events")))


def _run_asked(said: Said) -> list[Message]:
    return spoken_events(_run(said)[0])


def _run_answered(said: Said) -> list[Message]:
    closing = _run(said)[1]
    return spoken_events(closing) or choice_events(closing)


def _run(said: Said) -> tuple[list[Event], list[Event]]:
    events = listed_events(said.attributes.get("all_messages_events"))
    cut = len(events)
    while cut and events[cut - 1].name in ("gen_ai.assistant.message", "gen_ai.choice"):
        cut -= 1
    return events[:cut], events[cut:]


#: A model call: all its messages as events in one attribute, the answer as a choice.
ASKED = Source(_asked, ("events",))
ANSWERED = Source(_answered, ("events",))

#: The run of an agent: the closing events of the assistant are its answer.
RUN_ASKED = Source(_run_asked, ("all_messages_events",))
RUN_ANSWERED = Source(_run_answered, ("all_messages_events",))
