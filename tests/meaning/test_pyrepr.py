"""Python's repr as data, and nothing evaluated."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vagus.meaning.parts import loads
from vagus.meaning.pyrepr import MAX_CHARACTERS, read_repr

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner,
        max_size=4),
    max_leaves=15,
).filter(lambda value: isinstance(value, (list, dict)))  # fmt: skip


@given(PLAIN)
@settings(max_examples=300, deadline=None)
def test_a_repr_comes_back_as_what_it_was(value: Any) -> None:
    assert read_repr(repr(value)) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{'cache_read': 3}", {"cache_read": 3}),
        ("[('a', 1), ('b',)]", [["a", 1], ["b"]]),
        ("{'a': \"it's\", 'b': b'x\\x41', 'c': nan}", {"a": "it's", "b": "xA", "c": None}),
        ("[HumanMessage(content='hi')]", None),
        ("[__import__('os').system('true')]", None),
        ("{'a': 1", None),
        ("hello", None),
        ("{'a': datetime.datetime(2026, 1, 1)}", None),
    ],
)
def test_only_plain_values_are_read(text: str, value: Any) -> None:
    assert read_repr(text) == value


def test_hostile_texts_are_bounded_in_time() -> None:
    started = time.perf_counter()
    deep = "['" + "(" * 200_000
    assert loads(deep) == deep
    quotes = "['" + "\\'" * 400_000
    assert loads(quotes) == quotes
    large = "['" + "a" * MAX_CHARACTERS + "']"
    assert loads(large) == large
    assert time.perf_counter() - started < 5
