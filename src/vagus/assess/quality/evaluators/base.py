"""What an evaluator is: a name, a version, and verdicts about one example."""

from __future__ import annotations

from typing import Any, Protocol

import msgspec

from vagus.meaning.content import Message, Tool


class Example(msgspec.Struct, frozen=True, kw_only=True):
    """One answer with what it was made from; empty fields are not known."""

    question: str = ""
    answer: str = ""
    documents: list[str] = []
    messages: list[Message] = []
    tools: list[Tool] = []
    wants_json: bool = False
    finish_reason: str = ""
    calls_tools: bool = False


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What an evaluator found; `value` lies in [0, 1] and higher is better.

    `detail` is JSON for people who look closer: the sentences, their evidence, the threshold.
    """

    name: str
    value: float
    passed: bool
    label: str
    explanation: str = ""
    detail: dict[str, Any] = {}


class Evaluator(Protocol):
    """A judge of examples; calls come from one thread at a time."""

    @property
    def name(self) -> str:
        """The name under which its verdicts are kept."""
        ...

    @property
    def version(self) -> str:
        """Changes whenever the same example could get another verdict."""
        ...

    def evaluate(self, example: Example) -> list[Verdict]:
        """The verdicts; none when the example holds nothing this evaluator can judge."""
        ...
