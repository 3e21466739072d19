"""One evaluation: a rule and a series give a verdict; pure, and repeatable at any time."""

from __future__ import annotations

from collections.abc import Sequence

from vagus.watch.monitor import Sequential, Threshold
from vagus.watch.points import Points
from vagus.watch.sequences import Span, judge_sequential
from vagus.watch.thresholds import judge_threshold
from vagus.watch.verdict import Previous, Verdict


def evaluate(
    rule: Threshold | Sequential,
    points: Points,
    *,
    is_up_bad: bool = True,
    previous: Previous | None = None,
    excluded: Sequence[Span] = (),
) -> Verdict:
    """The verdict at the end of the series.

    `previous` is the group's open episode, `excluded` the minutes of its closed ones. Threshold
    rules look at the value as it is; sequential ones at the bad share, which is the rate itself
    when up is bad and its complement when down is.
    """
    if isinstance(rule, Threshold):
        closed_min = max((end for _, end in excluded), default=0)
        return judge_threshold(rule, points, previous, closed_min)
    return judge_sequential(rule, points, is_up_bad, previous, excluded)
