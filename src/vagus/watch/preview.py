"""What a monitor would promise on the data that there is, before it is kept."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from vagus.measures.catalogue import Catalogue
from vagus.store.engine import Engine
from vagus.watch.feed import Block, Feed
from vagus.watch.monitor import Absence, Monitor, Threshold
from vagus.watch.promise import Promise, promise
from vagus.watch.signal import Family

#: So many days say what volume and level are usual.
LOOK_BACK_DAYS = 7
_DAY_MIN = 24 * 60


def preview(engine: Engine, catalogue: Catalogue, monitor: Monitor, now_min: int) -> Promise:
    """The promise of a group of median volume over the last days.

    For a mean, or a count that is not watched for absence, no smallest change is stated: it would
    depend on how the values scatter.
    """
    feed = Feed(engine, catalogue, monitor)
    start_min = now_min // 60 * 60 - LOOK_BACK_DAYS * _DAY_MIN
    block = feed.hours(start_min, now_min // 60 * 60)
    is_count = feed.signal is not None and feed.signal.family is Family.COUNT
    volume, level = _typical(block, is_count)
    if feed.signal is not None and feed.signal.is_flipped:
        level = feed.signal.shown(level)
    groups = sum(feed.is_shown(key) for key in feed.keys)
    found = replace(promise(monitor, volume, level, max(1, len(block.n))), groups=groups)
    rule = monitor.rule
    if isinstance(rule, Absence):
        return _absent(rule, found, volume)
    if isinstance(rule, Threshold) or feed.signal is None or volume <= 0:
        return found
    if feed.signal.family is Family.SHARE:
        return found
    return replace(found, smallest_change_hour=None, smallest_change_day=None, warnings=())


def _typical(block: Block, is_count: bool) -> tuple[float, float]:
    """Observations a minute, and level, of the group in the middle; from when it was first seen."""
    x, n = np.nan_to_num(block.x), np.nan_to_num(block.n)
    seen = n.sum(axis=1) > 0
    if not seen.any():
        return 0.0, 0.0
    x, n = x[seen], n[seen]
    first = (n > 0).argmax(axis=1)
    minutes = (n.shape[1] - first) * block.step_min
    amounts = x.sum(axis=1) if is_count else n.sum(axis=1)
    rates = amounts / minutes
    place = int(np.argsort(rates, kind="stable")[len(rates) // 2])
    level = rates[place] if is_count else (x[place] * n[place]).sum() / n[place].sum()
    return float(rates[place]), float(level)


def _absent(rule: Absence, found: Promise, volume: float) -> Promise:
    """Silence of so many minutes is found by itself, whatever is usual."""
    if rule.silent_min is None or volume <= 0:
        return found
    hour = 0.0 if rule.silent_min <= 60 else found.smallest_change_hour
    return replace(found, smallest_change_hour=hour, smallest_change_day=0.0, warnings=())
