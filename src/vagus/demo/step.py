"""One simulated step and its facts, before any convention has given them names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from vagus.demo.knowledge import Hit


@dataclass(frozen=True, slots=True)
class Model:
    """A model with its speed; `answers_as` is the name in its responses."""

    name: str
    answers_as: str
    provider: str
    first_token_ms: float
    token_ms: float
    fingerprint: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """A message; a call asks for a tool, and a response answers the call of that id."""

    role: str
    text: str = ""
    call_id: str = ""
    tool: str = ""
    arguments: str = ""


@dataclass(frozen=True, slots=True)
class Failure:
    """How a step failed."""

    type: str
    message: str
    http_status: int | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """What one call of a model carried; times in ms, tokens as the provider counts them."""

    model: Model
    messages: tuple[Message, ...] = ()
    answer: Message | None = None
    finish_reason: str = "stop"
    response_id: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    first_token_ms: float | None = None
    attempt: int = 1
    tools: str = ""


@dataclass(frozen=True, slots=True)
class Search:
    """What a retrieval or a reranking was asked and gave; `before` is the order it changed."""

    query: str
    index: str
    version: str
    hits: tuple[Hit, ...]
    before: tuple[Hit, ...] = ()


@dataclass(slots=True)
class Step:
    """One step; `start_ms` counts from the start of its request."""

    kind: str
    name: str
    start_ms: float
    duration_ms: float = 0.0
    input: str = ""
    output: str = ""
    call: Call | None = None
    search: Search | None = None
    call_id: str = ""
    failure: Failure | None = None
    children: list[Step] = field(default_factory=list)

    @property
    def end_ms(self) -> float:
        """When the step ended, from the start of its request."""
        return self.start_ms + self.duration_ms

    def walk(self) -> Iterator[Step]:
        """This step and everything below it."""
        yield self
        for child in self.children:
            yield from child.walk()
