"""What surrounded an episode: how calls failed, whether retries helped, what was new, what held."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from vagus.measures.catalogue import Catalogue
from vagus.measures.filter import Filter, Values, render
from vagus.measures.scope import Scope, make_scope, query_body
from vagus.measures.slice import Point, Request, slice_measure
from vagus.model.episode import Episode
from vagus.store.engine import Engine

_MINUTE_MS = 60_000
_SHORTEST_MIN = 5
_LONGEST_MIN = 6 * 60
_REFERENCE_MIN = 60
#: A failure that an API hands out by itself, and that goes when the API is well again.
API_CLASSES = frozenset(("rate_limit", "timeout", "server_error", "connection"))
#: Where a fault of somebody else's machinery sits.
PLACES = ("provider", "region", "model")
#: What somebody of one's own, or a provider silently, puts in place of something else.
VERSIONS = (
    "service_version", "prompt_version", "index_version", "tool_set", "system_fingerprint",
    "request_model", "model",
)  # fmt: skip
_MODEL_CALLS = "kind:llm,embedding,rerank"
#: A version is new when it had less than this share before, and has more than that now.
_WAS_RARE, _IS_THERE = 0.02, 0.15
_FEWEST = 20


@dataclass(frozen=True, slots=True)
class Failures:
    """Failed and all attempts before and after the onset, and the failed ones by error class."""

    before: float = 0.0
    after: float = 0.0
    n_before: float = 0.0
    n_after: float = 0.0
    classes_before: Mapping[str, float] = field(default_factory=dict)
    classes_after: Mapping[str, float] = field(default_factory=dict)

    @property
    def excess(self) -> Mapping[str, float]:
        """How many more failed after the onset than at the rate before it, by class."""
        if self.n_before <= 0:
            return dict(self.classes_after)
        scale = self.n_after / self.n_before
        known = {*self.classes_before, *self.classes_after}
        return {
            c: self.classes_after.get(c, 0.0) - scale * self.classes_before.get(c, 0.0)
            for c in known
        }


@dataclass(frozen=True, slots=True)
class Place:
    """The value of a dimension that has most of the failures, and its share of all calls."""

    dimension: str
    value: str
    share_of_failures: float
    share_of_calls: float


@dataclass(frozen=True, slots=True)
class Arrival:
    """A version that was not there before the onset and carries part of the traffic since."""

    dimension: str
    value: str
    share: float


@dataclass(frozen=True, slots=True)
class Circumstances:
    """All that the class of an episode rests on; counts of 0 and None are 'unknown'.

    `lasted_min` is the time since the onset, to the end or until now. `queries` are the slices
    behind each part, as bodies of `/api/v1/slice`.
    """

    lasted_min: float
    is_over: bool
    attempts: Failures = field(default_factory=Failures)
    finals: Failures = field(default_factory=Failures)
    retries: float = 0.0
    failed_retries: float = 0.0
    places: tuple[Place, ...] = ()
    arrivals: tuple[Arrival, ...] = ()
    quality_before: Point | None = None
    quality_after: Point | None = None
    queries: Mapping[str, dict[str, object]] = field(default_factory=dict)


def read_circumstances(
    engine: Engine, catalogue: Catalogue, episode: Episode, filter: str, now_ms: int
) -> Circumstances:
    """Look around an episode, from an hour (or its length) before the onset to its end or now."""
    end_ms = now_ms if episode.resolved_ms is None else episode.resolved_ms
    onset_min = episode.onset_ms // _MINUTE_MS
    length_min = max(_SHORTEST_MIN, -(-(end_ms - episode.onset_ms) // _MINUTE_MS))
    seen_min = min(length_min, _LONGEST_MIN)
    before_min = max(seen_min, _REFERENCE_MIN)
    reader = _Reader(
        engine,
        catalogue,
        make_scope(episode.project, catalogue.get(episode.measure), filter, episode.group),
        before_s=(max(0, onset_min - 1 - before_min) * 60, max(60, onset_min - 1) * 60),
        after_s=(onset_min * 60, (onset_min + seen_min) * 60),
    )
    attempts = reader.failures("steps", _MODEL_CALLS)
    retries = reader.counts("steps", f"{_MODEL_CALLS} is_retry:1", "status", after=True)
    return Circumstances(
        lasted_min=(end_ms - episode.onset_ms) / _MINUTE_MS,
        is_over=episode.resolved_ms is not None,
        attempts=attempts,
        finals=reader.failures("requests", ""),
        retries=sum(retries.values()),
        failed_retries=retries.get("error", 0.0),
        places=reader.places() if attempts.after >= _FEWEST else (),
        arrivals=reader.arrivals(),
        quality_before=reader.point("evaluation_pass_rate", after=False),
        quality_after=reader.point("evaluation_pass_rate", after=True),
        queries=reader.queries,
    )


class _Reader:
    """Asks the measures about two stretches of time within one scope."""

    def __init__(
        self,
        engine: Engine,
        catalogue: Catalogue,
        scope: Scope,
        before_s: tuple[int, int],
        after_s: tuple[int, int],
    ) -> None:
        self._engine = engine
        self._catalogue = catalogue
        self._scope = scope
        self._windows = {False: before_s, True: after_s}
        self.queries: dict[str, dict[str, object]] = {}

    def failures(self, measure: str, narrowing: str) -> Failures:
        """All and failed things of a count, by error class, on both sides."""
        found = {}
        for after in (False, True):
            by_class = self.counts(measure, narrowing, "error_class", after=after)
            found[after] = by_class
        failed = {side: {c: n for c, n in v.items() if c} for side, v in found.items()}
        return Failures(
            before=sum(failed[False].values()),
            after=sum(failed[True].values()),
            n_before=sum(found[False].values()),
            n_after=sum(found[True].values()),
            classes_before=failed[False],
            classes_after=failed[True],
        )

    def places(self) -> tuple[Place, ...]:
        """For each kind of place with more than one value, the one that fails most."""
        found = []
        for dimension in PLACES:
            calls = _named(self.counts("steps", _MODEL_CALLS, dimension, after=True))
            failed = _named(
                self.counts("steps", f"{_MODEL_CALLS} status:error", dimension, after=True)
            )
            if len(calls) < 2 or not failed:
                continue
            worst = max(failed, key=lambda value: failed[value])
            share = calls.get(worst, 0.0) / sum(calls.values())
            found.append(Place(dimension, worst, failed[worst] / sum(failed.values()), share))
        return tuple(found)

    def arrivals(self) -> tuple[Arrival, ...]:
        """The versions that came with the onset."""
        found = []
        for dimension in VERSIONS:
            before = _named(self.counts("steps", "", dimension, after=False))
            after = _named(self.counts("steps", "", dimension, after=True))
            n_before, n_after = sum(before.values()), sum(after.values())
            if min(n_before, n_after) < _FEWEST:
                continue
            for value, count in after.items():
                was, share = before.get(value, 0.0) / n_before, count / n_after
                if was < _WAS_RARE and share > _IS_THERE:
                    found.append(Arrival(dimension, value, share))
        return tuple(found)

    def counts(self, measure: str, narrowing: str, by: str, *, after: bool) -> dict[str, float]:
        """A count by the values of one dimension."""
        request = self._request(measure, narrowing, (by,), after=after)
        self.queries[f"{measure} by {by}"] = query_body(request)
        answer = slice_measure(self._engine, self._scope.project, request, self._catalogue)
        return {series.key[0]: series.total.value or 0.0 for series in answer.series}

    def point(self, measure: str, *, after: bool) -> Point | None:
        """One value of a measure, None when there is none."""
        request = self._request(measure, "", (), after=after)
        self.queries[measure] = query_body(request)
        answer = slice_measure(self._engine, self._scope.project, request, self._catalogue)
        point = answer.series[0].total
        return None if point.value is None else point

    def _request(
        self, measure: str, narrowing: str, by: tuple[str, ...], *, after: bool
    ) -> Request:
        narrowed = self._scope.narrowed(self._catalogue.get(measure))
        # Whether something failed is what is asked here: a scope that says so would answer it.
        kept = Filter(tuple(t for t in narrowed.terms if not _is_outcome(t)))
        start_s, end_s = self._windows[after]
        return Request(
            measure,
            start_s,
            end_s,
            by=by,
            filter=" ".join(part for part in (render(kept), narrowing) if part),
        )


def _is_outcome(term: object) -> bool:
    return isinstance(term, Values) and term.dimension in ("error_class", "status")


def _named(counts: Mapping[str, float]) -> dict[str, float]:
    return {value: n for value, n in counts.items() if value}
