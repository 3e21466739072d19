"""When what happens: the history, the harmless changes, and the silent regression."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from vagus.demo.feature import (
    CHANGED_PROMPT,
    DEPLOYED_SERVICE,
    FEATURES,
    HELP_INDEX,
    PRODUCT_INDEX,
    PROMPT_VERSION_BEFORE,
    VERSION_BEFORE,
    VERSIONS,
    Feature,
)
from vagus.demo.knowledge import (
    STALE_DAYS,
    Article,
    Index,
    articles,
    fresh_passages,
    products,
    stale_passages,
)

_MINUTE_MS = 60_000
_DAY_S = 86_400
#: Questions about what changed lately are asked more often, as everywhere.
_RECENT_WEIGHT = 2.5
_USERS = 420
_SESSION_MS = 30 * _MINUTE_MS


@dataclass(frozen=True, slots=True)
class Plan:
    """The times of the story, in epoch ms; `per_minute` is the mean number of requests."""

    now_ms: int
    history_hours: float = 6.0
    per_minute: float = 11.5
    onset_minutes: float = 40.0
    deploy_minutes: float = 145.0
    prompt_minutes: float = 190.0

    @property
    def start_ms(self) -> int:
        """When the history begins."""
        return self.now_ms - int(self.history_hours * 60 * _MINUTE_MS)

    @property
    def onset_ms(self) -> int:
        """When the stale index takes over."""
        return self.now_ms - int(self.onset_minutes * _MINUTE_MS)

    @property
    def deploy_ms(self) -> int:
        """When the harmless deploy happens."""
        return self.now_ms - int(self.deploy_minutes * _MINUTE_MS)

    @property
    def prompt_ms(self) -> int:
        """When the harmless prompt change happens."""
        return self.now_ms - int(self.prompt_minutes * _MINUTE_MS)


@dataclass(frozen=True, slots=True)
class Visit:
    """One request of one user, before the application has done anything."""

    number: int
    at_ms: int
    feature: Feature
    env: str
    region: str
    user: str
    session: str
    version: str
    prompt_version: str
    article: Article
    question: str


class Story:
    """The requests in the order of their times, the same ones for the same seed."""

    def __init__(self, plan: Plan, seed: int) -> None:
        self.plan = plan
        self._seed = seed
        self._arrivals = random.Random(f"{seed} arrivals")  # noqa: S311 - a story, no secret
        self._number = 0
        now_s = plan.now_ms // 1000
        built = _date(now_s - _DAY_S)
        stale = _date(now_s - STALE_DAYS * _DAY_S)
        self._fresh = Index(HELP_INDEX, built, fresh_passages(articles(), now_s))
        self._stale = Index(HELP_INDEX, stale, stale_passages(articles(), now_s))
        self._products = Index(PRODUCT_INDEX, built, fresh_passages(products(), now_s))

    def index_of(self, visit: Visit) -> Index:
        """The build of the index that answers this request."""
        if visit.feature.index != HELP_INDEX:
            return self._products
        return self._stale if visit.at_ms >= self.plan.onset_ms else self._fresh

    @property
    def fresh_version(self) -> str:
        """The version of the build that is as it should be."""
        return self._fresh.version

    def ids_of(self, visit: Visit) -> random.Random:
        """The randomness of one request's ids; the time of the run keeps two runs apart."""
        return random.Random(f"{self._seed} {visit.number} {visit.at_ms} ids")  # noqa: S311 - ids

    def rng_of(self, visit: Visit) -> random.Random:
        """The randomness of one request, its own so that no request depends on another."""
        return random.Random(f"{self._seed} {visit.number}")  # noqa: S311 - the same

    def visits(self, from_ms: int) -> Iterator[Visit]:
        """Requests from this time on, without end."""
        at_ms = float(from_ms)
        while True:
            # Poisson arrivals at the day's busiest rate, thinned to the rate of the hour.
            at_ms += self._arrivals.expovariate(self.plan.per_minute * 1.25 / _MINUTE_MS)
            if self._arrivals.random() * 1.25 <= busyness(int(at_ms)):
                yield self._visit(int(at_ms))

    def _visit(self, at_ms: int) -> Visit:
        self._number += 1
        rng = random.Random(f"{self._seed} visit {self._number}")  # noqa: S311 - the same
        feature = rng.choices(FEATURES, [item.share for item in FEATURES])[0]
        known = products() if feature.index == PRODUCT_INDEX else articles()
        weights = [_RECENT_WEIGHT if item.differs_when_stale else 1.0 for item in known]
        article = rng.choices(known, weights)[0]
        user = f"u-{int(_USERS * rng.random() ** 1.8):04d}"
        return Visit(
            number=self._number,
            at_ms=at_ms,
            feature=feature,
            env="staging" if rng.random() < 0.12 else "production",
            region=rng.choice(("eu-central-1", "eu-west-1")),
            user=user,
            session=f"s-{user[2:]}-{at_ms // _SESSION_MS % 100_000:05d}",
            version=self._version(feature.service, at_ms),
            prompt_version=self._prompt_version(feature, at_ms),
            article=article,
            question=rng.choice(article.questions),
        )

    def _version(self, service: str, at_ms: int) -> str:
        is_before = service == DEPLOYED_SERVICE and at_ms < self.plan.deploy_ms
        return VERSION_BEFORE if is_before else VERSIONS[service]

    def _prompt_version(self, feature: Feature, at_ms: int) -> str:
        is_before = feature.prompt == CHANGED_PROMPT and at_ms < self.plan.prompt_ms
        return PROMPT_VERSION_BEFORE if is_before else feature.prompt_version


def busyness(at_ms: int) -> float:
    """How busy the hour is against the mean of the day: quiet at night, busy in the evening."""
    hour = at_ms / 3_600_000 % 24
    return 1.0 + 0.25 * math.sin((hour - 9.0) / 24 * 2 * math.pi)


def _date(at_s: int) -> str:
    return datetime.fromtimestamp(at_s, UTC).date().isoformat()
