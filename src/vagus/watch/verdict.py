"""What a monitor says about each group, in words, from where its detector stands."""

from __future__ import annotations

import math
from datetime import UTC, datetime

from vagus.model.episode import State
from vagus.stats.interval import wilson
from vagus.watch.detector import Detector, Opened
from vagus.watch.episodes import GroupState
from vagus.watch.lane import Lane
from vagus.watch.monitor import Threshold
from vagus.watch.signal import Family

# Between 0 and the alarm, in logs, from which on a group is shown as pending.
_PENDING_SHARE = 0.5
# Shown evidence stops here, well inside what a double can hold.
_LARGEST_LOG_E = 600.0
# So many groups are shown beside those that fire or might.
_MOST_SHOWN = 1000


def clock(minute: int) -> str:
    """A minute of the epoch as people read it."""
    return datetime.fromtimestamp(minute * 60, UTC).strftime("%Y-%m-%d %H:%M UTC")


def group_of(lane: Lane, row: int) -> dict[str, str]:
    """The group of a row, by dimension."""
    return dict(zip(lane.feed.by, lane.feed.keys[row], strict=True))


def states_of_lane(lane: Lane) -> list[GroupState]:
    """The state of every group: those that fire or might first, then the largest."""
    rows = [row for row, key in enumerate(lane.feed.keys) if lane.feed.is_shown(key)]
    states = [state_of_row(lane, row) for row in rows[:_MOST_SHOWN]]
    states += [
        state
        for row in rows[_MOST_SHOWN:]
        if (state := state_of_row(lane, row)).state in (State.FIRING, State.PENDING)
    ]
    if not states and not lane.monitor.by:
        text = f"no data for {lane.monitor.rule.horizon_h} h"
        states = [GroupState(group={}, state=State.INSUFFICIENT_DATA, evidence=text)]
    order = {State.FIRING: 0, State.PENDING: 1}
    return sorted(states, key=lambda state: order.get(state.state, 2))


def state_of_row(lane: Lane, row: int) -> GroupState:
    """The state of one group."""
    detector = lane.detector
    if isinstance(detector, Detector):
        return _evidence_state(lane, detector, row)
    return _threshold_state(lane, row)


def _evidence_state(lane: Lane, detector: Detector, row: int) -> GroupState:
    group, settings, signal = group_of(lane, row), detector.settings, detector.signal
    n = float(detector.judged[row])
    lacking = _lacking(lane, detector, row)
    if detector.firing[row]:
        amount, size = detector.total[row]
        base = float(detector.base[row])
        level = float(amount / size) if size > 0 else None
        log_e = float(max(detector.peak[row], 0.0))
        onset, fired = int(detector.onset[row]), int(detector.fired[row])
        text = _firing_text(lane, level, base, float(size), log_e, onset)
        return GroupState(
            group=group, state=State.FIRING, evidence=text,
            value=None if level is None else signal.shown(level),
            baseline=None if math.isnan(base) else signal.shown(base), n=float(size),
            e_value=_e(log_e), onset_ms=onset * 60_000, fired_ms=fired * 60_000,
        )  # fmt: skip
    if lacking:
        return GroupState(group=group, state=State.INSUFFICIENT_DATA, evidence=lacking, n=n)
    log_e = float(detector.evidence[row])
    is_pending = log_e >= -math.log(settings.alpha) * _PENDING_SHARE
    place = int(detector.wealth[row].sum(axis=1).argmax())
    base = float(detector.tolerated[row, place])
    level = float(detector.recent_level(row, lane.until_min))
    shown = "nothing" if math.isnan(level) else signal.said(level)
    text = (
        f"{shown} in the last hour; tolerated {signal.said(base)}; {_said(log_e, settings.alpha)}"
    )
    return GroupState(
        group=group, state=State.PENDING if is_pending else State.OK, evidence=text,
        value=None if math.isnan(level) else signal.shown(level), baseline=signal.shown(base),
        n=n, e_value=_e(log_e),
    )  # fmt: skip


def _lacking(lane: Lane, detector: Detector, row: int) -> str:
    """Why nothing can be said, or ''."""
    settings = detector.settings
    if bool((~(detector.tolerated[row] == detector.tolerated[row])).all()):
        weight = float(detector.reference.taught[row, 0])
        what = "minutes" if detector.signal.family is Family.COUNT else "samples"
        return f"no reference yet: {weight:,.0f} of {settings.min_n:,.0f} {what} to learn it from"
    if detector.judged[row] < settings.min_n:
        return f"{detector.judged[row]:,.0f} of {settings.min_n:,.0f} samples to judge"
    last = int(detector.last_seen[row])
    if detector.signal.family is not Family.COUNT and lane.until_min - last > settings.stale_min:
        return f"no data since {clock(last)}"
    return ""


def _firing_text(
    lane: Lane, level: float | None, base: float, size: float, log_e: float, onset: int
) -> str:
    detector = lane.detector
    if not isinstance(detector, Detector):
        return ""
    signal, settings = detector.signal, detector.settings
    shown = "no data" if level is None else signal.said(level)
    if signal.family is Family.SHARE and level is not None:
        low, high = wilson(signal.shown(level) * size, size)
        shown = f"{shown} bad ({low:.2%} to {high:.2%}, n = {size:,.0f})"
    source = "the target" if settings.target is not None else "learned from before"
    tolerated = "unknown" if math.isnan(base) else f"{signal.said(base)}, {source}"
    return f"{shown} since {clock(onset)}; tolerated {tolerated}; {_said(log_e, settings.alpha)}"


def opened_text(lane: Lane, opened: Opened) -> str:
    """The sentence behind an alarm at its minute."""
    if isinstance(lane.monitor.rule, Threshold):
        rule = lane.monitor.rule
        since = clock(opened.onset_min)
        limit = f"limit {rule.op} {rule.value:g}, n = {opened.n:g}"
        return f"{opened.level:g} at {clock(opened.fired_min)} ({limit}), beyond it since {since}"
    level = opened.level if opened.n > 0 else None
    return _firing_text(lane, level, opened.base, opened.n, opened.log_e, opened.onset_min)


def closed_text(lane: Lane, reason: str) -> str:
    """The sentence behind the end of an episode."""
    rule = lane.monitor.rule
    if reason:
        return reason
    if isinstance(rule, Threshold):
        return f"back within the limit {rule.op} {rule.value:g} for {rule.hold_min} minutes"
    return f"back to what is tolerated: 'still as bad' is refuted at {rule.clear_alpha:g}"


def _threshold_state(lane: Lane, row: int) -> GroupState:
    detector, rule = lane.detector, lane.monitor.rule
    if isinstance(detector, Detector) or not isinstance(rule, Threshold):
        raise TypeError(rule)
    group = group_of(lane, row)
    level, size = float(detector.level[row]), float(detector.size[row])
    limit = f"limit {rule.op} {rule.value:g}, n = {size:g}"
    if detector.firing[row]:
        onset, fired = int(detector.onset[row]), int(detector.fired[row])
        return GroupState(
            group=group, state=State.FIRING, value=level, baseline=rule.value, n=size,
            evidence=f"{level:g} ({limit}), beyond it since {clock(onset)}",
            onset_ms=onset * 60_000, fired_ms=fired * 60_000,
        )  # fmt: skip
    if detector.most[row] < rule.min_n:
        text = (
            f"at most {detector.most[row]:g} samples in any {rule.window_min} minutes; "
            f"{rule.min_n} needed"
        )
        return GroupState(group=group, state=State.INSUFFICIENT_DATA, evidence=text)
    if detector.now[row] < rule.min_n:
        text = (
            f"only {detector.now[row]:g} samples in the last {rule.window_min} minutes; "
            f"{rule.min_n} needed"
        )
        return GroupState(group=group, state=State.INSUFFICIENT_DATA, evidence=text, n=size)
    state = State.PENDING if detector.run[row] else State.OK
    onset_ms = int(detector.run_began[row]) * 60_000 if detector.run[row] else None
    return GroupState(
        group=group, state=state, evidence=f"now {level:g} ({limit})", value=level,
        baseline=rule.value, n=size, onset_ms=onset_ms,
    )  # fmt: skip


def _e(log_e: float) -> float:
    return math.exp(min(log_e, _LARGEST_LOG_E))


def _said(log_e: float, alpha: float) -> str:
    return f"evidence {_e(log_e):.2g} (alarm at {1 / alpha:g})"
