"""What the shop knows: articles, the two builds of their index, and a small real search."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

import yaml

#: How old the stale build of the help centre's index is, in days.
STALE_DAYS = 74
_DAY_S = 86_400
_WORD = re.compile(r"[a-z0-9]+")
_COMMON_WORDS = """
a about an and are at be by can do does for from get have how i if in is it long me much my of on
or our show that the there this to we what when where which who why with you your
"""
_COMMON = frozenset(_COMMON_WORDS.split())


@dataclass(frozen=True, slots=True)
class Article:
    """One article: today's text, what it said before, and the questions it answers.

    `was` is '' when the text never changed; `since_days` is set when the article is newer than
    the stale build, which therefore does not have it.
    """

    id: str
    topic: str
    text: str
    was: str
    age_days: int
    since_days: int | None
    questions: tuple[str, ...]

    @property
    def differs_when_stale(self) -> bool:
        """Whether the stale build lacks what the article says today."""
        return bool(self.was) or self.since_days is not None


@dataclass(frozen=True, slots=True)
class Passage:
    """What an index holds of one article."""

    id: str
    topic: str
    text: str
    updated_s: int


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that was found, with its score between 0 and 1."""

    passage: Passage
    score: float


class Index:
    """One build of an index, searched by the cosine of weighted words."""

    def __init__(self, name: str, version: str, passages: Sequence[Passage]) -> None:
        self.name = name
        self.version = version
        self._passages = tuple(passages)
        self._found: dict[str, tuple[Hit, ...]] = {}
        words = [Counter(words_of(passage.text)) for passage in passages]
        seen = Counter(word for counts in words for word in counts)
        self._rarity = {word: math.log(1 + len(words) / n) for word, n in seen.items()}
        self._vectors = [self._vector(counts) for counts in words]

    def search(self, question: str, limit: int = 5) -> tuple[Hit, ...]:
        """The best passages for a question, best first."""
        if question not in self._found:
            asked = self._vector(Counter(words_of(question)))
            scored = [
                (sum(weight * vector.get(word, 0.0) for word, weight in asked.items()), n)
                for n, vector in enumerate(self._vectors)
            ]
            best = sorted(scored, key=lambda pair: (-pair[0], pair[1]))[:8]
            # The scores of dense embeddings are crowded towards the top; these are spread alike.
            self._found[question] = tuple(
                Hit(self._passages[n], round(0.35 + 0.6 * math.sqrt(score), 4)) for score, n in best
            )
        return self._found[question][:limit]

    def _vector(self, counts: Counter[str]) -> dict[str, float]:
        weights = {w: n * self._rarity.get(w, 0.0) for w, n in counts.items()}
        length = math.sqrt(sum(weight**2 for weight in weights.values())) or 1.0
        return {word: weight / length for word, weight in weights.items()}


def words_of(text: str) -> list[str]:
    """The telling words of a text, cut to stems of five letters."""
    return [word[:5] for word in _WORD.findall(text.lower()) if word not in _COMMON]


@cache
def articles() -> tuple[Article, ...]:
    """The help centre."""
    return _load("articles.yaml")


@cache
def products() -> tuple[Article, ...]:
    """The product catalogue."""
    return _load("products.yaml")


def fresh_passages(known: Sequence[Article], now_s: int) -> list[Passage]:
    """The passages of a build made now; the question travels with its answer, as a title would."""
    return [Passage(a.id, a.topic, _page(a, a.text), now_s - a.age_days * _DAY_S) for a in known]


def stale_passages(known: Sequence[Article], now_s: int) -> list[Passage]:
    """The passages of the old build: former texts, and nothing that was written since."""
    return [
        Passage(
            a.id,
            a.topic,
            _page(a, a.was or a.text),
            now_s - (a.age_days if not a.was else STALE_DAYS + 12 * (a.age_days % 17)) * _DAY_S,
        )
        for a in known
        if a.since_days is None
    ]


def _page(article: Article, text: str) -> str:
    # A former text had a former title, and questions of today do not name it.
    return text if text == article.was else f"{article.questions[0]} {text}"


def _load(name: str) -> tuple[Article, ...]:
    rows = yaml.safe_load(resources.files("vagus.demo").joinpath(name).read_text("utf-8"))
    return tuple(
        Article(
            id=row["id"],
            topic=row["topic"],
            text=row["text"],
            was=row.get("was", ""),
            age_days=row["days"],
            since_days=row.get("since"),
            questions=tuple(row["ask"]),
        )
        for row in rows
    )
