"""What a monitor promises before it has watched anything."""

from __future__ import annotations

from typing import Any

import pytest

from vagus.watch.monitor import Monitor, decode_monitor
from vagus.watch.promise import promise


def monitor(**rule: Any) -> Monitor:
    spec = {"id": "m", "name": "m", "project": "p", "measure": "error_rate"}
    return decode_monitor({**spec, "rule": {"type": "sequential", **rule}})


def test_more_data_and_more_time_find_smaller_changes() -> None:
    rare, often = (promise(monitor(target=0.05), volume, 0.03) for volume in (1.0, 50.0))

    assert rare.smallest_change_hour is not None
    assert often.smallest_change_hour is not None
    assert rare.smallest_change_day is not None
    assert 0.05 < often.smallest_change_hour < rare.smallest_change_hour < 0.5
    assert rare.smallest_change_day < rare.smallest_change_hour


def test_a_stricter_budget_is_a_promise_of_fewer_false_alarms() -> None:
    loose, strict = (promise(monitor(alpha=alpha), 10, 0.02) for alpha in (1e-5, 1e-7))

    assert loose.false_alarms_per_30d == pytest.approx(0.432)
    assert strict.false_alarms_per_30d == pytest.approx(0.00432)


def test_what_can_never_fire_is_said() -> None:
    assert "unfireable" in promise(monitor(), 0.0, 0.02).warnings[0]
    assert "unfireable" in promise(monitor(target=0.3), 0.001, 0.2).warnings[0]
    slow = monitor(type="threshold", op=">", value=1, min_n=100)
    assert "unfireable" in promise(slow, 1.0, 0.0).warnings[1]


def test_silence_of_a_rare_group_is_not_promised() -> None:
    absent = monitor(type="absence")

    assert promise(absent, 5.0, 5.0).smallest_change_hour == 0.0
    assert promise(absent, 0.001, 0.001).warnings
