"""What each indicator did: its level before and after, whether it moved, and when.

A move needs two things: it must not be noise, at a false discovery rate over all indicators, and
it must be big enough to matter. Noise is what the reference shows: where its steps scatter more
than counting explains (users that come in bursts, a day's rhythm), the error grows with them.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import msgspec
import numpy as np
from numpy.typing import NDArray

from vagus.diagnose.indicators import Indicator
from vagus.diagnose.windows import Windows
from vagus.measures.catalogue import Catalogue, Interval, Kind, Measure
from vagus.measures.filter import Filter, Values, parse, render
from vagus.measures.scope import Scope, query_body
from vagus.measures.slice import Point, Request, read_batch
from vagus.measures.value import Sums, evaluate
from vagus.stats.changepoint import ChangePoint, change_point, rate_change_point
from vagus.stats.compare import Moments, benjamini_hochberg, compare_means
from vagus.store.engine import Engine

Z95 = 1.959963984540054
FALSE_DISCOVERY_RATE = 0.005
SINGLE_ERROR_RATE = 0.01
#: Fewer observations on a side than this, and an indicator is unknown and not flat.
_FEWEST = 20
AMOUNTS = (Kind.COUNT, Kind.SUM)
_LEAST_QUANTILE = 0.1
#: Lengths of blocks, in steps, whose scatter is compared with what counting explains.
_BLOCKS = (1, 4, 12)
#: An amount within this of what its trend leads to has not moved.
_USUAL_TREND = 0.15


class Moved(enum.StrEnum):
    """What an indicator did."""

    UP = "up"
    DOWN = "down"
    FLAT = "flat"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Observation:
    """One indicator over both windows; times in epoch seconds.

    `score` is the change in standard errors, the excess scatter of the reference counted in.
    `points` are the steps over both windows and the gap between them.
    """

    indicator: Indicator
    measure: Measure
    before: Point
    after: Point
    points: tuple[Point, ...]
    score: float
    moved: Moved
    query: dict[str, object]
    #: It moved, as it does at this time on other days: so it is called flat.
    is_usual: bool = False
    #: The place within which it was looked at, in words; '' is all that was asked about.
    place: str = ""

    @property
    def relative(self) -> float:
        """The change as a share of the level before; infinite from 0."""
        if self.before.value is None or self.after.value is None:
            return 0.0
        change = abs(self.after.value - self.before.value)
        if change == 0:
            return 0.0
        return change / abs(self.before.value) if self.before.value else math.inf

    def n_is(self, other: Observation) -> bool:
        """Whether both are about the same observations."""
        return (self.before.n, self.after.n) == (other.before.n, other.after.n)

    @property
    def p_value(self) -> float:
        """The chance of such a score in noise."""
        return math.erfc(abs(self.score) / math.sqrt(2))


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read of one indicator: its sums by step, from which any windows can be judged."""

    indicator: Indicator
    measure: Measure
    filter: Filter
    sums: Mapping[int, Sums]


def read_indicators(
    engine: Engine,
    scope: Scope,
    indicators: Sequence[Indicator],
    catalogue: Catalogue,
    windows: Windows,
) -> list[Reading]:
    """The sums of the indicators by step, over both windows and the gap between them."""
    asked = [_question(scope, indicator, catalogue) for indicator in indicators]
    found = read_batch(engine, scope.project, asked, windows.aligned_s, windows.step_s)
    return [
        Reading(indicator, measure, parsed, sums)
        for indicator, (measure, parsed), sums in zip(indicators, asked, found, strict=True)
    ]


def observe(readings: Sequence[Reading], windows: Windows) -> list[Observation]:
    """Compare the windows; `moved` is still undecided where it is not unknown."""
    return [_observation(reading, windows) for reading in readings]


def _question(scope: Scope, indicator: Indicator, catalogue: Catalogue) -> tuple[Measure, Filter]:
    measure = catalogue.get(indicator.measure)
    terms = (*scope.narrowed(_of_kind(measure, indicator)).terms, *parse(indicator.filter).terms)
    return measure, Filter(tuple(dict.fromkeys(terms)))


def _query(measure: Measure, parsed: Filter, windows: Windows) -> dict[str, object]:
    span_s = windows.span_s
    return query_body(Request(measure.id, *span_s, filter=render(parsed), step_s=windows.step_s))


def decide(observations: Sequence[Observation]) -> dict[str, Observation]:
    """Say of all indicators together which moved, at one false discovery rate; by indicator id."""
    known = [o for o in observations if o.moved is not Moved.UNKNOWN]
    q_values = benjamini_hochberg([o.p_value for o in known])
    decided = {o.indicator.id: o for o in observations}
    for observation, q_value in zip(known, q_values, strict=True):
        moved = Moved.FLAT
        if q_value < FALSE_DISCOVERY_RATE and is_material(observation):
            moved = Moved.UP if observation.score > 0 else Moved.DOWN
        decided[observation.indicator.id] = replace(observation, moved=moved)
    return decided


def decide_alone(observation: Observation) -> Observation:
    """Whether the diagnosed measure moved: asked once, because a monitor has already fired."""
    if observation.moved is Moved.UNKNOWN:
        return observation
    moved = Moved.FLAT
    if observation.p_value < SINGLE_ERROR_RATE and is_material(observation):
        moved = Moved.UP if observation.score > 0 else Moved.DOWN
    return replace(observation, moved=moved)


def is_material(observation: Observation) -> bool:
    """Whether a change is big enough to matter to anyone."""
    before, after = observation.before.value or 0.0, observation.after.value or 0.0
    change = abs(after - before)
    if observation.measure.kind in AMOUNTS:
        return observation.relative >= 0.3
    if observation.measure.unit == "share":
        # The rarer side of a share is what is counted: 99 to 98 % is twice as many failures.
        rarer = min(before, 1 - before)
        return change >= 0.02 or (change >= 0.003 and change >= 0.3 * rarer)
    if observation.measure.unit == "score":
        return change >= 0.015
    # Providers are a little slower or faster from hour to hour.
    least = _LEAST_QUANTILE if observation.measure.kind is Kind.QUANTILE else 0.05
    return observation.relative >= least


def find_change(observation: Observation) -> ChangePoint | None:
    """Where an indicator changed level, as an index into its points; None when not clear."""
    points = observation.points
    measure = observation.measure
    is_counted = measure.kind is Kind.RATIO and measure.interval is Interval.AUTO
    if is_counted and "weight_squares" not in measure.sums:
        hits = [p.numerator or 0.0 for p in points]
        found = rate_change_point(hits, [p.denominator or 0.0 for p in points])
    else:
        found = _mean_change(points)
    return found if found is not None and found.is_clear(len(points)) else None


def _mean_change(points: Sequence[Point]) -> ChangePoint | None:
    values = [math.nan if p.value is None else p.value for p in points]
    return change_point(values, [max(p.n, 1.0) if p.value is not None else 0.0 for p in points])


def _of_kind(measure: Measure, indicator: Indicator) -> Measure:
    """The measure as the indicator narrows it, so that the scope knows which kinds it is about."""
    kinds = [
        term.values
        for term in parse(indicator.filter).terms
        if isinstance(term, Values) and term.dimension == "kind"
    ]
    if not kinds:
        return measure
    return msgspec.structs.replace(measure, where={**measure.where, "kind": list(kinds[0])})


def _observation(reading: Reading, windows: Windows) -> Observation:
    measure, found = reading.measure, reading.sums
    start_s, end_s = windows.aligned_s
    times = range(start_s, end_s, windows.step_s)
    points = tuple(evaluate(measure, found.get(t, Sums({}, {})), t) for t in times)
    before = _window_point(measure, found, windows.reference_s)
    after = _window_point(measure, found, windows.bad_s)
    left = [p for p in points if windows.reference_s[0] <= p.t_s < windows.reference_s[1]]
    # The last step is still filling up.
    right = [p for p in points if windows.bad_s[0] <= p.t_s < windows.bad_s[1] - windows.step_s]
    score = _score(measure, before, after, left, right)
    is_known = score is not None and min(before.n, after.n) >= _FEWEST
    if measure.kind in AMOUNTS:
        minutes = windows.step_s / 60
        before, after = _per_minute(before, left, minutes), _per_minute(after, right, minutes)
    return Observation(
        indicator=reading.indicator,
        measure=measure,
        before=before,
        after=after,
        points=points,
        score=score or 0.0,
        moved=Moved.FLAT if is_known else Moved.UNKNOWN,
        query=_query(measure, reading.filter, windows),
    )


def _window_point(measure: Measure, found: Mapping[int, Sums], window: tuple[int, int]) -> Point:
    total = Sums({}, {})
    for t_s, sums in found.items():
        if window[0] <= t_s < window[1]:
            total.add(sums)
    return evaluate(measure, total, window[0])


def _per_minute(point: Point, steps: Sequence[Point], minutes: float) -> Point:
    """An amount by the minute, so that windows of different length compare."""
    known = [p.value for p in steps if p.value is not None]
    return replace(point, value=sum(known) / len(known) / minutes if known else None)


def _score(
    measure: Measure, before: Point, after: Point, left: Sequence[Point], right: Sequence[Point]
) -> float | None:
    """The change in standard errors; None when it cannot be told."""
    if before.value is None or after.value is None:
        return None
    errors = _error(before), _error(after)
    if measure.kind in AMOUNTS or errors[0] is None or errors[1] is None:
        return _score_of_steps(left, right)
    error = math.hypot(errors[0], errors[1]) * _excess_scatter(before.value, left)
    change = after.value - before.value
    if error <= 0:
        return math.copysign(math.inf, change) if change else 0.0
    return change / error


def _error(point: Point) -> float | None:
    if point.low is None or point.high is None:
        return None
    return (point.high - point.low) / 2 / Z95


def _excess_scatter(level: float, steps: Sequence[Point]) -> float:
    """How much wider the reference scatters than its intervals say; at least 1."""
    known = [
        (point.value, error, point.n)
        for point in steps
        # The error of a step with a handful of rows is too rough to compare with.
        if point.value is not None and (error := _error(point)) and point.n >= 5
    ]
    if len(known) < 8:
        return 1.0
    table = np.array(known)
    # Noise that lasts shows only in longer blocks: a step is the least that is looked at.
    widths = [w for w in _BLOCKS if len(known) // w >= 8]
    ratios = [_block_scatter(level, table, width) for width in widths]
    return math.sqrt(max(1.0, *ratios))


def _block_scatter(level: float, table: NDArray[np.float64], width: int) -> float:
    """The median squared distance of blocks of steps from the level, in their own variances."""
    blocks = table[: len(table) // width * width].reshape(-1, width, 3)
    value, error, n = blocks[..., 0], blocks[..., 1], blocks[..., 2]
    weight = n.sum(axis=1)
    mean = (value * n).sum(axis=1) / weight
    variance = ((error * n) ** 2).sum(axis=1) / weight**2
    # 0.455 is the median of a squared standard normal; the median ignores a single odd block.
    return float(np.median((mean - level) ** 2 / variance)) / 0.455


def _score_of_steps(left: Sequence[Point], right: Sequence[Point]) -> float | None:
    """The change between the steps of the windows, each step one observation.

    Traffic follows the hours: what the trend of the reference leads to is no change.
    """
    sides = [[(p.t_s, p.value) for p in side if p.value is not None] for side in (left, right)]
    if min(map(len, sides)) < 4:
        return None
    first, second = (Moments(len(s), sum(v for _, v in s), sum(v * v for _, v in s)) for s in sides)
    difference = compare_means(first, second)
    if difference is None:
        return None
    expected = _continued(sides[0], sum(t for t, _ in sides[1]) / len(sides[1]))
    if _is_between(second.mean, first.mean, expected, _USUAL_TREND * abs(expected)):
        return 0.0
    error = (difference.high - difference.low) / 2 / Z95
    if error > 0:
        return difference.value / error
    return math.copysign(math.inf, difference.value) if difference.value else 0.0


def _continued(points: Sequence[tuple[int, float]], at_s: float) -> float:
    """Where the straight line through some points leads, at most to half or double their mean."""
    times = np.array([t for t, _ in points], dtype=np.float64)
    values = np.array([v for _, v in points])
    spread = float(((times - times.mean()) ** 2).sum())
    slope = float(((times - times.mean()) * (values - values.mean())).sum()) / spread
    mean = float(values.mean())
    led = mean + slope * (at_s - float(times.mean()))
    return min(max(led, mean / 2), mean * 2)


def _is_between(value: float, start: float, end: float, slack: float) -> bool:
    return min(start, end) - slack <= value <= max(start, end) + slack and start != end
