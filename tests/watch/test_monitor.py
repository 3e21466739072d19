"""Specs: decoded strictly, with the field that is wrong in the error."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from vagus.errors import BadInput
from vagus.watch.monitor import Monitor, Sequential, Threshold, decode_monitor

GOOD = {"id": "m-1", "name": "Errors", "project": "p", "measure": "error_rate"}
SEQUENTIAL = {"type": "sequential"}


def test_a_monitor_says_no_more_than_it_must() -> None:
    monitor = decode_monitor({**GOOD, "rule": {"type": "sequential", "lambda": 2}})

    assert monitor.rule == Sequential(ratio=2.0)
    assert monitor.horizon_min == 1440
    assert (monitor.by, monitor.severity, monitor.max_groups) == ((), "ticket", 200)


def test_a_monitor_survives_json() -> None:
    rule = Threshold(op=">", value=3.0, hold_min=0)
    monitor = Monitor(id="a", name="n", project="p", measure="x", rule=rule, by=("feature",))

    assert decode_monitor(msgspec.to_builtins(monitor)) == monitor


@pytest.mark.parametrize(
    ("change", "field", "says"),
    [
        ({"rule": {"type": "guess"}}, "rule.type", "guess"),
        ({"rule": {"type": "sequential", "alpha": 0}}, "rule.alpha", "> 0"),
        ({"rule": {"type": "sequential", "target": 1.5}}, "rule.target", "< 1"),
        ({"rule": {"type": "sequential", "lambda": 1}}, "rule.lambda", "> 1"),
        ({"rule": {"type": "sequential", "target": 0.4}}, "rule.lambda", "can never fire"),
        ({"rule": {"type": "sequential", "ratio": 3}}, "rule", "ratio"),
        ({"rule": {"type": "threshold", "op": "~", "value": 1}}, "rule.op", "~"),
        ({"rule": {"type": "threshold", "op": ">"}}, "rule", "value"),
        (
            {"rule": {"type": "threshold", "op": ">", "value": 1, "hold_min": 400}},
            "rule.hold_min",
            "405 minutes",
        ),
        ({"rule": SEQUENTIAL, "severity": "wake everyone"}, "severity", "wake everyone"),
        ({"rule": SEQUENTIAL, "id": "Über"}, "id", "matching"),
        ({"rule": SEQUENTIAL, "id": "slo.mine"}, "id", "belong to SLOs"),
        ({"rule": SEQUENTIAL, "by": ["a"] * 5}, "by", "length"),
        ({"rule": SEQUENTIAL, "max_groups": 0}, "max_groups", ">= 1"),
        ({"rule": SEQUENTIAL, "surprise": 1}, "surprise", "unknown field"),
        ({}, "rule", "missing"),
    ],
)
def test_a_wrong_monitor_names_its_field(change: dict[str, Any], field: str, says: str) -> None:
    with pytest.raises(BadInput, match="monitor: ") as caught:
        decode_monitor({**GOOD, **change})

    assert caught.value.field == field
    assert says in str(caught.value)


def test_what_is_no_object_is_refused_without_a_field() -> None:
    with pytest.raises(BadInput, match="Expected") as caught:
        decode_monitor(7)

    assert caught.value.field is None
