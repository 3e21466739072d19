"""Forty-nine numbers that say how well documents carry an answer: words, vectors, figures, names.

Twenty-five are measured on each sentence of the answer; their means, their worst values and, for
eight of them, the second worst describe the whole answer, whatever its length.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from vagus.assess.quality.evidence import Evidence, sentence_vector, word_runs
from vagus.assess.quality.language import (
    HEDGES,
    NEGATIONS,
    content_words,
    figures_of,
    names_of,
    numbers_of,
    plain_sentence,
    sentence_spans,
    stem,
    words_of,
)
from vagus.assess.quality.words import Matrix, WordVectors

SENTENCE_FEATURES = (
    "coverage",
    "coverage_rare",
    "coverage_best",
    "coverage_top3",
    "bigrams",
    "trigrams",
    "verbatim",
    "cosine_best",
    "cosine_second",
    "cosine_top3",
    "aligned_mean",
    "aligned_min",
    "aligned_worst3",
    "aligned_low",
    "new_numbers",
    "new_numbers_share",
    "far_numbers",
    "new_names",
    "new_names_share",
    "negation_differs",
    "hedges",
    "words_log",
    "content_share",
    "evidence_words_log",
    "numbers",
)
# A high value of these speaks against the answer, a low value of all others does.
_FLAWS = frozenset(
    {"new_numbers", "new_numbers_share", "far_numbers", "new_names", "new_names_share",
     "negation_differs", "hedges", "words_log"}
)  # fmt: skip
_WORST = (*SENTENCE_FEATURES[:14], "new_numbers_share", "new_names_share")
_SECOND = ("coverage", "coverage_best", "coverage_top3", "trigrams", "cosine_best",
           "aligned_mean", "aligned_worst3", "new_names_share")  # fmt: skip
FEATURES = (
    *(f"mean {name}" for name in SENTENCE_FEATURES),
    *(f"worst {name}" for name in _WORST),
    *(f"second worst {name}" for name in _SECOND),
)
MAX_ANSWER_SENTENCES = 80

_PLACES = {name: place for place, name in enumerate(SENTENCE_FEATURES)}
_SIGNS = np.array([-1.0 if name in _FLAWS else 1.0 for name in SENTENCE_FEATURES])
_WORST_PLACES = [_PLACES[name] for name in _WORST]
_SECOND_PLACES = [_PLACES[name] for name in _SECOND]


@dataclass(frozen=True, slots=True)
class Measured:
    """One sentence of the answer, its features and what in the documents is nearest."""

    sentence: str
    features: Matrix
    nearest: int
    missing_words: tuple[str, ...]
    missing_numbers: tuple[str, ...]
    missing_names: tuple[str, ...]
    start: int = 0
    end: int = 0


def measure_answer(answer: str, evidence: Evidence, vectors: WordVectors) -> list[Measured]:
    """The features of every sentence of the answer that says something."""
    found = []
    known = vectors.of(evidence.content)
    for start, end in sentence_spans(answer, MAX_ANSWER_SENTENCES):
        sentence = plain_sentence(answer[start:end].strip())
        spoken = words_of(sentence)
        words = [word.lower() for word in spoken]
        content = content_words(words)
        if content and not _is_lead_in(sentence, content):
            measured = _measure(sentence, spoken, content, evidence, vectors, known)
            found.append(replace(measured, start=start, end=end))
    return found


def _is_lead_in(sentence: str, content: list[str]) -> bool:
    """A heading or an announcement (`Here are the steps:`) claims nothing itself."""
    return sentence.endswith((":", "：")) and len(content) <= 12


def gather(sentences: Matrix) -> Matrix:
    """The features of a whole answer out of those of its sentences, one a row."""
    # Ascending after the sign: the first row is the worst, the second the second worst.
    ordered = np.sort(sentences * _SIGNS, axis=0)
    second = ordered[min(1, len(ordered) - 1)] * _SIGNS
    worst = ordered[0] * _SIGNS
    parts = [sentences.mean(axis=0), worst[_WORST_PLACES], second[_SECOND_PLACES]]
    return np.concatenate(parts).astype(np.float32)


def gather_each(sentences: Matrix) -> Matrix:
    """The features of every sentence taken as an answer of its own, one a row."""
    return np.concatenate(
        [sentences, sentences[:, _WORST_PLACES], sentences[:, _SECOND_PLACES]], axis=1
    )


def _measure(
    sentence: str,
    spoken: list[str],
    content: list[str],
    evidence: Evidence,
    vectors: WordVectors,
    known: Matrix,
) -> Measured:
    words = [word.lower() for word in spoken]
    stems = {stem(word) for word in content}
    shared = np.array([len(stems & other) for other in evidence.stems], dtype=np.float32)
    cosines = evidence.vectors @ sentence_vector(words, vectors)
    nearest = _nearest(shared / np.float32(len(stems)), cosines)
    figures = figures_of(sentence)
    numbers = numbers_of(sentence, words)
    new_numbers = sorted(figures.keys() - evidence.all_numbers)
    names = names_of(spoken)
    new_names = [name for name in names if not _is_known(name, evidence)]
    near_numbers = frozenset().union(*(evidence.numbers[place] for place in nearest))
    far_numbers = numbers - near_numbers
    values = [
        *_coverage(stems, evidence, nearest, shared),
        *_runs(words, evidence),
        *_best(cosines),
        *_aligned(content, evidence, vectors, known),
        float(len(new_numbers)),
        len(new_numbers) / max(1, len(figures)),
        len(far_numbers) / max(1, len(numbers)),
        float(min(5, len(new_names))),
        len(new_names) / max(1, len(names)),
        float(_negates(words) != (bool(nearest) and evidence.negated[nearest[0]])),
        sum(word in HEDGES for word in words) / len(words),
        float(np.log1p(len(words))),
        len(content) / len(words),
        float(np.log1p(len(evidence.content))),
        float(min(5, len(figures))),
    ]
    return Measured(
        sentence,
        np.array(values, dtype=np.float32),
        nearest[0] if nearest else -1,
        tuple(dict.fromkeys(w for w in content if stem(w) not in evidence.all_stems)),
        tuple(figures[number] for number in new_numbers),
        tuple(dict.fromkeys(new_names)),
    )


def _nearest(shared: Matrix, cosines: Matrix) -> list[int]:
    """The three sentences of the documents that share most words and meaning."""
    return [int(place) for place in np.argsort(-(shared + 0.5 * cosines))[:3]]


def _coverage(
    stems: set[str], evidence: Evidence, nearest: list[int], shared: Matrix
) -> list[float]:
    unseen = max(evidence.rarity.values(), default=1.0)
    weights = {word: evidence.rarity.get(word, unseen) for word in stems}
    known = stems & evidence.all_stems
    top3 = frozenset().union(*(evidence.stems[place] for place in nearest))
    return [
        len(known) / len(stems),
        sum(weights[word] for word in known) / sum(weights.values()),
        float(shared.max(initial=0.0)) / len(stems),
        len(stems & top3) / len(stems),
    ]


def _runs(words: list[str], evidence: Evidence) -> list[float]:
    """Shares of word pairs and triples found in the documents, and the longest verbatim run."""
    runs = word_runs(words)
    pairs = [run in evidence.grams for run in runs if len(run) == 2]
    triples = [run in evidence.grams for run in runs if len(run) == 3]
    longest = length = 0
    for is_found in triples:
        length = length + 1 if is_found else 0
        longest = max(longest, length)
    verbatim = (longest + 2) / len(words) if longest else 0.0
    return [
        sum(pairs) / max(1, len(pairs)),
        sum(triples) / max(1, len(triples)),
        verbatim,
    ]


def _best(cosines: Matrix) -> list[float]:
    top = sorted(cosines.tolist(), reverse=True)[:3]
    return [top[0], top[min(1, len(top) - 1)], sum(top) / len(top)] if top else [0.0, 0.0, 0.0]


def _aligned(
    content: list[str], evidence: Evidence, vectors: WordVectors, known: Matrix
) -> list[float]:
    """How near each word of the sentence comes to its nearest word in the documents."""
    if not evidence.content:
        return [0.0, 0.0, 0.0, 0.0]
    distinct = list(dict.fromkeys(content))
    nearness = (vectors.of(distinct) @ known.T).max(axis=1)
    for place, word in enumerate(distinct):
        if stem(word) in evidence.all_stems:
            nearness[place] = 1.0
    ordered = sorted(nearness.tolist())
    low = ordered[: max(1, len(ordered) // 5)]
    worst = ordered[:3]
    return [
        sum(ordered) / len(ordered),
        ordered[0],
        sum(worst) / len(worst),
        sum(low) / len(low),
    ]


def _is_known(name: str, evidence: Evidence) -> bool:
    lowered = name.lower()
    return lowered in evidence.words or stem(lowered) in evidence.all_stems


def _negates(words: list[str]) -> bool:
    return not NEGATIONS.isdisjoint(words)
