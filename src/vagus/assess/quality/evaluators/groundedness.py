"""Groundedness: does each sentence of an answer stand in the documents it was given.

A logistic regression over words, word vectors, figures and names (see `features`); it knows no
logic and is blind to a single subtle change. docs/models/groundedness.md says how good it is.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

import numpy as np

from vagus.assess.quality.evaluators.base import Example, Verdict
from vagus.assess.quality.evaluators.refusal import find_refusal
from vagus.assess.quality.evidence import Evidence, Reader
from vagus.assess.quality.features import (
    FEATURES,
    Measured,
    gather,
    gather_each,
    measure_answer,
)
from vagus.assess.quality.words import Matrix, word_vectors
from vagus.errors import InternalError

MAX_ANSWER_CHARACTERS = 20_000
MAX_DOCUMENTS = 50
MAX_EVIDENCE_CHARACTERS = 200_000

_SHOWN_SENTENCES = 20
_SHOWN_CHARACTERS = 300
_SHOWN_WORDS = 4


@dataclass(frozen=True, slots=True)
class Weights:
    """The trained coefficients and the threshold below which an answer counts as unsupported."""

    version: str
    threshold: float
    intercept: float
    mean: Matrix
    scale: Matrix
    coefficients: Matrix

    def support(self, features: Matrix) -> list[float]:
        """How likely the documents support what each row of features describes, 0 to 1."""
        logit = ((features - self.mean) / self.scale) @ self.coefficients + self.intercept
        likely: list[float] = (1 / (1 + np.exp(np.clip(logit, -30, 30)))).tolist()
        return likely


def load_weights() -> Weights:
    """The coefficients that ship with the package."""
    file = resources.files("vagus.assess.quality").joinpath("data/groundedness.json")
    told = json.loads(file.read_text())
    if tuple(told["features"]) != FEATURES:
        raise InternalError("the groundedness weights belong to other features; train them again")
    columns = np.array(list(told["features"].values()), dtype=np.float32).T
    return Weights(told["version"], told["threshold"], told["intercept"], *columns)


def bounded(documents: Sequence[str]) -> list[str]:
    """The first documents that say something, as many as fit the bound on their total length."""
    found: list[str] = []
    room = MAX_EVIDENCE_CHARACTERS
    for text in documents[:MAX_DOCUMENTS]:
        if text.strip() and room > 0:
            found.append(text[:room])
            room -= len(text)
    return found


class Groundedness:
    """One verdict, `groundedness`, for an answer that came with documents."""

    name = "groundedness"

    def __init__(self) -> None:
        self._weights = load_weights()
        self._vectors = word_vectors()
        self._reader = Reader(self._vectors)

    @property
    def version(self) -> str:
        """The version of the weights."""
        return self._weights.version

    def evaluate(self, example: Example) -> list[Verdict]:
        """Nothing for an answer without documents, without claims, or that does not answer."""
        answer = example.answer[:MAX_ANSWER_CHARACTERS]
        documents = bounded(example.documents)
        if not documents or find_refusal(answer):
            return []
        evidence = self._reader.read(documents)
        measured = measure_answer(answer, evidence, self._vectors)
        if not measured or not evidence.sentences:
            return []
        return [self._verdict(measured, evidence)]

    def _verdict(self, measured: list[Measured], evidence: Evidence) -> Verdict:
        weights = self._weights
        rows = np.stack([m.features for m in measured])
        (value,) = weights.support(gather(rows)[None])
        supports = weights.support(gather_each(rows))
        passed = value >= weights.threshold
        worst = int(np.argmin(supports))
        sentences = [
            _shown(sentence, support, evidence)
            for sentence, support in zip(measured, supports, strict=True)
        ]
        return Verdict(
            name=self.name,
            value=round(value, 4),
            passed=passed,
            label="grounded" if passed else "unsupported",
            explanation=_explain(measured, worst, passed),
            detail={
                "calibration": "uncalibrated",
                "threshold": weights.threshold,
                "sentences": sentences[:_SHOWN_SENTENCES],
            },
        )


def _shown(measured: Measured, support: float, evidence: Evidence) -> dict[str, Any]:
    return {
        "start": measured.start,
        "end": measured.end,
        "value": round(support, 4),
        "document": evidence.origin[measured.nearest],
        "evidence": evidence.sentences[measured.nearest][:_SHOWN_CHARACTERS],
        "numbers": list(measured.missing_numbers[:_SHOWN_WORDS]),
        "names": list(measured.missing_names[:_SHOWN_WORDS]),
    }


def _explain(measured: list[Measured], worst: int, passed: bool) -> str:
    sentence = measured[worst]
    quoted = sentence.sentence[:_SHOWN_CHARACTERS]
    if passed:
        fact = find_reason(
            next((m for m in measured if m.missing_numbers or m.missing_names), None)
        )
        return f"Supported; the weakest sentence is “{quoted}”. {fact}".rstrip()
    reason = find_reason(sentence, with_words=True) or "No passage says the same."
    return f"Sentence {worst + 1} of {len(measured)} is least supported: “{quoted}”. {reason}"


def find_reason(measured: Measured | None, *, with_words: bool = False) -> str:
    """The plainest thing that speaks against a sentence; '' when nothing stands out."""
    if measured is None:
        return ""
    for noun, missing in (
        ("number", measured.missing_numbers),
        ("name", measured.missing_names),
        ("word", measured.missing_words if with_words else ()),
    ):
        if len(missing) == 1:
            return f"The {noun} “{missing[0]}” is in no document."
        if missing:
            listed = ", ".join(f"“{word}”" for word in missing[:_SHOWN_WORDS])
            return f"The {noun}s {listed} are in no document."
    return ""
