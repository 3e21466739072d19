"""Documents prepared for comparison with an answer: what a passage says, word by word."""

from __future__ import annotations

from collections import Counter, OrderedDict
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from vagus.assess.quality.language import (
    NEGATIONS,
    content_words,
    numbers_of,
    plain_sentence,
    split_sentences,
    stem,
    words_of,
)
from vagus.assess.quality.words import DIMENSIONS, Matrix, WordVectors

MAX_DOCUMENT_CHARACTERS = 40_000
MAX_SENTENCES = 400
_CACHED_DOCUMENTS = 256
_CACHED_SETS = 16
# About 50 bytes are kept for each character.
_CACHED_CHARACTERS = 400_000
_CONTENT_WORDS = 5_000


@dataclass(frozen=True, slots=True)
class Passage:
    """One document, read once: its sentences, stems, word runs, numbers and vectors."""

    sentences: list[str]
    stems: list[frozenset[str]]
    grams: frozenset[tuple[str, ...]]
    numbers: list[frozenset[str]]
    negated: list[bool]
    words: frozenset[str]
    content: list[str]
    vectors: Matrix
    characters: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """All documents of one answer, side by side."""

    sentences: list[str]
    origin: list[int]
    stems: list[frozenset[str]]
    all_stems: frozenset[str]
    grams: frozenset[tuple[str, ...]]
    numbers: list[frozenset[str]]
    all_numbers: frozenset[str]
    negated: list[bool]
    words: frozenset[str]
    content: list[str]
    vectors: Matrix
    rarity: dict[str, float]


class Reader:
    """Prepares documents; the last ones are kept, since a retriever gives the same ones again."""

    def __init__(self, vectors: WordVectors) -> None:
        self._vectors = vectors
        self._kept: OrderedDict[str, Passage] = OrderedDict()
        self._kept_characters = 0
        self._joined: OrderedDict[tuple[str, ...], Evidence] = OrderedDict()

    def read(self, documents: list[str]) -> Evidence:
        """The evidence in the documents, in their order."""
        key = tuple(text[:MAX_DOCUMENT_CHARACTERS] for text in documents)
        evidence = self._joined.pop(key, None)
        if evidence is None:
            evidence = _joined([self._passage(text) for text in key])
        self._joined[key] = evidence
        if len(self._joined) > _CACHED_SETS:
            self._joined.popitem(last=False)
        return evidence

    def _passage(self, text: str) -> Passage:
        passage = self._kept.pop(text, None)
        if passage is None:
            passage = _prepare(text, self._vectors)
            self._kept_characters += passage.characters
        self._kept[text] = passage
        while len(self._kept) > _CACHED_DOCUMENTS or (
            self._kept_characters > _CACHED_CHARACTERS and len(self._kept) > 1
        ):
            _, gone = self._kept.popitem(last=False)
            self._kept_characters -= gone.characters
        return passage


def sentence_vector(words: list[str], vectors: WordVectors) -> Matrix:
    """The mean of the word vectors, of length 1."""
    if not words:
        return np.zeros(DIMENSIONS, dtype=np.float32)
    pooled: Matrix = vectors.of(words).mean(axis=0)
    length = float(np.linalg.norm(pooled))
    return (pooled / length).astype(np.float32) if length else pooled


def word_runs(words: list[str]) -> list[tuple[str, ...]]:
    """Every two and every three words in a row."""
    return [*pairwise(words), *zip(words, words[1:], words[2:], strict=False)]


def _prepare(text: str, vectors: WordVectors) -> Passage:
    sentences, stems, numbers, negated = [], [], [], []
    grams: set[tuple[str, ...]] = set()
    every: set[str] = set()
    rows = []
    for raw in split_sentences(text, MAX_SENTENCES):
        sentence = plain_sentence(raw)
        words = [word.lower() for word in words_of(sentence)]
        if not words:
            continue
        sentences.append(sentence)
        stems.append(frozenset(stem(word) for word in content_words(words)))
        numbers.append(frozenset(numbers_of(sentence, words)))
        negated.append(not NEGATIONS.isdisjoint(words))
        grams.update(word_runs(words))
        every.update(words)
        rows.append(sentence_vector(words, vectors))
    matrix = np.stack(rows) if rows else np.zeros((0, DIMENSIONS), dtype=np.float32)
    content = content_words(sorted(every))
    return Passage(
        sentences, stems, frozenset(grams), numbers, negated, frozenset(every), content, matrix,
        len(text),
    )  # fmt: skip


def _joined(passages: list[Passage]) -> Evidence:
    stems = [stem_set for passage in passages for stem_set in passage.stems]
    found_in = Counter(word for stem_set in stems for word in stem_set)
    rarity = {word: float(np.log1p(len(stems) / n)) for word, n in found_in.items()}
    return Evidence(
        sentences=[sentence for passage in passages for sentence in passage.sentences],
        origin=[place for place, passage in enumerate(passages) for _ in passage.sentences],
        stems=stems,
        all_stems=frozenset(found_in),
        grams=frozenset().union(*(passage.grams for passage in passages)),
        numbers=[number_set for passage in passages for number_set in passage.numbers],
        all_numbers=frozenset().union(*(n for passage in passages for n in passage.numbers)),
        negated=[is_negated for passage in passages for is_negated in passage.negated],
        words=frozenset().union(*(passage.words for passage in passages)),
        content=list(dict.fromkeys(w for passage in passages for w in passage.content))[
            :_CONTENT_WORDS
        ],
        vectors=np.concatenate([passage.vectors for passage in passages])
        if passages
        else np.zeros((0, DIMENSIONS), dtype=np.float32),
        rarity=rarity,
    )
