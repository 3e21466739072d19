"""Which series of the infrastructure moved with the measure.

A series is a candidate when it moved between the windows (a test over blocks of steps, because
machines' series are autocorrelated; false discovery rate over all series) and when it goes up and
down with the measure more than it does with the measure shifted in time (Spearman's correlation
against all circular shifts, which keep each series' own rhythm). Association is no cause: a queue
grows because calls are slow, and calls are slow because a queue grows. The lag of its step says
which moved first.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vagus.diagnose.observe import Observation
from vagus.diagnose.sorts import sorts_of
from vagus.diagnose.windows import Windows
from vagus.measures.infra import InfraSeries
from vagus.model.finding import Infrastructure
from vagus.stats.changepoint import change_point
from vagus.stats.compare import Moments, benjamini_hochberg, compare_means

Floats = NDArray[np.float64]

FALSE_DISCOVERY_RATE = 0.01
_LEAST_P_VALUE = 0.05
_LEAST_CORRELATION = 0.3
_LEAST_CHANGE = 0.1
_BLOCKS_A_SIDE = 8
_FEWEST_STEPS = 16
_MOST_SHOWN = 12


def associate(
    series: Sequence[InfraSeries], target: Observation, windows: Windows
) -> list[Infrastructure]:
    """The series that moved with the measure, the closest first."""
    times = np.array([p.t_s for p in target.points], dtype=np.int64)
    values = np.array([math.nan if p.value is None else p.value for p in target.points])
    moves = [_move_p_value(one, windows) for one in series]
    q_values = benjamini_hochberg(moves)
    found = []
    for one, q_value in zip(series, q_values, strict=True):
        aligned = _align(one, times)
        if q_value >= FALSE_DISCOVERY_RATE or not _matters(one, windows):
            continue
        correlation, p_value = shift_test(values, aligned)
        if abs(correlation) >= _LEAST_CORRELATION and p_value <= _LEAST_P_VALUE:
            found.append(_candidate(one, windows, correlation, p_value, q_value))
    return sorted(found, key=lambda f: (-abs(f.correlation), f.name))[:_MOST_SHOWN]


def shift_test(first: Floats, second: Floats) -> tuple[float, float]:
    """Spearman's correlation, and how often a circular shift of one series does as well."""
    known = np.isfinite(first) & np.isfinite(second)
    n = int(known.sum())
    if n < _FEWEST_STEPS:
        return 0.0, 1.0
    ranks = [_ranks(side[known]) for side in (first, second)]
    left, right = ((r - r.mean()) / (r.std() or 1.0) for r in ranks)
    # All shifts at once: the circular cross-correlation by Fourier transform.
    spectrum = np.fft.rfft(left) * np.conj(np.fft.rfft(right))
    shifted = np.fft.irfft(spectrum, n) / n
    observed = float(shifted[0])
    # Shifts by a step or two are nearly the same alignment, and no other world.
    near = max(1, n // 20)
    others = shifted[near : n - near + 1]
    return observed, float(
        (1 + (np.abs(others) >= abs(observed) - 1e-12).sum()) / (1 + others.size)
    )


def _ranks(values: Floats) -> Floats:
    """Ranks, with ties at their mean."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    upper = np.cumsum(counts)
    means: Floats = upper - (counts - 1) / 2
    ranked: Floats = means[place]
    return ranked


def _align(series: InfraSeries, times: NDArray[np.int64]) -> Floats:
    places = (times - series.start_s) // series.step_s
    inside = (places >= 0) & (places < series.values.size)
    aligned = np.full(times.shape, np.nan)
    aligned[inside] = series.values[places[inside]]
    return aligned


def _sides(series: InfraSeries, windows: Windows) -> tuple[Floats, Floats]:
    times = series.start_s + np.arange(series.values.size) * series.step_s
    before, after = (
        series.values[(times >= start) & (times < end) & np.isfinite(series.values)]
        for start, end in (windows.reference_s, windows.bad_s)
    )
    return before, after


def _move_p_value(series: InfraSeries, windows: Windows) -> float:
    moments = []
    for side in _sides(series, windows):
        if side.size < _BLOCKS_A_SIDE:
            return 1.0
        means = np.array([block.mean() for block in np.array_split(side, _BLOCKS_A_SIDE)])
        moments.append(Moments(means.size, float(means.sum()), float((means**2).sum())))
    difference = compare_means(*moments)
    return difference.p_value if difference else 1.0


def _matters(series: InfraSeries, windows: Windows) -> bool:
    before, after = (float(side.mean()) if side.size else 0.0 for side in _sides(series, windows))
    return abs(after - before) >= _LEAST_CHANGE * max(abs(before), 1e-9)


def _candidate(
    series: InfraSeries, windows: Windows, correlation: float, p_value: float, q_value: float
) -> Infrastructure:
    before, after = _sides(series, windows)
    found = change_point(series.values)
    onset_ms = None
    if found is not None and found.is_clear(series.values.size):
        onset_ms = (series.start_s + found.index * series.step_s) * 1000
    return Infrastructure(
        name=series.name,
        labels=series.labels,
        unit=series.unit,
        source=series.source,
        before=float(before.mean()),
        after=float(after.mean()),
        correlation=correlation,
        p_value=p_value,
        q_value=q_value,
        onset_ms=onset_ms,
        lag_ms=None if onset_ms is None else onset_ms - windows.onset_ms,
        points_to=sorts_of(series.name),
    )
