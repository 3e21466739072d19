"""Sentences, stems, numbers and names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vagus.assess.quality.language import (
    figures_of,
    names_of,
    numbers_of,
    sentence_spans,
    split_sentences,
    stem,
    words_of,
)


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("One. Two! Three?", ["One.", "Two!", "Three?"]),
        ("Ask Dr. Who about it. Then go.", ["Ask Dr. Who about it.", "Then go."]),
        ("It costs 3.50 dollars. Fine.", ["It costs 3.50 dollars.", "Fine."]),
        ("- first\n- second", ["- first", "- second"]),
        ("他来了。我走了。", ["他来了", "我走了"]),
        ("", []),
    ],
)
def test_sentences_end_where_a_reader_would_end_them(text: str, sentences: list[str]) -> None:
    assert split_sentences(text, 10) == sentences


@pytest.mark.parametrize(
    "words",
    [
        ("refund", "refunds", "refunded", "refunding"),
        ("policy", "policies"),
        ("ship", "ships", "shipped", "shipping"),
    ],
)
def test_forms_of_a_word_share_a_stem(words: tuple[str, ...]) -> None:
    assert len({stem(word) for word in words}) == 1


def test_numbers_are_compared_by_value() -> None:
    assert figures_of("It costs 1,000.50 or 1000.5, not 007.").keys() == {"1000.5", "7"}
    sentence = "It takes two days"
    assert numbers_of(sentence, sentence.lower().split()) == {"2"}


def test_names_are_capitalised_words_inside_a_sentence() -> None:
    assert names_of(words_of("The parcel goes by Nordpost to Lyon.")) == ["Nordpost", "Lyon"]


@given(st.text(max_size=400), st.integers(min_value=1, max_value=20))
def test_spans_lie_in_order_inside_the_text(text: str, limit: int) -> None:
    spans = sentence_spans(text, limit)
    assert len(spans) <= limit
    places = [place for span in spans for place in span]
    assert places == sorted(places)
    assert all(0 <= start < end <= len(text) for start, end in spans)
