"""What a fault may touch: the demand before it happens, the knobs, the judges and the telemetry."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from bench.diagnosis.demand import Demand, Requests
from bench.diagnosis.dice import Dice
from bench.diagnosis.judges import Judging
from bench.diagnosis.knobs import Knobs, Words
from bench.diagnosis.organisation import (
    FEATURES,
    HOSTS_PER_SERVICE,
    MODELS,
    REGIONS,
    Organisation,
)

#: A scope must carry at least this share of what the fault can touch, to be worth an alarm.
_LEAST_SHARE = 0.12


@dataclass(slots=True)
class Telemetry:
    """What is lost or bent on the way: one value for each request, and infrastructure series."""

    p_lost_trace: np.ndarray
    p_lost_child: np.ndarray
    is_root_only: np.ndarray
    has_version: np.ndarray
    infra: dict[str, np.ndarray] = field(default_factory=dict)


@dataclass(slots=True)
class Told:
    """A change that a person or a pipeline reports by itself."""

    at_s: float
    kind: str
    title: str
    scope: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Scene:
    """One scenario while it is being made; `strength` is how far a fault has come, by request."""

    dice: Dice
    org: Organisation
    words: Words
    demand: Demand
    onset_s: float
    lasting_s: float = float("inf")
    is_gradual: bool = False
    requests: Requests | None = None
    knobs: Knobs | None = None
    judging: Judging | None = None
    telemetry: Telemetry | None = None
    strength: np.ndarray = field(default_factory=lambda: np.zeros(0))
    scope: dict[str, str] = field(default_factory=dict)
    told: list[Told] = field(default_factory=list)
    topics: list[str] = field(default_factory=list)

    @property
    def k(self) -> Knobs:
        """The knobs, once there are requests."""
        if self.knobs is None:
            raise RuntimeError("the scene has no requests yet")
        return self.knobs

    @property
    def r(self) -> Requests:
        """The requests, once they are drawn."""
        if self.requests is None:
            raise RuntimeError("the scene has no requests yet")
        return self.requests

    def ramp(self, at_s: np.ndarray, over_s: float | None = None) -> np.ndarray:
        """0 before the onset, then 1, at once or linearly, and 0 again if it ends by itself."""
        since = at_s - self.onset_s
        if over_s is None:
            return ((since >= 0) & (since < self.lasting_s)).astype(float)
        return np.clip(since / over_s, 0, 1) * (since < self.lasting_s)

    def minute_ramp(self, over_s: float | None = None) -> np.ndarray:
        """The same for each minute of the scenario."""
        return self.ramp(self.demand.start_s + 60.0 * np.arange(self.demand.minutes) + 1, over_s)

    def values(self, dimension: str) -> np.ndarray:
        """A dimension as text, one for each request."""
        r, k = self.r, self.k
        if dimension == "model":
            return np.array([m.name for m in MODELS])[k.model]
        if dimension == "provider":
            return np.array([m.provider for m in MODELS])[k.model]
        lists = {
            "feature": ([f.name for f in FEATURES], r.feature),
            "service": ([f.service for f in FEATURES], r.feature),
            "tenant": (self.org.tenants, r.tenant),
            "region": (list(REGIONS), r.region),
            "host": (self.hosts, r.host),
        }
        names, codes = lists[dimension]
        return np.array(names)[codes]

    @property
    def hosts(self) -> list[str]:
        """The names of all hosts."""
        return [f"{s}-{n}" for s in self.org.services for n in range(HOSTS_PER_SERVICE)]

    def limit(self, dimensions: tuple[str, ...], among: np.ndarray | None = None) -> None:
        """Draw which dimension bounds the fault ('' for none), and to which value."""
        dimension = self.dice.pick(dimensions)
        eligible = np.ones(len(self.r), bool) if among is None else among
        if not dimension:
            self.strength = self.strength * eligible
            return
        values = self.values(dimension)
        names, counts = np.unique(values[eligible & (self.r.extra < 0)], return_counts=True)
        share = counts / counts.sum()
        weights = np.where(share >= min(_LEAST_SHARE, share.max()), share, 0.0)
        chosen = str(self.dice.pick(list(names), list(weights)))
        self.scope[dimension] = chosen
        self.strength = self.strength * ((values == chosen) & eligible)

    def drawn(self, dimension: str, name: str) -> None:
        """Bound the fault to this value."""
        self.scope[dimension] = name
        self.strength = self.strength * (self.values(dimension) == name)

    def features(self, holds: Callable[[object], bool]) -> np.ndarray:
        """Whether each request belongs to a feature for which something holds."""
        return np.array([bool(holds(f)) for f in FEATURES])[self.r.feature]

    def toward(self, knob: str, value: np.ndarray | float) -> None:
        """Move a knob towards a value, as far as the fault has come."""
        was = getattr(self.k, knob)
        setattr(self.k, knob, was + self.strength * (np.asarray(value) - was))

    def times(self, knob: str, factor: float) -> None:
        """Multiply a knob, as far as the fault has come."""
        was = getattr(self.k, knob)
        setattr(self.k, knob, was * factor**self.strength)

    def shift_logit(self, knob: str, by: float) -> None:
        """Move a probability on the logit scale."""
        p = np.clip(getattr(self.k, knob), 1e-6, 1 - 1e-6)
        setattr(self.k, knob, 1 / (1 + np.exp(-(np.log(p / (1 - p)) + by * self.strength))))

    def struck(self) -> np.ndarray:
        """For knobs that are one thing or another: which requests the fault has reached."""
        return self.dice.rng.random(len(self.r)) < self.strength

    def put(self, knob: str, code: int, rows: np.ndarray | None = None) -> None:
        """Set a knob that is a code."""
        column = getattr(self.k, knob)
        column[self.struck() if rows is None else rows] = code

    def put_all(self, knob: str, values: np.ndarray) -> None:
        """Set a knob that is a whole number where the fault has reached."""
        column = getattr(self.k, knob)
        reached = self.struck()
        column[reached] = np.asarray(values)[reached].astype(column.dtype)
