import dataclasses
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vagus.sdk._content import ITEM_LIMIT, json_of, text_of


@dataclasses.dataclass
class Order:
    number: int
    note: str


class Opaque:
    def __repr__(self) -> str:
        raise AssertionError("a repr may run a query; it is never asked for")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("plain", "plain"),
        ({"a": 1}, '{"a": 1}'),
        (Order(7, "x"), '{"number": 7, "note": "x"}'),
        (b"12345", '"<5 bytes>"'),
        (float("nan"), '"nan"'),
        (2**70, f'"{2**70}"'),
        (None, "null"),
    ],
)
def test_values_become_text(value: Any, expected: str) -> None:
    assert text_of(value) == expected


def test_an_unknown_object_is_named_and_not_asked() -> None:
    assert "Opaque" in json_of({"row": Opaque()})


def test_long_content_is_cut_and_says_so() -> None:
    cut = json_of({"text": "a" * 100_000}, 1000)

    assert len(cut) < 1200
    assert "…(+" in json.loads(cut)["text"]


def test_long_lists_are_cut_and_say_so() -> None:
    cut = json.loads(json_of(list(range(5000))))

    assert len(cut) == ITEM_LIMIT + 1
    assert cut[-1] == "…(+4800 items)"


def test_a_structure_that_contains_itself_ends() -> None:
    loop: list[Any] = []
    loop.append(loop)

    assert json.loads(json_of(loop))


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner),
    max_leaves=50,
)


@given(values, st.integers(min_value=10, max_value=5000))
def test_any_value_becomes_bounded_valid_json_that_utf8_can_hold(value: Any, limit: int) -> None:
    rendered = json_of(value, limit)

    json.loads(rendered)
    rendered.encode()
    # Escapes may double a text, and each of the counted items may add a note of its own.
    assert len(rendered) <= 6 * limit + 40 * ITEM_LIMIT


def test_a_lone_surrogate_does_not_fail_the_export() -> None:
    assert text_of("bad \ud800 text").encode() == b"bad ? text"
