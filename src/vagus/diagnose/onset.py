"""When it began, and when it ended: the change points of the measure set the windows."""

from __future__ import annotations

from vagus.diagnose.observe import Moved, Observation, find_change
from vagus.diagnose.windows import MINUTE_MS, Windows

#: A reference shorter than this says little; an onset that leaves less is not believed.
_SHORTEST_REFERENCE_S = 15 * 60
_SHORTEST_BAD_S = 5 * 60


def place_windows(windows: Windows, target: Observation, is_window: bool) -> Windows:
    """The windows by the clear change point of the measure; as they were when there is none.

    An estimated onset is only followed near by. In a window that somebody chose, the change may
    lie anywhere, and may be over before the end.
    """
    if target.moved in (Moved.FLAT, Moved.UNKNOWN) or (found := find_change(target)) is None:
        return windows
    at_s, low_s, high_s = (target.points[i].t_s for i in (found.index, found.low, found.high))
    slack_ms = max(10 * MINUTE_MS, (windows.bad_s[1] - windows.bad_s[0]) * 500)
    is_near = abs(at_s * 1000 - windows.onset_ms) <= slack_ms
    is_told = target.before.value is not None and target.after.value is not None
    if not (is_near or is_window) or not is_told:
        return windows
    first_s, end_s = windows.reference_s[0], windows.bad_s[1]
    if at_s - first_s < _SHORTEST_REFERENCE_S or end_s - at_s < _SHORTEST_BAD_S:
        return windows.with_onset(at_s * 1000, max(at_s, high_s) * 1000) if is_near else windows
    if not is_window:
        return windows.with_onset(at_s * 1000, max(at_s, high_s) * 1000)
    return windows.cut_at(at_s, low_s, high_s, end_s)
