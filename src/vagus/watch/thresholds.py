"""The threshold rule: beyond a limit for a while, with enough samples at each look."""

from __future__ import annotations

import operator
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from vagus.model.episode import State
from vagus.watch.monitor import Threshold
from vagus.watch.points import Points, clock
from vagus.watch.verdict import Previous, Verdict

_COMPARE: dict[str, Callable[[NDArray[np.float64], float], NDArray[np.bool_]]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}


def judge_threshold(
    rule: Threshold, points: Points, previous: Previous | None = None, closed_min: int = 0
) -> Verdict:
    """The state at the end of the series; steps with too few samples neither help nor hinder.

    Minutes before `closed_min`, where the last episode ended, open no other.
    """
    n, value = points.trailing(rule.window_min)
    enough = np.flatnonzero((n >= rule.min_n) & ~np.isnan(value))
    if not enough.size:
        shown = f"{float(n.max(initial=0.0)):g}"
        text = f"at most {shown} samples in any {rule.window_min} minutes; {rule.min_n} needed"
        return Verdict(State.INSUFFICIENT_DATA, text, None, rule.value)
    violated = _COMPARE[rule.op](value[enough], rule.value)
    hold = max(1, -(-rule.hold_min // points.step_min))
    onset, run, begin = points.start_min, 0, closed_min
    fired: int | None = None
    cleared: int | None = None
    if previous is not None:
        onset, fired, begin = previous.onset_min, previous.fired_min, previous.fired_min + 1
    for at, is_bad in zip(enough.tolist(), violated.tolist(), strict=True):
        minute = points.minute(at)
        if minute < begin:
            continue
        run = run + 1 if is_bad == (fired is None) else 0
        if fired is None and run == 1:
            onset = minute
        if run < hold:
            continue
        if fired is None:
            fired, cleared = minute, None
        else:
            fired, cleared = None, minute
            if previous is not None:
                break
        run = 0
    return _verdict(rule, points, (n, value), enough, (onset, fired, cleared, run), previous)


def _verdict(
    rule: Threshold,
    points: Points,
    series: tuple[NDArray[np.float64], NDArray[np.float64]],
    enough: NDArray[np.intp],
    found: tuple[int, int | None, int | None, int],
    previous: Previous | None,
) -> Verdict:
    onset, fired, cleared, run = found
    n, value = series
    last = int(enough[-1])
    level, size = float(value[last]), float(n[last])
    limit = f"limit {rule.op} {rule.value:g}, n = {size:g}"
    if fired is not None:
        text = (
            f"{level:g} at {clock(points.minute(last))} ({limit}), beyond it since {clock(onset)}"
        )
        return Verdict(State.FIRING, text, level, rule.value, size, None, onset, fired)
    if previous is not None:
        text = f"back within the {limit}, for {rule.hold_min} minutes"
        opened = (previous.onset_min, previous.fired_min, cleared)
        return Verdict(State.RESOLVED, text, level, rule.value, size, None, *opened)
    if last != points.size - 1:
        text = f"only {n[-1]:g} samples in the last {rule.window_min} minutes; {rule.min_n} needed"
        return Verdict(State.INSUFFICIENT_DATA, text, None, rule.value, size)
    if run:
        text = f"now {level:g} ({limit}) since {clock(onset)}, not yet {rule.hold_min} minutes"
        return Verdict(State.PENDING, text, level, rule.value, size, None, onset)
    return Verdict(State.OK, f"now {level:g} ({limit})", level, rule.value, size)
