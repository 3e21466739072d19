"""The sequential rule: is the bad rate above its target, with a known price of being wrong.

Read in order: the reference gives the target and how much trials of one minute hang together;
the detector runs over the rest; after an alarm the mirrored detector looks for recovery, and
when it has found it the detector starts anew. All of it is recomputed from the series each time.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vagus.model.episode import State
from vagus.stats.interval import wilson
from vagus.stats.sequential import (
    Detection,
    betting_esr,
    capped_alternative,
    climb_began,
    dispersion_of,
    ecusum,
    scaled_trials,
    shocks,
)
from vagus.watch.monitor import Sequential
from vagus.watch.points import Floats, Points, clock, run_lengths
from vagus.watch.verdict import Previous, Verdict

# Twenty groups are looked at 864,000 times a month: this leaves one false shock in 1,000 months.
_SHOCK_LIMIT = 1e-9
# Between 0 and the alarm, in logs, from which on a group is shown as pending.
_PENDING_SHARE = 0.5
# Shown evidence stops here, well inside what a double can hold.
_LARGEST_LOG_E = 690.0

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Stream:
    """Bad outcomes and trials per minute; `scaled` are the trials less what they share."""

    bad: Floats
    trials: Floats
    scaled: Floats
    dispersion: float

    def rates(self) -> Floats:
        """The bad rate of each minute, NaN without trials."""
        rates = np.full(self.bad.size, np.nan)
        np.divide(self.bad, self.trials, out=rates, where=self.trials > 0)
        return rates


@dataclass(frozen=True, slots=True)
class Target:
    """The tolerated rate, where it comes from, and the first step that is judged by it."""

    rate: float
    worth_waking: float
    source: str
    first: int


@dataclass(frozen=True, slots=True)
class Stretch:
    """An alarm: steps of the series; `cleared` is None while it lasts."""

    onset: int
    fired: int
    cleared: int | None


def judge_sequential(
    rule: Sequential,
    points: Points,
    is_up_bad: bool,
    previous: Previous | None = None,
    excluded: Sequence[Span] = (),
) -> Verdict:
    """The state at the end of the series.

    `excluded` are minutes of closed episodes: they are kept out of the reference, and the
    detector starts after the last of them, for what is closed stays closed.
    """
    rates = points.rates()
    trials = np.where(np.isnan(rates), 0.0, points.n)
    bad = np.nan_to_num(rates if is_up_bad else 1.0 - rates) * trials
    reference = _reference(rule, points, trials, excluded)
    dispersion = dispersion_of(bad[reference], trials[reference])
    stream = Stream(bad, trials, scaled_trials(trials, dispersion), dispersion)
    target = _target(rule, points, stream, reference, previous)
    if not trials.any():
        return Verdict(State.INSUFFICIENT_DATA, f"no data for {rule.horizon_h} h")
    if previous is not None and target is not None:
        return _follow(rule, points, stream, target, previous)
    lacking = _lacking(rule, points, stream, reference, target)
    if lacking or target is None:
        return Verdict(State.INSUFFICIENT_DATA, lacking, n=float(trials.sum()))
    closed = points.index(max((end for _, end in excluded), default=points.start_min))
    stretch, path = _scan(rule, stream, target, max(target.first, closed))
    if stretch is not None and stretch.cleared is None:
        return _firing(rule, points, stream, target, stretch)
    return _calm(rule, points, stream, target, path)


def _reference(
    rule: Sequential, points: Points, trials: Floats, excluded: Sequence[Span]
) -> NDArray[np.intp]:
    """The steps of the oldest half of what is there, at most `reference_min` minutes long."""
    seen = np.flatnonzero(trials > 0)
    if not seen.size:
        return seen
    first = int(seen[0])
    length = min(rule.reference_min // points.step_min, (points.size - first) // 2)
    inside = seen[seen < first + length]
    minutes = points.start_min + inside * points.step_min
    for start, end in excluded:
        kept = (minutes < start) | (minutes >= end)
        inside, minutes = inside[kept], minutes[kept]
    return inside


def _target(
    rule: Sequential,
    points: Points,
    stream: Stream,
    reference: NDArray[np.intp],
    previous: Previous | None,
) -> Target | None:
    """The target: frozen by an open episode, else given, else learned; None if not learnable."""
    n = float(stream.trials[reference].sum())
    if previous is not None and previous.baseline is not None:
        rate, source = previous.baseline, "as when it fired"
    elif rule.target is not None:
        rate, source = rule.target, "as set"
    elif n < rule.min_n:
        return None
    else:
        scaled = stream.scaled[reference]
        seen = float((stream.bad[reference] / stream.trials[reference] * scaled).sum())
        _, high = wilson(seen, float(scaled.sum()))
        rate = min(0.999, max(rule.min_target, rule.margin * high))
        begin, end = points.minute(int(reference[0])), points.minute(int(reference[-1]) + 1)
        source = f"learned from {clock(begin)} to {clock(end)}, n = {n:,.0f}"
    # A rate that was learned must not be tested on what it was learned from.
    is_learned = rule.target is None and reference.size > 0
    first = int(reference[-1]) + 1 if is_learned else 0
    return Target(rate, capped_alternative(rate, rule.ratio), source, first)


def _lacking(
    rule: Sequential,
    points: Points,
    stream: Stream,
    reference: NDArray[np.intp],
    target: Target | None,
) -> str:
    """Why nothing can be said, or ''."""
    if target is None:
        n = float(stream.trials[reference].sum())
        return f"no target yet: {n:,.0f} of {rule.min_n} samples to learn it from"
    judged = float(stream.trials[target.first :].sum())
    if judged < rule.min_n:
        return f"{judged:,.0f} of {rule.min_n} samples to judge"
    last = points.minute(int(np.flatnonzero(stream.trials > 0)[-1]))
    if points.end_min - last > rule.stale_min:
        return f"no data since {clock(last)}"
    return ""


def _detect(rule: Sequential, stream: Stream, start: int, target: Target) -> Detection:
    """The detector of 'worse than the target', from a step on."""
    if rule.test == "betting":
        return betting_esr(stream.rates()[start:], target.rate, alpha=rule.alpha)
    bad, trials = stream.bad[start:], stream.trials[start:]
    return ecusum(bad, trials, target.rate, target.worth_waking, rule.alpha, stream.dispersion)


def _recovery(rule: Sequential, stream: Stream, start: int, target: Target) -> int | None:
    """The first step after `start` at which 'still bad' is refuted and has been giving way."""
    if rule.test == "betting":
        path = betting_esr(
            1.0 - stream.rates()[start:], 1.0 - target.worth_waking, alpha=rule.clear_alpha
        )
    else:
        bad, trials = stream.bad[start:], stream.trials[start:]
        path = ecusum(
            bad, trials, target.worth_waking, target.rate, rule.clear_alpha, stream.dispersion
        )
    refuted = path.log_e >= -math.log(rule.clear_alpha)
    calm = run_lengths(path.log_e > 0) >= rule.clear_min
    at = np.flatnonzero(refuted & calm)
    return start + int(at[0]) if at.size else None


def _scan(
    rule: Sequential, stream: Stream, target: Target, start: int
) -> tuple[Stretch | None, Detection]:
    """The last alarm from `start` on, cleared or not, and the path of the detector since."""
    sudden = shocks(stream.bad, stream.trials, target.rate, stream.dispersion, _SHOCK_LIMIT)
    last = None
    while True:
        path = _detect(rule, stream, start, target)
        later = sudden[sudden >= start]
        alarms = [start + path.alarm] if path.alarm is not None else []
        alarms += [int(later[0])] if later.size else []
        if not alarms:
            return last, path
        fired = min(alarms)
        is_sudden = path.alarm is None or fired < start + path.alarm
        onset = fired if is_sudden else _onset(stream, start, start + path.onset, fired, target)
        last = Stretch(onset, fired, _recovery(rule, stream, fired + 1, target))
        if last.cleared is None:
            return last, path
        start = last.cleared + 1


def _onset(stream: Stream, start: int, climb: int, fired: int, target: Target) -> int:
    """Where the change began, once it is known how large it is."""
    bad, trials = stream.bad[start : fired + 1], stream.trials[start : fired + 1]
    level = float(bad[climb - start :].sum() / trials[climb - start :].sum())
    waking = target.worth_waking
    size = min(max(0.98, waking), max(waking, level))
    return start + climb_began(bad, trials, target.rate, size, stream.dispersion)


def _follow(
    rule: Sequential, points: Points, stream: Stream, target: Target, previous: Previous
) -> Verdict:
    """An open episode: firing until recovery is proven, whatever late data do to the alarm."""
    start = max(0, points.index(previous.fired_min) + 1)
    cleared = _recovery(rule, stream, start, target)
    onset = max(0, points.index(previous.onset_min))
    if cleared is None:
        fired = max(onset, points.index(previous.fired_min))
        verdict = _firing(rule, points, stream, target, Stretch(onset, fired, None))
        state, text, value, n = State.FIRING, verdict.evidence, verdict.value, verdict.n
        e_value = verdict.e_value
    else:
        state, e_value = State.RESOLVED, None
        value, n, shown = _level(stream, start, cleared + 1)
        text = (
            f"back to {shown} since {clock(points.minute(start))}: "
            f"{target.worth_waking:.2%} is refuted at {rule.clear_alpha:g}"
        )
    return Verdict(
        state,
        text,
        value,
        target.rate,
        n,
        e_value,
        previous.onset_min,
        previous.fired_min,
        None if cleared is None else points.minute(cleared),
    )


def _firing(
    rule: Sequential, points: Points, stream: Stream, target: Target, stretch: Stretch
) -> Verdict:
    value, n, shown = _level(stream, stretch.onset, points.size)
    log_e = max(0.0, float(_detect(rule, stream, stretch.onset, target).log_e.max(initial=0.0)))
    onset, fired = points.minute(stretch.onset), points.minute(stretch.fired)
    text = (
        f"{shown} since {clock(onset)}; target {target.rate:.2%}, {target.source}; "
        f"{_said(log_e)} (alarm at {1 / rule.alpha:g})"
    )
    return Verdict(State.FIRING, text, value, target.rate, n, _e(log_e), onset, fired)


def _calm(
    rule: Sequential, points: Points, stream: Stream, target: Target, path: Detection
) -> Verdict:
    """Ok, or pending when the evidence is half-way to an alarm."""
    value, n, shown = _level(stream, target.first, points.size)
    log_e = max(0.0, path.last)
    is_pending = log_e >= -math.log(rule.alpha) * _PENDING_SHARE
    onset = points.minute(points.size - path.log_e.size + path.onset) if is_pending else None
    text = (
        f"{shown}; target {target.rate:.2%}, {target.source}; "
        f"{_said(log_e)} (alarm at {1 / rule.alpha:g})"
    )
    state = State.PENDING if is_pending else State.OK
    return Verdict(state, text, value, target.rate, n, _e(log_e), onset)


def _level(stream: Stream, start: int, end: int) -> tuple[float | None, float, str]:
    """The rate of a stretch, its sample size, and both in words."""
    n, bad = float(stream.trials[start:end].sum()), float(stream.bad[start:end].sum())
    if n <= 0:
        return None, 0.0, "no data"
    worth = float(stream.scaled[start:end].sum())
    low, high = wilson(bad / n * worth, worth)
    return bad / n, n, f"{bad / n:.2%} bad ({low:.2%} to {high:.2%}, n = {n:,.0f})"


def _e(log_e: float) -> float:
    return math.exp(min(log_e, _LARGEST_LOG_E))


def _said(log_e: float) -> str:
    return f"evidence {_e(log_e):.2g}" if log_e < _LARGEST_LOG_E else "evidence over 1e+299"
