"""Evaluators, people and offline runs: a sample of the answers, judged with their own errors."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from bench.diagnosis import steps as s
from bench.diagnosis.app import Outcome
from bench.diagnosis.demand import Requests
from bench.diagnosis.knobs import Knobs, Words
from bench.diagnosis.organisation import FEATURES, LANGUAGES

#: Answers that are judged in an hour, at most; the rest is left out by chance.
_JUDGED_PER_HOUR = {5: 240, 50: 600, 500: 1500}
_FEEDBACK_SHARE = 0.04
_HUMAN_SHARE = 0.06
#: Share of verdicts that a judge gets right, of good and of bad answers.
_RIGHT_ON_GOOD, _RIGHT_ON_BAD = 0.97, 0.93
_GOLDEN_ITEMS, _ANCHOR_ITEMS = 60, 80


@dataclass(slots=True)
class Judging:
    """How the evaluators work; one value for each minute, turned by faults of measurement."""

    version: np.ndarray
    harshness: np.ndarray
    golden_pass: np.ndarray
    golden_version: np.ndarray
    sampled: np.ndarray
    judge_failed: np.ndarray
    evaluator: str = "judge"


@dataclass(slots=True)
class Scores:
    """Verdicts as columns; `request` is -1 for items of an offline run."""

    request: np.ndarray
    at_s: np.ndarray
    name: np.ndarray
    value: np.ndarray
    label: np.ndarray
    passed: np.ndarray
    source: np.ndarray
    evaluator: np.ndarray
    evaluator_version: np.ndarray
    dataset: np.ndarray

    def __len__(self) -> int:
        return len(self.request)


@dataclass(slots=True)
class _Book:
    """Verdicts as they are written down."""

    parts: list[dict[str, np.ndarray]] = field(default_factory=list)

    def add(self, n: int, **columns: object) -> None:
        """Some verdicts of one kind."""
        if n:
            self.parts.append(
                {name: np.broadcast_to(np.asarray(v), (n,)) for name, v in columns.items()}
            )

    def close(self) -> Scores:
        names = Scores.__slots__
        whole = {name: np.concatenate([p[name] for p in self.parts]) for name in names}
        order = np.argsort(whole["at_s"], kind="stable")
        return Scores(**{name: column[order] for name, column in whole.items()})


def draw_judging(minutes: int, words: Words) -> Judging:
    """Judges that do not change."""
    return Judging(
        version=np.full(minutes, words.code("2026-09")),
        harshness=np.zeros(minutes),
        golden_pass=np.full(minutes, 0.9),
        golden_version=np.full(minutes, words.code("golden-7")),
        sampled=np.ones(minutes),
        judge_failed=np.full(minutes, 0.004),
    )


def judge(
    requests: Requests,
    knobs: Knobs,
    outcome: Outcome,
    judging: Judging,
    topics: list[str],
    words: Words,
    start_s: int,
    rpm: float,
    rng: np.random.Generator,
) -> Scores:
    """The verdicts about a scenario: sampled answers, users' feedback, people, offline runs."""
    minute = ((requests.at_s - start_s) // 60).astype(int)
    answered = outcome.failure == s.OK
    hourly = min((cap for cap in _JUDGED_PER_HOUR.items()), key=lambda c: abs(c[0] - rpm))[1]
    share = min(1.0, hourly / (rpm * 60)) * judging.sampled[minute]
    rows = np.flatnonzero(answered & (rng.random(len(requests)) < share))
    book = _Book()
    has_sources = np.array([f.has_retrieval for f in FEATURES])[requests.feature]
    is_json = np.array([f.is_json for f in FEATURES])[requests.feature]
    bad = _bad_answers(requests, knobs, outcome, rng)
    common = {"judging": judging, "minute": minute, "at_s": requests.at_s, "words": words,
              "rng": rng, "book": book}  # fmt: skip
    grounding = rows[has_sources[rows] & ~outcome.is_empty[rows]]
    _verdicts("groundedness", grounding, bad["ungrounded"], True, **common)
    _verdicts("refusal", rows, bad["refused"], False, **common)
    _verdicts("format", rows[is_json[rows]], bad["format"], False, **common)
    _verdicts("prompt_injection", rows, bad["injected"], False, **common)
    _verdicts("pii_leak", rows, bad["pii"], False, **common)
    _verdicts("toxicity", rows, bad["toxic"], False, **common)
    for name, codes, names in (
        ("language", requests.language, list(LANGUAGES)),
        ("topic", requests.topic, topics),
    ):
        _labels(name, rows, words.codes(names)[codes[rows]], requests.at_s, words, book)
    unhappy = np.any([bad[k] for k in ("ungrounded", "refused", "format", "toxic")], axis=0)
    _people(unhappy | ~answered, requests.at_s, rows, words, book, rng)
    _offline(judging, start_s, words, book, rng)
    return book.close()


def _bad_answers(
    requests: Requests, knobs: Knobs, outcome: Outcome, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """What is truly wrong with each answer, from the knobs and from what went before."""
    n = len(requests)
    p = np.clip(knobs.p_grounded, 1e-4, 1 - 1e-4)
    logit = np.log(p / (1 - p))
    weak = np.where(np.isnan(outcome.top_score), 0.0, np.maximum(0, 0.62 - outcome.top_score))
    logit = logit - 6 * weak - 1.6 * outcome.conflict - 3.5 * outcome.lost_share
    logit = logit - 0.5 * outcome.tool_failed - 0.6 * np.maximum(0, knobs.temperature - 0.5)
    grounded = rng.random(n) < 1 / (1 + np.exp(-logit))
    p_format = np.clip(knobs.p_bad_format + 0.08 * (knobs.temperature > 0.8), 0, 1)
    is_json = np.array([f.is_json for f in FEATURES])[requests.feature]
    return {
        "ungrounded": ~grounded,
        "refused": outcome.is_refused,
        "format": is_json
        & (
            (rng.random(n) < p_format)
            | outcome.is_cut
            | (outcome.is_refused & (rng.random(n) < 0.3))
        ),
        "injected": rng.random(n) < knobs.p_injected,
        "pii": rng.random(n) < knobs.p_pii,
        "toxic": rng.random(n) < knobs.p_toxic,
    }


def _verdicts(
    name: str,
    rows: np.ndarray,
    is_bad: np.ndarray,
    is_judged_by_model: bool,
    *,
    judging: Judging,
    minute: np.ndarray,
    at_s: np.ndarray,
    words: Words,
    rng: np.random.Generator,
    book: _Book,
) -> None:
    """One evaluator over a sample; a model as judge errs, and may change."""
    if is_judged_by_model:
        rows = rows[rng.random(len(rows)) >= judging.judge_failed[minute[rows]]]
    n, when, bad = len(rows), minute[rows], is_bad[rows]
    right = np.where(bad, _RIGHT_ON_BAD, _RIGHT_ON_GOOD) if is_judged_by_model else 0.998
    harsh = judging.harshness[when] if is_judged_by_model else np.zeros(n)
    says_bad = np.where(rng.random(n) < right, bad, ~bad)
    says_bad = says_bad | (rng.random(n) < np.maximum(harsh, 0))
    says_bad = says_bad & ~(rng.random(n) < np.maximum(-harsh, 0))
    value = np.clip(
        np.where(says_bad, rng.beta(2, 4, n), rng.beta(9, 1.2, n)) - 0.3 * np.maximum(harsh, 0),
        0,
        1,
    )
    passes, fails = words.codes(["pass", "fail"])
    book.add(
        n, request=rows, at_s=at_s[rows] + rng.exponential(20, n) + 5, name=words.code(name),
        value=np.round(value, 4) if is_judged_by_model else np.where(says_bad, 0.0, 1.0),
        label=np.where(says_bad, fails, passes), passed=(~says_bad).astype(int),
        source=words.code("external"), dataset=0,
        evaluator=words.code(judging.evaluator if is_judged_by_model else f"{name}-rules"),
        evaluator_version=judging.version[when] if is_judged_by_model else words.code("3"),
    )  # fmt: skip


def _labels(
    name: str, rows: np.ndarray, labels: np.ndarray, at_s: np.ndarray, words: Words, book: _Book
) -> None:
    book.add(
        len(rows), request=rows, at_s=at_s[rows] + 4.0, name=words.code(name), value=np.nan,
        label=labels, passed=-1, source=words.code("external"), dataset=0,
        evaluator=words.code(f"{name}-detector"), evaluator_version=words.code("3"),
    )  # fmt: skip


def _people(
    unhappy: np.ndarray,
    at_s: np.ndarray,
    judged: np.ndarray,
    words: Words,
    book: _Book,
    rng: np.random.Generator,
) -> None:
    """Thumbs of users, mostly of unhappy ones, and a few answers that people looked at."""
    n = len(at_s)
    said = np.flatnonzero(rng.random(n) < np.where(unhappy, 2.0, 1.0) * _FEEDBACK_SHARE)
    negative = rng.random(len(said)) < np.where(unhappy[said], 0.75, 0.1)
    looked = judged[rng.random(len(judged)) < _HUMAN_SHARE]
    wrong = np.where(rng.random(len(looked)) < 0.97, unhappy[looked], ~unhappy[looked])
    passes, fails = words.codes(["pass", "fail"])
    for rows, bad, name, source, delay_s in (
        (said, negative, "feedback", "user", 40.0),
        (looked, wrong, "review", "human", 600.0),
    ):
        book.add(
            len(rows), request=rows, at_s=at_s[rows] + rng.exponential(delay_s, len(rows)),
            name=words.code(name), value=np.where(bad, 0.0, 1.0),
            label=np.where(bad, fails, passes), passed=(~bad).astype(int),
            source=words.code(source), dataset=0, evaluator=words.code(source),
            evaluator_version=0,
        )  # fmt: skip


def _offline(
    judging: Judging, start_s: int, words: Words, book: _Book, rng: np.random.Generator
) -> None:
    """Every half hour the golden set is run, and the judge looks at its frozen anchors."""
    passes, fails = words.codes(["pass", "fail"])
    for minute in range(7, len(judging.version), 30):
        harsh = judging.harshness[minute]
        anchored = np.clip(0.85 - harsh, 0.02, 0.99)
        for items, chance, name, dataset in (
            (_GOLDEN_ITEMS, judging.golden_pass[minute] - 0.5 * max(harsh, 0), "correctness",
             judging.golden_version[minute]),
            (_ANCHOR_ITEMS, anchored, "groundedness", words.code("anchors")),
        ):  # fmt: skip
            good = rng.random(items) < chance
            book.add(
                items, request=-1 - np.arange(items),
                at_s=start_s + 60.0 * minute + np.arange(items),
                name=words.code(name), value=np.where(good, 0.95, 0.2),
                label=np.where(good, passes, fails), passed=good.astype(int),
                source=words.code("external"), dataset=dataset,
                evaluator=words.code(judging.evaluator),
                evaluator_version=judging.version[minute],
            )  # fmt: skip
