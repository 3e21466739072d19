"""Groundedness: what stands in the documents passes, what does not is named."""

from __future__ import annotations

import json
import time
from importlib import resources

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vagus.assess.quality.evaluators.base import Example, Verdict
from vagus.assess.quality.evaluators.groundedness import Groundedness, load_weights
from vagus.assess.quality.evidence import Reader
from vagus.assess.quality.features import FEATURES, gather, gather_each, measure_answer
from vagus.assess.quality.words import word_vectors

DOCUMENTS = [
    "Refunds are paid within 14 days of receiving the returned item. You need the receipt. "
    "The money goes back to the original payment method.",
    "Orders can be cancelled free of charge within 30 minutes. After that, please use the return "
    "form. Parcels are sent by Nordpost from our warehouse in Lyon.",
]
GOOD = (
    "Refunds are paid within 14 days after we receive the returned item.",
    "The money goes back to your original payment method.",
    "You can cancel an order free of charge within 30 minutes.",
    "Parcels are sent by Nordpost from the Lyon warehouse.",
)
BAD = (
    "Refunds are paid by cheque within 90 days by Mr. Abernathy in Chicago.",
    "Every customer receives a voucher worth 250 dollars for the next holiday.",
    "Cancelling costs 45 euros and needs the signature of a lawyer.",
    "The warehouse in Osaka burned down last summer.",
)
EVALUATOR = Groundedness()


def judge(answer: str, documents: list[str] | None = None) -> Verdict:
    """The one verdict about an answer."""
    (verdict,) = EVALUATOR.evaluate(
        Example(answer=answer, documents=DOCUMENTS if documents is None else documents)
    )
    return verdict


@pytest.mark.parametrize("answer", GOOD)
def test_what_stands_in_the_documents_passes(answer: str) -> None:
    verdict = judge(answer)
    assert (verdict.passed, verdict.label) == (True, "grounded")


@pytest.mark.parametrize("answer", BAD)
def test_what_no_document_says_fails(answer: str) -> None:
    verdict = judge(answer)
    assert (verdict.passed, verdict.label) == (False, "unsupported")


def test_one_invented_sentence_is_found_and_named() -> None:
    answer = f"{GOOD[0]} {BAD[0]}"
    verdict = judge(answer)
    assert verdict.value < judge(GOOD[0]).value
    assert "Sentence 2 of 2" in verdict.explanation
    first, second = verdict.detail["sentences"]
    assert first["value"] > second["value"]
    assert answer[second["start"] : second["end"]] == BAD[0]
    assert second["numbers"] == ["90"]
    assert "Chicago" in second["names"]


def test_the_number_that_is_in_no_document_is_named() -> None:
    assert "“90”" in judge("Refunds are paid within 90 days to cheques and vouchers.").explanation


def test_evidence_points_at_the_document_that_says_it() -> None:
    (sentence,) = judge(GOOD[2]).detail["sentences"]
    assert sentence["document"] == 1
    assert "30 minutes" in sentence["evidence"]


def test_the_threshold_is_said_to_be_uncalibrated() -> None:
    assert judge(GOOD[0]).detail["calibration"] == "uncalibrated"


@pytest.mark.parametrize(
    "example",
    [
        Example(answer=GOOD[0]),
        Example(answer="", documents=DOCUMENTS),
        Example(answer=GOOD[0], documents=["", "  "]),
        Example(answer="Here are the steps:", documents=DOCUMENTS),
        Example(answer="The documents do not mention this.", documents=DOCUMENTS),
        Example(answer="I'm sorry, I cannot help with that.", documents=DOCUMENTS),
    ],
)
def test_nothing_is_judged_where_nothing_can_be(example: Example) -> None:
    assert EVALUATOR.evaluate(example) == []


def test_the_order_of_documents_does_not_matter() -> None:
    answer = " ".join(GOOD)
    assert judge(answer).value == pytest.approx(judge(answer, DOCUMENTS[::-1]).value, abs=1e-3)


def test_preparing_documents_once_or_again_gives_the_same() -> None:
    assert Groundedness().evaluate(Example(answer=BAD[0], documents=DOCUMENTS)) == [judge(BAD[0])]


def test_the_reader_keeps_a_bounded_number_of_documents() -> None:
    reader = Reader(word_vectors())
    for number in range(400):
        reader.read([f"Document number {number} says little."])
    assert len(reader._kept) <= 256


def test_words_of_like_meaning_lie_near() -> None:
    vectors = word_vectors().of(["king", "queen", "carburettor", ""])
    assert np.linalg.norm(vectors, axis=1) == pytest.approx([1, 1, 1, 0], abs=1e-2)
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2] + 0.2


def test_the_shipped_weights_name_their_features_and_data() -> None:
    weights = load_weights()
    file = resources.files("vagus.assess.quality").joinpath("data/groundedness.json")
    told = json.loads(file.read_text())
    assert len(weights.coefficients) == len(FEATURES) == 49
    assert set(told["trained_on"]) == {"factcheckgpt", "begin", "wice"}
    assert 0 < weights.threshold < 1


@given(st.text(max_size=300), st.lists(st.text(max_size=300), max_size=3))
@settings(max_examples=200, deadline=None)
def test_any_text_gives_finite_features(answer: str, documents: list[str]) -> None:
    for verdict in EVALUATOR.evaluate(Example(answer=answer, documents=documents)):
        assert 0 <= verdict.value <= 1
        for sentence in verdict.detail["sentences"]:
            assert 0 <= sentence["start"] < sentence["end"] <= len(answer)


@pytest.mark.parametrize("unit", ["a ", "1,", "no. ", "“", "某", "x" * 1000, "word\n", "A. "])
def test_long_hostile_text_is_bounded(unit: str) -> None:
    text = unit * (2_000_000 // len(unit))
    started_s = time.process_time()
    EVALUATOR.evaluate(Example(answer=text, documents=[text] * 100))
    assert time.process_time() - started_s < 5


def test_features_of_one_sentence_repeat_in_mean_and_worst() -> None:
    vectors = word_vectors()
    evidence = Reader(vectors).read(DOCUMENTS)
    (measured,) = measure_answer(GOOD[0], evidence, vectors)
    gathered = dict(zip(FEATURES, gather(measured.features[None]), strict=True))
    assert (
        gathered["mean coverage"] == gathered["worst coverage"] == gathered["second worst coverage"]
    )


def test_sentences_alone_are_answers_of_one_sentence() -> None:
    vectors = word_vectors()
    evidence = Reader(vectors).read(DOCUMENTS)
    rows = np.stack([m.features for m in measure_answer(" ".join(GOOD), evidence, vectors)])
    assert np.array_equal(gather_each(rows), np.stack([gather(row[None]) for row in rows]))


def test_worst_is_the_highest_for_flaws_and_the_lowest_for_merits() -> None:
    vectors = word_vectors()
    evidence = Reader(vectors).read(DOCUMENTS)
    measured = measure_answer(f"{GOOD[0]} {BAD[0]}", evidence, vectors)
    gathered = dict(zip(FEATURES, gather(np.stack([m.features for m in measured])), strict=True))
    assert gathered["worst coverage"] < gathered["mean coverage"]
    assert gathered["worst new_names_share"] > gathered["mean new_names_share"]
