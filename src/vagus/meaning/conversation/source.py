"""A source: one place where a convention may keep messages, and the usual kinds of places."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from vagus.meaning.content import Attributes, Event, Message
from vagus.meaning.parts import loads, read_message
from vagus.meaning.payload import has_messages, read_messages
from vagus.meaning.values import as_text, branch, first


class Said(msgspec.Struct, frozen=True):
    """What a span says: its attributes and its events."""

    attributes: Attributes
    events: Sequence[Event] = ()


class Source(msgspec.Struct, frozen=True):
    """One place to read messages from, and the keys without which nothing can be there.

    A key that ends with a dot stands for all keys below it; such a key has two words.
    """

    read: Callable[[Said], list[Message]]
    needs: tuple[str, ...] = ()
    from_events: bool = False


class Table:
    """Sources in order of trust, asked only where the span has one of their keys.

    `known` holds all the keys that any of them reads.
    """

    def __init__(self, *sources: Source) -> None:
        self._sources = [(frozenset(source.needs), source) for source in sources]
        self.known = frozenset[str]().union(*(needs for needs, _ in self._sources))
        self._heads = tuple(sorted(key for key in self.known if key.endswith(".")))

    def read(self, said: Said) -> list[Message]:
        """The messages of the first source that has any."""
        present: set[str] = set(self.known & said.attributes.keys())
        for key in said.attributes:
            if key.startswith(self._heads):
                first_word, second_word, _ = key.split(".", 2)
                present.add(f"{first_word}.{second_word}.")
        for needs, source in self._sources:
            if not present.isdisjoint(needs) or (source.from_events and said.events):
                found = source.read(said)
                if found:
                    return found
        return []


def keys(role: str, *names: str) -> Source:
    """Attributes that hold the whole of it, in any shape; the first that says something."""

    def read(said: Said) -> list[Message]:
        for name in names:
            value = said.attributes.get(name)
            if value is not None and value != "":
                found = read_messages(value, role)
                if found:
                    return found
        return []

    return Source(read, names)


def talk(role: str, *names: str) -> Source:
    """The same, where the attribute counts only if it holds a conversation."""
    whole = keys(role, *names)

    def read(said: Said) -> list[Message]:
        is_talk = any(has_messages(said.attributes.get(name)) for name in names)
        return whole.read(said) if is_talk else []

    return Source(read, names)


def answer(
    *, text: str, thought: str = "", calls: str = "", value: str = "", files: str = "",
    finish: str = "",
) -> Source:  # fmt: skip
    """An answer whose text, thoughts and calls stand in attributes of their own."""

    def read(said: Said) -> list[Message]:
        held = said.attributes
        spoken = first(held, text, value)
        body: Any = as_text(spoken) if spoken is not None else None
        media = loads(held.get(files))
        if isinstance(media, list):
            body = [*([{"type": "text", "text": body}] if body else []), *media]
        message = {
            "role": "assistant",
            "reasoning": as_text(held.get(thought)),
            "content": body,
            "tool_calls": loads(held.get(calls)),
            "finish_reason": held.get(finish),
        }
        found = read_message(message, "assistant")
        return [found] if found.parts else []

    return Source(read, tuple(key for key in (text, thought, calls, value, files) if key))


def transcript(*names: str) -> tuple[Source, Source]:
    """A whole conversation under one key: all before the closing answer, and the answer."""
    everything = keys("user", *names)

    def whole(said: Said) -> tuple[list[Message], int]:
        found = everything.read(said)
        cut = len(found)
        while cut and found[cut - 1].role == "assistant":
            cut -= 1
        return found, cut

    def asked(said: Said) -> list[Message]:
        found, cut = whole(said)
        return found[:cut]

    def answered(said: Said) -> list[Message]:
        found, cut = whole(said)
        return found[cut:]

    return Source(asked, names), Source(answered, names)


def numbered(attributes: Attributes, prefix: str) -> dict[str, Any]:
    """The flattened keys below a prefix as a tree; {} at once when there are none."""
    start = f"{prefix}."
    if not any(key.startswith(start) for key in attributes):
        return {}
    return branch(attributes, prefix)


def mappings(values: Iterable[Any], key: str) -> Iterator[Mapping[str, Any]]:
    """The objects under one key of each object of a list."""
    for value in values:
        held = value.get(key) if isinstance(value, Mapping) else None
        if isinstance(held, Mapping):
            yield held
