"""What the rows of one span say between them."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from vagus.meaning.merge import merge_rows

CREATE = {
    "name": "answer",
    "kind": "llm",
    "status": "unset",
    "start_ns": 10,
    "end_ns": 0,
    "input_tokens": None,
    "attributes": {"input": "hi"},
    "attr_keys": ["input"],
    "attr_kinds": [1],
    "attr_values": ["hi"],
    "event_names": ["new_token"],
    "event_ns": [12],
    "event_attributes": ["{}"],
}
UPDATE = {
    "name": "",
    "kind": "other",
    "status": "ok",
    "start_ns": 0,
    "end_ns": 30,
    "input_tokens": 7,
    "attributes": {"output": "hello"},
    "attr_keys": ["output", "input"],
    "attr_kinds": [1, 1],
    "attr_values": ["hello", "hi!"],
    "event_names": ["new_token"],
    "event_ns": [12],
    "event_attributes": ["{}"],
}


def test_an_update_completes_what_the_create_began() -> None:
    merged = merge_rows([CREATE, UPDATE])
    assert merged["name"] == "answer"
    assert merged["kind"] == "llm"
    assert merged["status"] == "ok"
    assert (merged["start_ns"], merged["end_ns"]) == (10, 30)
    assert merged["input_tokens"] == 7
    assert merged["attributes"] == {"input": "hi", "output": "hello"}
    assert dict(zip(merged["attr_keys"], merged["attr_values"], strict=True)) == {
        "input": "hi!",
        "output": "hello",
    }
    assert merged["event_names"] == ["new_token"]


def test_saying_nothing_takes_nothing_away() -> None:
    silent = {**UPDATE, "status": "unset", "end_ns": 0, "input_tokens": None, "attributes": {}}
    done = merge_rows([CREATE, UPDATE])
    assert merge_rows([done, silent])["end_ns"] == 30
    assert merge_rows([done, silent])["input_tokens"] == 7


_ROWS = st.fixed_dictionaries(
    {
        "name": st.sampled_from(["", "a", "b"]),
        "kind": st.sampled_from(["other", "llm", "tool"]),
        "start_ns": st.integers(0, 5),
        "end_ns": st.integers(0, 5),
        "input_tokens": st.none() | st.integers(0, 3),
        "attributes": st.dictionaries(st.sampled_from("xyz"), st.text(max_size=2)),
    }
)


@given(st.lists(_ROWS, min_size=1, max_size=4))
def test_a_repeat_of_everything_changes_nothing(rows: list[dict[str, Any]]) -> None:
    once = merge_rows(rows)
    assert merge_rows([once, once]) == once
    starts = [row["start_ns"] for row in rows if row["start_ns"]]
    assert once["start_ns"] == min(starts, default=0)
    assert once["end_ns"] == max(row["end_ns"] for row in rows)
