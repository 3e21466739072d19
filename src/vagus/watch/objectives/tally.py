"""What an objective counts: events of a stretch of time in steps, weighted as they were sampled."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vagus.errors import BadInput
from vagus.measures.catalogue import Catalogue, Direction, Interval, Kind, Measure
from vagus.measures.filter import parse
from vagus.measures.plan import plan, sums_sql
from vagus.store.engine import Columns, Engine
from vagus.watch.slo import Slo

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Counts:
    """A stretch in one piece: `judged` rows that stand for `total` events, `bad` of them bad.

    `worth` is what the rows are worth in equally weighted ones (Kish), at most `judged`.
    """

    judged: float
    total: float
    bad: float
    worth: float

    @property
    def share(self) -> float | None:
        """The bad share; None when nothing was counted."""
        return self.bad / self.total if self.total > 0 else None


@dataclass(frozen=True, slots=True)
class Tally:
    """Columns over consecutive steps; 0 where nothing happened. Made of signed, weighted sums."""

    start_s: int
    step_s: int
    judged: Floats
    total: Floats
    bad: Floats
    squares: Floats

    @property
    def end_s(self) -> int:
        """The first moment after the last step."""
        return self.start_s + self.judged.size * self.step_s

    def shares(self) -> Floats:
        """The bad share of each step; NaN where nothing was counted."""
        shares = np.full(self.total.size, np.nan)
        np.divide(self.bad, self.total, out=shares, where=self.total > 0)
        return shares

    def worth(self) -> Floats:
        """What the rows of each step are worth in equally weighted ones."""
        worth = np.zeros(self.total.size)
        np.divide(self.total**2, self.squares, out=worth, where=self.squares > 0)
        return np.minimum(worth, self.judged)

    def within(self, start_s: float, end_s: float) -> Counts:
        """The steps that begin in a stretch, added up."""
        first = max(0, int(-(-(start_s - self.start_s) // self.step_s)))
        last = max(first, int(-(-(end_s - self.start_s) // self.step_s)))
        judged, total, bad, squares = (
            float(column[first:last].sum())
            for column in (self.judged, self.total, self.bad, self.squares)
        )
        worth = min(judged, total * total / squares) if squares > 0 else 0.0
        return Counts(judged, total, bad, worth)

    def first_seen(self, start_s: int, end_s: int) -> int | None:
        """The first step with events among those that begin in a stretch."""
        starts = self.start_s + np.flatnonzero(self.total > 0) * self.step_s
        inside = starts[(starts >= start_s) & (starts < end_s)]
        return int(inside[0]) if inside.size else None

    def coarser(self, step_s: int) -> Tally:
        """The same in longer steps, each a whole number of these; the first is aligned to them."""
        lead = self.start_s % step_s // self.step_s
        width = step_s // self.step_s
        tail = -(lead + self.judged.size) % width
        columns = (
            np.pad(column, (lead, tail)).reshape(-1, width).sum(axis=1)
            for column in (self.judged, self.total, self.bad, self.squares)
        )
        return Tally(self.start_s - lead * self.step_s, step_s, *columns)

    def sliced(self, slice_target: float) -> Tally:
        """Slices instead of events: one with events counts once, as bad when too many were."""
        seen = (self.total > 0).astype(np.float64)
        is_bad = seen * (np.nan_to_num(self.shares()) > 1.0 - slice_target + 1e-12)
        return Tally(self.start_s, self.step_s, seen, seen, is_bad, seen)


def check_share(slo: Slo, catalogue: Catalogue) -> Measure:
    """The measure of an objective; one that is no share of counted things is refused."""
    measure = catalogue.get(slo.measure)
    is_share = measure.kind is Kind.RATIO and measure.interval is Interval.AUTO
    if not is_share or measure.direction is Direction.NEUTRAL:
        raise BadInput(
            f"SLO: an objective needs a share that has a bad direction; {measure.id} is not one",
            field="measure",
        )
    return measure


def read_tally(
    engine: Engine, catalogue: Catalogue, slo: Slo, start_s: int, end_s: int, step_s: int
) -> Tally:
    """The events of an objective from a minute to a minute, by event time; one statement."""
    measure = check_share(slo, catalogue)
    question = plan(measure, slo.project, parse(slo.filter), (), start_s, end_s)
    answer = engine.query(sums_sql(question, step_s, None), question.params)
    first_s = start_s - start_s % step_s
    size = -(-(end_s - first_s) // step_s)
    total = _column(answer, "denominator", first_s, step_s, size)
    numerator = np.clip(_column(answer, "numerator", first_s, step_s, size), 0.0, total)
    is_weighted = "weight_squares" in measure.sums
    return Tally(
        start_s=first_s,
        step_s=step_s,
        judged=_column(answer, "n", first_s, step_s, size),
        total=total,
        bad=numerator if measure.direction is Direction.UP_IS_BAD else total - numerator,
        squares=_column(answer, "weight_squares", first_s, step_s, size) if is_weighted else total,
    )


def _column(answer: Columns, role: str, first_s: int, step_s: int, size: int) -> Floats:
    laid = np.zeros(size)
    at = (np.asarray(answer["t"], dtype=np.int64) - first_s) // step_s
    laid[at] = np.nan_to_num(np.asarray(answer[f"sum_{role}"], dtype=np.float64))
    return np.maximum(laid, 0.0)
