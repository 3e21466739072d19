"""Who asks for what and when: seasons, load that remembers its past, and shifts of the mix."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from bench.diagnosis.organisation import (
    FEATURES,
    HOSTS_PER_SERVICE,
    LANGUAGES,
    TOPICS,
    USERS_PER_TENANT,
    Organisation,
)

_DAY_S = 86_400
DIMENSIONS = ("feature", "tenant", "language", "topic")


@dataclass(slots=True)
class Extra:
    """Traffic on top: a factor of the usual rate for each minute, with dimensions of its own."""

    factor: np.ndarray
    fixed: dict[str, int]
    users: int = 0
    key: int = -1
    session_requests: float = 4.0
    marker: str = ""


@dataclass(slots=True)
class Shift:
    """From some minute on, a growing share of requests draws a dimension from other weights."""

    dimension: str
    ramp: np.ndarray
    weights: np.ndarray


@dataclass(slots=True)
class Demand:
    """What arrives, minute by minute, before anything of the application has happened."""

    start_s: int
    minutes: int
    rpm: float
    season_swing: float
    week_dip: float
    factor: np.ndarray
    extras: list[Extra] = field(default_factory=list)
    shifts: list[Shift] = field(default_factory=list)

    def rates(self) -> np.ndarray:
        """Expected requests of every minute."""
        at_s = self.start_s + 60.0 * np.arange(self.minutes)
        hour = (at_s % _DAY_S) / 3600
        season = 1 + self.season_swing * np.sin((hour - 9.5) / 24 * 2 * np.pi)
        # The epoch was a Thursday.
        weekday = (np.floor(at_s / _DAY_S) + 3) % 7
        return self.rpm * season * np.where(weekday >= 5, 1 - self.week_dip, 1.0) * self.factor


@dataclass(slots=True)
class Requests:
    """Requests as columns; the names end in nothing because all are codes into their lists."""

    at_s: np.ndarray
    feature: np.ndarray
    tenant: np.ndarray
    region: np.ndarray
    language: np.ndarray
    topic: np.ndarray
    user: np.ndarray
    session: np.ndarray
    host: np.ndarray
    key: np.ndarray
    extra: np.ndarray

    def __len__(self) -> int:
        return len(self.at_s)


def autocorrelated(rng: np.random.Generator, n: int, sd: float, memory: float) -> np.ndarray:
    """A stationary AR(1) series with this standard deviation."""
    noise = rng.normal(0, sd * np.sqrt(1 - memory**2), n)
    series = np.empty(n)
    level = rng.normal(0, sd)
    for minute in range(n):
        level = memory * level + noise[minute]
        series[minute] = level
    return series


def draw_demand(rng: np.random.Generator, start_s: int, minutes: int, rpm: float) -> Demand:
    """Load with a day and a week in it, and with a memory of about twenty minutes."""
    return Demand(
        start_s=start_s,
        minutes=minutes,
        rpm=rpm,
        season_swing=float(rng.uniform(0.15, 0.5)),
        week_dip=float(rng.uniform(0.1, 0.4)),
        factor=np.exp(autocorrelated(rng, minutes, 0.08, 0.95)),
    )


def draw_requests(demand: Demand, org: Organisation, rng: np.random.Generator) -> Requests:
    """The requests of a stretch of time, in order of time."""
    rates = demand.rates()
    parts = [_of_stream(demand, org, rng, rates, None, -1)]
    for number, extra in enumerate(demand.extras):
        parts.append(_of_stream(demand, org, rng, rates * extra.factor, extra, number))
    joined = {
        name: np.concatenate([getattr(part, name) for part in parts]) for name in Requests.__slots__
    }
    order = np.argsort(joined["at_s"], kind="stable")
    return Requests(**{name: column[order] for name, column in joined.items()})


def _of_stream(
    demand: Demand,
    org: Organisation,
    rng: np.random.Generator,
    rates: np.ndarray,
    extra: Extra | None,
    number: int,
) -> Requests:
    counts = rng.poisson(rates)
    minute = np.repeat(np.arange(demand.minutes), counts)
    n = len(minute)
    at_s = demand.start_s + 60.0 * minute + 60 * rng.random(n)
    drawn = _dimensions(demand, org, rng, minute)
    for name, code in (extra.fixed if extra else {}).items():
        drawn[name] = np.full(n, code)
    tenant = drawn["tenant"]
    users = extra.users if extra and extra.users else USERS_PER_TENANT
    person = np.floor(users * rng.random(n) ** 2.5).astype(np.int64)
    user = tenant * 10_000 + person + (5_000 if extra and extra.users else 0)
    session = user * 100_000 + (at_s // 2400).astype(np.int64) % 100_000
    services = {name: i for i, name in enumerate(org.services)}
    service = np.array([services[f.service] for f in FEATURES])[drawn["feature"]]
    return Requests(
        at_s=at_s,
        feature=drawn["feature"],
        tenant=tenant,
        region=org.tenant_regions[tenant].astype(np.int64),
        language=drawn["language"],
        topic=drawn["topic"],
        user=user,
        session=session,
        host=service * HOSTS_PER_SERVICE + rng.integers(HOSTS_PER_SERVICE, size=n),
        key=np.full(n, extra.key) if extra and extra.key >= 0 else tenant,
        extra=np.full(n, number),
    )


def _dimensions(
    demand: Demand, org: Organisation, rng: np.random.Generator, minute: np.ndarray
) -> dict[str, np.ndarray]:
    n = len(minute)
    drawn: dict[str, np.ndarray] = {
        "feature": rng.choice(len(org.feature_shares), n, p=org.feature_shares),
        "tenant": rng.choice(len(org.tenant_shares), n, p=org.tenant_shares),
        "topic": rng.choice(len(org.topic_shares), n, p=org.topic_shares),
    }
    shares = np.cumsum(org.language_shares, axis=1)[org.tenant_regions[drawn["tenant"]]]
    drawn["language"] = (rng.random((n, 1)) > shares).sum(axis=1).clip(0, len(LANGUAGES) - 1)
    for shift in demand.shifts:
        moved = rng.random(n) < shift.ramp[minute]
        other = rng.choice(len(shift.weights), n, p=shift.weights / shift.weights.sum())
        drawn[shift.dimension] = np.where(moved, other, drawn[shift.dimension])
    return drawn


def topic_names(extras: list[str]) -> list[str]:
    """The topics, and those that came up on the way."""
    return [*TOPICS, *extras]
